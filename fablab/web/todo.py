"""What is to be done now, for the top of the board: one line, one verb, whoever waits longest first.

A subject that has something for a person to do adds a function that gives its lines to `SOURCES`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from fablab.accounts.models import Person
from fablab.filament.queries import SpoolOnShelf
from fablab.jobs import handprints
from fablab.jobs.models import Attempt, HandPrint, Job
from fablab.jobs.queries import Pace, QueueLine
from fablab.jobs.states import NEEDS_SIGNOFF, AttemptState, JobState
from fablab.machines import queries as machines
from fablab.machines.models import Machine, Operation, Plate, Service


class Kind(StrEnum):
    """What has to be done."""

    CHECK = "check"
    CLEAR = "clear"
    GO_ON = "go_on"
    CONNECT = "connect"
    LOOK = "look"
    SPOOL = "spool"
    PREPARE = "prepare"
    FILE = "file"


@dataclass(frozen=True)
class Card:
    """A machine on the board: its spool, its pace, and the attempt that has it with the person it is for."""

    machine: Machine
    pace: Pace | None
    spool: SpoolOnShelf | None
    attempt: Attempt | None
    requester: Person | None


@dataclass(frozen=True)
class ToDo:
    """A line of the list; `since` when somebody has waited for it."""

    kind: Kind
    since: datetime | None
    card: Card | None = None
    line: QueueLine | None = None
    printed: HandPrint | None = None


@dataclass(frozen=True)
class Board:
    """What the lines are made of."""

    cards: Sequence[Card]
    lines: Sequence[QueueLine]


def to_do(session: Session, board: Board) -> list[ToDo]:
    """Return everything a person has to do, longest wait first."""
    found = [each for source in SOURCES for each in source(session, board)]
    return sorted(found, key=lambda each: (each.since is None, each.since.timestamp() if each.since else 0.0))


def _plates(session: Session, board: Board) -> Iterator[ToDo]:
    """Return plates to check, and to say empty."""
    since = machines.held_since(session)
    for card in board.cards:
        machine, attempt = card.machine, card.attempt
        if attempt is not None and attempt.state in NEEDS_SIGNOFF:
            yield ToDo(Kind.CHECK, attempt.ended_at or attempt.started_at or attempt.claimed_at, card)
        elif attempt is None and _is_held(machine):
            yield ToDo(Kind.CLEAR, since.get(machine.id), card)


def _is_held(machine: Machine) -> bool:
    idle = machine.operation not in (Operation.BUSY, Operation.PAUSED)
    return machine.service == Service.IN_SERVICE and machine.plate == Plate.HELD and idle


def _printers(_session: Session, board: Board) -> Iterator[ToDo]:
    """Return printers that stopped for a reason, or that cannot be reached."""
    for card in board.cards:
        machine, attempt = card.machine, card.attempt
        if machine.service != Service.IN_SERVICE or machine.operation == Operation.UNSEEN:
            continue
        if attempt is not None and attempt.state == AttemptState.PAUSED and attempt.wish is None:
            yield ToDo(Kind.GO_ON, attempt.started_at, card)
        elif machine.operation == Operation.ERROR:
            yield ToDo(Kind.CONNECT, machine.seen_at, card)
        elif machine.operation == Operation.OFFLINE:
            yield ToDo(Kind.LOOK, machine.seen_at, card)


def _queue(_session: Session, board: Board) -> Iterator[ToDo]:
    """Return spools to change, once for each kind of spool, and plates that could not be prepared."""
    wanted: set[tuple[str, str, str | None]] = set()
    for line in board.lines:
        job: Job = line.job
        spool = (job.machine_profile, job.material_code, job.colour_name)
        if line.needs_spool and spool not in wanted:
            wanted.add(spool)
            yield ToDo(Kind.SPOOL, job.created_at, line=line)
        elif job.state == JobState.SLICE_FAILED and not job.held:
            yield ToDo(Kind.PREPARE, job.created_at, line=line)


def _hand_prints(session: Session, _board: Board) -> Iterator[ToDo]:
    """Return prints by hand that have ended and are nobody's yet."""
    for printed in handprints.to_file(session):
        yield ToDo(Kind.FILE, printed.ended_at, printed=printed)


SOURCES: tuple[Callable[[Session, Board], Iterator[ToDo]], ...] = (_plates, _printers, _queue, _hand_prints)
