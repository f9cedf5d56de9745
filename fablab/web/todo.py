"""What there is to do now: one line, one verb, one big button; what has waited longest comes first.

A subject adds its lines by a function in `SOURCES`: it gets the session and the board as it is read, and returns a
`ToDo` for each thing that somebody has to do. The template knows no subject.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from flask import url_for
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fablab.db import utcnow
from fablab.filament.queries import SpoolOnShelf
from fablab.jobs import handprints
from fablab.jobs.models import Attempt, Job, JobEvent
from fablab.jobs.queries import Outlook, Pace
from fablab.jobs.states import (
    ATTEMPT_LABELS,
    JOB_LABELS,
    NEEDS_SIGNOFF,
    ON_THE_PRINTER,
    AttemptState,
    JobState,
)
from fablab.machines.models import OPERATION_LABELS, Machine, MachineEvent, Operation, Plate, Service
from fablab.orders import handing, review
from fablab.refunds import queries as refunds
from fablab.web.language import tr
from fablab.words import Sentence, say


@dataclass(frozen=True)
class Card:
    """A machine on the board: its spool, its pace, and the attempt that has it with the first name it is for."""

    machine: Machine
    pace: Pace | None
    spool: SpoolOnShelf | None
    attempt: Attempt | None
    first_name: str | None


@dataclass(frozen=True)
class Board:
    """All that the board is made of, read once."""

    cards: Sequence[Card]
    outlook: Outlook


@dataclass(frozen=True)
class Way:
    """A button: where it leads, or, with `fields`, what it sends there."""

    label: Sentence
    address: str
    fields: Mapping[str, str | int] | None = None


@dataclass(frozen=True)
class ToDo:
    """Something to do: where, what, since when, the button that does it, and the one for the other case."""

    where: str
    what: Sentence | str
    way: Way
    since: datetime | None = None
    detail: Sentence | str | None = None
    problem: Sentence | None = None
    picture: str | None = None
    other: Way | None = field(default=None)


Source = Callable[[Session, Board], Iterable[ToDo]]


def to_do(session: Session, board: Board) -> list[ToDo]:
    """Return all there is to do, what has waited longest first; what nobody knows the age of comes last."""
    found = [each for source in SOURCES for each in source(session, board)]
    return sorted(found, key=lambda each: each.since or datetime.max.replace(tzinfo=UTC))


def _plates(_session: Session, board: Board) -> Iterable[ToDo]:
    for card in board.cards:
        attempt = card.attempt
        if attempt is None or attempt.state not in NEEDS_SIGNOFF:
            continue
        check = url_for("board.check", public_id=attempt.public_id)
        good, other = Way(say("Say what happened"), check), None
        if attempt.state == AttemptState.FINISHED_UNVERIFIED:
            other = Way(say("Something went wrong"), check)
            words = say("All good ({n} of {n}), plate empty", n=attempt.copies)
            fields: dict[str, str | int] = {"good": attempt.copies, "plate_cleared": "y"}
            good = Way(words, url_for("board.sign_off", public_id=attempt.public_id), fields)
        yield ToDo(
            card.machine.name,
            ATTEMPT_LABELS[AttemptState(attempt.state)],
            good,
            attempt.ended_at,
            _print_of(card),
            attempt.problem,
            url_for("jobs.picture", public_id=attempt.job.public_id),
            other,
        )


def _print_of(card: Card) -> Sentence | str | None:
    if card.attempt is None:
        return None
    job = card.attempt.job
    n, name = card.attempt.copies, card.first_name
    if name is None:
        return say("{title}, {n} copies", title=job.title, n=n) if n > 1 else job.title
    if n == 1:
        return say("{file}, for {name}", file=job.title, name=name)
    return say("{title}, {n} copies, for {name}", title=job.title, n=n, name=name)


def _held_plates(session: Session, board: Board) -> Iterable[ToDo]:
    working = (Operation.BUSY, Operation.PAUSED, Operation.OFFLINE, Operation.ERROR)
    held = [
        card.machine
        for card in board.cards
        if card.attempt is None
        and card.machine.plate == Plate.HELD
        and card.machine.service == Service.IN_SERVICE
        and card.machine.operation not in working
    ]
    ids = [machine.id for machine in held]
    ended = select(MachineEvent.machine_id, func.max(MachineEvent.at)).where(MachineEvent.machine_id.in_(ids))
    since = {number: at for number, at in session.execute(ended.group_by(MachineEvent.machine_id))}  # noqa: C416 - rows
    for machine in held:
        way = Way(say("Plate is empty"), url_for("board.clear", public_id=machine.public_id), {})
        yield ToDo(machine.name, say("is the plate empty?"), way, since.get(machine.id))


def _paused(session: Session, board: Board) -> Iterable[ToDo]:
    cards = {
        card.attempt.id: card
        for card in board.cards
        if card.attempt is not None
        and card.attempt.state == AttemptState.PAUSED
        and card.machine.operation == Operation.PAUSED
    }
    events = select(JobEvent.attempt_id, func.max(JobEvent.at)).where(
        JobEvent.attempt_id.in_(cards), JobEvent.kind == f"attempt_{AttemptState.PAUSED}"
    )
    since = {number: at for number, at in session.execute(events.group_by(JobEvent.attempt_id))}  # noqa: C416 - rows
    for number, card in cards.items():
        assert card.attempt is not None
        go_on = url_for("board.ask_printer", public_id=card.attempt.public_id, wish="resume")
        way = Way(say("Resume"), go_on, {})
        yield ToDo(card.machine.name, say("paused"), way, since.get(number), _print_of(card))


def _out_of_reach(_session: Session, board: Board) -> Iterable[ToDo]:
    for card in board.cards:
        machine = card.machine
        silent = machine.operation in (Operation.OFFLINE, Operation.ERROR)
        if machine.service != Service.IN_SERVICE or not silent:
            continue
        way, other = Way(say("Connect again"), url_for("board.connect", public_id=machine.public_id), {}), None
        if card.attempt is not None and card.attempt.state in NEEDS_SIGNOFF:
            continue
        if card.attempt is not None and card.attempt.state in ON_THE_PRINTER:
            other = Way(say("It does not come back"), url_for("board.lost", public_id=card.attempt.public_id), {})
        label = OPERATION_LABELS[Operation(machine.operation)]
        yield ToDo(machine.name, label, way, machine.seen_at, _print_of(card), machine.operation_note, other=other)


def _spools(session: Session, board: Board) -> Iterable[ToDo]:
    machines = {card.machine.id: card.machine for card in board.cards}
    for waiting, place in board.outlook.spools_to_change:
        job, machine = session.get_one(Job, waiting.id), machines[place.id]
        way = Way(say("Change spool"), url_for("loading.choose", public_id=machine.public_id))
        needs = {"title": job.title, "material": waiting.material}
        detail = say("{title} waits for {material}", **needs)
        if waiting.colour:
            detail = say("{title} waits for {material}, {colour}", **needs, colour=tr(waiting.colour))
        yield ToDo(machine.name, say("needs another spool"), way, job.created_at, detail)


def _not_prepared(_session: Session, board: Board) -> Iterable[ToDo]:
    for line in board.outlook.lines:
        if line.job.state != JobState.SLICE_FAILED:
            continue
        way = Way(say("Try again"), url_for("jobs.slice_again", public_id=line.job.public_id), {})
        other = Way(say("Look at it"), url_for("jobs.show", public_id=line.job.public_id))
        what, since = JOB_LABELS[JobState.SLICE_FAILED], line.job.created_at
        yield ToDo(line.job.title, what, way, since, problem=line.why, other=other)


def _prints_by_hand(session: Session, _board: Board) -> Iterable[ToDo]:
    for each in handprints.to_file(session):
        way = Way(say("Say whose it was"), url_for("board.hand_print", public_id=each.public_id))
        yield ToDo(each.machine.name, say("somebody printed by hand"), way, each.ended_at, each.file_name)


def _requests(session: Session, _board: Board) -> Iterable[ToDo]:
    lying = review.desk(session)
    if lying:
        way = Way(say("Look at the requests"), url_for("review.show"))
        yield ToDo(tr(say("Requests")), say("to be looked at: {n}", n=len(lying)), way, lying[0].asked_at)


def _pick_ups(session: Session, _board: Board) -> Iterable[ToDo]:
    for row in handing.to_remind(session, utcnow()):
        way = Way(say("Call, or give it up"), url_for("pickups.scanned", public_id=row.order.public_id))
        detail = say("{file}, for {name}", file=row.order.title, name=row.order.person.first_name)
        yield ToDo(row.place, say("nobody has come for it"), way, row.reminded_at or row.ready_at, detail)


def _complaints(session: Session, _board: Board) -> Iterable[ToDo]:
    waiting = refunds.desk(session)
    if waiting:
        way = Way(say("Answer them"), url_for("refunds.desk"))
        what = say("to be answered: {n}", n=len(waiting))
        yield ToDo(tr(say("Refunds and reprints")), what, way, waiting[0].asked_at)


SOURCES: list[Source] = [
    _plates,
    _held_plates,
    _paused,
    _out_of_reach,
    _spools,
    _not_prepared,
    _prints_by_hand,
    _requests,
    _complaints,
    _pick_ups,
]
