"""Who pays for an order: the person from the wallet, a company they order for on invoice, or a project's budget."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from fablab.accounts import companies, projects
from fablab.accounts.models import Person
from fablab.billing import seller
from fablab.db import utcnow
from fablab.errors import Conflict, Invalid
from fablab.orders import services as orders
from fablab.orders.models import Order
from fablab.orders.services import Payer
from fablab.words import say

LONGEST_PO_NUMBER = 50
OF_PROJECT = "project:"


@dataclass(frozen=True)
class PayerChoice:
    """Who is to pay: the public id of a company or of a project, or the person; and the company's purchase order.

    `seen_before_vat` says that the price that was seen was one before VAT.
    """

    company: str = ""
    po_number: str = ""
    seen_before_vat: bool = False
    project: str = ""

    @property
    def key(self) -> str:
        """How the choice is written in a form."""
        return f"{OF_PROJECT}{self.project}" if self.project else self.company

    @staticmethod
    def read(key: str, po_number: str, *, seen_before_vat: bool) -> PayerChoice:
        """Return the choice that `key` wrote."""
        if key.startswith(OF_PROJECT):
            return PayerChoice("", po_number, seen_before_vat, key.removeprefix(OF_PROJECT))
        return PayerChoice(key, po_number, seen_before_vat)


def choose(session: Session, order: Order, choice: PayerChoice, by: Person) -> None:
    """Note who pays for a draft, at the kind of price that was seen.

    Raises `Conflict` when this person may not order for the company, or saw a price with VAT instead of one before VAT.
    """
    payer = payer_of(session, choice, by)
    if choice.seen_before_vat != (payer is not None and payer.before_vat):
        raise Conflict(say("Another price holds for who pays: please look at it and confirm again."))
    orders.bill_to(session, order, payer)


def as_priced(session: Session, choice: PayerChoice, by: Person) -> PayerChoice:
    """Return the choice as it is priced today, where no price was seen yet. Raises like `payer_of`."""
    payer = payer_of(session, choice, by)
    return replace(choice, seen_before_vat=payer is not None and payer.before_vat)


def payer_of(session: Session, choice: PayerChoice, by: Person) -> Payer | None:
    """Return the company or project that is chosen, and how it is priced today; None when the person pays."""
    if choice.project:
        project = projects.ordered_on(session, by, choice.project, seller.today(utcnow()))
        return Payer(None, "", before_vat=False, project_id=project.id)
    if not choice.company:
        return None
    if len(choice.po_number) > LONGEST_PO_NUMBER:
        raise Invalid(
            say("A purchase order's number has at most {most} signs.", most=LONGEST_PO_NUMBER), field="po_number"
        )
    company = companies.ordered_for(session, by, choice.company)
    before_vat = seller.companies_before_vat(session, seller.today(utcnow()))
    return Payer(company.id, " ".join(choice.po_number.split()), before_vat)
