"""Hostile and broken files: each is refused with one sentence, quickly, and leaves nothing behind."""

from __future__ import annotations

import struct
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import trimesh

from fablab.slicing import sandbox
from fablab.slicing.measure import measure, measure_safely
from fablab.slicing.mesh import BadMesh
from fablab.slicing.reading import read_triangles

CUBE = trimesh.creation.box((20, 20, 20))
ROW = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])


def binary(corners: np.ndarray | None = None, count: int | None = None, header: bytes = b"part") -> bytes:
    rows = np.zeros(12 if corners is None else len(corners), dtype=ROW)
    rows["corners"] = CUBE.triangles if corners is None else corners
    return header.ljust(80, b" ") + struct.pack("<I", len(rows) if count is None else count) + rows.tobytes()


def text(replace: tuple[str, str] = ("", "")) -> bytes:
    return (
        trimesh.exchange.stl.export_stl_ascii(CUBE).replace(*replace, 1).encode()
        if replace[0]
        else (trimesh.exchange.stl.export_stl_ascii(CUBE).encode())
    )


def with_coordinate(value: float) -> bytes:
    corners = np.array(CUBE.triangles)
    corners[5, 1, 2] = value
    return binary(corners)


def zipped() -> bytes:
    with tempfile.SpooledTemporaryFile() as file:
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("part.stl", b"solid")
        file.seek(0)
        return file.read()


RANDOM = np.random.default_rng(1).bytes(5000)
BAD: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "empty"),
    "web page": (lambda: b"<!DOCTYPE html><html><body>Sign in</body></html>", "web page"),
    "zip": (zipped, "ZIP"),
    "pdf": (lambda: b"%PDF-1.7\n" + RANDOM, "PDF"),
    "picture": (lambda: b"\x89PNG\r\n\x1a\n" + RANDOM, "picture"),
    "plain text": (lambda: b"Dear fablab, please find my part attached. " * 20, "not an STL"),
    "random bytes": (lambda: RANDOM, "cut off|damaged"),
    "a few bytes": (lambda: b"\x00\x01\x02", "not an STL"),
    "no triangles": (lambda: binary(np.empty((0, 3, 3))), "no triangles"),
    "cut off": (lambda: binary()[:-70], "10 of 12 triangles"),
    "trailing bytes": (lambda: binary() + b"123", "damaged"),
    "a billion announced": (lambda: binary(count=10**9)[:-7], "cut off"),
    "three triangles": (lambda: binary(np.array(CUBE.triangles[:3])), "only 3 triangles"),
    "not a number": (lambda: with_coordinate(float("nan")), "not numbers"),
    "infinite": (lambda: with_coordinate(float("inf")), "not numbers"),
    "astronomic": (lambda: with_coordinate(1e30), "would measure"),
    "far away": (lambda: binary(np.array(CUBE.triangles) + 1e6), "origin"),
    "text cut off": (lambda: text()[: len(text()) // 2], "cut off"),
    "text with words": (lambda: text(("vertex 10.", "vertex ten.")), "not numbers"),
    "text with commas": (lambda: text().replace(b".", b","), "not numbers"),
    "text in capitals": (lambda: text().upper(), "no triangles|not numbers|cut off"),
    "only solid": (lambda: b"solid part\nendsolid part\n", "no triangles"),
    "flat": (lambda: binary(np.array(CUBE.triangles) * [1, 1, 0]), "flat"),
    "no areas": (lambda: binary(np.array(CUBE.triangles)[:, [0, 0, 2]]), "flat"),
    "dust": (lambda: binary(np.array(CUBE.triangles) * 1e-4), "grain of sand"),
    "one side": (lambda: binary(np.repeat(CUBE.triangles[:2], 4, axis=0)), "flat"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused_in_one_sentence(name: str, tmp_path: Path) -> None:
    content, sentence = BAD[name]
    file = tmp_path / "file"
    file.write_bytes(content())
    started = time.monotonic()
    with pytest.raises(BadMesh, match=sentence) as refused:
        measure(file, "part.stl")
    assert time.monotonic() - started < 2
    assert refused.value.field == "file"


@pytest.mark.parametrize(
    "name", ["empty", "zip", "random bytes", "a billion announced", "infinite", "text cut off", "flat"]
)
def test_the_locked_child_refuses_with_the_same_sentence(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    content, sentence = BAD[name]
    file, features = tmp_path / "file", tmp_path / "features.npz"
    file.write_bytes(content())
    with pytest.raises(BadMesh, match=sentence):
        measure_safely(file, "part.stl", features)
    assert not features.exists()
    assert list((tmp_path / "tmp").iterdir()) == []


def test_only_stl_files_are_read(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(binary())
    with pytest.raises(BadMesh, match=r"“\.step” cannot"):
        read_triangles(file, "part.STEP")
    assert len(read_triangles(file, "PART.STL")) == 12


@pytest.mark.parametrize(
    "content",
    [
        binary(),
        binary(count=10**9),
        binary(count=3),
        binary(header=b"solid exported by something"),
        text(),
        text().replace(b"\n", b"\r\n"),
        text().replace(b"endsolid", b""),
        text().replace(b"facet normal", b"endsolid\nsolid second\nfacet normal", 6).replace(b"endsolid", b"", 5),
    ],
    ids=["binary", "count too large", "count too small", "says solid", "text", "CRLF", "no endsolid", "two solids"],
)
def test_what_slicers_accept_is_read(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    triangles = read_triangles(file, "part.stl")
    assert triangles.shape == (12, 3, 3)
    assert sorted(map(tuple, triangles.mean(axis=1).round(3))) == sorted(
        map(tuple, CUBE.triangles.mean(axis=1).round(3))
    )


def test_too_many_triangles_are_refused_unread(tmp_path: Path) -> None:
    file = tmp_path / "file"
    with file.open("wb") as sparse:
        sparse.write(b"part".ljust(80) + struct.pack("<I", 3_000_000))
        sparse.truncate(84 + 50 * 3_000_000)
    with pytest.raises(BadMesh, match="3000000 triangles"):
        read_triangles(file, "part.stl")


def test_a_thicket_of_triangles_ends_within_the_limits(tmp_path: Path) -> None:
    corners = np.random.default_rng(2).random((25_000, 3, 3)) * 100
    file, features = tmp_path / "file", tmp_path / "features.npz"
    file.write_bytes(binary(corners))
    limits = sandbox.Limits(memory_bytes=2 << 30, cpu_s=20, wall_s=40)
    report = measure_safely(file, "part.stl", features, limits)
    assert not report.trusted


def test_a_child_that_runs_out_of_time_or_memory_gives_a_sentence(tmp_path: Path) -> None:
    file, features = tmp_path / "file", tmp_path / "features.npz"
    file.write_bytes(binary())
    with pytest.raises(BadMesh, match="too long"):
        measure_safely(file, "part.stl", features, sandbox.Limits(wall_s=0.05))
    with pytest.raises(BadMesh, match=r"memory|could not be measured"):
        measure_safely(file, "part.stl", features, sandbox.Limits(memory_bytes=60 << 20))
    assert not features.exists()
