"""Quotes for tests: rules of the desk that catch nothing, and a draft that becomes one."""

from __future__ import annotations

from sqlalchemy.orm import Session

from fablab.accounts.models import Company, Person
from fablab.billing import offering, payers
from fablab.billing.payers import PayerChoice
from fablab.orders.models import Order
from fablab.orders.review_models import ReviewRules
from fablab.quotes import issuing
from fablab.quotes.models import Quote


def quoted(session: Session, order: Order, person: Person, company: Company | None = None) -> Quote | None:
    """Ask for a quote of what a draft says."""
    if company is not None:
        payers.choose(session, order, PayerChoice(company.public_id, "", seen_before_vat=True), person)
    seen = offering.order_offer(session, order, {}).price.total_cents
    issuing.ask(session, order, {}, seen, person, attested=True)
    return issuing.latest(session, order)


def rules(**changes: bool) -> ReviewRules:
    """Rules of the desk that catch nothing but what is named."""
    nothing: dict[str, bool] = {"warnings": False, "first_order": False, "company": False, "attestation": False}
    return ReviewRules(size_mm=0, price_cents=0, **(nothing | changes))
