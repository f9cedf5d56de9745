"""The journals of a year as a file in FEC format (LPF art. A47 A-1): 18 columns, tabs, ISO 8859-15, CR LF."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from itertools import chain

from sqlalchemy.orm import Session

from fablab.billing import seller
from fablab.bookkeeping import journal, opening
from fablab.bookkeeping.models import Span
from fablab.bookkeeping.periods import period
from fablab.errors import Conflict
from fablab.settings import settings
from fablab.words import Sentence, say

COLUMNS = (
    *("JournalCode", "JournalLib", "EcritureNum", "EcritureDate", "CompteNum", "CompteLib"),
    *("CompAuxNum", "CompAuxLib", "PieceRef", "PieceDate", "EcritureLib", "Debit", "Credit"),
    *("EcritureLet", "DateLet", "ValidDate", "Montantdevise", "Idevise"),
)
ENCODING = "iso8859-15"
PLAIN = str.maketrans({"’": "'", "‘": "'", "“": "'", "”": "'", '"': "'", "…": "...", "–": "-", "—": "-", "×": "x"})


@dataclass(frozen=True)
class Exported:
    """A file to be handed over."""

    name: str
    content: bytes


def export(session: Session, year: int) -> Exported:
    """Return the journals of a year, after the balances they begin with. Raises `Conflict` like `stem`."""
    whole = period(Span.YEAR, date(year, 1, 1))
    name, opened = f"{stem(session, year)}.txt", opening.lines(session, year) if settings().fec_opening else []
    before = opening.NUMBER if opened else 0
    booked = (replace(line, number=line.number + before) for line in journal.lines(session, whole))
    rows = ["\t".join(COLUMNS), *("\t".join(row) for row in _rows(chain(opened, booked)))]
    return Exported(name, encoded(f"{row}\r\n" for row in rows))


def stem(session: Session, year: int) -> str:
    """Return how the names of a year's files begin. Raises `Conflict` where nobody has said by which number."""
    identity = seller.identity_on(session, date(year, 12, 31))
    if not (identity.siren or identity.rna):
        raise Conflict(
            say(
                "The name of a FEC begins with the SIREN of the seller, or an association’s RNA number: "
                "enter one in the settings first."
            )
        )
    return f"{identity.siren or identity.rna}FEC{year}1231"


def warning(session: Session, year: int) -> Sentence | None:
    """Return what to say about the name of a year's file: the tax office asks for a SIREN in it."""
    identity = next((each for each in seller.identities(session) if each.valid_from <= date(year, 12, 31)), None)
    if identity is None or identity.siren or not identity.rna:
        return None
    return say(
        "The seller has no SIREN, so the file is named by the RNA number: the tax office asks for a SIREN in the name."
    )


def encoded(rows: Iterable[str]) -> bytes:
    """Return rows in the characters of the file."""
    return "".join(rows).encode(ENCODING, "replace")


def _rows(found: Iterable[journal.Line]) -> Iterator[tuple[str, ...]]:
    for line in found:
        yield (
            *(line.journal, journal.JOURNALS[line.journal], str(line.number), f"{line.booked_on:%Y%m%d}"),
            *(line.account.number, plain(line.account.label), line.holder, plain(line.holder_name)),
            *(line.piece, f"{line.piece_on:%Y%m%d}", plain(line.text) or line.piece),
            *(_amount(line.debit_cents), _amount(line.credit_cents)),
            *("", "", f"{line.booked_on:%Y%m%d}", "", ""),
        )


def plain(text: str) -> str:
    """Return a text without the signs that separate, in the characters the file has."""
    return re.sub(r"\s+", " ", text.translate(PLAIN)).strip()


def _amount(cents: int) -> str:
    return f"{cents // 100},{cents % 100:02d}"
