"""A document for people: a PDF/A-3 with its XML inside (Factur-X), made once and kept as it was."""

from __future__ import annotations

import io
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy.orm import Session

from fablab import files, press
from fablab.invoicing.content import Content
from fablab.invoicing.facturx import xml_of
from fablab.invoicing.models import METHOD_LABELS, DocumentFile, Method
from fablab.languages import Language
from fablab.settings import settings
from fablab.words import say

TEMPLATES = Path(__file__).parent / "templates"


def kept(session: Session, document_id: int) -> bytes | None:
    """Return the PDF of a document as it was first made, if it was; a file that was changed since is not given."""
    row = session.get(DocumentFile, document_id)
    if row is None or not files.path_of(row.sha256).exists() or files.was_changed(row.sha256):
        return None
    return files.path_of(row.sha256).read_bytes()


def keep(session: Session, document_id: int, made: bytes) -> None:
    """Keep the bytes, and note their hash unless somebody was faster."""
    with files.receiving(io.BytesIO(made), len(made) + 1) as incoming:
        incoming.keep()
        sha256 = incoming.sha256
    if session.get(DocumentFile, document_id) is None:
        session.add(DocumentFile(document_id=document_id, sha256=sha256))


def make_pdf(content: Content) -> bytes:
    """Return a content as PDF/A-3 with its XML inside. Raises `PressMissing`."""
    from facturx import generate_from_binary

    page = press.printed(html_of(content), pdf_variant="pdf/a-3b")
    made: bytes = generate_from_binary(
        page,
        xml_of(content),
        flavor="factur-x",
        level="en16931",
        check_xsd=False,
        lang="fr-FR" if content.language == "fr" else "en-GB",
        pdf_metadata={
            "author": content.seller.name,
            "title": content.number,
            "subject": content.number,
            "keywords": "Factur-X",
        },
    )
    return made


def html_of(content: Content) -> str:
    """Return the page a PDF is printed from."""
    facts = {"content": content, "place": settings().place_name, "has_vat": content.regime == "standard"}
    method = say("Paid: {method}", method=say(METHOD_LABELS[Method(content.paid_by)])) if content.paid_by else None
    facts |= {"paid_by": Language(content.language).text(method) if method else ""}
    return written("document.html", content.language, facts)


def written(template: str, language: str, facts: Mapping[str, object]) -> str:
    """Return one of the papers as HTML, in a language."""
    return _environment(language).get_template(template).render(words=Language(language), **facts)


@cache
def _environment(language: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.install_gettext_translations(Language(language).catalogue, newstyle=True)  # type: ignore[attr-defined]
    return environment
