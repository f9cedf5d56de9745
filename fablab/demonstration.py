"""The demo place: people, simulated printers, filament, prices, a little history, and two prints on their way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from fablab import db, demoshelf, files
from fablab.accounts import companies
from fablab.accounts import services as accounts
from fablab.accounts.companies import Contact, Identity
from fablab.accounts.models import Company, CompanyRole, Person
from fablab.accounts.permissions import Role
from fablab.billing import ledger, payers, seller
from fablab.billing import services as billing
from fablab.billing.models import Regime
from fablab.billing.payers import PayerChoice
from fablab.billing.pricing import DEFAULT_TARIFF
from fablab.billing.seller import IdentityData, RegimeData
from fablab.db import utcnow
from fablab.errors import Conflict
from fablab.filament import services as filament
from fablab.filament.models import Spool
from fablab.invoicing import from_orders, payments
from fablab.invoicing.issuing import Command
from fablab.invoicing.models import Method
from fablab.invoicing.payments import PaymentData
from fablab.jobs import dispatch, signoff
from fablab.jobs import queries as jobs
from fablab.jobs.judging import Judgement
from fablab.jobs.models import Attempt, Job, Slice
from fablab.jobs.states import JobState
from fablab.machines import services as machines
from fablab.machines.models import Machine, Operation, Plate
from fablab.machines.services import MachineData
from fablab.orders import intake, review
from fablab.orders import services as orders
from fablab.orders.models import Order
from fablab.orders.review_models import ReviewRules
from fablab.orders.services import Wanted
from fablab.settings import settings
from fablab.slicing.choices import Choices, Quality
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
)
SIGN_INS = PEOPLE[:3]

MACHINES = (("Marie", "mk3"), ("Ada", "mk3"), ("Grace", "mk3"), ("Sophie", "ender3"))

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
COMPANY = Identity("Menuiserie Faure SARL", "", "98765432400019", "FR14987654324", 30)
COMPANY_CONTACT = Contact("14 route de Die", "26400", "Aouste", "FR", "Denis Faure", "compta@faure.example", "fr")

HISTORY = (("denis", 1, 9), ("emilie", 2, 7), ("farid", 1, 4), ("alice", 1, 2))


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
        demoshelf.fill(session, people)
        _machines(session, [(name, profile, _simulated(name)) for name, profile in MACHINES])
        billing.set_tariff(session, _tariff(), None, utcnow() - timedelta(days=60))
        _wallets(session, people)
        review.set_rules(session, _review_rules())
        company = _books(session, people)
    _past_order(parts[1], "emilie@demo.example", 6, 12, company)
    _invoice(company)
    for (name, copies, days), part in zip(HISTORY, parts, strict=False):
        _past_order(part, f"{name}@demo.example", copies, days)
    for part, name in zip(parts, ("emilie", "denis"), strict=False):
        _past_order(part, f"{name}@demo.example", 1, 1, collected=False)
    _order(parts[0], "alice@demo.example", 1)
    _order(parts[-1], "emilie@demo.example", 2)


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
    spools = session.scalars(select(Spool).where(Spool.ended_at.is_(None)).order_by(Spool.id)).all()
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


def _tariff() -> billing.TariffData:
    standard = DEFAULT_TARIFF
    return billing.TariffData(
        standard.name,
        standard.setup_cents,
        standard.per_hour_cents,
        standard.minimum_cents,
        dict(standard.per_kg_cents),
    )


def _wallets(session: Session, people: dict[str, Person]) -> None:
    treasurer = people["carole@demo.example"]
    for each in PEOPLE:
        person = people[each.email]
        ledger.top_up(session, person, each.cents, treasurer.id, f"demo-{person.id}")


def _books(session: Session, people: dict[str, Person]) -> Company:
    """Say who sells, and add a company with a buyer and an accountant."""
    by_id = people["carole@demo.example"].id
    seller.set_identity(session, SELLER, by_id)
    seller.set_regime(session, RegimeData(SELLER.valid_from, Regime.STANDARD, 2000, companies_before_vat=True), by_id)
    company = companies.add(session, COMPANY, COMPANY_CONTACT)
    companies.join(session, company, "emilie@demo.example", CompanyRole.BUYER)
    companies.join(session, company, "alice@demo.example", CompanyRole.BUYER)
    companies.join(session, company, "farid@demo.example", CompanyRole.ACCOUNTANT)
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


def _order(part: Path, email: str, copies: int, company: Company | None = None) -> int:
    """Order a sample part as its person would, and return the order's id."""
    with part.open("rb") as stream, files.receiving(stream, 10_000_000) as incoming:
        measured = intake.take(incoming.path, incoming.sha256, part.name)
        with db.transaction() as session:
            person = session.scalars(select(Person).where(Person.email == email)).one()
            order = orders.start(session, person.id, incoming, measured, part.name)
            wanted = Wanted(Choices("PLA", Quality.NORMAL, 20, supports=False), None, copies)
            made = billing.quote_for(session, order.line.model_file, wanted)
            if company is not None:
                payers.choose(session, order, PayerChoice(company.public_id, "BC-2041", seen_before_vat=True), person)
            billing.confirm(session, order, {order.line.id: wanted}, made.price.total_cents, person)
            return order.id


def _past_order(
    part: Path, email: str, copies: int, days_ago: int, company: Company | None = None, *, collected: bool = True
) -> None:
    """Let an order be printed, signed off and mostly collected some days ago, by the services a real one takes."""
    order_id, then = _order(part, email, copies, company), utcnow() - timedelta(days=days_ago)
    with db.transaction() as session:
        volunteer = session.scalars(select(Person).where(Person.role == Role.VOLUNTEER)).one()
        order = session.get_one(Order, order_id)
        for job in jobs.of_order(session, order_id):
            _sliced_as_estimated(session, order, job)
        for attempt in dispatch.schedule(session, then):
            _printed(session, order, attempt, volunteer)
        if collected:
            orders.collected(session, order, volunteer.id)
        session.execute(update(Order).where(Order.id == order_id).values(created_at=then, confirmed_at=then))


def _sliced_as_estimated(session: Session, order: Order, job: Job) -> None:
    """Queue a job of the past with the estimate in the place of a slice; nothing can be printed from it again."""
    line = order.line
    made = Slice(
        key=f"demo-{job.id}",
        gcode_sha256="0" * 64,
        gcode_sha1="0" * 40,
        time_s=line.estimated_time_s or 0.0,
        mass_g=line.estimated_mass_g or 0.0,
        filament_mm=0.0,
        layers=0,
        curve=[0.0, 1.0],
        slicer_version="estimate (demo history)",
    )
    session.add(made)
    session.flush()
    job.slice_id, job.state = made.id, JobState.QUEUED
    session.flush()
    session.refresh(job)


def _printed(session: Session, order: Order, attempt: Attempt, volunteer: Person) -> None:
    dispatch.sending(session, attempt)
    dispatch.about_to_start(session, attempt, attempt.claimed_at)
    ended = attempt.claimed_at + timedelta(seconds=attempt.slice.time_s)
    dispatch.record(session, attempt, Judgement.PRINTING, {}, attempt.claimed_at)
    orders.in_production(session, order)
    dispatch.record(session, attempt, Judgement.FINISHED, {}, ended)
    billing.sign_off(session, attempt, signoff.Verdict(attempt.copies), volunteer)
