"""A year's file begins with what the year before ended with, comes with its description, and needs no SIREN."""

import io
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fablab import db
from fablab.billing import seller
from fablab.billing.models import Account, EntryKind, LedgerEntry, LedgerLine
from fablab.bookkeeping import fec, fec_checking, fec_continuing, fec_handed, fec_package, opening
from fablab.db import utcnow
from fablab.invoicing import issuing
from fablab.words import say
from tests.books import SELLER, add_company, business, command, draft_of, open_books
from tests.conftest import environment
from tests.people import small_place

TODAY = seller.today(utcnow())
YEARS = range(TODAY.year - 2, TODAY.year + 3)
HELD = (Account.WALLET, Account.RESERVED)


def book(session, year, lines, document=None):
    """Write a booking of the middle of a year."""
    entry = LedgerEntry(
        at=datetime(year, 6, 15, 12, tzinfo=UTC),
        key=f"opening-{session.scalar(sa.select(sa.func.count(LedgerEntry.id)))}",
        kind=EntryKind.PAYMENT if document else EntryKind.TOP_UP,
        text=say("Test"),
        document_id=document.id if document else None,
        lines=[LedgerLine(account=each[0], holder_id=each[1], amount_cents=each[2]) for each in lines],
    )
    session.add(entry)
    session.flush()


def rows(content):
    return [line.split("\t") for line in content.decode(fec.ENCODING).split("\r\n")[1:-1]]


def opened(made):
    return {(row[4], row[6]): (row[11], row[12]) for row in rows(made.content) if row[0] == "AN"}


MOVES = st.lists(
    st.tuples(
        st.sampled_from(YEARS),
        st.sampled_from(list(Account)),
        st.sampled_from(list(Account)),
        st.integers(1, 5_000),
        st.integers(0, 2),
    ),
    max_size=12,
)


@given(MOVES)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_each_year_opens_with_what_the_year_before_ended_with(any_place, moves):
    with sa.orm.Session(db.engine()) as session:
        cast, acme = business(session)
        documents = [
            issuing.issue(session, draft_of(500, company=acme), command("company")),
            issuing.issue(session, draft_of(700, person_id=cast.alice.id), command("member")),
            None,
        ]
        for year, debit, credit, cents, which in moves:
            off_balance = ("project", "project_reserved", "project_funds", "aid", "aid_funds")
            if (debit in off_balance) != (credit in off_balance):
                continue  # what stands outside the balance sheet is booked against itself
            holder = (cast.alice, cast.bob, cast.carole)[which].id
            sides = ((debit, cents), (credit, -cents))
            lines = [(account, holder if account in HELD else None, moved) for account, moved in sides]
            book(session, year, lines, documents[which])
        files = [fec.export(session, year) for year in YEARS]
        for made in files:
            assert [str(each) for each in fec_checking.findings(made.name, made.content)] == []
        for before, after in pairwise(files):
            assert [str(each) for each in fec_continuing.continues(before.content, after.content)] == []
        assert opened(files[0]) == {}
        session.rollback()


@pytest.fixture
def two_years(session):
    """Last year a member paid 50 € in, of which 10 € became a sale, a company was sold 100 €, and nothing is paid."""
    cast = small_place(session, cents=0)
    open_books(session)
    acme = add_company(session, buyer=cast.alice)
    invoice = issuing.issue(session, draft_of(10_000, company=acme, before_vat=True), command("one"))
    last = TODAY.year - 1
    book(session, last, [(Account.CASH, None, 5_000), (Account.WALLET, cast.alice.id, -5_000)])
    book(session, last, [(Account.WALLET, cast.alice.id, 1_000), (Account.SALES, None, -1_000)])
    book(session, last, [(Account.PROJECT_FUNDS, None, 900), (Account.PROJECT, None, -900)])
    book(session, last, [(Account.RECEIVABLE, None, 300), (Account.BANK, None, -300)], invoice)
    return session, cast.alice.id


def test_wallets_and_what_clients_owe_are_opened_one_by_one_and_the_result_in_one_line(two_years):
    session, alice = two_years
    made = fec.export(session, TODAY.year)
    assert opened(made) == {
        ("120000", ""): ("0,00", "10,00"),
        ("411000", "C000001"): ("3,00", "0,00"),
        ("419100", f"M{alice:06d}"): ("0,00", "40,00"),
        ("512000", ""): ("0,00", "3,00"),
        ("530000", ""): ("50,00", "0,00"),
    }
    first, rest = rows(made.content)[0], [row for row in rows(made.content) if row[0] != "AN"]
    assert first[:4] == ["AN", "À-nouveaux", "1", f"{TODAY.year}0101"]
    assert rest[0][2] == "2"
    assert opened(fec.export(session, TODAY.year - 1)) == {}


def test_a_loss_is_opened_on_the_account_of_losses(two_years):
    session, _ = two_years
    book(session, TODAY.year - 1, [(Account.CASH_DIFFERENCE, None, 1_500), (Account.CASH, None, -1_500)])
    found = opened(fec.export(session, TODAY.year))
    assert found["129000", ""] == ("5,00", "0,00")
    assert ("120000", "") not in found


def test_an_accountant_may_go_without_the_opening_or_give_the_result_another_number(two_years, tmp_path):
    session, _ = two_years
    with environment(data_dir=str(tmp_path), fec_opening="false"):
        made = fec.export(session, TODAY.year)
        text = fec_package.files(session, TODAY.year)[1].content.decode(fec.ENCODING)
    assert opened(made) == {}
    assert rows(made.content)[0][2] == "1"
    assert "Sans à-nouveaux" in text
    with environment(data_dir=str(tmp_path), accounts="result=110000"):
        assert ("110000", "") in opened(fec.export(session, TODAY.year))


def test_the_description_explains_every_column_and_comes_in_one_zip(two_years):
    session, _ = two_years
    made = fec_package.package(session, TODAY.year)
    stem = f"732829320FEC{TODAY.year}1231"
    assert made.name == f"{stem}.zip"
    with zipfile.ZipFile(io.BytesIO(made.content)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    assert files.keys() == {f"{stem}.txt", f"{stem}_description.txt"}
    assert list(fec_handed.findings(files)) == list(fec_handed.warnings(files)) == []
    text = files[f"{stem}_description.txt"].decode(fec.ENCODING)
    assert "en une écriture du journal AN" in text
    assert "numéro RNA" not in text


def test_an_association_without_siren_gets_a_file_by_its_rna_number_and_is_told(session):
    open_books(session, identity=replace(SELLER, siren="", siret="", vat_number=""))
    files = {each.name: each.content for each in fec_package.files(session, TODAY.year)}
    assert f"W263001234FEC{TODAY.year}1231.txt" in files
    assert "asks for a SIREN" in str(fec.warning(session, TODAY.year))
    assert "numéro RNA" in files[f"W263001234FEC{TODAY.year}1231_description.txt"].decode(fec.ENCODING)
    assert list(fec_handed.findings(files)) == []
    assert ["asks for a SIREN" in str(each) for each in fec_handed.warnings(files)] == [True]


def test_with_a_siren_there_is_nothing_to_warn_of(two_years):
    assert fec.warning(two_years[0], TODAY.year) is None


def test_the_opening_is_none_when_nothing_stands(session):
    small_place(session, cents=0)
    assert opening.lines(session, TODAY.year) == []


HEAD = "\t".join(fec.COLUMNS)
OPENED = [
    "AN\tA nouveaux\t1\t20260101\t512000\tBanque\t\t\tAN\t20260101\tReport\t12,00\t0,00\t\t\t20260101\t\t",
    "AN\tA nouveaux\t1\t20260101\t110000\tReport\t\t\tAN\t20260101\tReport\t0,00\t12,00\t\t\t20260101\t\t",
]
BOOKED = [
    "BQ\tBanque\t2\t20260203\t512000\tBanque\t\t\tR-1\t20260203\tVente\t5,00\t0,00\t\t\t20260203\t\t",
    "BQ\tBanque\t2\t20260203\t706000\tVentes\t\t\tR-1\t20260203\tVente\t0,00\t5,00\t\t\t20260203\t\t",
]
NAME = "732829320FEC20261231.txt"


def file_of(*lines):
    return "\r\n".join([HEAD, *lines, ""]).encode(fec.ENCODING)


def found(*lines):
    return [str(each) for each in fec_checking.findings(NAME, file_of(*lines))]


def test_the_checker_takes_openings_of_other_programs():
    assert found(*OPENED, *BOOKED) == []


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ([*BOOKED, *OPENED], "Line 4 is an opening entry"),
        ([OPENED[0], OPENED[1].replace("110000", "706000")], "Line 3: an opening entry is on accounts of classes"),
        ([OPENED[0], OPENED[1].replace("0,00\t12,00", "0,00\t11,00")], "Entry 1 of journal AN does not balance"),
        (
            [
                OPENED[0],
                OPENED[1].replace("20260101\tReport", "20260102\tReport").replace("\t20260101\t1", "\t20260102\t1"),
            ],
            "Line 3: the opening entries are not all of one day",
        ),
    ],
)
def test_the_checker_names_what_is_wrong_with_an_opening(lines, sentence):
    assert any(sentence in each for each in found(*lines))


def test_the_checker_holds_an_opening_against_the_year_before():
    before = file_of(*OPENED, *BOOKED)
    after = [each.replace("2026", "2027").replace("12,00", "17,00") for each in OPENED]
    assert list(fec_continuing.continues(before, file_of(*after))) == []
    wrong = [str(each) for each in fec_continuing.continues(before, file_of(*OPENED))]
    assert wrong == [
        "Account 11/12: -17,00 at the end of the year before, -12,00 at the opening.",
        "Account 512000: 17,00 at the end of the year before, 12,00 at the opening.",
    ]
    missing = list(fec_continuing.continues(before, file_of(*BOOKED)))
    assert len(missing) == 2


def test_the_checker_reads_the_description():
    text = "\n".join(fec.COLUMNS)
    checked = [
        [str(each) for each in fec_continuing.description_findings(name, content.encode(), NAME, fec.COLUMNS)]
        for name, content in (
            ("732829320FEC20261231_description.txt", text),
            ("readme.txt", text),
            ("732829320FEC20261231_description.txt", text.replace("PieceDate", "")),
        )
    ]
    assert checked == [
        [],
        ["The description “readme.txt” is not named after its file."],
        ["The description does not explain PieceDate."],
    ]
