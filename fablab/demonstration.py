"""The demo place: people, simulated printers, filament, prices, a little history, and two prints on their way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from fablab import db, demohistory, demoroom, demoshelf
from fablab.accounts import companies, projects
from fablab.accounts import services as accounts
from fablab.accounts.companies import Contact, Identity
from fablab.accounts.models import Company, CompanyRole, Person
from fablab.accounts.permissions import Role
from fablab.accounts.projects import ProjectData
from fablab.billing import prepaid, seller, tariffs
from fablab.billing import projects as budgets
from fablab.billing.models import Regime
from fablab.billing.prepaid import RulesData
from fablab.billing.pricing import DEFAULT_TARIFF, Rules
from fablab.billing.seller import IdentityData, RegimeData
from fablab.db import utcnow
from fablab.demohistory import Past
from fablab.demotime import afternoon, as_of
from fablab.errors import Conflict
from fablab.filament import services as filament
from fablab.filament.models import Spool
from fablab.invoicing import from_orders, payments, topping_up
from fablab.invoicing.issuing import Command
from fablab.invoicing.models import Method
from fablab.invoicing.payments import PaymentData
from fablab.machines import services as machines
from fablab.machines.models import Machine, Operation, Plate
from fablab.machines.services import MachineData
from fablab.orders import review
from fablab.orders.models import Order
from fablab.orders.review_models import ReviewRules
from fablab.settings import settings
from fablab.slicing.samples import write_samples
from fablab.words import say

PASSWORD = "fablab-demo"  # noqa: S105 - it is printed for everybody


@dataclass(frozen=True)
class DemoPerson:
    """Somebody of the demo place, with what they put into their wallet."""

    name: str
    email: str
    role: Role = Role.MEMBER
    cents: int = 2000
    language: str | None = None


PEOPLE = (
    DemoPerson("Alice Martin", "alice@demo.example", cents=4000),
    DemoPerson("Bob Leroy", "bob@demo.example", Role.VOLUNTEER),
    DemoPerson("Carole Petit", "carole@demo.example", Role.ADMINISTRATOR),
    DemoPerson("Denis Faure", "denis@demo.example", cents=3500),
    DemoPerson("Émilie Roux", "emilie@demo.example", cents=5000),
    DemoPerson("Farid Benali", "farid@demo.example", cents=1500),
    DemoPerson("Gaëlle Le Goff", "gaelle@demo.example", cents=800),
    DemoPerson("Jeanne Morel", "jeanne@demo.example", cents=9000),
    DemoPerson("Karim Haddad", "karim@demo.example", cents=9000),
    DemoPerson("Louise Girard", "louise@demo.example", cents=4000),
    DemoPerson("Mathieu Perrin", "mathieu@demo.example", cents=4000),
    DemoPerson("Nadia Cohen", "nadia@demo.example", cents=4000),
    DemoPerson("Olivia Brown", "olivia@demo.example", cents=4000, language="en"),
    DemoPerson("Pauline Masson", "pauline@demo.example", cents=4000),
    DemoPerson("Quentin Noël", "quentin@demo.example", cents=4000),
    DemoPerson("Rose Lambert", "rose@demo.example", cents=4000),
    DemoPerson("Samir Aït", "samir@demo.example", cents=4000),
    DemoPerson("Thérèse Colin", "therese@demo.example", cents=4000),
    DemoPerson("Hugo Blanc", "hugo@demo.example", Role.VOLUNTEER),
    DemoPerson("Irma Vidal", "irma@demo.example", Role.TREASURER),
)
BUSY = ("denis", "emilie", "farid", "alice", "louise", "mathieu", "nadia", "olivia", "pauline", "quentin", "therese")
"""Whose prints the place has behind it. Gaëlle, of all people, is new: her first order is still to come."""

SIGN_INS = PEOPLE[:3]

MACHINES = (("Marie", "mk3"), ("Ada", "mk3"), ("Grace", "mk3"), ("Sophie", "ender3"), ("Hedy", "mk3"))
WITH_PLA = ("Marie", "Ada", "Hedy")
IN_REPAIR = ("Radia", "ender3")

SELLER = IdentityData(
    date(2020, 1, 1),
    "Fablab du Moulin (démonstration)",
    "Association loi 1901",
    "2 rue du Moulin",
    "26400",
    "Crest",
    siret="12345678200010",
    rna="W263001234",
    vat_number="FR11123456782",
    iban="FR1420041010050500013M02606",
    email="tresorerie@demo.example",
)
PROJECT = "Atelier robotique"
COMPANY = Identity("Menuiserie Faure SARL", "", "98765432400019", "FR14987654324", 30)
COMPANY_CONTACT = Contact("14 route de Die", "26400", "Aouste", "FR", "Denis Faure", "compta@faure.example", "fr")


def samples_folder() -> Path:
    """Return the folder of the sample parts."""
    return settings().data_dir.absolute() / "samples"


def fill() -> None:
    """Fill an empty place; a place that was filled before stays as it is. Raises `Conflict` for a real place."""
    with db.reading() as session:
        known = session.scalar(select(Person.id).where(Person.email == PEOPLE[0].email)) is not None
        empty = session.scalar(select(Person.id).limit(1)) is None
    if known:
        return
    if not empty:
        raise Conflict(say("This data folder is in use: demo data goes into an empty one only."))
    parts = write_samples(samples_folder())
    with db.transaction() as session:
        people = _people(session)
        volunteer = people["bob@demo.example"]
        with as_of(session, afternoon(45, 0)):
            demoshelf.fill(session, people)
        _machines(session, [(name, profile, _simulated(name)) for name, profile in MACHINES])
        demoroom.open_for(session, volunteer)
        demoroom.add_in_repair(
            session, MachineData(IN_REPAIR[0], "simulated", _simulated(IN_REPAIR[0]), IN_REPAIR[1]), volunteer
        )
        tariffs.set_tariff(session, _tariff(), None, utcnow() - timedelta(days=60))
        _wallets(session, people)
        review.set_rules(session, _review_rules())
        company = _books(session, people)
    asked = _past(parts, company)
    _present(parts, people, company, asked)


def _past(parts: Sequence[Path], company: Company) -> int:
    """Let three weeks pass, oldest first, and return the order that its person asks something about."""
    to_invoice = Past("emilie@demo.example", parts[1], 6, 12, company=company)
    forgotten, asked, *ready = (
        Past(f"{name}@demo.example", part, 1, days, collected=False)
        for name, part, days in (
            ("samir", parts[1], 33),
            ("nadia", parts[-1], 3),
            ("emilie", parts[0], 1),
            ("denis", parts[1], 1),
        )
    )
    members = [f"{name}@demo.example" for name in BUSY]
    pasts = [to_invoice, Past("alice@demo.example", parts[0], 4, 5, company=company), forgotten, asked, *ready]
    pasts += demohistory.three_weeks(members, parts, WITH_PLA)
    made = {}
    for past in sorted(pasts, key=lambda past: past.at):
        made[past] = demohistory.printed(past)
        if past is to_invoice:
            _invoice(company)
    demohistory.waited_for(made[forgotten], 3)
    return made[asked]


def _present(parts: Sequence[Path], people: Mapping[str, Person], company: Company, asked: int) -> None:
    """Leave something to do: a plate, requests, questions, a quote to be answered, and two prints on their way."""
    with db.transaction() as session:
        demoroom.talk(session, people, session.get_one(Order, asked))
    demohistory.finished(parts[2], "louise@demo.example", MACHINES[-1][0])
    demohistory.request(parts[2], "jeanne@demo.example", 12, hours_ago=20)
    demohistory.request(parts[-1], "karim@demo.example", 10, hours_ago=3)
    demohistory.quote(parts[1], "emilie@demo.example", 12, company)
    demohistory.held(parts[3], "pauline@demo.example", 2, hours_ago=27, wanted_in=timedelta(days=8))
    demohistory.order(parts[0], "alice@demo.example", 1)
    demohistory.order(parts[-1], "emilie@demo.example", 2)


def _people(session: Session) -> dict[str, Person]:
    password = accounts.hasher().hash(PASSWORD)
    people = {}
    for each in PEOPLE:
        person = accounts.register(session, each.name, each.email, None, each.role, each.language)
        person.password_hash = password
        people[each.email] = person
    return people


def _simulated(name: str) -> str:
    return str(settings().data_dir.absolute() / "simulated" / name.lower())


def _machines(session: Session, wanted: Sequence[tuple[str, str, str]]) -> None:
    reels = select(Spool).where(Spool.ended_at.is_(None), Spool.shelf == "").order_by(Spool.id)
    spools = session.scalars(reels).all()
    for (name, profile, address), spool in zip(wanted, spools, strict=False):
        machine = machines.add(session, MachineData(name, "simulated", address, profile), None)
        filament.load(session, spool, machine.id)
        machine.plate, machine.operation = Plate.CLEAR, Operation.READY


def add_octoprints(servers: Sequence[tuple[str, str, str]]) -> None:
    """Add real OctoPrint servers (name, address, key) that are not there yet, with a spool of white PLA each."""
    with db.transaction() as session:
        for name, address, key in servers:
            if session.scalar(select(Machine.id).where(Machine.name == name)) is not None:
                continue
            machine = machines.add(session, MachineData(name, "octoprint", address, "mk3", key), None)
            filament.load(session, demoshelf.received(session, demoshelf.SPOOLS[0]), machine.id)


def _review_rules() -> ReviewRules:
    """Return rules by which small orders of anybody go their way at once, so that a visitor sees them printed."""
    return ReviewRules(
        size_mm=200, price_cents=3000, warnings=True, first_order=False, company=False, attestation=False
    )


def _tariff() -> tariffs.TariffData:
    standard = DEFAULT_TARIFF
    return tariffs.TariffData(
        standard.name,
        standard.setup_cents,
        standard.per_hour_cents,
        standard.minimum_cents,
        dict(standard.per_kg_cents),
        Rules(urgent_percent=25, urgent_cents=100),
    )


def _wallets(session: Session, people: dict[str, Person]) -> None:
    treasurer = people["carole@demo.example"]
    for each in PEOPLE:
        person = people[each.email]
        topping_up.top_up(session, person, each.cents, treasurer.id, f"demo-{person.id}")


def _books(session: Session, people: dict[str, Person]) -> Company:
    """Say who sells, and add a company with a buyer and an accountant, and a project with a budget."""
    by_id = people["carole@demo.example"].id
    seller.set_identity(session, SELLER, by_id)
    seller.set_regime(session, RegimeData(SELLER.valid_from, Regime.STANDARD, 2000, companies_before_vat=True), by_id)
    prepaid.set_rules(session, RulesData(seller.today(utcnow()), invoice_orders=False), by_id)  # its past is new
    company = companies.add(session, COMPANY, COMPANY_CONTACT)
    companies.join(session, company, "emilie@demo.example", CompanyRole.BUYER)
    companies.join(session, company, "alice@demo.example", CompanyRole.BUYER)
    companies.join(session, company, "farid@demo.example", CompanyRole.ACCOUNTANT)
    project = projects.add(session, ProjectData(PROJECT, SELLER.valid_from), by_id)
    budgets.set_budget(session, project, 15_000, by_id, "demo-project")
    projects.join(session, project, "denis@demo.example")
    return company


def _invoice(company: Company) -> None:
    """Invoice what the company's past order cost, and let it pay a part."""
    with db.transaction() as session:
        now = utcnow()
        (invoice,) = from_orders.invoice_company(session, company, "BC-2041", Command("demo-invoice", None, now))
        paid = PaymentData(
            Method.TRANSFER, invoice.gross_cents // 2, seller.today(now), "VIR MENUISERIE", "demo-payment"
        )
        payments.pay(session, invoice, paid, None, now)
