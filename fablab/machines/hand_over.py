"""The note between shifts: who wrote it, when, and what; the next one replaces it and all are kept."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from fablab import bus
from fablab.db import utcnow
from fablab.errors import Invalid
from fablab.machines.models import HandOverNote
from fablab.words import say

LONGEST = 1000
MOST_SHOWN = 100


def latest(session: Session) -> HandOverNote | None:
    """Return the last note, which may be an empty one."""
    return session.scalar(select(HandOverNote).order_by(HandOverNote.id.desc()).limit(1))


def history(session: Session) -> Sequence[HandOverNote]:
    """Return the notes that say something, newest first."""
    written = select(HandOverNote).where(HandOverNote.text != "").order_by(HandOverNote.id.desc())
    return session.scalars(written.limit(MOST_SHOWN)).all()


def leave(session: Session, text: str, seen: int, by_id: int) -> None:
    """Replace the note with this number, as it was `seen` (0: none); an empty text clears the board.

    Raises `Invalid` when somebody has written another one meanwhile, so that nothing is replaced unread.
    """
    text = text.strip()
    if len(text) > LONGEST:
        raise Invalid(say("Please write at most {most} letters.", most=LONGEST), field="text")
    last = latest(session)
    if (last.id if last else 0) == seen:
        if text == (last.text if last else ""):
            return
        if _written(session, HandOverNote(replaces=seen, text=text, person_id=by_id, at=utcnow())):
            bus.tell(session, "board")
            return
    raise Invalid(say("Somebody has written a note meanwhile: read it, then save yours."), field="text")


def _written(session: Session, note: HandOverNote) -> bool:
    try:
        with session.begin_nested():
            session.add(note)
    except IntegrityError:
        return False
    return True
