"""Read OBJ files that a stranger sent, all their surfaces as one part; their unit is taken to be the millimetre.

The format: Wavefront, *Advanced Visualizer* manual, appendix B1. Only corners (`v`) and faces (`f`) matter here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fablab.slicing.mesh import MAX_TRIANGLES, BadMesh, Triangles, check_count
from fablab.words import say

if TYPE_CHECKING:
    from typing import BinaryIO

MAX_OBJ_BYTES = 120 << 20
MOST_CORNERS = 1000
"""Of one face: no program draws more."""
_CORNER = re.compile(rb"^[ \t]*v[ \t]+(\S{1,32})[ \t]+(\S{1,32})[ \t]+(\S{1,32})", re.MULTILINE)
_FACE = re.compile(rb"^[ \t]*f[ \t]+([^\r\n#]+)", re.MULTILINE)
_BESIDE = re.compile(rb"/[^ \t\n]*")
"""The texture and the normal of a corner: 7/1/3."""

Integers = NDArray[np.int64]


def read_obj(file: BinaryIO, size: int) -> Triangles:
    """Return the triangles of an OBJ file of `size` bytes; faces of more corners are cut up. Raises `BadMesh`."""
    if size > MAX_OBJ_BYTES:
        raise BadMesh(say("This OBJ file is too large: export it as binary STL, much smaller."))
    file.seek(0)
    content = file.read().replace(b"\\\r\n", b" ").replace(b"\\\n", b" ")
    if b"\0" in content or not _CORNER.search(content):
        raise BadMesh(say("This is not an OBJ file: it holds no corners of a part."))
    if not _FACE.search(content):
        raise BadMesh(say("This OBJ file contains no surfaces: export the part as a mesh."))
    try:
        corners = np.array(_CORNER.findall(content), dtype="S32").astype(np.float64)
        faces = _faces(content, len(corners))
    except (ValueError, OverflowError) as error:
        raise _damaged() from error
    if faces.min() < 0 or faces.max() >= len(corners):
        raise _damaged()
    return corners[faces]


def _damaged() -> BadMesh:
    return BadMesh(say("This OBJ file is damaged: its surfaces cannot be read. Export the part again."))


def _faces(content: bytes, corners: int) -> Integers:
    """Return the triangles as indices from 0, shape (n, 3). Raises ValueError."""
    lines = _BESIDE.sub(b"", b"\n".join(_FACE.findall(content))).split(b"\n")
    if len(lines) > MAX_TRIANGLES:
        check_count(len(lines))
    rows = [line.split() for line in lines]
    lengths = np.array([len(row) for row in rows])
    if lengths.min() < 3 or lengths.max() > MOST_CORNERS:
        raise ValueError("a face has a wrong number of corners")
    check_count(int((lengths - 2).sum()))
    flat = np.array([number for row in rows for number in row], dtype="S12").astype(np.int64)
    return _fans(_from_zero(flat, lengths, content, corners), lengths)


def _from_zero(flat: Integers, lengths: Integers, content: bytes, corners: int) -> Integers:
    """Return indices that count from 0; negative ones count back from the last corner above their face."""
    if flat.min() > 0:
        return flat - 1
    places = np.array([match.start() for match in _CORNER.finditer(content)])
    faces = np.array([match.start() for match in _FACE.finditer(content)])
    above = np.repeat(np.searchsorted(places, faces), lengths)
    return np.where(flat > 0, flat - 1, np.where(flat < 0, above + flat, corners))


def _fans(flat: Integers, lengths: Integers) -> Integers:
    """Cut every face into triangles around its first corner."""
    begins = np.cumsum(lengths) - lengths
    cut = lengths - 2
    first = np.repeat(begins, cut)
    step = np.arange(cut.sum()) - np.repeat(np.cumsum(cut) - cut, cut)
    return np.stack([flat[first], flat[first + step + 1], flat[first + step + 2]], axis=1)
