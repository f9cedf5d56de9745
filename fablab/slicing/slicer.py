"""The slicer of this computer: a plate in, G-code and figures out, every failure in plain words.

Which program it is says `FABLAB_SLICER`, else the PATH. The program runs locked down (`sandbox.py`); what it wrote is
believed only when its figures are there and every move stays in the room and below the temperatures of the machine.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from fablab.errors import Problem
from fablab.settings import settings as place_settings
from fablab.slicing import gcode, plates, sandbox
from fablab.slicing.dialect import MODEL, Dialect, Failure, Fault, Plate
from fablab.slicing.orcaslicer import OrcaSlicer
from fablab.slicing.profiles import MachineProfile, Settings
from fablab.slicing.prusaslicer import PrusaSlicer
from fablab.words import Sentence, say

DIALECTS: tuple[Dialect, ...] = (PrusaSlicer(), OrcaSlicer())
THREADS = 2
DETAIL_BYTES = 2000
HEADLESS = {"XDG_SESSION_TYPE": "x11"}  # without it OrcaSlicer looks for Wayland first, and 2.3.2 crashes there
LIMITS = sandbox.Limits(
    memory_bytes=3 << 30, cpu_s=400, wall_s=300.0, silence_s=150.0, file_bytes=400 << 20, output_bytes=2 << 20
)
"""A real slice needs 2 s, 90 MB and 2 MB of G-code (median of 1649); the largest seen 35 s, 360 MB and 68 MB."""


class SlicerMissing(Problem):
    """There is no slicer on this computer that we can use, and this is why."""

    status = 503


class SliceFailed(Problem):
    """There is no usable G-code, and this is why. `detail` is the end of what the slicer said, for volunteers."""

    status = 422

    def __init__(self, sentence: Sentence, detail: str = "", fault: Fault = Fault.PART) -> None:
        super().__init__(sentence)
        self.detail = detail
        self.fault = fault


@dataclass(frozen=True)
class Slicer:
    """An installed slicer; `version` begins with the family's name, as in "PrusaSlicer 2.5.0"."""

    program: Path
    version: str
    dialect: Dialect = field(default=DIALECTS[0], compare=False, repr=False)

    def identity(self, settings: Settings) -> str:
        """Return what decides about the G-code of a model and its copies: another identity has to slice again."""
        return " ".join(filter(None, (settings.hash, self.version, self.dialect.fingerprint(settings))))


@dataclass(frozen=True)
class SliceResult:
    """What a slice says: figures for the whole plate, its extent, and the share of filament out along the file.

    `time_s` leaves out heating, homing and the purge line, as PrusaSlicer does; `extrusion_curve` includes the line.
    """

    time_s: float
    mass_g: float
    filament_mm: float
    filament_mm3: float
    layers: int
    box: gcode.Box
    extrusion_curve: list[float]
    slicer_version: str
    settings_hash: str


def require_slicer() -> Slicer:
    """Return the slicer named by the setting, else the first one on the PATH; raises `SlicerMissing` in words."""
    named = place_settings().slicer
    names = [named] if named else [name for dialect in DIALECTS for name in dialect.names_on_path]
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None and named:
        raise SlicerMissing(say("FABLAB_SLICER names {program}: there is no such program here.", program=named))
    if found is None:
        raise SlicerMissing(say("PrusaSlicer is not installed on this computer: install the package prusa-slicer."))
    program = Path(found).absolute()
    return _identified(program, program.stat().st_mtime_ns)


def find_slicer() -> Slicer | None:
    """Return the slicer of this computer, or None."""
    try:
        return require_slicer()
    except SlicerMissing:
        return None


@lru_cache(maxsize=8)
def _identified(program: Path, _changed_at_ns: int) -> Slicer:
    """Ask a program what it is, once for each version of its file."""
    said = _help_of(program)
    for dialect in DIALECTS:
        version = dialect.version_in(said)
        if version is None:
            continue
        full = f"{dialect.name} {version}"
        if not dialect.supports(version):
            raise SlicerMissing(say("{slicer} is not supported: use {versions}.", slicer=full, versions=_supported()))
        return Slicer(program, full, dialect)
    raise SlicerMissing(
        say("{program} is none of the slicers we know: use {versions}.", program=str(program), versions=_supported())
    )


def _help_of(program: Path) -> str:
    try:
        said = subprocess.run(
            [program, "--help"], capture_output=True, timeout=60, check=False, stdin=subprocess.DEVNULL,
            env={"LC_ALL": "C.UTF-8", "HOME": "/nonexistent"},
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return (said.stdout + said.stderr).decode("utf-8", "replace")


def _supported() -> str:
    return ", ".join(f"{dialect.name} {dialect.supported}" for dialect in DIALECTS)


def slice_model(
    slicer: Slicer,
    model: Path,
    settings: Settings,
    copies: int,
    output: Path,
    *,
    size_mm: plates.Size,
    limits: sandbox.Limits = LIMITS,
) -> SliceResult:
    """Slice `copies` of `model` onto one plate, put the G-code at `output` and return what it says.

    `size_mm` is the measured size of the part. Raises `SliceFailed`, and then leaves nothing at `output`.
    """
    check_fit(size_mm, settings.machine, copies)
    plate = Plate(settings, copies, size_mm)
    with tempfile.TemporaryDirectory(prefix="slice-") as folder:
        work = Path(folder)
        shutil.copyfile(model, work / MODEL)
        command = slicer.dialect.prepare(slicer.program, plate, work)
        outcome = sandbox.run(
            [*_pinned(), *command], work=work, readable=[_installation(slicer)], limits=limits,
            environment={**HEADLESS, "OMP_NUM_THREADS": str(THREADS), "TBB_NUM_THREADS": str(THREADS)},
        )  # fmt: skip
        written = work / slicer.dialect.writes
        _check_outcome(outcome, written, plate, slicer.dialect)
        result = _read_result(written, slicer, settings, outcome)
        shutil.move(written, output)
    return result


def check_fit(size_mm: plates.Size, machine: MachineProfile, copies: int) -> None:
    """Raise `SliceFailed` when so many copies of such a part do not fit: the slicer itself does not check."""
    if copies < 1:
        raise SliceFailed(say("A plate carries at least one part."))
    most = plates.copies_per_plate(size_mm, machine)
    x, y, z = (round(size, 1) for size in size_mm)
    if most == 0:
        raise SliceFailed(
            say("This part measures {x} × {y} × {z} mm: too large for {machine}.", x=x, y=y, z=z, machine=machine.label)
        )
    if copies > most:
        raise SliceFailed(
            say(
                "{copies} parts do not fit on one plate of {machine}: at most {most} do.",
                copies=copies,
                most=most,
                machine=machine.label,
            )
        )


def _installation(slicer: Slicer) -> Path:
    """Return the folder the slicer needs to read beyond those of the system: /opt/it for /opt/it/bin/prusa-slicer."""
    folder = slicer.program.resolve().parent
    return folder.parent if folder.name == "bin" else folder


def _pinned() -> list[str]:
    """Return the words that keep the slicer on two processors: it starts a thread for each one it sees."""
    taskset = shutil.which("taskset")
    allowed = sorted(os.sched_getaffinity(0))
    if taskset is None or len(allowed) <= THREADS:
        return []
    return [taskset, "--cpu-list", ",".join(map(str, allowed[:THREADS]))]


def _check_outcome(outcome: sandbox.Outcome, written: Path, plate: Plate, dialect: Dialect) -> None:
    said = (outcome.output + b"\n" + outcome.errors).decode("utf-8", "replace")
    failure = _forced_end(outcome) or dialect.failure_in(said, plate, written.parent)
    if failure is None and outcome.returncode != 0:
        failure = NO_REASON
    if failure is None and not written.exists():
        failure = Failure(say("The slicer ended without writing any G-code."), Fault.PLACE)
    if failure is not None:
        raise SliceFailed(failure.sentence, said[-DETAIL_BYTES:], failure.fault)


NO_REASON = Failure(say("The slicer could not slice this part and did not say why."), Fault.PLACE)


def _forced_end(outcome: sandbox.Outcome) -> Failure | None:
    """Return why the slicer was ended or not even begun, or None when it ended by itself."""
    if outcome.stopped is sandbox.Stop.TALKATIVE:
        return NO_REASON
    if outcome.stopped is not None or outcome.signal in (signal.SIGXCPU, signal.SIGKILL):
        sentence = say("Slicing took too long and was stopped: the part is too large or too detailed.")
        return Failure(sentence, Fault.PLACE)  # another limit, or a quieter hour, may be enough
    if outcome.signal is signal.SIGXFSZ:
        return Failure(say("The G-code would be too large: the part is too big or too detailed for these settings."))
    if not outcome.was_started:
        return Failure(say("The slicer could not be started safely on this computer."), Fault.PLACE)
    return None


def _read_result(written: Path, slicer: Slicer, settings: Settings, outcome: sandbox.Outcome) -> SliceResult:
    detail = outcome.output[-DETAIL_BYTES:].decode("utf-8", "replace")
    figures, box = gcode.read_figures(written), gcode.bounding_box(written)
    if figures is None or box is None:
        sentence = say("The slicer wrote G-code without figures: it is not complete.")
        raise SliceFailed(sentence, detail, Fault.PLACE)
    if figures.filament_mm3 <= 0 or figures.time_s <= 0:
        raise SliceFailed(say("The part is too small or too thin to be printed with this nozzle."), detail)
    if figures.mass_g <= 0:
        sentence = say("The filament profile of {material} has no density.", material=settings.filament.label)
        raise SliceFailed(sentence, detail, Fault.PLACE)
    _check_safe(written, box, settings.machine, detail)
    return SliceResult(
        time_s=figures.time_s,
        mass_g=figures.mass_g,
        filament_mm=figures.filament_mm,
        filament_mm3=figures.filament_mm3,
        layers=gcode.count_layers(written),
        box=box,
        extrusion_curve=gcode.extrusion_curve(written),
        slicer_version=slicer.version,
        settings_hash=settings.hash,
    )


def _check_safe(written: Path, box: gcode.Box, machine: MachineProfile, detail: str) -> None:
    """Raise `SliceFailed` when the file leaves the room of the machine, or is too hot for it."""
    if not box.is_inside(machine):
        raise SliceFailed(say("The G-code would leave the build plate of {machine}.", machine=machine.label), detail)
    try:
        gcode.check_heat(written, machine)
    except gcode.BadGcode as hot:
        raise SliceFailed(hot.sentence, detail, Fault.PLACE) from hot
