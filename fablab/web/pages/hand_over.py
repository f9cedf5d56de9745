"""The note between shifts: written by one volunteer, on the board for the next."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import lazy_gettext
from sqlalchemy import select
from sqlalchemy.orm import Session
from wtforms import IntegerField, TextAreaField
from wtforms.validators import Length, NumberRange, Optional

from fablab import db
from fablab.accounts.models import Person
from fablab.accounts.permissions import Permission
from fablab.machines import hand_over
from fablab.web.auth import me, needs
from fablab.web.forms import PageForm, saved

blueprint = Blueprint("hand_over", __name__, url_prefix="/board/hand-over")


class NoteForm(PageForm):
    """What the next volunteer should know. `seen` is the note that it replaces, 0 for none."""

    text = TextAreaField(
        lazy_gettext("For the next volunteer"), [Optional(), Length(max=hand_over.LONGEST)], render_kw={"rows": 5}
    )
    seen = IntegerField(validators=[NumberRange(min=0)])


@blueprint.get("/")
@needs(Permission.RUN_BOARD)
def show() -> Any:
    """Show the note, to be written anew, and those before it."""
    return _page(None)


@blueprint.post("/")
@needs(Permission.RUN_BOARD)
def save() -> Any:
    """Put another note on the board, or none."""
    form = NoteForm(request.form)
    if saved(form, lambda session: hand_over.leave(session, form.text.data or "", form.seen.data, me().id)):
        return redirect(url_for("board.show"))
    return _page(form), 422


def _page(form: NoteForm | None) -> Any:
    with db.reading() as session:
        last = hand_over.latest(session)
        seen = last.id if last else 0
        if form is None:
            form = NoteForm(text=last.text if last else "", seen=seen)
        notes = hand_over.history(session)
        people = _people(session, {note.person_id for note in notes})
        return render_template("board/hand_over.html", form=form, seen=seen, notes=notes, people=people)


def _people(session: Session, ids: set[int]) -> dict[int, Person]:
    return {person.id: person for person in session.scalars(select(Person).where(Person.id.in_(ids)))}
