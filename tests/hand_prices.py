"""Prices by hand for tests: a place whose prices make nothing, and what a volunteer writes at the desk."""

from __future__ import annotations

from sqlalchemy.orm import Session

from fablab.accounts.models import Person
from fablab.billing import hand_pricing, offering, payers, reviewing, tariffs
from fablab.billing.by_hand import HandLine
from fablab.billing.hand_models import HandPrice
from fablab.billing.hand_pricing import Wish
from fablab.billing.models import Group
from fablab.billing.payers import PayerChoice
from fablab.orders import review
from fablab.orders.models import Order
from fablab.quotes import issuing
from tests.people import NO_RULE
from tests.quoting import rules

PRINT, HELP, REBATE = HandLine("Print", 1, 900), HandLine("Design help", 2, 1250), HandLine("Rebate", 1, -300)
WHY = "A thin part that has to be watched."


def make_everything_free(session: Session) -> None:
    """Set prices that come to nothing for a cube, so that only a person can say what it costs."""
    tariffs.set_tariff(session, tariffs.TariffData("Nearly free", 0, 0, 0, {"PLA": 1}), None)
    tariffs.set_tariff(session, tariffs.TariffData("Nearly free", 0, 0, 0, {"PLA": 1}, group=Group.COMPANY), None)


def asked(session: Session, order: Order, person: Person, message: str = "") -> Order:
    """Ask the place for the price of a draft."""
    hand_pricing.ask(session, order, {}, message, person, attested=True)
    return order


def written(
    session: Session, order: Order, by: Person, *lines: HandLine, added: bool = False, reason: str = WHY
) -> HandPrice:
    """Set the price of what lies on the desk."""
    return hand_pricing.set_price(session, order, Wish(lines or (PRINT,), added, reason), by, issuing.write)


def seen_cents(session: Session, order: Order) -> int:
    """The price a draft shows."""
    return offering.order_offer(session, order, {}).price.total_cents


def confirmed(session: Session, order: Order, person: Person, *, attested: bool = True) -> Order:
    """Confirm a draft at the price it shows."""
    reviewing.submit(session, order, {}, seen_cents(session, order), person, attested=attested)
    return order


def wants_quote(session: Session, order: Order, person: Person, company_id: str) -> Order:
    """Ask for a quote that a company pays, over the desk."""
    review.set_rules(session, rules(first_order=True, company=True))
    payers.choose(session, order, PayerChoice(company_id, "", seen_before_vat=True), person)
    issuing.ask(session, order, {}, seen_cents(session, order), person, attested=True)
    return order


__all__ = ["HELP", "NO_RULE", "PRINT", "REBATE"]
