"""Read an STL file that a stranger sent, binary or text."""

from __future__ import annotations

import io
import re
import struct
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fablab.slicing.mesh import BadMesh, Triangles, check_count
from fablab.words import say

if TYPE_CHECKING:
    from typing import BinaryIO

HEADER_BYTES, TRIANGLE_BYTES = 84, 50
MAX_TEXT_BYTES = 80 << 20
"""A text STL takes five times the room and twenty times the time of a binary one: 80 MB take 2.5 s."""
PEEK_BYTES = 4096

_ROW = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
_TEXT_STL = re.compile(rb"^\s*solid\b", re.IGNORECASE)
_NUMBER = rb"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_VERTEX_LINE = re.compile(rb"vertex\s+" + _NUMBER + rb"\s+" + _NUMBER + rb"\s+" + _NUMBER + rb"\s")


def read_stl(file: BinaryIO, start: bytes, size: int) -> Triangles:
    """Return the triangles of an STL file of `size` bytes that begins with `start`; raises `BadMesh`."""
    return _read_binary(file, size) if is_binary(start, size) else _read_text(file, size)


def write_stl(path: Path, triangles: Triangles) -> Path:
    """Write triangles, shape (n, 3, 3) in mm, as a binary STL and return its path."""
    rows = np.zeros(len(triangles), dtype=_ROW)
    rows["corners"] = triangles
    with np.errstate(over="ignore"):
        crosses = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    lengths = np.linalg.norm(crosses, axis=1, keepdims=True)
    rows["normal"] = np.divide(crosses, lengths, out=np.zeros_like(crosses), where=lengths > 0)
    path.write_bytes(b"part".ljust(80) + struct.pack("<I", len(rows)) + rows.tobytes())
    return path


def is_binary(start: bytes, size: int) -> bool:
    """Say binary as slicers do: the size fits the count, or there are bytes no text has. "solid" proves nothing."""
    if len(start) >= HEADER_BYTES and size == HEADER_BYTES + TRIANGLE_BYTES * _announced(start):
        return True
    beyond_header = start[80:]
    return any(byte > 127 or byte == 0 for byte in beyond_header) or not _TEXT_STL.match(start)


def _announced(start: bytes) -> int:
    count: int = struct.unpack_from("<I", start, 80)[0]
    return count


def _read_binary(file: BinaryIO, size: int) -> Triangles:
    file.seek(0)
    head = file.read(HEADER_BYTES)
    if len(head) < HEADER_BYTES or not any(byte > 127 or byte < 9 for byte in head[80:] + file.read(PEEK_BYTES)):
        raise BadMesh(say("This is not an STL file: it holds neither triangles nor the word “solid”."))
    count, rest = divmod(size - HEADER_BYTES, TRIANGLE_BYTES)
    announced = _announced(head)
    if rest and announced > count:
        raise BadMesh(
            say(
                "This file is cut off: {found} of {announced} triangles arrived. Send it again.",
                found=count,
                announced=announced,
            )
        )
    if rest:
        raise BadMesh(say("This STL is damaged: its length does not match its content. Export the part again."))
    if count == 0:
        raise BadMesh(say("This STL contains no triangles: the export went wrong."))
    check_count(count)
    file.seek(HEADER_BYTES)
    return np.fromfile(file, dtype=_ROW, count=count)["corners"].astype(np.float64)


def _read_text(file: BinaryIO, size: int) -> Triangles:
    if size > MAX_TEXT_BYTES:
        raise BadMesh(say("This text STL is too large: export it as binary STL, five times smaller."))
    file.seek(0)
    content = file.read()
    facets, corners = content.count(b"facet normal"), content.count(b"vertex")
    if facets == 0 or corners == 0:
        raise BadMesh(say("This STL contains no triangles: the export went wrong."))
    if corners != 3 * facets or content.count(b"endfacet") != facets:
        raise BadMesh(say("This text STL is cut off or damaged in the middle of a triangle. Export the part again."))
    if sum(1 for _ in _VERTEX_LINE.finditer(content)) != corners:
        raise BadMesh(
            say("This text STL contains coordinates that are not numbers. Export the part again as binary STL.")
        )
    check_count(facets)
    return _load(
        content if b"endsolid" in content else content + b"\nendsolid\n"
    )  # trimesh looks for it, slicers do not


def _load(content: bytes) -> Triangles:
    from trimesh.exchange.stl import HeaderError, load_stl  # 0.3 s to import: only where it is needed

    try:
        loaded = load_stl(io.BytesIO(content))
    except (ValueError, IndexError, KeyError, HeaderError):
        raise BadMesh(say("This STL is damaged: its triangles cannot be read. Export the part again.")) from None
    solids = loaded.get("geometry", {"": loaded}).values()
    corners = [np.asarray(solid["vertices"], dtype=np.float64)[np.asarray(solid["faces"])] for solid in solids]
    if not corners:
        raise BadMesh(say("This STL contains no triangles: the export went wrong."))
    return np.concatenate(corners)
