"""Companies and the people who act for them: what can be done, and who may see what is theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from fablab.accounts import queries
from fablab.accounts.emails import read_email
from fablab.accounts.legal import is_rna, legal_numbers, read_rna, read_siret
from fablab.accounts.models import Company, CompanyKind, CompanyMember, CompanyRole, Person
from fablab.accounts.permissions import Permission
from fablab.accounts.services import LANGUAGES
from fablab.errors import Conflict, Invalid, NotFound
from fablab.words import say

NO_BUYER = say("You cannot order for this company: its administrator has to make you a buyer first.")
LONGEST_PAYMENT_DAYS = 60  # C. com. L441-10 I: at most 60 days from the date of the invoice


@dataclass(frozen=True)
class Contact:
    """Where a company's invoices go; its own people may change it. Without an address nobody is written to."""

    street: str
    postcode: str
    city: str
    country: str
    contact_name: str
    contact_email: str
    language: str


@dataclass(frozen=True)
class Identity:
    """Who a company is and when it pays; the bookkeeper of the place enters it."""

    name: str
    siren: str
    siret: str
    vat_number: str
    payment_days: int
    active: bool = True
    kind: CompanyKind = CompanyKind.COMPANY
    rna: str = ""


def add(session: Session, identity: Identity, contact: Contact) -> Company:
    """Add a company. Raises `Invalid` naming the field."""
    company = Company()
    change(session, company, identity, contact)
    return company


def hold(session: Session, company_id: int) -> None:
    """Let only one transaction at a time decide about what a company pays."""
    session.execute(select(Company.id).where(Company.id == company_id).with_for_update(key_share=True))


def change(session: Session, company: Company, identity: Identity, contact: Contact) -> None:
    """Change a company; invoices that were issued keep what they say."""
    name = " ".join(identity.name.split())
    if not 1 <= len(name) <= 160:
        raise Invalid(say("Please give a name of at most 160 letters."), field="name")
    numbers = legal_numbers(identity.siren, identity.siret, identity.vat_number)
    if not 0 <= identity.payment_days <= LONGEST_PAYMENT_DAYS:
        raise Invalid(
            say("The law allows at most {days} days from the invoice.", days=LONGEST_PAYMENT_DAYS), field="payment_days"
        )
    rna = read_rna(identity.rna)
    if rna and identity.kind != CompanyKind.ASSOCIATION:
        raise Invalid(say("Only an association has an RNA number."), field="rna")
    with session.no_autoflush:
        for field, number in (("siret", numbers.siret), ("rna", rna)):
            _must_be_its_own(session, company, field, number)
    change_contact(company, contact)
    company.name, company.payment_days, company.active = name, identity.payment_days, identity.active
    company.kind, company.rna = identity.kind, rna
    company.siren, company.siret, company.vat_number = numbers.siren, numbers.siret, numbers.vat_number
    session.add(company)
    try:
        session.flush()
    except IntegrityError as twin:  # added by somebody else at this very moment
        sentence = say("Another company has this number already: please look at the list again.")
        raise Invalid(sentence, field="siret" if numbers.siret else "rna") from twin


def _must_be_its_own(session: Session, company: Company, field: str, number: str) -> None:
    twin = select(Company.name).where(getattr(Company, field) == number, Company.id.is_distinct_from(company.id))
    known = session.scalar(twin.limit(1)) if number else None
    if known is not None:
        raise Invalid(say("{company} has this number already.", company=known), field=field)


def change_contact(company: Company, contact: Contact) -> None:
    """Change where a company's invoices go. Raises `Invalid` naming the field."""
    email = read_email(contact.contact_email, "contact_email") if contact.contact_email.strip() else ""
    if contact.language not in LANGUAGES:
        raise Invalid(say("We speak French and English."), field="language")
    country = contact.country.strip().upper()
    if len(country) != 2 or not country.isascii() or not country.isalpha():
        raise Invalid(say("A country is written with two letters, like FR or BE."), field="country")
    cleaned = {name: " ".join(str(value).split()) for name, value in asdict(contact).items()}
    for name, value in {**cleaned, "contact_email": email, "country": country}.items():
        setattr(company, name, value)


def join(session: Session, company: Company, email: str, role: CompanyRole) -> CompanyMember:
    """Let a person with an account act for a company; somebody who does so already gets the new role."""
    person = queries.by_email(session, email)
    if person is None:
        raise Invalid(say("Nobody has an account with this e-mail address: make one first."), field="email")
    found = _membership(session, company.id, person.id)
    if found is None:
        found = CompanyMember(company_id=company.id, person_id=person.id, role=role)
        session.add(found)
    found.role = role
    session.flush()
    return found


def leave(session: Session, company: Company, person: Person) -> None:
    """Let somebody no longer act for a company; their own orders stay theirs."""
    found = _membership(session, company.id, person.id)
    if found is not None:
        session.delete(found)
        session.flush()


def _membership(session: Session, company_id: int, person_id: int) -> CompanyMember | None:
    return session.scalar(
        select(CompanyMember).where(CompanyMember.company_id == company_id, CompanyMember.person_id == person_id)
    )


def acts_for(session: Session, person: Person, company_id: int | None, *roles: CompanyRole) -> bool:
    """Tell whether a person acts for a company, in one of the roles if any are named."""
    if company_id is None:
        return False
    found = _membership(session, company_id, person.id)
    return found is not None and (not roles or found.role in roles)


def of_person(session: Session, person: Person, *roles: CompanyRole) -> list[Company]:
    """Return the active companies a person acts for, by name."""
    query = select(CompanyMember).where(CompanyMember.person_id == person.id)
    memberships = [each for each in session.scalars(query) if not roles or each.role in roles]
    return sorted((each.company for each in memberships if each.company.active), key=lambda each: each.name.lower())


def by_number(session: Session, number: str) -> Company | None:
    """Return the company with a SIRET, or the association with an RNA number, if it is known.

    Raises `Invalid` when it is neither.
    """
    known = Company.rna == read_rna(number) if is_rna(number) else Company.siret == read_siret(number)
    return session.scalars(select(Company).where(known).limit(1)).first()


def seen_by(session: Session, person: Person, public_id: str) -> Company:
    """Return a company this person may see: the one they act for, or any for bookkeepers. Raises `NotFound`."""
    company = session.scalar(select(Company).where(Company.public_id == public_id))
    if company is None or not (person.may(Permission.KEEP_BOOKS) or acts_for(session, person, company.id)):
        raise NotFound
    return company


def ordered_for(session: Session, person: Person, public_id: str) -> Company:
    """Return the company a buyer orders for. Raises `Conflict` in words when they may not."""
    for company in of_person(session, person, CompanyRole.BUYER):
        if company.public_id == public_id:
            return company
    raise Conflict(NO_BUYER)


def orders_for(session: Session, person: Person | None, company: Company | None) -> bool:
    """Tell whether a person may order for a company today."""
    if person is None or company is None:
        return False
    return company.active and acts_for(session, person, company.id, CompanyRole.BUYER)


def listed(session: Session, person: Person) -> Sequence[Company]:
    """Return the companies a person may see, by name."""
    if not person.may(Permission.KEEP_BOOKS):
        return of_person(session, person)
    return session.scalars(select(Company).order_by(func.lower(Company.name), Company.id)).all()


def people_of(session: Session, company_id: int) -> list[CompanyMember]:
    """Return who acts for a company, by name."""
    query = select(CompanyMember).where(CompanyMember.company_id == company_id)
    return sorted(session.scalars(query), key=lambda each: each.person.name.lower())
