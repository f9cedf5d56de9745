"""Several files sent at once: each received under the size cap and measured, all of them or none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import BinaryIO, cast

from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from fablab import files
from fablab.errors import Invalid
from fablab.files import Incoming
from fablab.orders import intake, lines, services
from fablab.orders.intake import Part
from fablab.orders.models import Order
from fablab.settings import settings
from fablab.web.limits import measuring
from fablab.words import say

MOST_FILES = 10


@dataclass(frozen=True)
class Measured:
    """A file that was received and measured: not kept yet, with the part that was made of it."""

    incoming: Incoming
    part: Part
    name: str


@contextmanager
def measured(sent: Sequence[FileStorage]) -> Iterator[list[Measured]]:
    """Receive and measure files; they are gone at the end of the block unless they were kept.

    Raises `Invalid` when there is none or one of them is no part, and says which one when there are several.
    """
    chosen = [each for each in sent if each.filename]
    if not chosen:
        raise Invalid(say("Please choose a file first."), field="file")
    if len(chosen) > MOST_FILES:
        raise Invalid(say("Please send at most {most} files at once.", most=MOST_FILES), field="file")
    with ExitStack() as stack:
        yield [_one(stack, each, alone=len(chosen) == 1) for each in chosen]


def draft_of(session: Session, person_id: int, sent: Sequence[Measured]) -> Order:
    """Start a draft of a person with the files that were measured."""
    first, *others = sent
    order = services.start(session, person_id, first.incoming, first.part, first.name)
    for each in others:
        lines.add(session, order, each.incoming, each.part, each.name)
    return order


def _one(stack: ExitStack, sent: FileStorage, *, alone: bool) -> Measured:
    name = services.shown_name(sent.filename or "")
    try:
        most = settings().max_upload_mb * 1_000_000
        incoming = stack.enter_context(files.receiving(cast("BinaryIO", sent.stream), most))
        with measuring:
            return Measured(incoming, intake.take(incoming.path, incoming.sha256, name), name)
    except Invalid as problem:
        if alone:
            raise
        named = say("{file}: {line}", file=name, line=problem.sentence)
        both = say(
            "{problem} None of the files was taken: mend or leave out this one, and send them again.", problem=named
        )
        raise Invalid(both, field="file") from problem
