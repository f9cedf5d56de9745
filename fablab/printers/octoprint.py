"""The driver for printers behind OctoPrint, through OctoRest."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fablab.errors import Problem
from fablab.files import sha1_of
from fablab.printers.addresses import check_address
from fablab.printers.contract import (
    Denied,
    FileHistory,
    Finding,
    NobodyKnows,
    PrinterState,
    Reading,
    Refused,
)
from fablab.printers.octoprint_camera import picture_of
from fablab.printers.octorest_client import OctoClient
from fablab.words import say

STATES = {
    "Operational": PrinterState.READY,
    "Starting": PrinterState.STARTING,
    "Starting print from SD": PrinterState.STARTING,
    "Printing": PrinterState.PRINTING,
    "Printing from SD": PrinterState.PRINTING,
    "Pausing": PrinterState.PAUSING,
    "Paused": PrinterState.PAUSED,
    "Resuming": PrinterState.RESUMING,
    "Cancelling": PrinterState.CANCELLING,
    "Finishing": PrinterState.FINISHING,
    "Error": PrinterState.ERROR,
    "Offline after error": PrinterState.ERROR,
}

PERMISSIONS = ("STATUS", "FILES_LIST", "FILES_UPLOAD", "FILES_SELECT", "FILES_DELETE", "PRINT", "CONNECTION")
FOR_THE_CAMERA = ("SETTINGS_READ", "WEBCAM")


class OctoPrintPrinter:
    """A printer behind an OctoPrint server, reached with an application key."""

    def __init__(self, address: str, key: str | None, allowed_networks: Sequence[str]) -> None:
        self._address, self._key, self._networks = address, key, allowed_networks
        self._opened: OctoClient | None = None

    @property
    def _client(self) -> OctoClient:
        if self._opened is None:
            self._opened = OctoClient(check_address(self._address, self._networks), self._key)
        return self._opened

    def look(self) -> Reading:
        """Return what OctoPrint says about its job; a state it does not name is taken for offline."""
        return reading_of(_json(self._client.job_info()))

    def history(self, name: str) -> FileHistory | None:
        """Return the file's history; OctoPrint keeps it until the file is deleted, also over restarts."""
        info = self._client.file_info(name)
        if info is None:
            return None
        prints = info.get("prints") or {}
        return FileHistory(
            info.get("hash"), int(info.get("size") or 0), int(prints.get("success", 0)), int(prints.get("failure", 0))
        )

    def upload(self, name: str, path: Path) -> None:
        """Send a file unless OctoPrint has it already, then compare its hash."""
        wanted = sha1_of(path)
        if self._has(name, wanted):
            return
        try:
            self._client.send_file(name, path)
        except Refused:
            if not self._has(name, wanted):
                raise
        if not self._has(name, wanted):
            raise NobodyKnows(say("The file did not arrive whole at the printer."))

    def _has(self, name: str, sha1: str) -> bool:
        found = self.history(name)
        if found is not None and found.sha1 is not None and found.sha1 != sha1:
            raise Refused(say("The printer has another file of this name."))
        return found is not None and found.sha1 == sha1

    def select(self, name: str) -> None:
        """Select a file without printing it."""
        self._client.select(name)

    def start(self, name: str) -> None:
        """Select and print in one command: unlike `start` it names the file."""
        self._client.select(name, print=True)

    def pause(self) -> None:
        """Ask for a pause."""
        self._client.pause()

    def resume(self) -> None:
        """Ask to go on."""
        self._client.resume()

    def cancel(self) -> None:
        """Ask to stop."""
        self._client.cancel()

    def delete(self, name: str) -> None:
        """Delete a file; one that is gone already is fine."""
        if self.history(name) is None:
            return
        try:
            self._client.delete(name)
        except Refused:
            if self.history(name) is not None:
                raise

    def connect(self) -> None:
        """Ask OctoPrint to connect to the machine."""
        self._client.connect()

    def camera(self) -> str:
        """Return where the picture of the camera is by OctoPrint's settings, which the key may have to stay out of."""
        try:
            said = _json(self._client._get("/api/settings"))  # noqa: SLF001 - OctoRest's own call ends in a wrong address
        except Denied:
            return ""
        return picture_of(said, self._address, self._networks)

    def check(self) -> list[Finding]:
        """Test address, key, rights and the line to the machine, in this order, until something is wrong."""
        try:
            client = self._client
            version = _json(client.get_version())
        except Denied:
            return [_good(say("A server answers at this address.")), _bad(say("OctoPrint does not accept this key."))]
        except Problem as problem:
            return [_bad(problem.sentence)]
        if "server" not in version:
            return [_bad(say("What answers at this address is not OctoPrint."))]
        found = [_good(say("OctoPrint {version} answers and accepts the key.", version=str(version["server"])))]
        try:
            found += self._check_rights(client)
            found.append(_machine_finding(self.look()))
            if address := self.camera():
                found.append(_good(say("Its camera is found: {address}", address=address)))
        except Problem as problem:
            found.append(_bad(problem.sentence))
        return found

    @staticmethod
    def _check_rights(client: OctoClient) -> list[Finding]:
        me = _json(client._get("/api/currentuser"))  # noqa: SLF001 - OctoRest has no call for it
        held = {str(each).upper() for each in me.get("permissions", [])}
        missing, blind = (
            [] if "ADMIN" in held else [each for each in rights if each not in held]
            for rights in (PERMISSIONS, FOR_THE_CAMERA)
        )
        if missing:
            return [_bad(say("The key lacks these rights in OctoPrint: {rights}.", rights=", ".join(missing)))]
        found = [_good(say("The key has all the rights that are needed."))]
        if blind:
            text = say(
                "It may not read where the camera is ({rights}): that can be entered here.", rights=", ".join(blind)
            )
            found.append(_good(text))
        return found


def reading_of(answer: dict[str, Any]) -> Reading:
    """Return what a `/api/job` answer says."""
    text = str(answer.get("state") or "")
    state = STATES.get(text, PrinterState.ERROR if answer.get("error") else PrinterState.OFFLINE)
    job, progress = answer.get("job") or {}, answer.get("progress") or {}
    completion = progress.get("completion")
    return Reading(
        state=state,
        file_name=(job.get("file") or {}).get("path"),
        progress=min(1.0, max(0.0, float(completion) / 100)) if completion is not None else None,
        print_time_s=progress.get("printTime"),
        time_left_s=progress.get("printTimeLeft"),
        error=str(answer["error"])[:300] if answer.get("error") else None,
        user=job.get("user"),
    )


def _json(answer: Any) -> dict[str, Any]:
    if not isinstance(answer, dict):
        raise NobodyKnows(say("The printer's answer was not one of OctoPrint."))
    return answer


def _machine_finding(reading: Reading) -> Finding:
    if reading.state == PrinterState.ERROR:
        return _bad(say("The machine is not connected: {error}", error=reading.error or "–"))
    if reading.state == PrinterState.OFFLINE:
        return _bad(say("OctoPrint is not connected to the machine: is it switched on and plugged in?"))
    if reading.state == PrinterState.READY:
        return _good(say("The machine is connected and ready."))
    return _good(say("The machine is connected and busy."))


def _good(sentence: Any) -> Finding:
    return Finding(ok=True, sentence=sentence)


def _bad(sentence: Any) -> Finding:
    return Finding(ok=False, sentence=sentence)
