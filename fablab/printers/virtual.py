"""Real OctoPrint servers with virtual printers: for demonstrations, for training volunteers, and for the tests.

OctoPrint pins versions that we do not, so it lives in an environment of its own (`make octoprint`).
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher

from fablab.printers.octoprint import FOR_THE_CAMERA, PERMISSIONS

ROOT = Path(__file__).resolve().parents[2]

DISABLED_PLUGINS = [
    *("announcements", "softwareupdate", "tracking", "errortracking", "discovery", "pluginmanager", "firmware_check"),
    *("pi_support", "health_check", "achievements", "corewizard", "backup", "gcodeviewer"),
    *("customcontrolmanager", "eventmanager", "uploadmanager", "file_check"),
]


def find_octoprint() -> Path | None:
    """Return OctoPrint's command: $FABLAB_OCTOPRINT, the project's own environment, or the one on the PATH."""
    named = os.environ.get("FABLAB_OCTOPRINT")
    for candidate in (Path(named) if named else None, ROOT / ".octoprint" / "bin" / "octoprint"):
        if candidate is not None and os.access(candidate, os.X_OK):
            return candidate
    found = shutil.which("octoprint")
    return Path(found) if found else None


def command(executable: Path, folder: Path, port: int) -> list[str]:
    """Return the command that serves the OctoPrint of a base folder on this machine only."""
    options = ["--iknowwhatimdoing", "--ignore-blacklist", "--basedir", str(folder), "--host", "127.0.0.1"]
    return [str(executable), "serve", *options, "--port", str(port)]


def write_base_folder(folder: Path, port: int, *, fast: bool = False) -> str:
    """Write the base folder of an OctoPrint server with a virtual printer, and return its application key.

    A folder that exists keeps its key. With `fast` heating and moves take no time and lost lines are noticed at once,
    for tests and demonstrations. The files are JSON, which is YAML.
    """
    key_file = folder / "data" / "appkeys" / "keys.yaml"
    if key_file.exists():
        return str(json.loads(key_file.read_text())["fablab"][0]["api_key"])
    key = secrets.token_hex(16)
    _write(folder / "config.yaml", _config(port, fast=fast))
    _write(folder / "users.yaml", _users())
    _write(folder / "groups.yaml", _groups())
    _write(key_file, {"fablab": [{"app_id": "fablab-service", "api_key": key}]})
    (folder / "logs").mkdir(exist_ok=True)
    serial_log = folder / "logs" / "plugin_virtual_printer_serial.log"
    if not serial_log.is_symlink():
        serial_log.symlink_to(os.devnull)
    if fast:
        script = folder / "scripts" / "gcode" / "afterPrinterConnected"
        script.parent.mkdir(parents=True, exist_ok=True)
        script.write_text("M220 S100000000\nM221 S100000000\n")
    return key


def _write(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps(content, indent=1))


def _config(port: int, *, fast: bool) -> dict[str, Any]:
    serial: dict[str, Any] = {
        "port": "VIRTUAL",
        "baudrate": 115200,
        "autoconnect": True,
        "autorefresh": False,
        "log": False,
    }
    printer: dict[str, Any] = {"enabled": True, "simulated_errors": [], "sendWait": True}
    if fast:
        serial["timeout"] = {"communication": 1.0, "communicationBusy": 1.0, "connection": 5.0}
        serial["maxCommunicationTimeouts"] = {"idle": 1, "printing": 1, "long": 60}
        printer["ambientTemperature"] = 230.0
    return {
        "accessControl": {"autologinLocal": False},
        "api": {"key": secrets.token_hex(16), "allowCrossOrigin": False},
        "server": {
            "host": "127.0.0.1",
            "port": port,
            "firstRun": False,
            "secretKey": secrets.token_hex(16),
            "ignoreIncompleteStartup": True,
            "onlineCheck": {"enabled": False},
            "pluginBlacklist": {"enabled": False},
            "pythonEolCheck": {"enabled": False},
            "preemptiveCache": {"exceptions": ["/"]},
            "seenWizards": {"backup": None, "classicwebcam": 1, "corewizard": 4, "softwareupdate": 1, "tracking": None},
        },
        "serial": serial,
        "feature": {"sdSupport": False, "temperatureGraph": False, "modelSizeDetection": False},
        "gcodeAnalysis": {"runAt": "idle"},
        "webcam": {"webcamEnabled": False, "timelapseEnabled": False},
        "devel": {"cache": {"enabled": True, "preemptive": False}, "webassets": {"clean_on_startup": False}},
        "printerProfiles": {"default": "_default"},
        "plugins": {"_disabled": DISABLED_PLUGINS, "virtual_printer": printer},
    }


def _users() -> dict[str, Any]:
    # Nobody signs in with a password: it is random and thrown away, so the cheapest hash is as good as any.
    hashed = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(secrets.token_hex(16))
    user = {"password": hashed, "active": True, "permissions": [], "apikey": None, "settings": {}, "roles": ["user"]}
    return {"_version": 2, "admin": {**user, "groups": ["admins", "users"]}, "fablab": {**user, "groups": ["dispatch"]}}


def _groups() -> dict[str, Any]:
    dispatch = {
        "name": "Dispatch",
        "description": "What Fablab needs, and no more",
        "default": False,
        "subgroups": [],
        "permissions": [*PERMISSIONS, *FOR_THE_CAMERA],
    }
    return {"_version": 2, "tracked": [], "groups": {"dispatch": dispatch}}
