"""3MF and OBJ: read as slicers read them, and refused in one sentence when they are broken or hostile."""

from __future__ import annotations

import struct
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fablab.slicing.measure import measure, measure_safely
from fablab.slicing.mesh import BadMesh
from fablab.slicing.reading import read_triangles
from fablab.slicing.threemf import MAX_UNPACKED_BYTES
from tests.slicing.drawn import MODEL, box, mesh_xml, model_xml, obj, one_object, packed, three_mf

CUBE = box()
ITEM = '<item objectid="1"/>'
CUBE_OBJECT = f'<object id="1">{mesh_xml(CUBE)}</object>'


def read(content: bytes, name: str, tmp_path: Path) -> np.ndarray:
    file = tmp_path / "file"
    file.write_bytes(content)
    return read_triangles(file, name)


def volume(triangles: np.ndarray) -> float:
    a, b, c = triangles.transpose(1, 0, 2)
    return float((a * np.cross(b, c)).sum() / 6)


def size(triangles: np.ndarray) -> list[float]:
    return [round(float(side), 3) for side in np.ptp(triangles, axis=(0, 1))]


@pytest.mark.parametrize(
    ("unit", "side"), [("micron", 0.02), ("millimeter", 20), ("centimeter", 200), ("inch", 508), ("foot", 6096)]
)
def test_a_3mf_is_as_large_as_its_unit_says(unit: str, side: float, tmp_path: Path) -> None:
    assert size(read(three_mf(one_object(CUBE, unit)), "a.3mf", tmp_path)) == [side] * 3


def test_a_3mf_stands_where_its_items_and_components_place_it(tmp_path: Path) -> None:
    pair = (
        '<object id="2"><components><component objectid="1"/>'
        '<component objectid="1" transform="1 0 0 0 1 0 0 0 1 30 0 0"/></components></object>'
    )
    items = '<item objectid="2" transform="0 2 0 -1 0 0 0 0 1 0 0 0"/>'
    triangles = read(three_mf(model_xml(CUBE_OBJECT + pair, items)), "a.3mf", tmp_path)
    assert len(triangles) == 24
    assert size(triangles) == [20, 100, 20]
    assert volume(triangles) == pytest.approx(2 * 2 * 8000)


def test_a_mirrored_object_is_not_inside_out(tmp_path: Path) -> None:
    mirrored = one_object(CUBE, item='transform="-1 0 0 0 1 0 0 0 1 0 0 0"')
    assert volume(read(three_mf(mirrored), "a.3mf", tmp_path)) == pytest.approx(8000)


def test_objects_in_files_of_their_own_are_found(tmp_path: Path) -> None:
    group = '<object id="9"><components><component p:path="/3D/Objects/a.model" objectid="1"/></components></object>'
    content = three_mf(model_xml(group, '<item objectid="9"/>'), a=model_xml(CUBE_OBJECT, "", "inch"))
    assert size(read(content, "a.3mf", tmp_path)) == [508] * 3


def test_what_is_not_to_be_printed_is_left_out(tmp_path: Path) -> None:
    others = (
        f'<object id="2" type="support">{mesh_xml(CUBE + 50)}</object><object id="3">{mesh_xml(CUBE + 90)}</object>'
    )
    items = f'{ITEM}<item objectid="2"/><item objectid="3" printable="0"/>'
    assert size(read(three_mf(model_xml(CUBE_OBJECT + others, items)), "a.3mf", tmp_path)) == [20] * 3


def cycle() -> bytes:
    ring = '<object id="{}"><components><component objectid="{}"/></components></object>'
    return three_mf(model_xml(ring.format(1, 2) + ring.format(2, 1), ITEM))


def multiplied() -> bytes:
    """Ten objects, each ten times the one before: 10^9 cubes in a few kilobytes."""
    ten = "".join(
        f'<object id="{n}"><components>{f"<component objectid={chr(34)}{n - 1}{chr(34)}/>" * 10}</components></object>'
        for n in range(2, 11)
    )
    return three_mf(model_xml(CUBE_OBJECT + ten, '<item objectid="10"/>'))


def laughing() -> bytes:
    entities = '<!ENTITY a "ha">' + "".join(
        f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    return three_mf(model_xml(f"{CUBE_OBJECT}<metadata>&i;</metadata>", ITEM, before=f"<!DOCTYPE model [{entities}]>"))


def bomb() -> bytes:
    return three_mf(model_xml(CUBE_OBJECT + " " * (MAX_UNPACKED_BYTES + 1000), ITEM))


def lying_bomb() -> bytes:
    """A bomb whose directory says that it is small."""
    content = bytearray(bomb())
    for signature, place in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        at = content.rfind(signature)
        struct.pack_into("<I", content, at + place, 1000)
    return bytes(content)


def with_password() -> bytes:
    content = bytearray(three_mf(one_object(CUBE)))
    for signature, place in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        at = content.rfind(signature)
        content[at + place] |= 1
    return bytes(content)


def damaged() -> bytes:
    content = bytearray(three_mf(one_object(np.concatenate([CUBE] * 50))))
    content[len(content) // 2] ^= 0xFF
    return bytes(content)


def replaced(old: str, new: str) -> Callable[[], bytes]:
    return lambda: three_mf(one_object(CUBE).replace(old, new, 1))


BAD_3MF: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "empty"),
    "no zip": (lambda: b"solid part\n", "not a 3MF"),
    "cut off": (lambda: three_mf(one_object(CUBE))[:-30], "damaged"),
    "damaged inside": (damaged, "damaged"),
    "a zip of something else": (lambda: packed({"part.stl": "solid"}), "no part"),
    "sliced, without the part": (lambda: packed({"Metadata/plate_1.gcode": "G1"}), "no part"),
    "nothing to print": (lambda: three_mf(model_xml(CUBE_OBJECT, "")), "no part"),
    "password": (with_password, "password"),
    "bomb": (bomb, "too large"),
    "lying bomb": (lying_bomb, "damaged|too large"),
    "many files": (lambda: packed({MODEL: one_object(CUBE)} | {f"{n}.txt": "" for n in range(3000)}), "too large"),
    "many elements": (lambda: three_mf(model_xml(CUBE_OBJECT + "<a/>" * 200_000, ITEM)), "too large"),
    "an object in itself": (cycle, "too large"),
    "multiplied": (multiplied, "too large"),
    "laughing entities": (laughing, "damaged"),
    "no xml": (lambda: three_mf("not xml at all"), "damaged"),
    "unknown object": (lambda: three_mf(model_xml(CUBE_OBJECT, '<item objectid="7"/>')), "damaged"),
    "unknown unit": (lambda: three_mf(one_object(CUBE, "parsec")), "damaged"),
    "corner missing": (replaced('v1="0"', 'v1="99"'), "damaged"),
    "corner below zero": (replaced('v1="0"', 'v1="-1"'), "damaged"),
    "corner beyond counting": (replaced('v1="0"', f'v1="{10**30}"'), "damaged"),
    "words for numbers": (replaced('x="0.0"', 'x="left"'), "damaged"),
    "not a number": (replaced('x="0.0"', 'x="nan"'), "not numbers"),
    "placed nowhere": (lambda: three_mf(one_object(CUBE, item='transform="1 0 0"')), "damaged"),
    "placed at infinity": (lambda: three_mf(one_object(CUBE, item='transform="1 0 0 0 1 0 0 0 1 inf 0 0"')), "damaged"),
    "pressed flat": (lambda: three_mf(one_object(CUBE, item='transform="1 0 0 0 1 0 0 0 0 0 0 0"')), "flat"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_3MF)
def test_a_bad_3mf_is_refused_in_one_sentence(name: str, tmp_path: Path) -> None:
    refused(BAD_3MF[name], "part.3mf", tmp_path)


CORNERS = b"v 0 0 0\nv 20 0 0\nv 20 20 0\nv 0 20 0\nv 0 0 20\nv 20 0 20\nv 20 20 20\nv 0 20 20\n"
QUADS = b"f 1 4 3 2\nf 5 6 7 8\nf 1 2 6 5\nf 2 3 7 6\nf 3 4 8 7\nf 4 1 5 8\n"
COUNTED_BACK = b"f -8 -5 -6 -7\nf -4 -3 -2 -1\nf -8 -7 -3 -4\nf -7 -6 -2 -3\nf -6 -5 -1 -2\nf -5 -8 -4 -1\n"


@pytest.mark.parametrize(
    "content",
    [
        obj(CUBE),
        CORNERS + QUADS,
        CORNERS + COUNTED_BACK,
        b"v 1 1 1\nv 2 2 2\n" + CORNERS + COUNTED_BACK + b"v 99 99 99\n",
        CORNERS + b"vt 0 0\nvn 0 0 1\n" + QUADS.replace(b" 1 ", b" 1/1/1 ").replace(b" 3 ", b" 3//1 "),
        b"# a part\nmtllib part.mtl\no one\n" + CORNERS + b"usemtl red\ns off\n" + QUADS.replace(b"\n", b"\r\n"),
        CORNERS.replace(b"20 20 20\n", b"20 20 20 0.5 0.5 0.5\n") + QUADS.replace(b" 4 3 ", b" \\\n4 3 "),
        b"v nan nan nan\n" + CORNERS + COUNTED_BACK,
    ],
    ids=["triangles", "quads", "counted back", "among others", "with textures", "with materials", "coloured", "unused"],
)
def test_an_obj_is_read_as_other_programs_read_it(content: bytes, tmp_path: Path) -> None:
    triangles = read(content, "part.OBJ", tmp_path)
    assert triangles.shape == (12, 3, 3)
    assert size(triangles) == [20] * 3
    assert volume(triangles) == pytest.approx(8000)


BAD_OBJ: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "empty"),
    "text": (lambda: b"Dear fablab, please find my part attached.\n" * 9, "not an OBJ"),
    "binary": (lambda: np.random.default_rng(3).bytes(4000), "not an OBJ"),
    "only corners": (lambda: CORNERS, "no surfaces"),
    "lines for faces": (lambda: CORNERS + b"f 1 2\n" * 9, "damaged"),
    "corner missing": (lambda: CORNERS + QUADS + b"f 1 2 9\n", "damaged"),
    "corner nought": (lambda: CORNERS + QUADS + b"f 0 1 2\n", "damaged"),
    "too far back": (lambda: CORNERS + QUADS + b"f -9 1 2\n", "damaged"),
    "beyond counting": (lambda: CORNERS + QUADS + b"f 99999999999999999999 1 2\n", "damaged"),
    "words for corners": (lambda: CORNERS + b"f one two three\n" * 9, "damaged"),
    "words for numbers": (lambda: b"v left 0 0\n" + CORNERS + QUADS, "damaged"),
    "commas": (lambda: CORNERS.replace(b"20", b"20,5") + QUADS, "damaged"),
    "not a number": (lambda: CORNERS.replace(b"v 20", b"v nan", 1) + QUADS, "not numbers"),
    "one huge face": (lambda: CORNERS + b"f" + b" 1 2 3" * 1000 + b"\n", "damaged"),
    "one triangle": (lambda: CORNERS + b"f 1 2 3\n", "only 1 triangles"),
    "cut off": (lambda: (CORNERS + QUADS)[:-5], "damaged"),
}


@pytest.mark.parametrize("name", BAD_OBJ)
def test_a_bad_obj_is_refused_in_one_sentence(name: str, tmp_path: Path) -> None:
    refused(BAD_OBJ[name], "part.obj", tmp_path)


def refused(bad: tuple[Callable[[], bytes], str], name: str, tmp_path: Path) -> None:
    content, sentence = bad
    file = tmp_path / "file"
    file.write_bytes(content())
    started = time.process_time()
    with pytest.raises(BadMesh, match=sentence) as told:
        measure(file, name)
    assert time.process_time() - started < 2
    assert told.value.field == "file"


@pytest.mark.parametrize(
    "name", ["bomb", "lying bomb", "multiplied", "laughing entities", "password", "beyond counting"]
)
def test_the_locked_child_refuses_with_the_same_sentence(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    content, sentence = (BAD_3MF | BAD_OBJ)[name]
    file, features = tmp_path / "file", tmp_path / "features.npz"
    file.write_bytes(content())
    with pytest.raises(BadMesh, match=sentence):
        measure_safely(file, "part.3mf" if name in BAD_3MF else "part.obj", features)
    assert not features.exists()
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.parametrize(
    ("name", "content"), [("a.3mf", three_mf(one_object(CUBE))), ("a.obj", obj(CUBE))], ids=["3mf", "obj"]
)
def test_a_good_file_is_measured_in_the_locked_child(name: str, content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    report = measure_safely(file, name, tmp_path / "features.npz")
    assert report.size_mm == (20, 20, 20)
    assert report.volume_mm3 == pytest.approx(8000)
    assert report.trusted


def test_a_file_with_the_wrong_ending_is_told_its_kind(tmp_path: Path) -> None:
    with pytest.raises(BadMesh, match=r"ending \.3mf"):
        read(three_mf(one_object(CUBE)), "part.stl", tmp_path)
    with pytest.raises(BadMesh, match="not a 3MF"):
        read(obj(CUBE), "part.3mf", tmp_path)
