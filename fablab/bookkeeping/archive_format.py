"""The file of an archived year: a ZIP of readable members, a manifest with the SHA-256 of each, and how to check it.

The same members make the same bytes, so the digest of a file says whether it is the one that was made.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import TypeAdapter

MANIFEST, SUMS, README = "MANIFEST.json", "SHA256SUMS", "LISEZMOI.txt"
DOCUMENTS, CLOSINGS, ENTRIES = "documents/documents.jsonl", "closings/closings.jsonl", "entries/entries.csv"
ENTRY_HEAD = ("entry", "key", "kind", "document_id", "order_id", "at", "account", "holder_id", "amount_cents", "piece")
ZIP_DATE = (1980, 1, 1, 0, 0, 0)
LARGEST_MEMBER_BYTES = 2_000_000_000

EXPLANATION = """\
ARCHIVE DES ÉCRITURES DE L'ANNÉE {year}
{seller}

Ce fichier a été produit par le logiciel Fablab {version}, après la clôture de l'année.

documents/documents.csv     liste des factures, factures d'acompte et avoirs
documents/documents.jsonl   contenu intégral de chaque document, une ligne par document, avec sa place dans la chaîne
documents/*.pdf             les mêmes, tels qu'ils ont été imprimés (Factur-X)
entries/entries.csv         toutes les écritures, montants en centimes, débit positif, crédit négatif
entries/journal.csv         le journal de l'année pour un tableur
entries/*FEC*.txt           les mêmes au format FEC, avec les à-nouveaux et la description des champs,
                            si le vendeur a un SIREN ou un numéro RNA
payments.csv                règlements notés sur les documents, cash_counts.csv : comptages de la caisse
closings/closings.jsonl     clôtures journalières, mensuelles et annuelles, avec totaux perpétuels et empreintes
legal/*.json                identité du vendeur, régimes de TVA, mentions légales et règles des porte-monnaie, par date
MANIFEST.json               la liste des fichiers avec leur empreinte SHA-256, et l'état des chaînes
SHA256SUMS                  les mêmes empreintes

Les personnes privées n'y figurent que sur leurs factures ; ailleurs elles portent un numéro.

Vérifier sans le logiciel : décompresser, puis « sha256sum -c SHA256SUMS ».
Vérifier avec le logiciel, sans base de données : « fablab billing check-archive FICHIER ».
L'empreinte du fichier entier est inscrite dans le journal des archivages du logiciel, et doit être conservée ailleurs.

Chaîne des documents : SHA-256(empreinte précédente + saut de ligne + contenu).
Chaîne des clôtures : de même. L'empreinte d'une journée couvre chaque ligne de chaque écriture, en JSON :
[entry, key, kind, document_id, order_id, at, account, holder_id, amount_cents], une par ligne.
"""


@dataclass(frozen=True)
class Member:
    """A member of an archive."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What an archive says of itself: how the chains stood, from which documents on it tells, and its members."""

    year: int
    seller: str
    version: str
    documents_before: str
    documents_after: str
    closings_before: str
    closings_after: str
    members: tuple[Member, ...]
    format: int = 1


def written(manifest: Manifest, members: Mapping[str, bytes]) -> bytes:
    """Return the file: the members in the order of their names, then sums and manifest."""
    listed = tuple(Member(name, len(members[name]), digest(members[name])) for name in sorted(members))
    whole = Manifest(**{**vars(manifest), "members": listed})
    text = json.dumps(asdict(whole), ensure_ascii=False, indent=1, sort_keys=True).encode()
    sums = "".join(f"{each.sha256}  {each.name}\n" for each in listed) + f"{digest(text)}  {MANIFEST}\n"
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in [*sorted(members.items()), (MANIFEST, text), (SUMS, sums.encode())]:
            info = zipfile.ZipInfo(name, ZIP_DATE)
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(info, content)
    return target.getvalue()


def manifest_from(text: bytes) -> Manifest:
    """Read a manifest. Raises `ValueError` when it is none."""
    return TypeAdapter(Manifest).validate_json(text)


def digest(content: bytes) -> str:
    """Return the SHA-256 of some bytes."""
    return hashlib.sha256(content).hexdigest()


def sheet(head: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """Return a CSV with semicolons."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(head)
    writer.writerows(rows)
    return text.getvalue().encode()


def lines_of(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Return rows as JSON, one a line."""
    return "".join(f"{json.dumps(dict(row), ensure_ascii=False, sort_keys=True)}\n" for row in rows).encode()
