"""PrusaSlicer as a tool: a model and settings in, G-code and figures out, every failure in plain words."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from fablab.errors import Problem
from fablab.slicing import gcode, plates, sandbox
from fablab.slicing.profiles import MachineProfile, Settings
from fablab.words import Sentence, say

SLICER_VARIABLE = "FABLAB_SLICER"
NAMES_ON_PATH = ("prusa-slicer", "PrusaSlicer", "prusaslicer")
THREADS = 2
DETAIL_BYTES = 2000
LIMITS = sandbox.Limits(
    memory_bytes=3 << 30, cpu_s=400, wall_s=300.0, silence_s=150.0, file_bytes=400 << 20, output_bytes=2 << 20
)
"""A real slice needs 2 s, 90 MB and 2 MB of G-code (median of 1649); the largest seen 35 s, 360 MB and 68 MB."""


class SlicerMissing(Problem):
    """There is no PrusaSlicer on this computer."""

    status = 503


class SliceFailed(Problem):
    """There is no usable G-code, and this is why. `detail` is the end of what the slicer said, for volunteers."""

    status = 422

    def __init__(self, sentence: Sentence, detail: str = "") -> None:
        super().__init__(sentence)
        self.detail = detail


@dataclass(frozen=True)
class Slicer:
    """An installed slicer."""

    program: Path
    version: str


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


def find_slicer() -> Slicer | None:
    """Return the slicer named by `$FABLAB_SLICER`, else the first one on the PATH, or None."""
    named = os.environ.get(SLICER_VARIABLE)
    found = next(filter(None, map(shutil.which, [named] if named else NAMES_ON_PATH)), None)
    if found is None:
        return None
    program = Path(found).absolute()
    version = _version(program)
    return Slicer(program, version) if version else None


def require_slicer() -> Slicer:
    """Return the slicer, or raise `SlicerMissing`."""
    slicer = find_slicer()
    if slicer is None:
        raise SlicerMissing("PrusaSlicer is not installed on this computer: install the package prusa-slicer.")
    return slicer


@lru_cache(maxsize=8)
def _version(program: Path) -> str | None:
    try:
        said = subprocess.run(
            [program, "--help"], capture_output=True, timeout=60, check=False, stdin=subprocess.DEVNULL,
            env={"LC_ALL": "C.UTF-8", "HOME": "/nonexistent"},
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(rb"(?:PrusaSlicer|Slic3r)[ -](\d+\.\d+\.\d+[\w.-]*)", said.stdout)
    return f"PrusaSlicer {match[1].decode()}" if match else None


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
    with tempfile.TemporaryDirectory(prefix="slice-") as folder:
        work = Path(folder)
        shutil.copyfile(model, work / "model.stl")
        (work / "settings.ini").write_text(ini_text(_on_bed(settings, copies)), encoding="utf-8")
        command = _command(slicer, settings, copies, size_mm)
        outcome = sandbox.run(
            command, work=work, readable=[_installation(slicer)], limits=limits,
            environment={"OMP_NUM_THREADS": str(THREADS), "TBB_NUM_THREADS": str(THREADS)},
        )  # fmt: skip
        written = work / "plate.gcode"
        _check_outcome(outcome, written)
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


def _on_bed(settings: Settings, copies: int) -> Mapping[str, str]:
    """Return the keys, the bed without its edges when parts are arranged: the skirt would lie beside the bed."""
    if copies == 1:
        return settings.keys
    width, depth, _ = settings.machine.bed_mm
    low, right, back = plates.EDGE_MM, width - plates.EDGE_MM, depth - plates.EDGE_MM
    corners = ((low, low), (right, low), (right, back), (low, back))
    return {**settings.keys, "bed_shape": ",".join(f"{x:g}x{y:g}" for x, y in corners)}


def ini_text(keys: Mapping[str, str]) -> str:
    """Return settings as PrusaSlicer reads them from a file."""
    return "".join(f"{key} = {value}\n" for key, value in sorted(keys.items()))


def _command(slicer: Slicer, settings: Settings, copies: int, size_mm: plates.Size) -> list[str]:
    command = [*_pinned(), str(slicer.program), "--export-gcode", "--load", "settings.ini", "--loglevel", "1"]
    if not plates.fits_as_it_lies(size_mm, settings.machine):
        command += ["--rotate", "90"]
    if copies == 1:
        width, depth, _ = settings.machine.bed_mm
        command += ["--center", f"{width / 2:g},{depth / 2:g}"]
    else:
        command += ["--duplicate", str(copies)]
    return [*command, "--output", "plate.gcode", "model.stl"]


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


def _check_outcome(outcome: sandbox.Outcome, written: Path) -> None:
    said = (outcome.output + b"\n" + outcome.errors).decode("utf-8", "replace")
    sentence = _reason(outcome, said)
    if sentence is None and not written.exists():
        sentence = say("The slicer ended without writing any G-code.")
    if sentence is not None:
        raise SliceFailed(sentence, said[-DETAIL_BYTES:])


def _reason(outcome: sandbox.Outcome, said: str) -> Sentence | None:
    """Return why the slice is worth nothing, or None when the slicer itself is content."""
    if outcome.stopped is not None or outcome.signal in (signal.SIGXCPU, signal.SIGKILL):
        return say("Slicing took too long and was stopped: the part is too large or too detailed.")
    if outcome.signal is signal.SIGXFSZ:
        return say("The G-code would be too large: the part is too big or too detailed for these settings.")
    if not outcome.was_started:
        return say("The slicer could not be started safely on this computer.")
    for pattern, sentence in REASONS:
        if pattern in said:
            return sentence
    if outcome.returncode != 0:
        return say("The slicer could not slice this part and did not say why.")
    return None


REASONS: tuple[tuple[str, Sentence], ...] = (
    ("could not fit on the bed", say("The parts do not fit on the build plate.")),
    ("Loading of a model file failed", say("The slicer cannot read this file: it is damaged or not an STL.")),
    (
        "no extrusions in the first layer",
        say("Nothing touches the build plate: turn the part onto a flat side, or choose supports."),
    ),
    (
        "No layers were detected",
        say("The slicer finds no solid part in this file: it is not closed, or far too small. Repair it or check it."),
    ),
    ("The print is empty", say("The part is too small or too thin to be printed with this nozzle.")),
    ("failed to map segment", say("Slicing needs more memory than allowed: the part is too detailed.")),
    ("bad_alloc", say("Slicing needs more memory than allowed: the part is too detailed.")),
    ("Value out of range", say("The slicer refuses one of the settings of this profile.")),
    ("can't be greater than nozzle diameter", say("The layers of this profile are too thick for the nozzle.")),
    ("invalid custom G-code", say("The start or end G-code of this profile contains a mistake.")),
    ('Add "G92 E0" to layer_gcode', say("The slicer refuses one of the settings of this profile.")),
    ("Unknown option", say("The slicer refuses one of the settings of this profile.")),
)


def _read_result(written: Path, slicer: Slicer, settings: Settings, outcome: sandbox.Outcome) -> SliceResult:
    figures, box = gcode.read_figures(written), gcode.bounding_box(written)
    detail = outcome.output[-DETAIL_BYTES:].decode("utf-8", "replace")
    if figures is None or box is None:
        raise SliceFailed(say("The slicer wrote G-code without figures: it is not complete."), detail)
    if figures.mass_g <= 0 or figures.time_s <= 0:
        raise SliceFailed(say("The part is too small or too thin to be printed with this nozzle."), detail)
    if not box.is_inside(settings.machine):
        raise SliceFailed(
            say("The G-code would leave the build plate of {machine}.", machine=settings.machine.label), detail
        )
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
