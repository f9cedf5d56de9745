"""The content-addressed store: a file is kept once, under the SHA-256 of its bytes, and never changes."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from fablab.errors import Invalid
from fablab.settings import settings
from fablab.words import say

CHUNK = 1 << 20


@dataclass(frozen=True)
class Incoming:
    """A file that has been received and is not kept yet."""

    path: Path
    sha256: str
    size: int

    def keep(self) -> Path:
        """Move the file into the store (durably) and return its place; twice the same content is one file."""
        place = path_of(self.sha256)
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            self.path.replace(place)
            _sync(place.parent)
        return place


def path_of(sha256: str) -> Path:
    """Return where the file with this hash is, or would be."""
    if len(sha256) != 64 or not all(sign in "0123456789abcdef" for sign in sha256):
        raise ValueError("not a SHA-256")
    return settings().files() / sha256[:2] / sha256


def beside(sha256: str, ending: str) -> Path:
    """Return the place of something derived from a kept file (its features, say); it can be made again."""
    return path_of(sha256).with_suffix(f".{ending}")


@contextmanager
def receiving(stream: BinaryIO, max_bytes: int) -> Iterator[Incoming]:
    """Stream a file to disk under a size cap; it is gone at the end of the block unless it was kept."""
    folder = settings().files() / "incoming"
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=folder)
    path = Path(name)
    try:
        with os.fdopen(handle, "wb") as target:
            digest, size = _copy(stream, target, max_bytes)
            target.flush()
            os.fsync(target.fileno())
        yield Incoming(path, digest, size)
    finally:
        path.unlink(missing_ok=True)


def _copy(stream: BinaryIO, target: BinaryIO, max_bytes: int) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    while chunk := stream.read(CHUNK):
        size += len(chunk)
        if size > max_bytes:
            limit = max_bytes // 1_000_000
            raise Invalid(say("This file is larger than {limit} MB, the most we take.", limit=limit), field="file")
        digest.update(chunk)
        target.write(chunk)
    return digest.hexdigest(), size


def keep_file(source: Path) -> str:
    """Copy a file we made ourselves into the store and return its SHA-256."""
    with source.open("rb") as stream, receiving(stream, source.stat().st_size) as incoming:
        incoming.keep()
        return incoming.sha256


def was_changed(sha256: str) -> bool:
    """Tell whether a file lies in the store under a hash that is not its own: somebody changed it behind our back."""
    place = path_of(sha256)
    if not place.exists():
        return False
    with place.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() != sha256


def sha1_of(path: Path) -> str:
    """Return the SHA-1 of a file, which is what printers' servers tell about theirs."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha1").hexdigest()


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
