"""The base folder of an OctoPrint with a virtual printer."""

import json
import stat

import pytest

from fablab.errors import Problem
from fablab.printers import open_printer
from fablab.printers.virtual import find_octoprint, write_base_folder


def test_the_base_folder_is_written_once_and_keeps_its_key(tmp_path):
    key = write_base_folder(tmp_path / "op", 5101)
    assert write_base_folder(tmp_path / "op", 5101) == key
    assert len(key) == 32


def test_the_key_opens_no_more_than_is_needed_and_its_files_are_private(tmp_path):
    write_base_folder(tmp_path, 5101)
    users = json.loads((tmp_path / "users.yaml").read_text())
    assert users["fablab"]["groups"] == ["dispatch"]
    for name in ("config.yaml", "users.yaml", "data/appkeys/keys.yaml"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_the_named_octoprint_comes_first(tmp_path, monkeypatch):
    program = tmp_path / "octoprint"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("FABLAB_OCTOPRINT", str(program))
    assert find_octoprint() == program


def test_an_unknown_driver_is_said():
    with pytest.raises(Problem, match="no driver called"):
        open_printer("telepathy", "x", None)
