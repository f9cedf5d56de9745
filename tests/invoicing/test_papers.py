"""The PDF of a document is made once, whoever asks, and stays as it was."""

from concurrent.futures import ThreadPoolExecutor

from fablab import db, files
from fablab.invoicing import issuing
from fablab.invoicing.models import DocumentFile
from fablab.web.papers import pdf_of
from tests.books import business, command, draft_of


def issued():
    with db.transaction() as session:
        _, acme = business(session)
        return issuing.issue(session, draft_of(1000, company=acme), command("one"))


def test_everybody_who_asks_at_once_gets_the_same_bytes(any_place):
    document = issued()
    with ThreadPoolExecutor(4) as together:
        made = set(together.map(lambda _: pdf_of(document.id), range(8)))
    assert len(made) == 1
    with db.reading() as session:
        row = session.get(DocumentFile, document.id)
    assert files.path_of(row.sha256).read_bytes() in made


def test_a_pdf_that_went_missing_is_made_again_from_what_was_frozen(place):
    document = issued()
    pdf_of(document.id)
    with db.reading() as session:
        files.path_of(session.get(DocumentFile, document.id).sha256).unlink()
    assert pdf_of(document.id).startswith(b"%PDF")
