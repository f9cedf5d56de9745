"""The sandbox really stops what it is there to stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fablab.slicing import sandbox
from fablab.slicing.sandbox import Limits, Outcome, Stop

SMALL = Limits(memory_bytes=512 << 20, cpu_s=5, wall_s=10, file_bytes=1 << 20, output_bytes=100_000)


def python(program: str, work: Path, limits: Limits = SMALL, readable: list[Path] | None = None) -> Outcome:
    paths = [*sandbox.python_paths(), *(readable or [])]
    return sandbox.run([sys.executable, "-I", "-S", "-c", program], work=work, readable=paths, limits=limits)


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


def offered(index: int) -> bool:
    return sandbox.probe()[index].works


needs_landlock = pytest.mark.skipif(not offered(0), reason="This kernel has no Landlock.")
needs_seccomp = pytest.mark.skipif(not offered(1), reason="libseccomp is not installed.")


def test_a_program_works_in_its_folder(work: Path) -> None:
    outcome = python("open('out', 'w').write('done'); print(open('out').read())", work)
    assert (outcome.returncode, outcome.output, outcome.stopped) == (0, b"done\n", None)
    assert (work / "out").read_text() == "done"


@needs_landlock
def test_files_outside_cannot_be_read_nor_written(work: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("the database")
    assert b"PermissionError" in python(f"open({str(secret)!r}).read()", work).errors
    assert b"PermissionError" in python("open('/etc/passwd').read()", work).errors
    assert b"PermissionError" in python(f"open({str(secret)!r}, 'w')", work).errors
    assert b"PermissionError" in python(f"import os; os.unlink({str(secret)!r})", work).errors
    assert secret.read_text() == "the database"


@needs_landlock
def test_a_path_given_for_reading_can_only_be_read(work: Path, tmp_path: Path) -> None:
    model = tmp_path / "model.stl"
    model.write_text("solid")
    assert python(f"print(open({str(model)!r}).read())", work, readable=[model]).output == b"solid\n"
    assert b"PermissionError" in python(f"open({str(model)!r}, 'a')", work, readable=[model]).errors


@needs_seccomp
@pytest.mark.parametrize("family", ["AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK"])
def test_there_is_no_network(family: str, work: Path) -> None:
    outcome = python(f"import socket; socket.socket(socket.{family}, socket.SOCK_DGRAM)", work)
    assert b"PermissionError" in outcome.errors


@needs_seccomp
def test_other_programs_cannot_be_signalled(work: Path) -> None:
    bystander = subprocess.Popen(["/bin/sleep", "30"])
    try:
        assert b"PermissionError" in python(f"import os; os.kill({bystander.pid}, 9)", work).errors
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_memory_is_limited(work: Path) -> None:
    assert b"MemoryError" in python("x = bytearray(1 << 30)", work).errors


def test_processor_time_is_limited(work: Path) -> None:
    outcome = python("while True: pass", work, Limits(cpu_s=1, wall_s=20))
    assert outcome.signal in (signal.SIGXCPU, signal.SIGKILL)
    assert outcome.stopped is None


def test_file_size_is_limited(work: Path) -> None:
    outcome = python(
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_DFL); open('big', 'wb').write(bytes(2 << 20))", work
    )
    assert outcome.signal is signal.SIGXFSZ
    assert (work / "big").stat().st_size <= 1 << 20


def test_a_late_program_is_stopped_with_its_children(work: Path) -> None:
    program = "import os, time; p = os.fork(); open('pid', 'w').write(str(p)) if p else None; time.sleep(60)"
    started = time.monotonic()
    outcome = python(program, work, Limits(wall_s=1))
    assert outcome.stopped is Stop.LATE
    assert time.monotonic() - started < 8
    assert has_ended(int((work / "pid").read_text()))


def has_ended(pid: int) -> bool:
    """Wait for a killed process to be gone, or to be a zombie that nobody collects."""
    for _ in range(200):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state in "ZX":
            return True
        time.sleep(0.01)
    return False


def test_a_silent_program_is_stopped_and_a_talking_one_is_not(work: Path) -> None:
    assert python("import time; time.sleep(60)", work, Limits(silence_s=0.5, wall_s=20)).stopped is Stop.SILENT
    talking = "import time\nfor i in range(8): print(i, flush=True); time.sleep(0.2)"
    assert python(talking, work, Limits(silence_s=1.0, wall_s=20)).stopped is None


def test_a_talkative_program_is_stopped(work: Path) -> None:
    outcome = python("while True: print('x' * 1000)", work)
    assert outcome.stopped is Stop.TALKATIVE
    assert len(outcome.output) <= SMALL.output_bytes


def test_the_environment_is_empty_and_stdin_closed(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FABLAB_SECRET_KEY", "secret")
    outcome = python("import os, sys; print(sorted(os.environ), repr(sys.stdin.read()))", work)
    names = outcome.output.decode()
    assert "SECRET" not in names
    assert "PATH'" not in names
    assert names.endswith("''\n")


def test_a_child_dies_with_its_parent(work: Path) -> None:
    parent = (
        "import sys\nfrom pathlib import Path\nfrom fablab.slicing import sandbox\n"
        f"sandbox.run(['/bin/sh', '-c', 'echo $$ > pid; exec /bin/sleep 60'], work=Path({str(work)!r}))"
    )
    root = str(Path(sandbox.__file__).parents[2])
    process = subprocess.Popen([sys.executable, "-c", parent], env={**os.environ, "PYTHONPATH": root})
    try:
        pid = wait_for_number(work / "pid")
        process.kill()
        process.wait()
        assert has_ended(pid)
    finally:
        process.kill()
        process.wait()


def wait_for_number(file: Path) -> int:
    for _ in range(1000):
        if file.exists() and file.read_text().strip():
            return int(file.read_text())
        time.sleep(0.01)
    raise AssertionError("the child never started")


def test_a_missing_program_is_told_apart_from_one_that_failed(work: Path) -> None:
    assert not sandbox.run(["/usr/bin/no-such-program"], work=work, limits=SMALL).was_started
    assert sandbox.run(["/bin/false"], work=work, limits=SMALL).was_started


def test_the_probe_speaks_in_sentences() -> None:
    assert all(str(finding.sentence).endswith(".") for finding in sandbox.probe())
