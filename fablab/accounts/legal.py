"""Numbers that identify a legal body or its account, read as people type them. Pure; each raises `Invalid` in words."""

from __future__ import annotations

import re
from dataclasses import dataclass

from stdnum import iban as ibans
from stdnum.eu import vat as eu_vat
from stdnum.exceptions import ValidationError
from stdnum.fr import siren as sirens
from stdnum.fr import siret as sirets

from fablab.errors import Invalid
from fablab.words import say

RNA = re.compile(r"W[0-9A-Z]{3}\d{6}")


@dataclass(frozen=True)
class LegalNumbers:
    """The numbers of a legal body, checked one by one and against each other; empty when it has none."""

    siren: str = ""
    siret: str = ""
    vat_number: str = ""


def legal_numbers(siren: str, siret: str, vat_number: str) -> LegalNumbers:
    """Read SIREN, SIRET and VAT number; the SIREN is taken from the SIRET when it is not given."""
    establishment = read_siret(siret)
    enterprise = read_siren(siren) or establishment[:9]
    vat = read_vat_number(vat_number)
    if establishment and establishment[:9] != enterprise:
        raise Invalid(say("This SIRET belongs to another SIREN: its first 9 digits are different."), field="siret")
    if enterprise and vat.startswith("FR") and vat[4:] != enterprise:
        raise Invalid(
            say("This VAT number belongs to another SIREN: its last 9 digits are different."), field="vat_number"
        )
    return LegalNumbers(enterprise, establishment, vat)


def read_siren(text: str) -> str:
    """Return a SIREN as 9 digits, or nothing."""
    cleaned = _bare(text)
    if cleaned and not sirens.is_valid(cleaned):
        raise Invalid(
            say("“{text}” is not a SIREN: 9 digits, of which the last checks the others.", text=text), field="siren"
        )
    return cleaned


def read_siret(text: str) -> str:
    """Return a SIRET as 14 digits, or nothing."""
    cleaned = _bare(text)
    if cleaned and not sirets.is_valid(cleaned):
        raise Invalid(
            say("“{text}” is not a SIRET: 14 digits, of which the last checks the others.", text=text), field="siret"
        )
    return cleaned


def read_vat_number(text: str) -> str:
    """Return the VAT number of a company of the European Union with its country, or nothing."""
    cleaned = _bare(text).upper()
    if not cleaned:
        return ""
    try:
        return str(eu_vat.validate(cleaned))
    except ValidationError:
        raise Invalid(
            say("“{text}” is not a VAT number of the European Union: check its digits.", text=text), field="vat_number"
        ) from None


def is_rna(text: str) -> bool:
    """Tell whether a number is meant to be an RNA number, which begins with W."""
    return text.strip().upper().startswith("W")


def read_rna(text: str) -> str:
    """Return an association's number in the national register, or nothing."""
    cleaned = _bare(text).upper()
    if cleaned and not RNA.fullmatch(cleaned):
        raise Invalid(say("“{text}” is not an RNA number: W and 9 signs.", text=text), field="rna")
    return cleaned


def read_iban(text: str) -> str:
    """Return an IBAN without spaces, or nothing."""
    cleaned = _bare(text).upper()
    if not cleaned:
        return ""
    try:
        return str(ibans.validate(cleaned))
    except ValidationError:
        raise Invalid(say("“{text}” is not an IBAN: check its digits.", text=text), field="iban") from None


def _bare(text: str) -> str:
    return re.sub(r"[\s.\-\u202f\xa0]", "", text or "")
