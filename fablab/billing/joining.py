"""Opening an account from outside: for oneself, or with a company that is to order on invoice.

Where mail leaves, an account is made by the link that goes to its address, so nobody takes somebody else's. What was
asked for travels sealed inside the link: until it is used nothing is kept here, and there is nothing to tidy up.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from fablab import vault
from fablab.accounts import companies, queries, services
from fablab.accounts.companies import Contact, Identity
from fablab.accounts.legal import is_rna
from fablab.accounts.models import Company, CompanyKind, CompanyRole, Person
from fablab.billing import seller, tariffs
from fablab.billing.models import Group
from fablab.errors import Invalid, NotFound, Problem
from fablab.languages import Language
from fablab.notices import services as notices
from fablab.notices.services import Outsider
from fablab.settings import settings
from fablab.words import Sentence, say

LINK_LASTS = timedelta(days=2)
OWNER = "joining"
PAYMENT_DAYS = 30


@dataclass(frozen=True)
class Firm:
    """The company or association somebody joins with: its name, its SIRET or RNA number, and its address."""

    name: str
    number: str
    vat_number: str
    street: str
    postcode: str
    city: str


@dataclass(frozen=True)
class Joining:
    """Who wants an account, with what is kept of their password, in which language, and for which company if any."""

    name: str
    email: str
    password_hash: str
    language: str
    firm: Firm | None = None


def ask(session: Session, joining: Joining, now: datetime) -> Person | None:
    """Open an account at once where no mail leaves; otherwise send the link that opens it, and return None.

    Somebody who has an account already is told so by mail only. Raises `Invalid` naming the field.
    """
    if not settings().mail_server:
        return _make(session, joining, now)
    if queries.by_email(session, joining.email) is not None:
        _mail(session, joining, say("You have an account with this address already: just sign in."), now)
        return None
    _try(session, joining, now)
    address = _url(joining, now)
    _mail(session, joining, say("Open your account with this link, within two days: {address}", address=address), now)
    return None


def _mail(session: Session, joining: Joining, text: Sentence, now: datetime) -> None:
    words = Language(joining.language)
    hello = say("Hello {name},", name=joining.name)
    rest = say("If you have not asked for this, there is nothing to do.")
    signed = f"{settings().place_name}\n{settings().public_url.rstrip('/')}"
    body = "\n\n".join([*(words.text(each) for each in (hello, text, rest)), signed])
    subject = words.text(say("Your account at {place}", place=settings().place_name))
    to = Outsider(joining.name, joining.email.strip().lower(), joining.language)
    notices.write_to(session, to, subject, body, now, waits=False)


def _try(session: Session, joining: Joining, now: datetime) -> None:
    """Find out what is wrong with it before a mail is sent, and keep nothing."""
    attempt = session.begin_nested()
    try:
        _make(session, joining, now)
    finally:
        attempt.rollback()


def _url(joining: Joining, now: datetime) -> str:
    sealed = vault.seal(json.dumps({"at": now.isoformat(), **asdict(joining)}), OWNER)
    return f"{settings().public_url.rstrip('/')}/sign-up/{sealed.translate(str.maketrans('+/', '-_'))}"


def read(token: str, now: datetime) -> Joining:
    """Return what a link is about. Raises `NotFound` in words when it is not one of ours, or too old."""
    try:
        told = json.loads(vault.unseal(token.translate(str.maketrans("-_", "+/")), OWNER))
    except (Problem, ValueError) as error:
        raise NotFound(say("This link is not complete: open it from the mail once more.")) from error
    at, firm = datetime.fromisoformat(told.pop("at")), told.pop("firm")
    if not now - LINK_LASTS <= at <= now:
        raise NotFound(say("This link is too old: please ask for an account once more."))
    return Joining(**told, firm=Firm(**firm) if firm else None)


def join(session: Session, token: str, now: datetime) -> Person:
    """Open the account a link is about. Raises `Conflict` when it was opened already."""
    return _make(session, read(token, now), now)


def _make(session: Session, joining: Joining, now: datetime) -> Person:
    person = services.register(session, joining.name, joining.email, None, language=joining.language)
    person.password_hash = joining.password_hash
    tariffs.put_into(session, person.id, Group.OUTSIDE, seller.today(now), None)
    if joining.firm is not None:
        _found(session, joining.firm, person)
    return person


FIELDS = {"name": "company", "siret": "number", "siren": "number", "rna": "number"}
"""How the form calls what a company is made of."""


def _found(session: Session, firm: Firm, person: Person) -> None:
    """Add the company, with the person as its buyer and billing contact."""
    language = person.language or settings().language
    contact = Contact(firm.street, firm.postcode, firm.city, "FR", person.name, person.email, language)
    if not firm.number.strip():
        raise Invalid(say("A company is known by its SIRET, an association by it or its RNA number."), field="number")
    try:
        company = _add(session, firm, contact)
    except Invalid as problem:
        raise Invalid(problem.sentence, field=FIELDS.get(problem.field or "", problem.field)) from problem
    companies.join(session, company, person.email, CompanyRole.BUYER)


def _add(session: Session, firm: Firm, contact: Contact) -> Company:
    if companies.by_number(session, firm.number) is not None:
        raise Invalid(say("This company is known here: ask the place to let you order for it."), field="number")
    return companies.add(session, _identity(firm), contact)


def _identity(firm: Firm) -> Identity:
    if is_rna(firm.number):
        kind, siret, rna = CompanyKind.ASSOCIATION, "", firm.number
    else:
        kind, siret, rna = CompanyKind.COMPANY, firm.number, ""
    return Identity(firm.name, "", siret, firm.vat_number, PAYMENT_DAYS, kind=kind, rna=rna)
