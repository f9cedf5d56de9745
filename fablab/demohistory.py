"""Orders of the demo place: what was printed in three weeks, what waits on the shelf, and what has just been sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random

from sqlalchemy import select
from sqlalchemy.orm import Session

from fablab import db, files
from fablab.accounts.models import Company, Person
from fablab.billing import offering, payers, reviewing
from fablab.billing import services as billing
from fablab.billing.payers import PayerChoice
from fablab.db import utcnow
from fablab.demotime import Clock, afternoon, as_of
from fablab.jobs import dispatch, signoff
from fablab.jobs import queries as jobs
from fablab.jobs import services as job_services
from fablab.jobs.judging import Judgement
from fablab.jobs.models import Attempt, Job, Slice
from fablab.jobs.signoff import Reason, Verdict
from fablab.jobs.states import JobState
from fablab.machines.models import Machine
from fablab.notices import services as notices
from fablab.orders import intake
from fablab.orders import services as orders
from fablab.orders.intake import Part
from fablab.orders.models import Order
from fablab.orders.services import Wanted
from fablab.orders.shelf import PickUp
from fablab.quotes import issuing
from fablab.slicing.choices import Choices, Quality

DAYS, PRINTS, FAILED_OF_TEN = 21, 16, 2
ORDERED_BEFORE, FIRST_TRY_BEFORE = timedelta(hours=26), timedelta(hours=4)
SIGNED_OFF_AFTER, COLLECTED_AFTER = timedelta(minutes=20), timedelta(hours=20)
VOLUNTEER = "bob@demo.example"


@dataclass(frozen=True)
class Past:
    """An order of the past: whose, which part, how many, and when; with a `failed` reason its first try failed."""

    email: str
    part: Path
    copies: int
    days_ago: int
    failed: Reason | None = None
    company: Company | None = None
    collected: bool = True
    on: str | None = None
    number: int = 0

    @property
    def at(self) -> datetime:
        """When it began to be printed."""
        return afternoon(self.days_ago, self.number)


def three_weeks(members: Sequence[str], parts: Sequence[Path], machines: Sequence[str]) -> list[Past]:
    """Return what was printed, oldest first, the same each time."""
    chance = Random(2026)  # noqa: S311 - nothing secret hangs on it
    days = sorted((chance.randint(2, DAYS) for _ in range(PRINTS)), reverse=True)
    reasons = (Reason.DETACHED, Reason.CLOGGED, Reason.QUALITY)
    return [
        Past(
            members[number % len(members)],
            parts[number % len(parts)],
            chance.choice((1, 1, 2)),
            day,
            chance.choice(reasons) if chance.randrange(10) < FAILED_OF_TEN else None,
            on=machines[number % len(machines)],
            number=number,
        )
        for number, day in enumerate(days)
    ]


def order(
    part: Path,
    email: str,
    copies: int,
    company: Company | None = None,
    *,
    on: str | None = None,
    at: datetime | None = None,
) -> int:
    """Order a sample part as its person would, to be printed `on` one machine or any, and return the order's id."""
    then = at or utcnow()
    with db.transaction() as session, as_of(session, then):
        person, draft, wanted, cents = _draft(session, part, email, copies)
        if company is not None:
            payers.choose(session, draft, PayerChoice(company.public_id, "BC-2041", seen_before_vat=True), person)
        billing.confirm(session, draft, {draft.line.id: wanted}, cents, person)
        if on is not None:
            chosen = select(Machine.id).where(Machine.name == on)
            for job in jobs.of_order(session, draft.id):
                job.only_on_id = session.scalars(chosen).one()
        draft.created_at = draft.confirmed_at = then
        return draft.id


def request(part: Path, email: str, copies: int, hours_ago: int) -> None:
    """Send an order that somebody looks at first by the rules of the place, some hours ago."""
    then = utcnow() - timedelta(hours=hours_ago)
    with db.transaction() as session, as_of(session, then):
        person, draft, wanted, cents = _draft(session, part, email, copies)
        reviewing.submit(session, draft, {draft.line.id: wanted}, cents, person, attested=True)
        draft.created_at = then


def quote(part: Path, email: str, copies: int, company: Company) -> None:
    """Have a quote written that nobody has answered yet."""
    with db.transaction() as session:
        person, draft, wanted, _ = _draft(session, part, email, copies)
        payers.choose(session, draft, PayerChoice(company.public_id, "", seen_before_vat=True), person)
        edited = {draft.line.id: wanted}
        cents = offering.order_offer(session, draft, edited).price.total_cents
        issuing.ask(session, draft, edited, cents, person, attested=True)


def _draft(session: Session, part: Path, email: str, copies: int) -> tuple[Person, Order, Wanted, int]:
    with part.open("rb") as stream, files.receiving(stream, 10_000_000) as incoming:
        person = session.scalars(select(Person).where(Person.email == email)).one()
        draft = orders.start(session, person.id, incoming, _measured(part, incoming.sha256), part.name)
    wanted = Wanted(Choices("PLA", Quality.NORMAL, 20, supports=False), None, copies)
    made = offering.quote_for(session, draft.line.model_file, wanted)
    return person, draft, wanted, made.price.total_cents


@cache
def _measured(part: Path, sha256: str) -> Part:
    return intake.take(part, sha256, part.name)


def printed(past: Past) -> int:
    """Let an order be printed, signed off and mostly collected some days ago, by the services a real one takes."""
    then = past.at
    order_id = order(past.part, past.email, past.copies, past.company, on=past.on, at=then - ORDERED_BEFORE)
    with db.transaction() as session, as_of(session, then) as clock:
        volunteer = session.scalars(select(Person).where(Person.email == VOLUNTEER)).one()
        found = session.get_one(Order, order_id)
        for job in jobs.of_order(session, order_id):
            _sliced_as_estimated(session, found, job)
        if past.failed is not None:
            for attempt in dispatch.schedule(session, then - FIRST_TRY_BEFORE):
                ended = _print(session, found, attempt, clock)
                clock.moves_to(min(ended + SIGNED_OFF_AFTER, then))
                billing.sign_off(session, attempt, Verdict(0, past.failed), volunteer)
        for attempt in dispatch.schedule(session, then):
            clock.moves_to(_print(session, found, attempt, clock) + SIGNED_OFF_AFTER)
            billing.sign_off(session, attempt, signoff.Verdict(attempt.copies), volunteer)
        if past.collected:
            clock.moves_to(clock.now + COLLECTED_AFTER)
            orders.collected(session, found, volunteer.id)
            notices.read(session, found.person_id, None, clock.now)
    return order_id


def finished(part: Path, email: str, machine: str) -> None:
    """Let a print end on a machine, so that its plate waits for somebody."""
    now = utcnow()
    order_id = order(part, email, 1, on=machine, at=now - ORDERED_BEFORE)
    with db.transaction() as session, as_of(session, now) as clock:
        found = session.get_one(Order, order_id)
        (job,) = jobs.of_order(session, order_id)
        _sliced_as_estimated(session, found, job)
        assert job.slice is not None
        begun = now - timedelta(seconds=job.slice.time_s, minutes=25)
        for attempt in dispatch.schedule(session, begun):
            _print(session, found, attempt, clock)


def held(part: Path, email: str, copies: int, hours_ago: int, wanted_in: timedelta) -> None:
    """Let an order stand in the queue that a volunteer has put on hold, and that is wanted by a day."""
    then = utcnow() - timedelta(hours=hours_ago)
    order_id = order(part, email, copies, at=then)
    with db.transaction() as session, as_of(session, then + SIGNED_OFF_AFTER):
        volunteer = session.scalars(select(Person).where(Person.email == VOLUNTEER)).one()
        session.get_one(Order, order_id).wanted_on = (then + wanted_in).date()
        for job in jobs.of_order(session, order_id):
            job_services.hold(session, job, volunteer.id, held=True)


def waited_for(order_id: int, reminders: int) -> None:
    """Let the person of an order on the shelf have been reminded in vain."""
    with db.transaction() as session:
        row = session.get_one(PickUp, order_id)
        row.reminders, row.reminded_at = reminders, utcnow() - timedelta(days=8)


def _sliced_as_estimated(session: Session, found: Order, job: Job) -> None:
    """Queue a job of the past with the estimate in the place of a slice; to be printed again it is sliced anew."""
    line = found.line
    made = Slice(
        key=f"demo-{job.id}",
        gcode_sha256="0" * 64,
        gcode_sha1="0" * 40,
        time_s=line.estimated_time_s or 0.0,
        mass_g=line.estimated_mass_g or 0.0,
        filament_mm=0.0,
        layers=0,
        curve=[0.0, 1.0],
        slicer_version="estimate (demo history)",
    )
    session.add(made)
    session.flush()
    job.slice_id, job.state = made.id, JobState.QUEUED
    session.flush()
    session.refresh(job)


def _print(session: Session, found: Order, attempt: Attempt, clock: Clock) -> datetime:
    """Let an attempt be printed to its end, and return when that was."""
    begun = attempt.claimed_at
    ended = begun + timedelta(seconds=attempt.slice.time_s)
    clock.moves_to(begun)
    dispatch.sending(session, attempt)
    dispatch.about_to_start(session, attempt, begun)
    dispatch.record(session, attempt, Judgement.PRINTING, {}, begun)
    orders.in_production(session, found)
    clock.moves_to(ended)
    dispatch.record(session, attempt, Judgement.FINISHED, {}, ended)
    return ended
