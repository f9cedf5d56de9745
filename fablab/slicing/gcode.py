"""What a G-code file says about itself: figures, extent, temperatures, and how the filament is spread over the file."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fablab.errors import Invalid
from fablab.slicing.profiles import FilamentProfile, MachineProfile
from fablab.words import say

TAIL_BYTES = 96 * 1024
"""PrusaSlicer and OrcaSlicer write their figures before 20 to 60 KB of settings at the end of the file."""
HEAD_BYTES = 16 * 1024
"""Bambu Studio, and OrcaSlicer for some machines, write figures into a block of comments at the beginning."""
CHUNK_BYTES = 4 << 20
ON_THE_BED_MM = 0.01
"""Rounding of coordinates in the file."""
TOO_HOT_C = 15
"""Start codes may heat a little more than the filament's profile says, to purge."""


def _patterns(*texts: bytes) -> tuple[re.Pattern[bytes], ...]:
    return tuple(re.compile(text, re.MULTILINE) for text in texts)


_LENGTH = _patterns(rb"^; filament used \[mm\] = ([\d.]+)", rb"^; total filament length \[mm\] : ([\d.]+)")
_CM3 = _patterns(rb"^; filament used \[cm3\] = ([\d.]+)")
_MM3 = _patterns(rb"^; total filament volume \[cm\^3\] : ([\d.]+)")  # they write cm^3 and mean mm³
_MASS = _patterns(
    rb"^; filament used \[g\] = ([\d.]+)",
    rb"^; total filament used \[g\] = ([\d.]+)",
    rb"^; total filament weight \[g\] : ([\d.]+)",
)
_TIME = _patterns(
    rb"^; estimated printing time \(normal mode\) = ([\ddhms ]+)",
    rb"^;.* total estimated time: ([\ddhms ]+)",
)
_TIME_PART = re.compile(rb"(\d+)([dhms])")
_SECONDS = {b"d": 86400, b"h": 3600, b"m": 60, b"s": 1}
_AXES = tuple(re.compile(rb"^G[0123] [^;\n]*?" + axis + rb"(-?[\d.]+)", re.MULTILINE) for axis in (b"X", b"Y", b"Z"))
_EXTRUSION = re.compile(rb"^G(?:[0123] [^;\n]*?E(-?[\d.]+)|92 [^;\n]*?E(-?[\d.]+))", re.MULTILINE)
_RELATIVE_MOVES = re.compile(rb"^G91\b.*?(?:^G90\b|\Z)", re.MULTILINE | re.DOTALL)
_NOZZLE = re.compile(rb"^M10[49] [^;\n]*?[SR](\d+)", re.MULTILINE)
_BED = re.compile(rb"^M1[49]0 [^;\n]*?[SR](\d+)", re.MULTILINE)


class BadGcode(Invalid):
    """This G-code cannot be printed as it is."""


@dataclass(frozen=True)
class Figures:
    """What a slicer wrote about a file."""

    time_s: float
    mass_g: float
    filament_mm: float
    filament_mm3: float


@dataclass(frozen=True)
class Box:
    """The extent of all moves, in mm, in the coordinates of the bed."""

    low_mm: tuple[float, float, float]
    high_mm: tuple[float, float, float]

    def is_inside(self, machine: MachineProfile) -> bool:
        """Return whether no move leaves the room of the machine, but for the rim where it may purge."""
        rims = (machine.rim_mm + ON_THE_BED_MM, machine.rim_mm + ON_THE_BED_MM, ON_THE_BED_MM)
        reaches = zip(self.low_mm, self.high_mm, machine.bed_mm, rims, strict=True)
        return all(low >= -rim and high <= room + rim for low, high, room, rim in reaches)


@dataclass(frozen=True)
class Temperatures:
    """The hottest the file asks for, 0 where it asks for nothing."""

    nozzle_c: float
    bed_c: float


def read_figures(path: Path) -> Figures | None:
    """Return the figures a file states at its end or its beginning, or None when they are not all there.

    PrusaSlicer leaves the mass out when its filament has no density: `mass_g` is 0 then.
    """
    text = _tail(path) + b"\n" + _head(path)
    time, length, volume_mm3 = _first(_TIME, text), _first(_LENGTH, text), _volume_mm3(text)
    if time is None or length is None or volume_mm3 is None:
        return None
    return Figures(_seconds(time), float(_first(_MASS, text) or 0), float(length), volume_mm3)


def _volume_mm3(text: bytes) -> float | None:
    cm3, mm3 = _first(_CM3, text), _first(_MM3, text)
    if cm3 is not None:
        return float(cm3) * 1000
    return float(mm3) if mm3 is not None else None


def _first(patterns: tuple[re.Pattern[bytes], ...], text: bytes) -> bytes | None:
    found = next(filter(None, (pattern.search(text) for pattern in patterns)), None)
    return found[1] if found else None


def bounding_box(path: Path) -> Box | None:
    """Return the extent of the absolute moves, or None when the file moves nothing in one of the axes.

    Moves between G91 and G90 are left out: where they lead is not written in them.
    """
    low, high = [math.inf] * 3, [-math.inf] * 3
    for chunk in _chunks(path):
        moves = _RELATIVE_MOVES.sub(b"", chunk) if b"G91" in chunk else chunk
        for axis, pattern in enumerate(_AXES):
            values = _numbers(pattern.findall(moves))
            if len(values):
                low[axis], high[axis] = min(low[axis], values.min()), max(high[axis], values.max())
    if not all(map(math.isfinite, low)):
        return None
    return Box((float(low[0]), float(low[1]), float(low[2])), (float(high[0]), float(high[1]), float(high[2])))


def extrusion_curve(path: Path, points: int = 100) -> list[float]:
    """Return `points + 1` shares 0..1: of the filament, how much is out when i/points of the bytes have been read.

    An aborted attempt has used `extruded_share(curve, progress)` of its grams, `progress` being a print server's
    position in the file. Retractions cancel out. Raises `BadGcode` when nothing is extruded.
    """
    size = path.stat().st_size
    ends, extruded = [0.0], [0.0]
    pace = _Extruder()
    read = 0
    for chunk in _chunks(path, max(1, -(-size // points))):
        read += len(chunk)
        ends.append(float(read))
        extruded.append(pace.after(chunk))
    if extruded[-1] <= 0:
        raise BadGcode(say("This G-code extrudes nothing."))
    steps = np.maximum.accumulate(np.clip(np.array(extruded), 0, None))
    shares = np.interp(np.linspace(0, size, points + 1), ends, steps) / steps[-1]
    return [round(float(share), 5) for share in shares]


def extruded_share(curve: Sequence[float], progress: float) -> float:
    """Return the share 0..1 of the filament extruded when `progress` (0..1) of the file has been read."""
    if not curve or math.isnan(progress):
        return 0.0
    place = min(max(progress, 0.0), 1.0) * (len(curve) - 1)
    return min(max(float(np.interp(place, np.arange(len(curve)), curve)), 0.0), 1.0)


def temperatures(path: Path) -> Temperatures:
    """Return the highest temperatures the file sets or waits for."""
    nozzle = bed = 0.0
    for chunk in _chunks(path):
        nozzle = max(nozzle, max(map(float, _NOZZLE.findall(chunk)), default=0.0))
        bed = max(bed, max(map(float, _BED.findall(chunk)), default=0.0))
    return Temperatures(nozzle, bed)


def count_layers(path: Path) -> int:
    """Return how many layers the slicer marked in the file."""
    return sum(chunk.count(b"\n;LAYER_CHANGE") for chunk in _chunks(path))


def check_printable(path: Path, machine: MachineProfile, filament: FilamentProfile | None = None) -> None:
    """Raise `BadGcode` when the file leaves the room of `machine`, is too hot for it or its filament, or is empty."""
    box = bounding_box(path)
    if box is None:
        raise BadGcode(say("This G-code moves nothing: it is empty or cut off."))
    if not box.is_inside(machine):
        raise BadGcode(
            say(
                "This G-code moves outside the {width} × {depth} × {height} mm of {machine}.",
                width=round(machine.bed_mm[0]),
                depth=round(machine.bed_mm[1]),
                height=round(machine.bed_mm[2]),
                machine=machine.label,
            )
        )
    check_heat(path, machine, filament)
    extrusion_curve(path, 1)


def check_heat(path: Path, machine: MachineProfile, filament: FilamentProfile | None = None) -> None:
    """Raise `BadGcode` when the file asks for more heat than `machine` may reach, or than the filament is made for."""
    hottest = temperatures(path)
    if filament is not None and hottest.nozzle_c > filament.nozzle_c + TOO_HOT_C:
        raise BadGcode(
            say(
                "This G-code asks for {nozzle} °C at the nozzle: too hot for {material}, printed at {usual} °C.",
                nozzle=round(hottest.nozzle_c),
                material=filament.label,
                usual=round(filament.nozzle_c),
            )
        )
    if hottest.nozzle_c > machine.max_nozzle_c or hottest.bed_c > machine.max_bed_c:
        raise BadGcode(
            say(
                "This G-code asks for {nozzle} °C at the nozzle and {bed} °C on the bed: {machine} may reach less.",
                nozzle=round(hottest.nozzle_c),
                bed=round(hottest.bed_c),
                machine=machine.label,
            )
        )


class _Extruder:
    """Follows the extruder through a file, in relative (M83) or absolute (M82, the default) numbers."""

    def __init__(self) -> None:
        self.relative = False
        self.out_mm = 0.0
        self.position_mm = 0.0

    def after(self, chunk: bytes) -> float:
        """Return the filament out, in mm, after the commands of `chunk`."""
        for mode, part in _by_mode(chunk):
            if mode is not None:
                self.relative = mode
            found = _EXTRUSION.findall(part)
            if self.relative:
                self.out_mm += float(_numbers([move for move, _ in found if move]).sum())
            else:
                self._follow(found)
        return self.out_mm

    def _follow(self, found: list[tuple[bytes, bytes]]) -> None:
        for move, reset in found:
            if move:
                self.out_mm += float(move) - self.position_mm
            self.position_mm = float(move or reset)


def _by_mode(chunk: bytes) -> Iterator[tuple[bool | None, bytes]]:
    """Yield the pieces of a chunk with the mode that begins with each: True is relative, None as before."""
    pieces = re.split(rb"^(M8[23])\b", chunk, flags=re.MULTILINE)
    yield None, pieces[0]
    for command, piece in zip(pieces[1::2], pieces[2::2], strict=True):
        yield command == b"M83", piece


def _numbers(found: list[bytes]) -> np.ndarray:
    return np.array(found, dtype=np.bytes_).astype(float) if found else np.empty(0)


def _seconds(text: bytes) -> float:
    return float(sum(int(count) * _SECONDS[unit] for count, unit in _TIME_PART.findall(text)))


def _tail(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - TAIL_BYTES))
        return file.read()


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)


def _chunks(path: Path, size: int = CHUNK_BYTES) -> Iterator[bytes]:
    """Yield the file in pieces of about `size` bytes that end at ends of lines."""
    with path.open("rb") as file:
        while chunk := file.read(size):
            yield chunk + file.readline()
