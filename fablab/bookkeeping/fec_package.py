"""The journals of a year in FEC format with the description that has to come with them, as one file."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

from sqlalchemy.orm import Session

from fablab.bookkeeping import fec, journal
from fablab.bookkeeping.archive_format import ZIP_DATE
from fablab.bookkeeping.fec import Exported, plain
from fablab.bookkeeping.plan import chart
from fablab.languages import Language
from fablab.settings import settings

FIELDS = {
    "JournalCode": "code du journal",
    "JournalLib": "libellé du journal",
    "EcritureNum": "numéro de l'écriture, de 1 en 1 dans l'ordre d'enregistrement, tous journaux ensemble",
    "EcritureDate": "date de comptabilisation de l'écriture (AAAAMMJJ)",
    "CompteNum": "numéro de compte ; les trois premiers caractères sont ceux du plan comptable",
    "CompteLib": "libellé du compte",
    "CompAuxNum": "compte auxiliaire : M et numéro d'un membre, C et numéro d'un client, P et numéro d'un projet",
    "CompAuxLib": "libellé du compte auxiliaire ; les particuliers n'y sont pas nommés",
    "PieceRef": "numéro de la facture, de l'avoir ou du reçu ; AN et l'année pour les à-nouveaux",
    "PieceDate": "date de la pièce (AAAAMMJJ)",
    "EcritureLib": "libellé de l'écriture",
    "Debit": "montant au débit en euros, deux décimales après une virgule",
    "Credit": "montant au crédit en euros, deux décimales après une virgule",
    "EcritureLet": "lettrage : vide, les écritures ne sont pas lettrées",
    "DateLet": "date de lettrage : vide",
    "ValidDate": "date de validation (AAAAMMJJ) : celle de l'enregistrement, une écriture ne change plus ensuite",
    "Montantdevise": "montant en devise : vide, tout est en euros",
    "Idevise": "devise : vide",
}
TEXT = """\
DESCRIPTION DU FICHIER {name}

Écritures de l'exercice du 01/01/{year} au 31/12/{year}, au format de l'article A47 A-1 du livre des procédures
fiscales. Une ligne d'en-tête, puis une ligne par mouvement. Champs séparés par une tabulation, lignes par CR LF, jeu de
caractères ISO 8859-15. Ces journaux sont auxiliaires, sauf si toute la comptabilité de la structure est tenue ici.
"""
OPENED = """\
Les soldes des comptes de bilan (classes 1 à 5, avec leurs comptes auxiliaires) à la fin de l'année précédente sont en
tête du fichier, en une écriture du journal AN. Le résultat des années précédentes y est sur une ligne, non affecté.
"""
NOT_OPENED = """\
Sans à-nouveaux (FABLAB_FEC_OPENING) : ils sont passés dans la comptabilité de la structure.
"""


def files(session: Session, year: int) -> tuple[Exported, Exported]:
    """Return the journals of a year and their description. Raises `Conflict` like `fec.export`."""
    return fec.export(session, year), _description(session, year)


def package(session: Session, year: int) -> Exported:
    """Return the journals of a year and their description as one ZIP. Raises `Conflict` like `fec.export`."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for each in files(session, year):
            info = zipfile.ZipInfo(each.name, ZIP_DATE)
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(info, each.content)
    return Exported(f"{fec.stem(session, year)}.zip", target.getvalue())


def _description(session: Session, year: int) -> Exported:
    stem = fec.stem(session, year)
    text = "\n".join(_parts(session, stem, year))
    return Exported(f"{stem}_description.txt", fec.encoded(f"{line}\r\n" for line in text.splitlines()))


def _parts(session: Session, stem: str, year: int) -> Iterator[str]:
    yield TEXT.format(name=f"{stem}.txt", year=year)
    warned = fec.warning(session, year)
    if warned is not None:
        yield f"{plain(Language('fr').text(warned))}\n"
    yield OPENED if settings().fec_opening else NOT_OPENED
    yield "CHAMPS\n"
    for place, name in enumerate(fec.COLUMNS, start=1):
        yield f"{place:>2}  {name:<14}{FIELDS[name]}"
    yield "\nJOURNAUX\n"
    for code, label in journal.JOURNALS.items():
        yield f"{code:<4}{label}"
    yield "\nCOMPTES\n"
    for account in sorted(set(chart().values()), key=lambda each: each.number):
        yield f"{account.number:<14}{plain(account.label)}"
