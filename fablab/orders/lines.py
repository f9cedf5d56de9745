"""The parts of a draft: add some, remove one, keep what was chosen for one; and order the same again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy.orm import Session

from fablab.errors import Conflict, Invalid, NotFound
from fablab.files import Incoming
from fablab.orders import services
from fablab.orders.intake import Part
from fablab.orders.models import Order, OrderLine
from fablab.orders.services import Wanted
from fablab.slicing.choices import Choices, Quality
from fablab.words import say

MOST_PARTS = 30


def add(session: Session, order: Order, incoming: Incoming, part: Part, file_name: str) -> OrderLine:
    """Keep an uploaded file and add the part that was made of it to a draft; it begins with the choices of the last.

    Raises `Conflict` when the order was confirmed, or has as many parts as an order may have.
    """
    services.hold_draft(session, order)
    if len(order.lines) >= MOST_PARTS:
        raise Conflict(say("An order has at most {most} parts: please start another one.", most=MOST_PARTS))
    incoming.keep()
    line = services.new_line(order, services.keep_model(session, part), file_name, incoming.sha256)
    session.add(line)
    session.flush()
    like = chosen(order.lines[-1])
    if like is not None:
        services.wish(session, line, Wanted(like.choices, like.colour_name, 1))
    session.refresh(order)
    services.write(session, order, "part_added", order.person_id, {"file": line.file_name})
    return line


def remove(session: Session, order: Order, line_id: int) -> None:
    """Take a part out of a draft. Raises `Conflict` for its last one, `NotFound` when it is gone already."""
    services.hold_draft(session, order)
    line = part_of(order, line_id)
    if len(order.lines) == 1:
        raise Conflict(say("This is the only part of the order: discard the draft instead."))
    session.delete(line)
    session.flush()
    session.refresh(order)
    services.write(session, order, "part_removed", order.person_id, {"file": line.file_name})


def keep_wish(session: Session, order: Order, line_id: int, wanted: Wanted) -> None:
    """Keep what was chosen for one part of a draft while another one is looked at."""
    services.hold_draft(session, order)
    services.wish(session, part_of(order, line_id), wanted)


def part_of(order: Order, line_id: int | None) -> OrderLine:
    """Return one part of an order, the first one without an id; raises `NotFound`."""
    line = order.part(line_id)
    if line is None:
        raise NotFound
    return line


def chosen(line: OrderLine) -> Wanted | None:
    """Return what was chosen for a part; None before anybody has chosen."""
    if line.material_code is None:
        return None
    choices = Choices(line.material_code, Quality(line.quality), line.infill_percent, line.supports)
    return Wanted(choices, line.colour_name, line.quantity)


def want_on(session: Session, order: Order, day: date | None, today: date) -> None:
    """Note the day a draft's person hopes to have it. Raises `Invalid` for a day that is over."""
    services.hold_draft(session, order)
    if day is not None and day < today and day != order.wanted_on:
        raise Invalid(say("This day is over: please choose a later one, or none."), field="wanted_on")
    order.wanted_on = day
    session.flush()


def again(session: Session, order: Order, person_id: int) -> Order:
    """Start a draft with the parts and choices of an earlier order; its price is today's."""
    made = Order(person_id=person_id)
    session.add(made)
    session.flush()
    session.add_all(_copies(made, order.lines))
    services.write(session, made, "ordered_again", person_id, {"order": order.public_id})
    session.flush()
    session.refresh(made)
    return made


COPIED = (
    "model_sha256",
    "source_sha256",
    "change",
    "file_name",
    "quantity",
    "material_code",
    "colour_name",
    "quality",
    "infill_percent",
    "supports",
)


def _copies(order: Order, lines: Sequence[OrderLine]) -> list[OrderLine]:
    return [OrderLine(order_id=order.id, **{name: getattr(line, name) for name in COPIED}) for line in lines]
