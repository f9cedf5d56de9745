"""The journals of a year as a file in FEC format (LPF art. A47 A-1): 18 columns, tabs, ISO 8859-15, CR LF."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from fablab.billing import seller
from fablab.bookkeeping import journal
from fablab.bookkeeping.models import Span
from fablab.bookkeeping.periods import period
from fablab.errors import Conflict
from fablab.words import say

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
    """Return the journals of a year. Raises `Conflict` where the seller has no SIREN for its name."""
    whole = period(Span.YEAR, date(year, 1, 1))
    identity = seller.identity_on(session, whole.last_on)
    if not identity.siren:
        raise Conflict(say("The name of a FEC begins with the SIREN of the seller: enter it in the settings first."))
    rows = ["\t".join(COLUMNS), *("\t".join(row) for row in _rows(journal.lines(session, whole)))]
    content = "".join(f"{row}\r\n" for row in rows).encode(ENCODING, "replace")
    return Exported(f"{identity.siren}FEC{whole.last_on:%Y%m%d}.txt", content)


def _rows(found: Iterator[journal.Line]) -> Iterator[tuple[str, ...]]:
    for line in found:
        yield (
            *(line.journal, journal.JOURNALS[line.journal], str(line.number), f"{line.booked_on:%Y%m%d}"),
            *(line.account.number, _plain(line.account.label), line.holder, _plain(line.holder_name)),
            *(line.piece, f"{line.piece_on:%Y%m%d}", _plain(line.text) or line.piece),
            *(_amount(line.debit_cents), _amount(line.credit_cents)),
            *("", "", f"{line.booked_on:%Y%m%d}", "", ""),
        )


def _plain(text: str) -> str:
    """Return a text without the signs that separate, in the characters the file has."""
    return re.sub(r"\s+", " ", text.translate(PLAIN)).strip()


def _amount(cents: int) -> str:
    return f"{cents // 100},{cents % 100:02d}"
