"""What must be true at the end; printers are asked for what they did, our database only for what it says of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fablab.billing import failures, ledger
from fablab.billing.models import EntryKind, LedgerEntry
from fablab.bookkeeping import checking
from fablab.bookkeeping.models import Closing, Span
from fablab.db import utcnow
from fablab.filament.models import Movement, SpoolMovement
from fablab.invoicing import queries as documents
from fablab.invoicing import verifying
from fablab.invoicing.models import Document, Kind, Payment
from fablab.jobs import queries as jobs
from fablab.jobs.models import Attempt, HandPrint
from fablab.jobs.signoff import Reason
from fablab.jobs.states import ENDED_JOBS, NEEDS_SIGNOFF, ON_THE_PRINTER, AttemptState
from fablab.machines import queries as machine_queries
from fablab.machines.models import Operation, Plate, Service
from fablab.money import share
from fablab.orders.models import Order, OrderState
from fablab.printers.simulated import TAKEN_OFF
from fablab.quotes.models import QuoteAnswer, Reply
from tests.chaos.benches import BY_HAND, Happened

ENDED_ORDERS = frozenset({OrderState.READY, OrderState.COLLECTED, OrderState.CANCELLED})
NO_OBSTACLE = "It starts in a moment."

Records = Mapping[int, Sequence[Happened]]


def double_starts(records: Records) -> list[str]:
    """Name the files that a printer started more than once, or that two printers started."""
    starts = Counter(line.name for record in records.values() for line in record if line.what == "start")
    return [f"{name} was started {times} times" for name, times in starts.items() if times > 1]


def late_starts(session: Session, records: Records) -> list[str]:
    """Name the files that were started although it was settled that they never were: their job was printed again."""
    started = {line.name for record in records.values() for line in record if line.what == "start"}
    settled = (Attempt.state == AttemptState.START_FAILED) | (Attempt.reason == Reason.NOT_STARTED)
    found = session.scalars(select(Attempt.file_name).where(settled))
    return [f"{name} was started after it was given up" for name in found if name in started]


def dirty_starts(records: Records) -> list[str]:
    """Name our starts on a plate from which nobody had taken the parts of the start before, ours or by hand."""
    return [words for record in records.values() for words in _dirty(record)]


def _dirty(record: Iterable[Happened]) -> Iterable[str]:
    lying: str | None = None
    for line in record:
        if line.what == TAKEN_OFF:
            lying = None
        elif line.what == "start":
            if lying is not None:
                yield f"{line.name} was started on top of {lying}"
            lying = line.name
        elif line.what == BY_HAND:
            lying = line.name


def unknown_starts(session: Session, records: Records) -> list[str]:
    """Name the starts of which no attempt knows."""
    known = set(session.scalars(select(Attempt.file_name)))
    started = {line.name for record in records.values() for line in record if line.what == "start"}
    return [f"{name} was started and no attempt knows it" for name in started - known]


def open_orders(session: Session, confirmed: Iterable[int]) -> list[int]:
    """Return the confirmed orders that are not ended."""
    ended = set(session.scalars(select(Order.id).where(Order.state.in_(ENDED_ORDERS))))
    return [order_id for order_id in confirmed if order_id not in ended]


def unwanted(session: Session, confirmed: Iterable[int]) -> list[str]:
    """Name the orders that are in the books although nobody was told that they are confirmed."""
    known = set(confirmed)
    ordered = session.scalars(select(Order.id).where(Order.state != OrderState.DRAFT))
    return [f"order {order_id} was never confirmed" for order_id in ordered if order_id not in known]


def lost(session: Session, confirmed: Iterable[int]) -> list[str]:
    """Name the orders that are neither ended, nor on a printer, nor in the queue with a sentence."""
    reasons = {line.job.id: str(line.why) for line in jobs.queue(session, utcnow())}
    taken = {attempt.job_id for attempt in jobs.live_attempts(session)}
    found = []
    for order_id in open_orders(session, confirmed):
        plates = [job for job in jobs.of_order(session, order_id) if job.state not in ENDED_JOBS]
        if not plates or any(not reasons.get(job.id) and job.id not in taken for job in plates):
            found.append(f"order {order_id}: {[job.state for job in plates]}")
    return found


def stuck(session: Session, confirmed: Iterable[int]) -> list[str]:
    """Name the orders that did not end although everybody did everything, and whose job names nothing in its way."""
    reasons = {line.job.id: str(line.why) for line in jobs.queue(session, utcnow())}
    found = []
    for order_id in open_orders(session, confirmed):
        for job in jobs.of_order(session, order_id):
            attempt = jobs.live_attempt_of(session, job.id)
            if job.state not in ENDED_JOBS and reasons.get(job.id, NO_OBSTACLE) == NO_OBSTACLE:
                found.append(f"order {order_id}: {job.state}, {attempt.state if attempt else 'no attempt'}")
    return found


def unbalanced(session: Session) -> list[str]:
    """Name what does not add up: what `fablab billing verify` finds, reservations of ended orders, filament."""
    found = [str(finding) for finding in (*verifying.findings(session), *checking.findings(session))]
    for order in session.scalars(select(Order).where(Order.state.in_(ENDED_ORDERS))):
        kept = ledger.reserved_cents(session, order.id)
        charged = ledger.charged_cents(session, order.id) + ledger.refunded_cents(session, order.id)
        if order.company_id is not None:
            charged += documents.invoiced_cents(session, order.id)
        plates = jobs.of_order(session, order.id)
        good = sum(job.good_copies for job in plates)
        due = sum(each.cents for each in failures.of_order(session, order.id))
        for line in order.lines:
            made = sum(job.good_copies for job in plates if job.line_id == line.id)
            due += share(line.price_cents or 0, made, line.quantity)
        shares = sum(line.price_cents or 0 for line in order.lines)
        if order.price_cents is not None and shares not in (0, order.price_cents):
            found.append(f"order {order.id}: its parts cost {shares} cents, it was confirmed at {order.price_cents}")
        if kept or charged != due:
            found.append(f"order {order.id}: {kept} cents still reserved, {charged} charged, {due} due for {good} good")
    return found + _filament(session)


def money(session: Session) -> dict[str, int]:
    """Count what moved money: documents, payments of invoices, credit notes, refunds, accepted quotes, closings."""
    counted: dict[str, int] = {}
    for name, query in {
        "documents": select(func.count(Document.id)),
        "payments": select(func.count(Payment.id)),
        "credit_notes": select(func.count(Document.id)).where(Document.kind == Kind.CREDIT_NOTE),
        "quotes": select(func.count(QuoteAnswer.quote_id)).where(QuoteAnswer.reply == Reply.ACCEPTED),
        "months": select(func.count(Closing.id)).where(Closing.span == Span.MONTH),
    }.items():
        counted[name] = session.scalar(query) or 0
    return counted


def without_money(counted: Mapping[str, int]) -> list[str]:
    """Name what never happened: then sums that are right say nothing."""
    return [f"there are no {name}" for name, times in counted.items() if not times]


def untold(session: Session, told: Mapping[str, Iterable[str]]) -> list[str]:
    """Name what somebody was told is in the books and is not, or is there twice."""
    where = {
        "top-up": select(LedgerEntry.key).where(LedgerEntry.kind == EntryKind.TOP_UP),
        "payment": select(Payment.key),
        "invoice": select(Document.key).where(Document.kind != Kind.CREDIT_NOTE),
        "credit": select(Document.key),
    }
    found = []
    for what, sent in told.items():
        there = session.scalars(where[what]).all()
        for key in sent:
            times = sum(key in each for each in there)
            if times != 1:
                found.append(f"{what} {key} is {times} times in the books")
    return found


def _filament(session: Session) -> list[str]:
    """Compare what spools gave with the attempts that were signed off and the filed prints by hand: one for each."""
    consumed = select(SpoolMovement.attempt_id).where(SpoolMovement.kind == Movement.CONSUMED)
    moved = Counter(session.scalars(consumed).all())
    signed = Counter(session.scalars(select(Attempt.id).where(Attempt.state == AttemptState.SIGNED_OFF)).all())
    signed[None] = session.scalar(select(func.count(HandPrint.id)).where(HandPrint.used_mg > 0)) or 0
    return [f"attempt {key}: {moved[key]} movements" for key in moved | signed if moved[key] != signed[key]]


def held_without_release(session: Session) -> list[str]:
    """Name the machines that take no work although the board shows nothing to press about it."""
    found = []
    for machine in machine_queries.all_in_use(session):
        attempt = jobs.live_attempt_on(session, machine.id)
        if machine.service != Service.IN_SERVICE or (attempt is None and machine.operation == Operation.READY):
            continue  # its plate is clear, or the board asks whether it is empty
        if attempt is None and machine.plate == Plate.HELD:
            continue
        if attempt is not None and attempt.state in NEEDS_SIGNOFF:
            continue
        away = machine.operation in (Operation.OFFLINE, Operation.ERROR)
        if attempt is not None and attempt.state in ON_THE_PRINTER and away:
            continue
        if attempt is not None:
            found.append(f"{machine.name}: {machine.operation}, {machine.plate}, {attempt.state}")
    return found
