"""Read 3MF files that a stranger sent: everything that is to be printed, placed as the file says, as one part in mm.

3MF is a ZIP of XML (3MF Core Specification 1.3, and `path` of the Production Extension). The XML is read as it is
unpacked, number by number: a million triangles never stand in memory as text or as a tree of elements.
"""

from __future__ import annotations

import zipfile
import zlib
from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.parsers import expat

import numpy as np
from numpy.typing import NDArray

from fablab.slicing.mesh import MAX_TRIANGLES, BadMesh, Triangles, check_count
from fablab.words import say

if TYPE_CHECKING:
    from typing import IO, BinaryIO

MAX_UNPACKED_BYTES = 300 << 20
"""Two million triangles take 200 MB of XML."""
MAX_PACKED_FILES = 2000
MAX_OTHER_ELEMENTS = 100_000
"""Elements that are neither corners nor triangles: a real project has hundreds."""
MAX_PLACEMENTS = 20_000
DEEPEST = 16
CHUNK_BYTES = 1 << 18
UNITS_MM = {"micron": 0.001, "millimeter": 1.0, "centimeter": 10.0, "inch": 25.4, "foot": 304.8, "meter": 1000.0}
"""The units a 3MF file may name (3MF Core Specification 3.3)."""
NOT_PRINTED = frozenset({"support", "solidsupport", "other"})

Transform = NDArray[np.float64]
"""Four rows of three numbers; a corner (x, y, z, 1) is multiplied from the left."""
UNMOVED = np.vstack([np.eye(3), np.zeros(3)])


@dataclass
class Thing:
    """An object of a file: a mesh of its own, or other objects put together."""

    printed: bool = True
    corners: array[float] = field(default_factory=lambda: array("d"))
    faces: array[int] = field(default_factory=lambda: array("q"))
    components: list[Placement] = field(default_factory=list)

    def triangles(self) -> Triangles:
        """Return the triangles of the mesh in the file's unit."""
        corners = np.frombuffer(self.corners, dtype=np.float64).reshape(-1, 3)
        faces = np.frombuffer(self.faces, dtype=np.int64).reshape(-1, 3)
        if len(faces) and (faces.min() < 0 or faces.max() >= len(corners)):
            raise _damaged()
        return corners[faces]


@dataclass(frozen=True)
class Placement:
    """Where an object stands: in which file of the archive (None: this one), which, and how it is moved."""

    path: str | None
    thing: str
    transform: Transform


@dataclass
class Model:
    """One XML file: its unit, its objects, and what of them is to be printed."""

    unit_mm: float = 1.0
    things: dict[str, Thing] = field(default_factory=dict)
    items: list[Placement] = field(default_factory=list)


def read_3mf(file: BinaryIO) -> Triangles:
    """Return the triangles of a 3MF file; raises `BadMesh`."""
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as archive:
            return _read(archive)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError, OverflowError) as error:
        raise _damaged() from error
    except (expat.ExpatError, KeyError, ValueError, RuntimeError, RecursionError) as error:
        raise _damaged() from error


def _damaged() -> BadMesh:
    return BadMesh(say("This 3MF file is damaged or cut off. Export the part again."))


def _read(archive: zipfile.ZipFile) -> Triangles:
    members = {member.filename.lstrip("/").lower(): member for member in archive.infolist()}
    root = _root(members)
    if any(member.flag_bits & 1 for member in members.values()):
        raise BadMesh(say("This 3MF file is protected by a password: export it without."))
    if len(members) > MAX_PACKED_FILES:
        raise _too_large()
    library = _Library(archive, members)
    pieces = [_placed(piece, move) for piece, move in library.placements(root)]
    if not pieces:
        raise BadMesh(say("This 3MF file contains no part: export the part itself, not a sliced project."))
    return np.concatenate(pieces)


def _root(members: dict[str, zipfile.ZipInfo]) -> str:
    models = sorted(name for name in members if name.endswith(".model"))
    usual = [name for name in models if name.endswith("3d/3dmodel.model")]
    if not models:
        raise BadMesh(say("This 3MF file contains no part: export the part itself, not a sliced project."))
    return (usual or models)[0]


def _too_large() -> BadMesh:
    return BadMesh(say("This 3MF file is far too large when unpacked. Export the part alone, as STL."))


def _placed(triangles: Triangles, transform: Transform) -> Triangles:
    """Return triangles where they stand; a mirrored mesh gets its surface turned back."""
    moved = triangles @ transform[:3] + transform[3]
    return np.asarray(moved[:, ::-1] if np.linalg.det(transform[:3]) < 0 else moved)


class _Library:
    """The XML files of an archive, each read once, when it is asked for."""

    def __init__(self, archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo]) -> None:
        self._archive, self._members = archive, members
        self._models: dict[str, Model] = {}
        self._bytes_left = MAX_UNPACKED_BYTES

    def placements(self, root: str) -> list[tuple[Triangles, Transform]]:
        """Return every mesh that is to be printed, as often as it stands somewhere, with its place in mm."""
        found: list[tuple[Triangles, Transform]] = []
        waiting = [(root, item, UNMOVED, 0) for item in self._model(root).items]
        count = visited = 0
        while waiting:
            path, placement, move, depth = waiting.pop()
            visited += 1
            if depth > DEEPEST or visited > MAX_PLACEMENTS:
                raise _too_large()
            path = (placement.path or path).lstrip("/").lower()
            model = self._model(path)
            thing = model.things[placement.thing]
            if not thing.printed:
                continue
            here = _after(placement.transform, move)
            waiting += [(path, each, here, depth + 1) for each in thing.components]
            if thing.faces:
                count += len(thing.faces) // 3
                if count > MAX_TRIANGLES:
                    check_count(count)
                found.append((thing.triangles(), here * model.unit_mm))
        return found

    def _model(self, path: str) -> Model:
        if path not in self._models:
            with self._archive.open(self._members[path]) as stream:
                self._models[path] = self._parsed(stream)
        return self._models[path]

    def _parsed(self, stream: IO[bytes]) -> Model:
        reader = _Reader()
        while chunk := stream.read(CHUNK_BYTES):
            self._bytes_left -= len(chunk)
            if self._bytes_left < 0:
                raise _too_large()
            reader.feed(chunk)
        return reader.done()


def _after(first: Transform, then: Transform) -> Transform:
    """Return two moves as one."""
    turned = first @ then[:3]
    turned[3] += then[3]
    return np.asarray(turned)


class _Reader:
    """Turns the XML of one model into a `Model`, piece by piece."""

    def __init__(self) -> None:
        self._model, self._thing, self._others = Model(), Thing(), 0
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.StartElementHandler = self._start
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._handlers = {
            "model": self._begin_model,
            "object": self._begin_object,
            "component": self._component,
            "item": self._item,
        }

    def feed(self, chunk: bytes) -> None:
        """Read on."""
        self._parser.Parse(chunk, False)

    def done(self) -> Model:
        """Return what was read."""
        self._parser.Parse(b"", True)
        return self._model

    def _refuse(self, *_: object) -> None:
        """Refuse a document type: it can define text that grows without end (3MF forbids it)."""
        raise _damaged()

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(" ")[2]
        if name == "vertex":
            self._thing.corners.extend((float(attributes["x"]), float(attributes["y"]), float(attributes["z"])))
        elif name == "triangle":
            self._thing.faces.extend((int(attributes["v1"]), int(attributes["v2"]), int(attributes["v3"])))
            if len(self._thing.faces) > 3 * MAX_TRIANGLES:
                check_count(len(self._thing.faces) // 3)
        else:
            self._other(name, attributes)

    def _other(self, name: str, attributes: dict[str, str]) -> None:
        self._others += 1
        if self._others > MAX_OTHER_ELEMENTS:
            raise _too_large()
        handler = self._handlers.get(name)
        if handler is not None:
            handler({key.rpartition(" ")[2]: value for key, value in attributes.items()})

    def _begin_model(self, attributes: dict[str, str]) -> None:
        self._model.unit_mm = UNITS_MM[attributes.get("unit", "millimeter")]

    def _begin_object(self, attributes: dict[str, str]) -> None:
        self._thing = self._model.things[attributes["id"]] = Thing(attributes.get("type") not in NOT_PRINTED)

    def _component(self, attributes: dict[str, str]) -> None:
        self._thing.components.append(_placement(attributes))

    def _item(self, attributes: dict[str, str]) -> None:
        if attributes.get("printable") != "0":
            self._model.items.append(_placement(attributes))


def _placement(attributes: dict[str, str]) -> Placement:
    numbers = attributes.get("transform")
    transform = np.array(numbers.split(), dtype=np.float64).reshape(4, 3) if numbers else UNMOVED
    if not np.isfinite(transform).all():
        raise _damaged()
    return Placement(attributes.get("path"), attributes["objectid"], transform)
