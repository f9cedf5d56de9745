"""Throws damaged 3D files at the measuring child: each must end in a report or in one sentence, within the limits.

`python scripts/fuzz.py [SECONDS] [SEED]`. The last line is one JSON object; exit 1 when a file did anything else, and
that file is kept in build/fuzz/ to be looked at.
"""

from __future__ import annotations

import io
import json
import random
import re
import struct
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path

import numpy as np

from fablab.slicing import samples
from fablab.slicing.measure import LIMITS, measure_safely
from fablab.slicing.mesh import BadMesh
from fablab.slicing.stl import write_stl

AT_ONCE = 2
KEPT = Path("build/fuzz")
NO_ANSWERS = ("took too long", "could not be measured")
"""Sentences that stand for a child that was stopped or that broke: here they are failures."""
NUMBERS = ["0", "-0", "1", "-1", "1e30", "-1e30", "1e-40", "1e999", "nan", "inf", "0x10", "1,5", "", "9" * 40, "٣"]
COUNTS = [0, 1, 3, 2**16, 10**9, 2**31 - 1, 2**32 - 1]
NUMBER = re.compile(rb"[-+]?\d+\.?\d*(?:e[-+]?\d+)?")


@dataclass(frozen=True)
class Damaged:
    """A file to try, and what was done to it."""

    seed: int
    name: str
    content: bytes
    history: str


def whole_files() -> list[tuple[str, bytes]]:
    """Return sound files of every kind to begin with."""
    parts = {name: draw() for name, draw in samples.SAMPLES.items() if name in ("bracket", "knob", "calibration-cube")}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "part.stl"
        binary = [("part.stl", write_stl(path, triangles).read_bytes()) for triangles in parts.values()]
    few = parts["bracket"]
    return [
        *binary,
        ("part.stl", _text(few)),
        ("part.obj", _obj(few)),
        ("part.3mf", _3mf(few)),
        ("part.3mf", _3mf(few)),
    ]


def _text(triangles: np.ndarray) -> bytes:
    facets = "".join(
        "facet normal 0 0 0\nouter loop\n"
        + "".join(f"vertex {x:.4f} {y:.4f} {z:.4f}\n" for x, y, z in corners)
        + "endloop\nendfacet\n"
        for corners in triangles
    )
    return f"solid part\n{facets}endsolid part\n".encode()


def _obj(triangles: np.ndarray) -> bytes:
    corners = "".join(f"v {x:.4f} {y:.4f} {z:.4f}\n" for x, y, z in triangles.reshape(-1, 3))
    return (corners + "".join(f"f {n} {n + 1} {n + 2}\n" for n in range(1, 3 * len(triangles), 3))).encode()


def _3mf(triangles: np.ndarray) -> bytes:
    vertices = "".join(f'<vertex x="{x:.4f}" y="{y:.4f}" z="{z:.4f}"/>' for x, y, z in triangles.reshape(-1, 3))
    faces = "".join(f'<triangle v1="{n}" v2="{n + 1}" v3="{n + 2}"/>' for n in range(0, 3 * len(triangles), 3))
    mesh = f"<mesh><vertices>{vertices}</vertices><triangles>{faces}</triangles></mesh>"
    model = (
        '<?xml version="1.0"?><model unit="millimeter" xmlns="http://schemas.microsoft.com/3dmanufacturing/core/2015/02">'
        f'<resources><object id="1">{mesh}</object><object id="2"><components>'
        '<component objectid="1" transform="1 0 0 0 1 0 0 0 1 5 0 0"/></components></object></resources>'
        '<build><item objectid="2" transform="1 0 0 0 1 0 0 0 1 0 0 0"/></build></model>'
    )
    return _zipped({"[Content_Types].xml": b"<Types/>", "3D/3dmodel.model": model.encode()})


def _zipped(files: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)  # without the time of day
    return target.getvalue()


def flip_bits(rng: random.Random, content: bytes) -> bytes:
    """Flip one to thirty bits."""
    changed = bytearray(content)
    for _ in range(rng.randint(1, 30)):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def cut_off(rng: random.Random, content: bytes) -> bytes:
    """Lose the end."""
    return content[: rng.randrange(1, len(content))]


def cut_out(rng: random.Random, content: bytes) -> bytes:
    """Lose something in the middle."""
    begin = rng.randrange(len(content))
    return content[:begin] + content[begin + rng.randint(1, 2000) :] or b"x"


def say_twice(rng: random.Random, content: bytes) -> bytes:
    """Repeat a piece."""
    begin = rng.randrange(len(content))
    piece = content[begin : begin + rng.randint(1, 3000)]
    return content[:begin] + piece * rng.randint(2, 20) + content[begin:]


def lie_in_the_header(rng: random.Random, content: bytes) -> bytes:
    """Announce another number of triangles, or write a number where a number may be."""
    place = 80 if rng.random() < 0.6 else rng.randrange(max(1, len(content) - 4))
    changed = bytearray(content.ljust(84, b"\0"))
    struct.pack_into("<I", changed, place, rng.choice(COUNTS))
    return bytes(changed)


def replace_numbers(rng: random.Random, content: bytes) -> bytes:
    """Write odd numbers in a text, odd coordinates in a binary file."""
    if b"\0" in content[:400]:
        changed = bytearray(content)
        for _ in range(rng.randint(1, 9)):
            place = 84 + 50 * rng.randrange(max(1, (len(content) - 84) // 50)) + 12 + 4 * rng.randrange(9)
            if place + 4 <= len(changed):
                odd = [0, 1e30, -1e30, 1e-42, float("nan"), float("inf"), 1e5, 3.4e38, 1e-9]
                struct.pack_into("<f", changed, place, rng.choice(odd))
        return bytes(changed)
    places = list(NUMBER.finditer(content))
    for match in sorted(rng.sample(places, min(len(places), rng.randint(1, 9))), key=re.Match.start, reverse=True):
        content = content[: match.start()] + rng.choice(NUMBERS).encode() + content[match.end() :]
    return content


def operate_on_the_zip(rng: random.Random, content: bytes) -> bytes:
    """Damage what is inside a ZIP and pack it again, so that its checksums are right."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            files = {member.filename: archive.read(member) for member in archive.infolist()}
    except (zipfile.BadZipFile, zipfile.zlib.error, OSError, EOFError, NotImplementedError, RuntimeError, ValueError):
        return flip_bits(rng, content)
    name = rng.choice(sorted(files))
    inner = rng.choice([flip_bits, cut_off, cut_out, say_twice, replace_numbers, replace_numbers])
    files[name] = inner(rng, files[name]) if files[name] else b"<"
    if rng.random() < 0.15:
        files[rng.choice(["3D/3dmodel.model", "../../x", "a" * 300, "3D/Objects/o.model"])] = files.pop(name)
    return _zipped(files)


def scale_all(rng: random.Random, content: bytes) -> bytes:
    """Move every coordinate of a binary STL to another order of magnitude."""
    rows, rest = divmod(len(content) - 84, 50)
    if rest or rows < 1 or b"\0" not in content[:400]:
        return flip_bits(rng, content)
    table = np.frombuffer(content[84:], dtype=np.dtype([("n", "<f4", 3), ("c", "<f4", 9), ("a", "<u2")])).copy()
    with np.errstate(all="ignore"):
        table["c"] *= np.float32(10.0 ** rng.uniform(-6, 6))
        table["c"][:: rng.randint(1, 50), rng.randrange(9)] *= np.float32(rng.choice([0, -1, 1e3, 1e-3]))
    return content[:84] + table.tobytes()


def tear(rng: random.Random, content: bytes) -> bytes:
    """Lose, double, turn over, move and crush triangles of a binary STL: a sound file of an unsound part."""
    rows, rest = divmod(len(content) - 84, 50)
    if rest or rows < 1 or b"\0" not in content[:400]:
        return replace_numbers(rng, content)
    table = np.frombuffer(content[84:], dtype=np.dtype([("n", "<f4", 3), ("c", "<f4", (3, 3)), ("a", "<u2")])).copy()
    random_rows = np.random.default_rng(rng.randrange(2**32))
    some = random_rows.random(len(table)) < rng.choice([0.01, 0.1, 0.5, 1.0])
    for change in rng.sample(range(5), rng.randint(1, 2)):
        if change == 0 and not some.all():
            table, some = table[~some], some[~some]
        elif change == 1:
            table["c"][some] = table["c"][some][:, ::-1]
        elif change == 2:
            table["c"][some] += random_rows.normal(scale=10.0 ** rng.uniform(-6, 2), size=(int(some.sum()), 3, 3))
        elif change == 3:
            table["c"][some, 1] = table["c"][some, 0]
        else:
            table = np.concatenate([table, table[some]])
            some = np.concatenate([some, some[some]])
    return content[:80] + struct.pack("<I", len(table)) + table.tobytes()


DAMAGES: list[Callable[[random.Random, bytes], bytes]] = [
    flip_bits, cut_off, cut_out, say_twice, lie_in_the_header, replace_numbers, operate_on_the_zip, scale_all, tear,
    tear, tear,
]  # fmt: skip


def damaged_files(seed: int) -> Iterator[Damaged]:
    """Yield damaged files without end; the same seed gives the same files."""
    whole = whole_files()
    for number in count(seed):
        rng = random.Random(number)
        name, content = rng.choice(whole)
        damages = [rng.choice(DAMAGES) for _ in range(rng.choice([1, 1, 1, 2, 3]))]
        if name.endswith("3mf") and rng.random() < 0.6:
            damages = [operate_on_the_zip]
        for damage in damages:
            content = damage(rng, content)
        if rng.random() < 0.03:
            name = rng.choice(["part.stl", "part.3mf", "part.obj"])
        yield Damaged(number, name, content, ", ".join(damage.__name__ for damage in damages))


def tried(file: Damaged) -> tuple[str, float, str]:
    """Return how a file ended ("report", "refused" or "failed"), after how many seconds, and in which words."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(file.content)
        started = time.monotonic()
        try:
            report = measure_safely(path, file.name, Path(folder) / "features.npz")
        except BadMesh as bad:
            words = str(bad)
            ending = "failed" if any(each in words for each in NO_ANSWERS) else "refused"
            return ending, time.monotonic() - started, words
        except Exception as error:  # whatever it is, it is what this program looks for
            return "failed", time.monotonic() - started, repr(error)
        sound = report.volume_mm3 > 0 and min(report.size_mm) >= 0
        return "report" if sound else "failed", time.monotonic() - started, str(report.volume_mm3)


def run(files: Iterator[Damaged], until: float) -> tuple[dict[str, object], list[str]]:
    """Try files, two at a time, until the time has come; return the figures and what failed."""
    endings: Counter[str] = Counter()
    sentences: set[str] = set()
    slowest, failures, started = 0.0, [], time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        while time.monotonic() < until and (batch := list(islice(files, 8))):
            for file, (ending, seconds, words) in zip(batch, pool.map(tried, batch), strict=True):
                endings[ending] += 1
                slowest = max(slowest, seconds)
                if ending == "refused":
                    sentences.add(re.sub(r"\d+", "N", words))
                if ending == "failed":
                    KEPT.mkdir(parents=True, exist_ok=True)
                    (KEPT / f"{file.seed}-{file.name}").write_bytes(file.content)
                    failures.append(f"seed {file.seed} ({file.name}: {file.history}): {words}")
    figures = {
        "files": endings.total(), "reports": endings["report"], "refused": endings["refused"],
        "failed": endings["failed"], "sentences": len(sentences), "slowest_s": round(slowest, 2),
        "seconds": round(time.monotonic() - started), "memory_limit_mb": LIMITS.memory_bytes >> 20,
    }  # fmt: skip
    return figures, failures


def main(seconds: float = 300.0, seed: int = 1) -> int:
    """Try for so many seconds, say what failed, and write the figures."""
    figures, failures = run(damaged_files(seed), time.monotonic() + seconds)
    for failure in failures:
        print(failure)
    print(json.dumps({"part": "fuzz", "seed": seed, **figures}))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(*(float(each) if index == 0 else int(each) for index, each in enumerate(sys.argv[1:3]))))
