"""What can be done with orders: draft, choose, accept, and follow the plates they became."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from fablab import bus
from fablab.db import utcnow
from fablab.errors import Conflict, Invalid
from fablab.files import Incoming
from fablab.jobs import queries as job_queries
from fablab.jobs import services as job_services
from fablab.jobs.models import Job, Slice
from fablab.jobs.states import BEFORE_THE_PRINTER, ENDED_JOBS, JobState
from fablab.orders import shelf, telling
from fablab.orders.holding import hold
from fablab.orders.intake import Part
from fablab.orders.models import EDITABLE, ORDER_NEXT, ModelFile, Order, OrderEvent, OrderLine, OrderState
from fablab.slicing.changes import AS_SENT, Change
from fablab.slicing.choices import Choices
from fablab.words import Sentence, say

MOST_COPIES = 100
STOPPABLE = (*EDITABLE, OrderState.IN_REVIEW, OrderState.OFFERED, OrderState.ACCEPTED, OrderState.QUOTED)


@dataclass(frozen=True)
class Wanted:
    """What a person chose for a line: how it is printed, in which colour (None: any), how many times."""

    choices: Choices
    colour_name: str | None
    quantity: int

    def __post_init__(self) -> None:
        if not 1 <= self.quantity <= MOST_COPIES:
            raise Invalid(
                say("Between 1 and {most} copies can be ordered at once.", most=MOST_COPIES), field="quantity"
            )


def keep_model(session: Session, part: Part) -> ModelFile:
    """Keep a part with its newest report; the same content is kept once."""
    found = session.get(ModelFile, part.sha256)
    if found is None:
        found = ModelFile(sha256=part.sha256, size_bytes=part.size_bytes)
        session.add(found)
    found.report = part.report.to_json()
    session.flush()
    return found


def start(session: Session, person_id: int, incoming: Incoming, part: Part, file_name: str) -> Order:
    """Keep an uploaded file and start an order with the part that was made of it."""
    incoming.keep()
    return draft(session, person_id, keep_model(session, part), file_name, incoming.sha256)


def draft(session: Session, person_id: int, model: ModelFile, file_name: str, sent_sha256: str | None = None) -> Order:
    """Start an order with one part; `sent_sha256` is the file it was made of, if it is another one."""
    order = Order(person_id=person_id)
    session.add(order)
    session.flush()
    session.add(new_line(order, model, file_name, sent_sha256))
    write(session, order, "draft", person_id)
    session.flush()
    session.refresh(order)
    return order


def new_line(order: Order, model: ModelFile, file_name: str, sent_sha256: str | None = None) -> OrderLine:
    """Return a part for an order, made of the file that was sent."""
    source = sent_sha256 if sent_sha256 != model.sha256 else None
    return OrderLine(
        order_id=order.id, model_sha256=model.sha256, source_sha256=source, file_name=shown_name(file_name)
    )


def shown_name(file_name: str) -> str:
    """Return the last part of an uploaded file's name, without control signs, at most 200 letters."""
    last = file_name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(sign for sign in last if sign.isprintable()).strip()[-200:] or "part.stl"


def reshape(session: Session, order: Order, line: OrderLine, change: Change, part: Part, by_id: int) -> None:
    """Put a changed part, or the one as it was sent, in the place of a draft's. Raises `Conflict` when confirmed."""
    source = line.sent_sha256
    hold_draft(session, order)
    model = keep_model(session, part)
    line.source_sha256 = source if source != model.sha256 else None
    line.model_sha256 = model.sha256
    done = {"change": change.to_json(), "done": [each.to_json() for each in part.done]}
    line.change = done if change != AS_SENT else None
    session.flush()
    write(session, order, "part_changed", by_id, {"model": model.sha256, **done})


@dataclass(frozen=True)
class Payer:
    """Who pays for an order, if not its person: a company on invoice, or the budget of a project.

    A company comes with the number of its purchase order and how it is priced.
    """

    company_id: int | None
    po_number: str
    before_vat: bool
    project_id: int | None = None


def bill_to(session: Session, order: Order, payer: Payer | None) -> None:
    """Note who pays for a draft: a company on invoice, a project, or the person. Raises `Conflict` when confirmed."""
    hold_draft(session, order)
    order.company_id = payer.company_id if payer else None
    order.project_id = payer.project_id if payer else None
    order.po_number = (payer.po_number.strip() or None) if payer else None
    order.price_before_vat = payer.before_vat if payer else False
    session.flush()
    session.refresh(order)


def hurry(session: Session, order: Order, *, urgent: bool) -> None:
    """Note whether a draft is urgent. Raises `Conflict` when it was confirmed."""
    hold_draft(session, order)
    order.urgent = urgent
    session.flush()


def want_supports(session: Session, order: Order, line: OrderLine) -> None:
    """Choose supports for a part of a draft. Raises `Conflict` when it was confirmed."""
    hold_draft(session, order)
    line.supports = True
    session.flush()


def hold_draft(session: Session, order: Order) -> None:
    """Hold a draft until the end of the transaction: nobody confirms a part that is being replaced, or the other way.

    Raises `Conflict` when it was confirmed.
    """
    hold(session, order)
    if order.state not in EDITABLE:
        raise Conflict(say("This order was confirmed already."))
    for line in order.lines:
        session.refresh(line)


def wish(session: Session, line: OrderLine, wanted: Wanted) -> None:
    """Keep what was chosen for a part."""
    line.quantity, line.colour_name = wanted.quantity, wanted.colour_name
    line.material_code, line.quality = wanted.choices.material, wanted.choices.quality
    line.infill_percent, line.supports = wanted.choices.infill_percent, wanted.choices.supports
    session.flush()


def choose(
    session: Session, line: OrderLine, wanted: Wanted, machine_profile: str, mass_g: float, time_s: float
) -> None:
    """Keep what was chosen for a line and the estimate of it."""
    wish(session, line, wanted)
    line.machine_profile = machine_profile
    line.estimated_mass_g, line.estimated_time_s = mass_g, time_s
    session.flush()


def make_jobs(
    session: Session, order: Order, line: OrderLine, plates: Iterable[int], made: Mapping[int, Slice]
) -> list[Job]:
    """Turn a part of an accepted order into plates; `plates` are the copies on each, `made` the slices there are."""
    assert line.material_code is not None
    assert line.machine_profile is not None
    wanted = job_services.NewJob(
        order_id=order.id,
        line_id=line.id,
        requester_id=order.person_id,
        model_sha256=line.model_sha256,
        title=line.file_name,
        copies=0,
        machine_profile=line.machine_profile,
        material_code=line.material_code,
        colour_name=line.colour_name,
        quality=line.quality,
        infill_percent=line.infill_percent,
        supports=line.supports,
        urgent=order.urgent,
    )
    return [job_services.create(session, replace(wanted, copies=copies), made.get(copies)) for copies in plates]


def move(session: Session, order: Order, to: OrderState, by_id: int | None, **values: Any) -> None:
    """Move an order from the state it was seen in. Raises `Conflict` when it has left it or may not go there."""
    seen = OrderState(order.state)
    if to not in ORDER_NEXT[seen]:
        raise Conflict(say("This is not possible any more: the order has moved on."))
    session.flush()
    changed = session.execute(
        update(Order)
        .where(Order.id == order.id, Order.state == seen)
        .values(state=to, **values)
        .execution_options(synchronize_session=False)
    )
    if changed.rowcount != 1:  # type: ignore[attr-defined]
        raise Conflict(say("Somebody else was faster: please look again."))
    session.refresh(order)
    write(session, order, f"order_{to}", by_id)
    telling.order_moved(session, order)
    shelf.order_moved(session, order, by_id)


def accept(
    session: Session, order: Order, price_cents: int, price: dict[str, Any], tariff_id: int, by_id: int | None
) -> None:
    """Freeze the price that was confirmed, with the tariff it came from."""
    values = {"price_cents": price_cents, "price": price, "tariff_id": tariff_id, "confirmed_at": utcnow()}
    move(session, order, OrderState.ACCEPTED, by_id, proposal_cents=None, note=None, **values)


def ask_again(session: Session, order: Order, proposal_cents: int, note: Sentence) -> None:
    """Go back to the person with a new price; nothing is printed meanwhile."""
    move(session, order, OrderState.QUOTED, None, proposal_cents=proposal_cents, note=note)
    for job in job_queries.of_order(session, order.id):
        if job.state == JobState.QUEUED:
            job_services.wait_for_confirmation(session, job)


def queue_confirmed(session: Session, order: Order, by_id: int) -> None:
    """Queue the plates that waited for the new price."""
    for job in job_queries.of_order(session, order.id):
        if job.state == JobState.WAITING_CONFIRMATION:
            job_services.confirmed_again(session, job, by_id)


def in_production(session: Session, order: Order) -> None:
    """Note that a printer has started one of the order's plates."""
    if order.state == OrderState.ACCEPTED:
        move(session, order, OrderState.IN_PRODUCTION, None)


def can_be_cancelled(session: Session, order: Order) -> bool:
    """Tell whether the order may still be cancelled: no printer has had any of its plates."""
    if order.state not in STOPPABLE:
        return False
    return all(job.state in BEFORE_THE_PRINTER for job in job_queries.of_order(session, order.id))


def cancel(session: Session, order: Order, by_id: int) -> None:
    """Cancel an order before printing, with all its plates."""
    if not can_be_cancelled(session, order):
        raise Conflict(say("This order is being printed: only a volunteer can stop it now."))
    for job in job_queries.of_order(session, order.id):
        job_services.cancel(session, job, by_id)
    move(session, order, OrderState.CANCELLED, by_id)


def good_copies(session: Session, order: Order) -> int:
    """Return how many copies of an order were signed off as good."""
    return sum(job.good_copies for job in job_queries.of_order(session, order.id))


def good_of(session: Session, line: OrderLine) -> int:
    """Return how many copies of one part were signed off as good."""
    return sum(job.good_copies for job in job_queries.of_order(session, line.order_id) if job.line_id == line.id)


def close_if_done(session: Session, order: Order, by_id: int | None) -> None:
    """Move an order to its end when all its plates have ended: ready, or cancelled when nothing came out of it."""
    jobs = job_queries.of_order(session, order.id)
    if not all(job.state in ENDED_JOBS for job in jobs):
        return
    if any(job.good_copies for job in jobs):
        in_production(session, order)
        move(session, order, OrderState.READY, by_id)
    else:
        move(session, order, OrderState.CANCELLED, by_id)


def collected(session: Session, order: Order, by_id: int) -> None:
    """Note that the parts were handed over."""
    move(session, order, OrderState.COLLECTED, by_id)


def write(session: Session, order: Order, kind: str, by_id: int | None, details: dict[str, Any] | None = None) -> None:
    """Write down what happened to an order and let the open pages know."""
    session.add(OrderEvent(order_id=order.id, person_id=by_id, kind=kind, details=details))
    bus.tell(session, f"order-{order.id}", "board")
