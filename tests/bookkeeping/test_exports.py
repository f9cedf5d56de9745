"""The journals for the accountant: FEC format, looked at by a checker that does not know the writer, and CSV."""

import csv
import io

import pytest

from fablab.billing import seller
from fablab.bookkeeping import fec, fec_checking, journal_csv
from fablab.bookkeeping.models import Span
from fablab.bookkeeping.periods import period
from fablab.db import utcnow
from fablab.errors import Conflict, Invalid
from fablab.invoicing import crediting, issuing, payments
from fablab.invoicing.crediting import Credit
from fablab.invoicing.models import Method
from fablab.invoicing.payments import PaymentData
from tests.books import LONG_AGO, SELLER, business, command, draft_of, open_books
from tests.conftest import environment

TODAY = seller.today(utcnow())


@pytest.fixture
def books(session):
    """An invoice that is partly credited and partly paid, and a top-up."""
    _, acme = business(session)
    made = issuing.issue(session, draft_of(10_000, company=acme, before_vat=True), command("one"))
    crediting.issue(session, made, Credit(1_200, "Rayure\tprofonde"), command("note"))
    payments.pay(session, made, PaymentData(Method.CASH, 5_000, TODAY, "", "paid"), None, utcnow())
    return session


def rows(made):
    text = made.content.decode("iso8859-15")
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter="\t", quoting=csv.QUOTE_NONE))


def test_the_file_is_named_and_written_as_the_law_says(books):
    made = fec.export(books, TODAY.year)
    assert made.name == f"732829320FEC{TODAY.year}1231.txt"
    assert [str(each) for each in fec_checking.findings(made.name, made.content)] == []
    sale = next(row for row in rows(made) if row["CompteNum"] == "445710")
    assert (sale["JournalCode"], sale["Debit"], sale["Credit"]) == ("VE", "0,00", "20,00")
    assert sale["PieceRef"] == f"F-{TODAY.year}-00001"
    owed = next(row for row in rows(made) if row["CompteNum"] == "411000")
    assert owed["CompAuxLib"] == "Acmé Mécanique SARL"
    assert {row["JournalCode"] for row in rows(made)} == {"VE", "CA"}


def test_members_are_not_named_in_it(books):
    made = fec.export(books, TODAY.year)
    assert b"Alice" not in made.content
    assert "Membre" in made.content.decode("iso8859-15")


def test_without_any_number_it_says_what_is_missing(session):
    from dataclasses import replace

    open_books(session, identity=replace(SELLER, valid_from=LONG_AGO, siren="", siret="", vat_number="", rna=""))
    with pytest.raises(Conflict, match="begins with the SIREN"):
        fec.export(session, TODAY.year)


def test_a_structure_has_its_own_numbers_of_accounts(place):
    from fablab.bookkeeping.plan import chart

    with environment(data_dir=str(place), accounts="sales=706000, bank=512100"):
        assert [chart()[name].number for name in ("sales", "bank", "vat")] == ["706000", "512100", "445710"]
    with environment(data_dir=str(place), accounts="sales=7"), pytest.raises(Invalid, match="FABLAB_ACCOUNTS"):
        chart()
    with environment(data_dir=str(place), accounts="aid=658100"), pytest.raises(Invalid, match="outside the balance"):
        chart()
    with environment(data_dir=str(place), accounts="aid=865000"):
        assert chart()["aid"].number == "865000"


HEAD = "\t".join(fec.COLUMNS)
GOOD = "VE\tVentes\t1\t20261103\t411000\tClients\t\t\tF-1\t20261103\tFacture\t12,00\t0,00\t\t\t20261103\t\t"
OTHER = "VE\tVentes\t1\t20261103\t701000\tVentes\t\t\tF-1\t20261103\tFacture\t0,00\t12,00\t\t\t20261103\t\t"
NAME = "732829320FEC20261231.txt"


def found(*lines, name=NAME, head=HEAD):
    content = "\r\n".join([head, *lines, ""]).encode("iso8859-15")
    return [str(each) for each in fec_checking.findings(name, content)]


def test_the_checker_accepts_other_programs_files_too():
    assert found(GOOD, OTHER) == []
    assert found(GOOD.replace("\t", "|"), OTHER.replace("\t", "|"), head=HEAD.replace("\t", "|")) == []


@pytest.mark.parametrize(
    ("lines", "options", "sentence"),
    [
        ([GOOD, OTHER], {"name": "journal.txt"}, "The name “journal.txt” is not"),
        ([GOOD, OTHER], {"name": "732829321FEC20261231.txt"}, "is not SIREN"),
        ([GOOD, OTHER], {"head": HEAD.replace("Debit", "Débit")}, "Line 1 does not hold"),
        ([GOOD, OTHER.replace("12,00", "11,99")], {}, "Entry 1 of journal VE does not balance"),
        ([GOOD, OTHER.replace("12,00", "12.00")], {}, "Line 3: Credit is not an amount"),
        ([GOOD, OTHER.replace("20261103", "20261131")], {}, "Line 3: EcritureDate is not a date"),
        ([GOOD.replace("20261103", "20270103"), OTHER], {}, "Line 2 is dated outside"),
        ([GOOD, OTHER.replace("\tFacture", "\t")], {}, "Line 3: EcritureLib is empty"),
        ([GOOD, OTHER.replace("701000", "9010")], {}, "Line 3: the account does not begin"),
        ([GOOD, OTHER + "\t"], {}, "Line 3 has 19 columns"),
        ([GOOD, OTHER.replace("\t1\t", "\t3\t")], {}, "Line 3: the number of the entry does not continue"),
        ([GOOD, OTHER.replace("\t20261103\t\t", "\t20261102\t\t")], {}, "Line 3 was validated before"),
        ([GOOD.replace("Clients\t\t\t", "Clients\tC1\t\t"), OTHER], {}, "Line 2: an auxiliary account"),
    ],
)
def test_the_checker_names_the_line_and_what_is_wrong(lines, options, sentence):
    assert sentence in found(*lines, **options)[0]


def test_an_empty_file_is_none():
    assert "is empty" in str(next(iter(fec_checking.findings(NAME, b""))))


def test_the_journal_of_a_month_is_read_by_a_spreadsheet(books):
    made = journal_csv.export(books, period(Span.MONTH, TODAY))
    assert made.name == f"journal-{TODAY:%Y-%m}.csv"
    lines = list(csv.DictReader(io.StringIO(made.content.decode("utf-8-sig"), newline=""), delimiter=";"))
    cents = [tuple(int(each[side].replace(",", "")) for side in ("debit", "credit")) for each in lines]
    assert sum(debit for debit, _ in cents) == sum(credit for _, credit in cents) > 0
    assert {"F-" + str(TODAY.year) + "-00001", f"A-{TODAY.year}-00001"} <= {each["document"] for each in lines}
