"""Prices by hand: the lines a person of the place has written, alone or on top of what was computed.

Such a price holds for the order exactly as it was, for as long as a quote would. When what is wanted, how, or who pays
changes, it lapses, and with it every price: it has to be asked for again, so nobody gets round a line by a click.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from fablab.billing.hand_models import HandPrice
from fablab.billing.pricing import NoPrice, Price, PriceLine, sum_of
from fablab.billing.totalling import Total
from fablab.db import utcnow
from fablab.errors import Invalid
from fablab.money import spread
from fablab.orders.models import Order
from fablab.orders.services import Payer, Wanted
from fablab.settings import settings
from fablab.words import Day, Euros, say

MOST_LINES = 6
MOST_OF_A_LINE = 100
LONGEST_TEXT = 200
LONGEST_REASON = 500
HIGHEST_CENTS = 10_000_000


@dataclass(frozen=True)
class Asked:
    """What is asked once for an order: who pays, if not its person, and whether it is urgent."""

    payer: Payer | None
    urgent: bool

    @staticmethod
    def kept(order: Order) -> Asked:
        """Return what was asked before."""
        if order.company_id is None and order.project_id is None:
            return Asked(None, order.urgent)
        payer = Payer(order.company_id, order.po_number or "", order.price_before_vat, order.project_id)
        return Asked(payer, order.urgent)


@dataclass(frozen=True)
class HandLine:
    """A line that was written: a text, so many of it, and what one costs; below zero it is a rebate."""

    text: str
    quantity: int
    each_cents: int

    @property
    def cents(self) -> int:
        """What the line costs."""
        return self.quantity * self.each_cents

    @property
    def price_line(self) -> PriceLine:
        """The line as it explains the price."""
        if self.quantity == 1:
            return PriceLine(say("{text}", text=self.text), self.cents)
        each = Euros(self.each_cents)
        return PriceLine(say("{text}: {count} at {rate}", text=self.text, count=self.quantity, rate=each), self.cents)


@dataclass(frozen=True)
class Basis:
    """What a price by hand begins with: the computed price of the parts, or for a whole new one nothing of it.

    `weights` are the parts in the order's order: the shares they have of the whole.
    """

    weights: tuple[int, ...]
    price: Price | None = None


@dataclass(frozen=True)
class Made:
    """A price by hand as it was set: what each part keeps of the computed price, its share of all, and the lines."""

    own_cents: tuple[int, ...]
    share_cents: tuple[int, ...]
    lines: tuple[HandLine, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain data to keep."""
        lines = [[line.text, line.quantity, line.each_cents] for line in self.lines]
        return {"own": list(self.own_cents), "shares": list(self.share_cents), "lines": lines}

    @staticmethod
    def of(hand: HandPrice) -> Made:
        """Return what was kept."""
        kept = hand.content
        lines = tuple(HandLine(*each) for each in kept["lines"])
        return Made(tuple(kept["own"]), tuple(kept["shares"]), lines)


def made_of(base: Basis, lines: Sequence[HandLine]) -> tuple[Made, Price]:
    """Return a price by hand. Raises `Invalid` naming the field when it is none to sell by."""
    must_be_possible(lines)
    computed = base.price
    own = spread(computed.total_cents, base.weights) if computed else [0] * len(base.weights)
    explained = (*(computed.lines if computed else ()), *(line.price_line for line in lines))
    total = sum_of(explained)
    if not 0 < total <= HIGHEST_CENTS:
        raise Invalid(
            say(
                "All lines together are {total}: more than nothing and at most {most}.",
                total=Euros(total),
                most=Euros(HIGHEST_CENTS),
            ),
            field="price-0",
        )
    shares = spread(total, base.weights)
    return Made(tuple(own), tuple(shares), tuple(lines)), Price(total, explained, computed.aid_cents if computed else 0)


def must_be_possible(lines: Sequence[HandLine]) -> None:
    """Raise `Invalid`, naming the field, for lines that cannot be meant."""
    if not 1 <= len(lines) <= MOST_LINES:
        raise Invalid(say("Between 1 and {most} lines are meant.", most=MOST_LINES), field="text-0")
    for place, line in enumerate(lines):
        if not 1 <= len(line.text.strip()) <= LONGEST_TEXT:
            raise Invalid(
                say("Please say what it is, in at most {most} signs.", most=LONGEST_TEXT), field=f"text-{place}"
            )
        if not 1 <= line.quantity <= MOST_OF_A_LINE:
            raise Invalid(say("Between 1 and {most} are meant.", most=MOST_OF_A_LINE), field=f"quantity-{place}")
        if line.each_cents == 0 or abs(line.cents) > HIGHEST_CENTS:
            raise Invalid(
                say("An amount is meant, at most {most}; a rebate has a minus.", most=Euros(HIGHEST_CENTS)),
                field=f"price-{place}",
            )


def keep(
    session: Session, order: Order, terms_now: str, base: Basis, lines: Sequence[HandLine], reason: str, by_id: int
) -> HandPrice:
    """Keep a price by hand for an order as it is. Raises `Invalid` naming the field."""
    reason = reason.strip()
    if not 1 <= len(reason) <= LONGEST_REASON:
        raise Invalid(
            say("Please write why it costs this, in at most {most} signs: who pays reads it.", most=LONGEST_REASON),
            field="reason",
        )
    made, explained = made_of(base, lines)
    row = HandPrice(
        order_id=order.id,
        terms=terms_now,
        total_cents=explained.total_cents,
        content={**made.to_json(), "price": explained.to_json()},
        reason=reason,
        set_by_id=by_id,
    )
    session.add(row)
    session.flush()
    session.refresh(row)
    return row


def terms(order: Order, wanted: Mapping[int, Wanted], asked: Asked) -> str:
    """Return what a price by hand holds for: the parts, what is wanted of them, who pays, and whether it is urgent."""
    parts = [
        [
            line.id,
            line.model_sha256,
            wanted[line.id].quantity,
            wanted[line.id].colour_name,
            wanted[line.id].choices.material,
            wanted[line.id].choices.quality,
            wanted[line.id].choices.infill_percent,
            wanted[line.id].choices.supports,
        ]
        for line in order.lines
    ]
    payer = asked.payer
    paid_by = [payer.company_id, payer.project_id, payer.before_vat] if payer else None
    return hashlib.sha256(json.dumps([parts, paid_by, asked.urgent]).encode()).hexdigest()


def latest(session: Session, order_id: int) -> HandPrice | None:
    """Return the last price that was set by hand for an order."""
    query = select(HandPrice).where(HandPrice.order_id == order_id).order_by(HandPrice.id.desc()).limit(1)
    return session.scalars(query).first()


def holding(session: Session, order: Order, terms_now: str) -> Total | None:
    """Return the price by hand that holds, or None when nobody has ever set one for this order.

    Raises `NoPrice` when one was set for something else, or too long ago.
    """
    hand = latest(session, order.id)
    if hand is None:
        return None
    if hand.terms != terms_now:
        raise NoPrice(
            say("Something was changed since {name} had set the price: please ask for it again.", name=_name(hand))
        )
    if utcnow() > until(hand):
        day = Day(until(hand).date())
        raise NoPrice(
            say(
                "The price that {name} had set was valid until {day}: please ask for it again.",
                name=_name(hand),
                day=day,
            )
        )
    return Total(price_of(hand), Made.of(hand).share_cents)


def until(hand: HandPrice) -> datetime:
    """Return until when a price by hand can be confirmed."""
    return hand.set_at + timedelta(days=settings().quote_days)


def _name(hand: HandPrice) -> str:
    return hand.set_by.first_name


def price_of(hand: HandPrice) -> Price:
    """Return a price by hand as it is explained and frozen with an order."""
    kept = Price.from_json(hand.content["price"])
    return replace(kept, hand_id=hand.id)


def behind(session: Session, price: Mapping[str, Any] | None) -> HandPrice | None:
    """Return the price by hand that a frozen price is, if it is one."""
    hand_id = (price or {}).get("hand_id")
    return session.get_one(HandPrice, hand_id) if hand_id is not None else None
