"""What the address or the form of a draft says: which part is looked at, what is chosen for it, what for all of it."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import redirect, request, url_for
from sqlalchemy.orm import Session

from fablab.billing import failures, payers, seller, tariffs, urgency
from fablab.billing.payers import PayerChoice
from fablab.db import utcnow
from fablab.errors import Invalid, NotFound
from fablab.orders import lines
from fablab.orders.models import Order, OrderLine
from fablab.orders.services import Wanted
from fablab.slicing.choices import Choices, Quality
from fablab.web.forms import ChoicesForm, filled
from fablab.words import say

LONGEST_ID = 15
KEPT = ("payer", "po_number", "attested", "wanted_on", "urgent")
"""What is asked once for the order, and stays in the address until it is confirmed."""
CHOICES = ("line", "filament", "quality", "infill", "supports", "quantity", *KEPT)


def edited_line(order: Order) -> OrderLine:
    """Return the part of an order that the address or the form names, its first one if none; raises `NotFound`."""
    return lines.part_of(order, line_id("line"))


def line_id(name: str) -> int | None:
    """Return the id of a part from the address or the form; raises `NotFound` when it is none."""
    text = request.values.get(name, "")
    if len(text) > LONGEST_ID or not (text == "" or (text.isascii() and text.isdecimal())):
        raise NotFound
    return int(text) if text else None


def wanted_on() -> date | None:
    """Return the day the form asks for; raises `Invalid`."""
    text = request.values.get("wanted_on", "").strip()
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Invalid(say("Please write the day like 2026-12-24."), field="wanted_on") from None


def wanted_now() -> Wanted:
    """Return the choices in the address or the form; raises `Invalid`."""
    form = filled(ChoicesForm, request.values)
    material, _, colour = form.filament.data.partition("|")
    if form.quality.data not in set(Quality):
        raise Invalid(say("This quality does not exist."), field="quality")
    choices = Choices(material, Quality(form.quality.data), form.infill.data, form.supports.data)
    return Wanted(choices, colour or None, form.quantity.data)


def back_to_draft(public_id: str, *, supports: bool = False) -> Any:
    """Go back to the draft with everything that was chosen on it."""
    fields: dict[str, Any] = {name: request.form[name] for name in CHOICES if request.form.get(name)}
    if supports:
        fields["supports"] = "y"
    return redirect(url_for("orders.show", public_id=public_id, **(fields if "filament" in fields else {})))


def to_part(public_id: str, line: int | None) -> Any:
    """Go to another part of a draft, with what is asked once for the order."""
    fields: dict[str, Any] = {name: request.form[name] for name in KEPT if request.form.get(name)}
    return redirect(url_for("orders.show", public_id=public_id, line=line, **fields))


def seen_cents() -> int:
    """Return the price that was seen; raises `Invalid` when there is none."""
    text = request.form.get("seen_cents", "")
    if not text.isdecimal() or len(text) > 9:
        raise Invalid(say("Please look at the price before you confirm."))
    return int(text)


def seen_free_failures() -> int | None:
    """Return how many failed prints the price that was seen left free; None where it left all of them."""
    text = request.form.get("seen_free_failures", "")
    return int(text) if text.isdecimal() and len(text) < 9 else None


def keep_what_is_asked_once(session: Session, order: Order) -> None:
    """Keep who pays, whether it is urgent and for which day, as they were sent.

    Raises `Invalid`, and `Conflict` when failed prints cost more than was seen.
    """
    day, today = wanted_on(), seller.today(utcnow())
    payers.choose(session, order, payer_choice(order), order.person)
    urgency.choose(session, order, urgent=urgent(order))
    failures.must_have_seen(seen_free_failures(), tariffs.rules_for(session, order))
    lines.want_on(session, order, day, today)


def payer_choice(order: Order) -> PayerChoice:
    """Return who is chosen to pay; before there are choices in the address or the form, what was kept counts."""
    values = request.values
    if "filament" not in values:
        company = order.company.public_id if order.company else ""
        project = order.project.public_id if order.project else ""
        return PayerChoice(company, order.po_number or "", order.price_before_vat, project)
    seen_before_vat = bool(values.get("seen_before_vat"))
    return PayerChoice.read(values.get("payer", ""), values.get("po_number", ""), seen_before_vat=seen_before_vat)


def attested() -> bool:
    """Tell whether it was confirmed that the parts are allowed."""
    return bool(request.values.get("attested"))


def urgent(order: Order) -> bool:
    """Tell whether the address or the form asks for an urgent order; before there are choices, what was kept counts."""
    return bool(request.values.get("urgent")) or ("filament" not in request.values and order.urgent)
