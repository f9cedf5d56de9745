"""Who sells: identity, VAT regime and legal mentions as dated rows. The newest row of a date holds; none is changed."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from fablab.accounts.legal import legal_numbers, read_iban, read_rna
from fablab.accounts.services import EMAIL
from fablab.billing import clash, closed
from fablab.billing.mentions import MENTIONS
from fablab.billing.models import LegalMention, Operation, Regime, SellerIdentity, VatRegime, WalletRules
from fablab.errors import Conflict, Invalid
from fablab.settings import settings
from fablab.words import Day, say

LEGAL_RATES_BP = {
    "France": (2000, 1000, 550, 210),  # CGI art. 278 to 281 nonies, since 1 January 2014
    "Corse": (2000, 1300, 1000, 210, 90),  # art. 297
    "Guadeloupe, Martinique, La Réunion": (850, 210, 175, 105),  # art. 296
}
"""The rates of VAT that the law knows, in basis points. An old or mistyped rate passes every check of Factur-X."""


@dataclass(frozen=True)
class IdentityData:
    """Who sells, as an administrator enters it."""

    valid_from: date
    name: str
    legal_form: str
    street: str
    postcode: str
    city: str
    siren: str = ""
    siret: str = ""
    rna: str = ""
    register: str = ""
    vat_number: str = ""
    iban: str = ""
    email: str = ""


@dataclass(frozen=True)
class RegimeData:
    """How the seller stands to VAT, as an administrator enters it."""

    valid_from: date
    regime: Regime
    rate_bp: int = 0
    operation: Operation = Operation.GOODS
    companies_before_vat: bool = False


def today(now: datetime) -> date:
    """Return the date of a moment where the place is."""
    return now.astimezone(ZoneInfo(settings().timezone)).date()


def set_identity(session: Session, data: IdentityData, by_id: int | None) -> SellerIdentity:
    """Let an identity hold from its date on. Raises `Invalid` naming the field."""
    numbers = legal_numbers(data.siren, data.siret, data.vat_number)
    if data.email and not EMAIL.fullmatch(data.email):
        raise Invalid(say("“{email}” is not an e-mail address.", email=data.email[:80]), field="email")
    checked = replace(data, **asdict(numbers), rna=read_rna(data.rna), iban=read_iban(data.iban))
    closed.refuse_from(session, data.valid_from)
    cleaned = {
        name: " ".join(value.split()) if isinstance(value, str) else value for name, value in asdict(checked).items()
    }
    for field in ("name", "legal_form", "street", "postcode", "city"):
        if not cleaned[field]:
            raise Invalid(say("An invoice has to name this."), field=field)
    row = SellerIdentity(**cleaned, created_by_id=by_id)
    session.add(row)
    session.flush()
    return row


def set_regime(session: Session, data: RegimeData, by_id: int | None) -> VatRegime:
    """Let a VAT regime hold from its date on. Raises `Invalid` when it would write VAT where the law has none.

    Like everything that says who sells, it cannot begin inside closed books: their VAT summary would become another.
    """
    if data.regime == Regime.STANDARD and data.rate_bp not in itertools.chain(*LEGAL_RATES_BP.values()):
        sentence = say(
            "With VAT a rate of the law is needed: 20, 10, 5.5 or 2.1, and in Corsica and overseas their own."
        )
        raise Invalid(sentence, field="rate")
    if data.regime != Regime.STANDARD and data.rate_bp:
        raise Invalid(
            say("Under this regime no VAT may be written: VAT that is shown is VAT that is owed."), field="rate"
        )
    closed.refuse_from(session, data.valid_from)
    row = VatRegime(**asdict(data), created_by_id=by_id)
    day = clash.of_new_regime(row, regimes(session), session.scalars(select(WalletRules)).all())
    if day is not None:
        sentence = say(
            "From {day} on the rules of wallets say “no VAT on wallets”, which cannot stand beside VAT: first let"
            " another rule hold from that day on, or take a later day.",
            day=Day(day),
        )
        raise Invalid(sentence, field="regime")
    session.add(row)
    session.flush()
    return row


def set_mention(session: Session, code: str, valid_from: date, text: str, by_id: int | None) -> LegalMention:
    """Let the wording of a legal mention hold from a date on; an empty one is printed no more."""
    if code not in MENTIONS:
        raise Invalid(say("This legal mention does not exist."), field="code")
    text = " ".join(text.split())
    if not text and MENTIONS[code].mandatory:
        raise Invalid(say("An invoice has to carry this mention."), field="text")
    closed.refuse_from(session, valid_from)
    row = LegalMention(code=code, valid_from=valid_from, text=text[:1000], created_by_id=by_id)
    session.add(row)
    session.flush()
    return row


def identities(session: Session) -> Sequence[SellerIdentity]:
    """Return all identities, the newest date first."""
    return session.scalars(
        select(SellerIdentity).order_by(SellerIdentity.valid_from.desc(), SellerIdentity.id.desc())
    ).all()


def regimes(session: Session) -> Sequence[VatRegime]:
    """Return all VAT regimes, the newest date first."""
    return session.scalars(select(VatRegime).order_by(VatRegime.valid_from.desc(), VatRegime.id.desc())).all()


def mention_rows(session: Session, code: str) -> Sequence[LegalMention]:
    """Return the wordings of a mention, the newest date first."""
    query = select(LegalMention).where(LegalMention.code == code)
    return session.scalars(query.order_by(LegalMention.valid_from.desc(), LegalMention.id.desc())).all()


def identity_on(session: Session, day: date) -> SellerIdentity:
    """Return who sells on a day. Raises `Conflict` when nobody has entered it."""
    found = next((each for each in identities(session) if each.valid_from <= day), None)
    if found is None:
        raise Conflict(say("Nothing can be invoiced yet: an administrator has to say in the settings who sells."))
    return found


def regime_on(session: Session, day: date) -> VatRegime:
    """Return the VAT regime of a day. Raises `Conflict` when nobody has entered it."""
    found = next((each for each in regimes(session) if each.valid_from <= day), None)
    if found is None:
        raise Conflict(say("Nothing can be invoiced yet: an administrator has to choose a VAT regime in the settings."))
    return found


def regime_of(session: Session, delivered_on: date, issued_on: date) -> VatRegime | None:
    """Return the VAT regime of what was delivered on a day: that day's, or the day of issue's when it had none."""
    rows = regimes(session)
    return next((each for day in (delivered_on, issued_on) for each in rows if each.valid_from <= day), None)


def structure_on(session: Session, day: date) -> str:
    """Return what tells the legal body that sells on a day from another; its documents are numbered on their own.

    A body that gets a number or another name stays itself: another one has a SIREN, or an RNA number, that differs.
    """
    structure, before = "", None
    for each in reversed([each for each in identities(session) if each.valid_from <= day]):
        if before is None or _is_another(before, each):
            structure = each.siren or each.rna or each.name
        before = each
    return structure


def _is_another(before: SellerIdentity, after: SellerIdentity) -> bool:
    for number in ("siren", "rna"):
        mine, theirs = getattr(before, number), getattr(after, number)
        if mine and theirs:
            return bool(mine != theirs)
    return False


def can_invoice(session: Session, day: date) -> bool:
    """Tell whether the seller is known well enough to invoice on a day."""
    return any(each.valid_from <= day for each in identities(session)) and any(
        each.valid_from <= day for each in regimes(session)
    )


def can_invoice_vat(session: Session, day: date) -> bool:
    """Tell whether the seller is known well enough to write an invoice with VAT on a day."""
    return can_invoice(session, day) and bool(identity_on(session, day).vat_number)


def mentions_on(session: Session, day: date) -> dict[str, str]:
    """Return the wordings of all mentions on a day: those that were entered, or those we ship."""
    entered = select(LegalMention.code, LegalMention.text).where(LegalMention.valid_from <= day)
    rows = session.execute(entered.order_by(LegalMention.valid_from, LegalMention.id)).all()
    return {code: mention.wordings[0].text for code, mention in MENTIONS.items()} | dict(rows)


def companies_before_vat(session: Session, day: date) -> bool:
    """Tell whether companies are priced before VAT on a day."""
    found = next((each for each in regimes(session) if each.valid_from <= day), None)
    return found is not None and found.regime == Regime.STANDARD and found.companies_before_vat
