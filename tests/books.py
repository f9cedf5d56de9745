"""A place that may invoice: who sells, its VAT regime, a company with its people, and orders that were made."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from sqlalchemy.orm import Session

from fablab.accounts import companies
from fablab.accounts.companies import Contact, Identity
from fablab.accounts.models import Company, CompanyRole, Person
from fablab.billing import offering, payers, seller, tariffs
from fablab.billing import services as billing
from fablab.billing.models import Operation, Regime
from fablab.billing.payers import PayerChoice
from fablab.billing.pricing import Rules
from fablab.billing.seller import IdentityData, RegimeData
from fablab.billing.tariffs import TariffData
from fablab.db import utcnow
from fablab.invoicing.content import Buyer
from fablab.invoicing.issuing import Command, Draft, Item
from fablab.jobs import dispatch
from fablab.jobs import queries as jobs
from fablab.jobs.judging import Judgement
from fablab.jobs.signoff import Reason, Verdict
from fablab.orders.models import Order
from tests.people import Cast, draft_cube, slice_job, small_place, wanted

LONG_AGO = date(2020, 1, 1)
SELLER = IdentityData(
    LONG_AGO,
    "Les Ateliers du Moulin",
    "Association loi 1901",
    "2 rue du Moulin",
    "26400",
    "Crest",
    siren="732829320",
    siret="73282932000074",
    rna="W263001234",
    vat_number="FR44732829320",
    iban="FR1420041010050500013M02606",
    email="tresorerie@moulin.example",
)
STANDARD = RegimeData(LONG_AGO, Regime.STANDARD, 2000, Operation.GOODS, companies_before_vat=True)
FRANCHISE = RegimeData(LONG_AGO, Regime.FRANCHISE)
ACME = Identity("Acmé Mécanique SARL", "", "55210055400013", "FR96552100554", 30)
ACME_CONTACT = Contact("12 quai de l’Isère", "38000", "Grenoble", "FR", "Zoé Achats", "compta@acme.example", "fr")
BUYER = Buyer(
    "Acmé Mécanique SARL",
    "12 quai de l’Isère",
    "38000",
    "Grenoble",
    is_company=True,
    siren="552100554",
    siret="55210055400013",
    vat_number="FR96552100554",
    email="compta@acme.example",
)
HOME = Buyer("Alice Martin", "1 rue Haute", "26400", "Crest")


def open_books(session: Session, regime: RegimeData = STANDARD, identity: IdentityData = SELLER) -> None:
    """Say who sells and how they stand to VAT."""
    seller.set_identity(session, identity, None)
    seller.set_regime(session, regime, None)


def add_company(session: Session, *, buyer: Person | None = None, accountant: Person | None = None) -> Company:
    """Add Acmé with its people."""
    company = companies.add(session, ACME, ACME_CONTACT)
    for person, role in ((buyer, CompanyRole.BUYER), (accountant, CompanyRole.ACCOUNTANT)):
        if person is not None:
            companies.join(session, company, person.email, role)
    return company


def business(session: Session, regime: RegimeData = STANDARD) -> tuple[Cast, Company]:
    """A small place with its books open, and Alice who buys for Acmé."""
    cast = small_place(session)
    open_books(session, regime)
    return cast, add_company(session, buyer=cast.alice)


def give_aid(session: Session, percent: int, free_failures: int | None = None) -> None:
    """Let a tariff hold for everybody of which the place pays so many per cent, with so many failed prints free."""
    rules = Rules(aid_percent=percent, free_failures=free_failures)
    tariffs.set_tariff(
        session, TariffData("Aided", 137, 120, 100, {"PLA": 4000, "PETG": 4500, "TPU": 7000}, rules), None
    )


def company_order(session: Session, person: Person, company: Company, quantity: int = 1, po_number: str = "") -> Order:
    """Order cubes that the company pays."""
    order = draft_cube(session, person)
    before_vat = seller.companies_before_vat(session, seller.today(utcnow()))
    payers.choose(session, order, PayerChoice(company.public_id, po_number, before_vat), person)
    price = offering.quote_for(session, order.line.model_file, wanted(quantity)).price.total_cents
    billing.confirm(session, order, {order.line.id: wanted(quantity)}, price, person)
    return order


def make(
    session: Session, order: Order, good: int, volunteer: Person, reason: Reason = Reason.GIVEN_UP, part: float = 1
) -> Order:
    """Print so much of an order's only plate and sign so many copies off as good; the rest is given up."""
    (job,) = jobs.of_order(session, order.id)
    slice_job(session, job, mass_g=order.line.estimated_mass_g)
    (attempt,) = dispatch.schedule(session, utcnow())
    dispatch.sending(session, attempt)
    dispatch.about_to_start(session, attempt, utcnow())
    for judgement in (Judgement.PRINTING, Judgement.FINISHED):
        dispatch.record(session, attempt, judgement, {}, utcnow())
    verdict = Verdict(good, None if good == attempt.copies else reason, used_g=attempt.slice.mass_g * part)
    billing.sign_off(session, attempt, verdict, volunteer)
    session.refresh(order)
    return order


def made_company_order(session: Session, cast: Cast, company: Company, quantity: int = 1, po_number: str = "") -> Order:
    """A company's order, printed and good."""
    return make(session, company_order(session, cast.alice, company, quantity, po_number), quantity, cast.bob)


def copied_order(session: Session, order: Order, price_cents: int, good: int) -> Order:
    """Another made order like this one, at another price, without printing it."""
    skipped = {"id", "public_id", "order_id"}

    def copy(row, **changes):
        same = {column.key: getattr(row, column.key) for column in row.__table__.columns if column.key not in skipped}
        made = type(row)(**(same | changes))
        session.add(made)
        session.flush()
        return made

    made = copy(order, price_cents=price_cents)
    line = copy(order.line, order_id=made.id, quantity=max(good, 1), price_cents=price_cents)
    copy(jobs.of_order(session, order.id)[0], order_id=made.id, line_id=line.id, copies=max(good, 1), good_copies=good)
    session.refresh(made)
    return made


def draft_of(*cents: int, company: Company | None = None, **changes: object) -> Draft:
    """An invoice of free items for Acmé, or else for a private person."""
    items = tuple(Item(f"Pièce {place + 1}", 1 + place, amount) for place, amount in enumerate(cents))
    made = Draft(BUYER, items, company_id=company.id) if company else Draft(HOME, items)
    return replace(made, **changes)  # type: ignore[arg-type]


def command(key: str, by: Person | None = None) -> Command:
    return Command(key, by.id if by else None, utcnow())
