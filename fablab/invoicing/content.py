"""What a document says, frozen: every name, text, rate and amount. Its canonical JSON is what is hashed and kept."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from fablab.billing.models import Operation, Regime
from fablab.invoicing.amounts import ByRate, RateSum, Rounding
from fablab.invoicing.models import Kind


@dataclass(frozen=True)
class Seller:
    """Who sells, as of the day of issue."""

    name: str
    legal_form: str
    street: str
    postcode: str
    city: str
    siren: str
    siret: str
    rna: str
    register: str
    vat_number: str
    iban: str
    email: str
    country: str = "FR"


@dataclass(frozen=True)
class Buyer:
    """Who buys, as of the day of issue; a private person has no numbers."""

    name: str
    street: str
    postcode: str
    city: str
    country: str = "FR"
    is_company: bool = False
    siren: str = ""
    siret: str = ""
    rna: str = ""
    vat_number: str = ""
    contact_name: str = ""
    email: str = ""


@dataclass(frozen=True)
class Line:
    """One line: so many of something at a price before VAT, in hundredths of a cent each."""

    text: str
    quantity: int
    unit_price: int
    net_cents: int
    rate_bp: int


@dataclass(frozen=True)
class Mention:
    """A legal mention as it is printed."""

    code: str
    text: str


@dataclass(frozen=True)
class Corrects:
    """The invoice a credit note corrects, and why."""

    number: str
    issued_on: date
    reason: str


@dataclass(frozen=True)
class Deducted(ByRate):
    """What an invoice deducts of a deposit that was invoiced before, by rate."""

    number: str
    issued_on: date
    rates: tuple[RateSum, ...]


@dataclass(frozen=True)
class Content:
    """All a document says. `paid_cents` was paid before it was issued: by the wallet, with the deposits, or at once.

    `paid_by` is the method of what was paid at once. `rounding` is the rule of the amounts; documents of before it was
    written down have none.
    """

    kind: Kind
    number: str
    issued_on: date
    delivered_on: date
    due_on: date
    language: str
    seller: Seller
    buyer: Buyer
    regime: Regime
    operation: Operation
    lines: tuple[Line, ...]
    rates: tuple[RateSum, ...]
    net_cents: int
    vat_cents: int
    gross_cents: int
    paid_cents: int
    mentions: tuple[Mention, ...]
    po_number: str = ""
    corrects: Corrects | None = None
    deposits: tuple[Deducted, ...] = ()
    rounding: Rounding | None = None
    currency: str = "EUR"
    paid_by: str = ""
    version: int = 1

    @property
    def due_cents(self) -> int:
        """What is left to pay on the day of issue."""
        return self.gross_cents - self.paid_cents


@cache
def _adapter() -> TypeAdapter[Content]:
    return TypeAdapter(Content)


def to_text(content: Content) -> str:
    """Return the canonical JSON of a content: sorted, without spaces, and without signs that XML cannot hold."""
    plain = printable(_adapter().dump_python(content, mode="json"))
    return json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def printable(value: Any) -> Any:
    """Return plain data without the signs that neither XML nor paper can hold."""
    match value:
        case str() if value.isprintable():
            return value
        case str():
            return "".join(sign for sign in value if unicodedata.category(sign)[0] != "C")
        case dict():
            return {name: printable(each) for name, each in value.items()}
        case list() | tuple():
            return [printable(each) for each in value]
        case _:
            return value


def from_text(text: str) -> Content:
    """Return the content that `to_text` wrote. Raises `ValueError` when it is not one."""
    return _adapter().validate_json(text)
