"""Factur-X: schema, both schematrons, and our own checks for what they let pass; the page and the XML agree."""

import io
import re
from dataclasses import replace

import facturx
import pikepdf
import pypdf
import pytest
from hypothesis import given, settings

from fablab.billing.models import Regime
from fablab.invoicing import facturx as machine
from fablab.invoicing import paper
from fablab.invoicing.amounts import RateSum
from fablab.invoicing.content import from_text, to_text
from fablab.invoicing.models import Kind, Method
from tests.invoicing.contents import EXAMPLES, FOR_PEOPLE, HOME, TWO_RATES, content_with, contents, of_services
from tests.invoicing.reading import Page, differences, from_page, from_xml
from tests.invoicing.schematrons import findings


@pytest.mark.parametrize("name", [*EXAMPLES, *FOR_PEOPLE])
def test_the_european_rules_have_nothing_against_it(name):
    assert findings(machine.xml_of((EXAMPLES | FOR_PEOPLE)[name]), "european") == []


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_french_rules_for_businesses_have_nothing_against_it(name):
    assert findings(machine.xml_of(EXAMPLES[name]), "french") == []


@settings(max_examples=60, deadline=None)
@given(content=contents())
def test_any_invoice_passes_the_rules(content):
    xml = machine.xml_of(content)
    assert findings(xml, "european") == []
    if content.buyer.is_company:
        assert findings(xml, "french") == []


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"gross_cents": 6720}, "BR-CO-15"),
        ({"mentions": ()}, "BR-FR-05"),
        ({"number": "F 2026"}, "BR-FR-02"),
        ({"net_cents": 5749}, "BR-CO-10"),
    ],
)
def test_a_wrong_invoice_is_found_by_the_rules(change, rule):
    xml = machine.xml_of(replace(content_with(TWO_RATES), **change))
    assert any(rule in each for each in findings(xml, "european") + findings(xml, "french"))


def test_a_deposit_has_its_own_code_and_the_final_invoice_names_it_and_what_was_paid():
    asked, final = machine.data_of(EXAMPLES["deposit"]), machine.data_of(EXAMPLES["final after two deposits, all paid"])
    assert (asked["BT-3"], asked["BT-23"]) == ("386", "B1")
    assert (final["BT-3"], final["BT-23"], final["BT-112"]) == ("380", "B4", "54.00")
    assert (final["BT-113"], final["BT-115"]) == ("54.00", "0.00")
    assert [each["BT-25"] for each in final["BG-3"]] == ["F-2026-00001", "F-2026-00002"]


def test_vat_on_services_is_due_when_they_are_paid_or_by_the_option_on_invoices():
    goods, services = machine.data_of(EXAMPLES["two rates"]), machine.data_of(EXAMPLES["services"])
    assert ("BT-8" in goods, services["BT-8"]) == (False, "payment")
    assert b"<ram:DueDateTypeCode>72</" in machine.xml_of(EXAMPLES["services"])
    assert b"<ram:DueDateTypeCode>5</" in machine.xml_of(EXAMPLES["services, VAT on invoices"])
    franchise = of_services(EXAMPLES["franchise"], on_invoices=False)
    assert "BT-8" not in machine.data_of(franchise)


def test_the_rules_let_wrong_vat_pass_which_is_why_we_check_it_ourselves():
    right = content_with([(10_000, 2000)])
    wrong = replace(right, rates=(RateSum(2000, 10_000, 2050),), vat_cents=2050, gross_cents=12_050)
    assert findings(machine.xml_of(wrong), "european") == []


def text_of(pdf: bytes) -> str:
    return "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)


def bare(text: str) -> str:
    return re.sub(r"\s", "", text)


def disagreements(content, xml: bytes) -> list[str]:
    """What the page of a content says otherwise than an XML."""
    return differences(from_page(paper.html_of(content), content.language), from_xml(xml))


@settings(max_examples=15, deadline=None)
@given(content=contents())
def test_the_page_and_the_xml_inside_say_the_same(content):
    pdf = paper.make_pdf(content)
    _, xml = facturx.get_xml_from_pdf(pdf, check_xsd=True)
    assert disagreements(content, xml) == []
    assert xml == machine.xml_of(content)
    printed = bare(text_of(pdf))
    for row in Page(paper.html_of(content), content.language).rows():
        assert bare(row) in printed, "what is read from the page's tables is what is printed"


@settings(max_examples=60, deadline=None)
@given(content=contents())
def test_the_page_and_the_xml_agree_to_the_cent(content):
    assert disagreements(content, machine.xml_of(content)) == []


@pytest.mark.parametrize("name", [*EXAMPLES, *FOR_PEOPLE])
def test_the_page_and_the_xml_of_each_example_agree(name):
    content = (EXAMPLES | FOR_PEOPLE)[name]
    assert disagreements(content, machine.xml_of(content)) == []


@pytest.mark.parametrize(
    ("name", "before", "after", "named"),
    [
        ("two rates", "GrandTotalAmount>67.19<", "GrandTotalAmount>167.19<", ["gross"]),
        ("two rates", "DuePayableAmount>67.19<", "DuePayableAmount>7.19<", ["due"]),
        ("two rates", "TaxBasisTotalAmount>57.50<", "TaxBasisTotalAmount>57.51<", ["net"]),
        ("two rates", "CalculatedAmount>9.00<", "CalculatedAmount>9.01<", ["rates"]),
        ("two rates", "BasisAmount>45.00<", "BasisAmount>5.00<", ["rates"]),
        ("two rates", ">3.7500<", ">3.7600<", ["items"]),
        ("two rates", ">12<", ">2<", ["items"]),
        ("two rates", ">20261225<", ">20261224<", ["due_on"]),
        ("two rates", ">20261123<", ">20261122<", ["delivered_on"]),
        ("two rates", ">20261125<", ">20261124<", ["issued_on"]),
        ("two rates", "M02606<", "M02607<", ["iban"]),
        ("two rates", "PaymentReference>F-2026-00012<", "PaymentReference>F-2026-00011<", ["reference"]),
        ("two rates", ">BC-77<", ">BC-7<", ["po_number"]),
        ("paid by the wallet", "TotalPrepaidAmount>7.50<", "TotalPrepaidAmount>57.50<", ["paid"]),
        ("a top-up by cash", "TotalPrepaidAmount>12.01<", "TotalPrepaidAmount>2.01<", ["paid"]),
        ("a top-up by card", "TypeCode>48<", "TypeCode>10<", ["means"]),
        ("a top-up paid out in part", "GrandTotalAmount>6.00<", "GrandTotalAmount>16.00<", ["gross"]),
        ("credit note of a part, two rates", "CalculatedAmount>2.68<", "CalculatedAmount>2.69<", ["rates"]),
        ("final after a deposit", "F-2026-00001<", "F-2026-00002<", ["before"]),
        ("credit note", "F-2026-00012<", "F-2026-00013<", ["before"]),
    ],
)
def test_one_figure_that_is_another_in_the_xml_is_seen(name, before, after, named):
    content = (EXAMPLES | FOR_PEOPLE)[name]
    xml = machine.xml_of(content).decode()
    assert before in xml
    assert disagreements(content, xml.replace(before, after).encode()) == named


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"gross_cents": 16_719}, {"gross", "due"}),
        ({"net_cents": 5_751}, {"net"}),
        ({"paid_cents": 1}, {"paid", "due"}),
        ({"number": "F-2026-00002"}, {"number", "reference"}),
        ({"rates": (RateSum(2000, 4500, 901), RateSum(550, 1250, 69))}, {"rates"}),
        ({"rates": (RateSum(2000, 4501, 900), RateSum(550, 1250, 69))}, {"rates"}),
        ({"rates": (RateSum(2000, 4500, 900), RateSum(1000, 1250, 69))}, {"rates"}),
    ],
)
def test_one_figure_that_is_another_on_the_page_is_seen(change, named):
    content = content_with(TWO_RATES, quantities=[12, 2])
    assert set(disagreements(replace(content, **change), machine.xml_of(content))) == named


def test_a_sum_that_ends_like_another_is_not_the_same():
    """The amounts of one document are no part of the amounts of the other: 20.00 is not found in 120.00."""
    small, large = content_with([(2_000, 2000)]), content_with([(12_000, 2000)])
    assert {"gross", "due", "net", "rates", "items"} <= set(disagreements(large, machine.xml_of(small)))


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_mention_stands_on_the_page(name):
    content = EXAMPLES[name]
    page = bare(text_of(paper.make_pdf(content)))
    seller, buyer = content.seller, content.buyer
    for text in (
        content.number, seller.name, seller.legal_form, seller.street, seller.siret, seller.vat_number, seller.rna,
        buyer.name, buyer.street, buyer.siret, buyer.vat_number, content.po_number,
        *(each.text for each in content.mentions), *(line.text for line in content.lines),
    ):  # fmt: skip
        assert bare(text) in page, text
    if content.corrects:
        assert bare(content.corrects.number) in page
        assert bare(content.corrects.reason) in page


@pytest.mark.parametrize("regime", [each for each in Regime if each != Regime.STANDARD])
def test_without_vat_no_vat_is_shown_anywhere(regime):
    page = text_of(paper.make_pdf(content_with([(999, 0)], regime)))
    assert "HT" not in page
    assert "Montant TVA" not in page
    assert "%" not in page


def test_the_pdf_is_what_pdf_a_3_asks_for():
    pdf = pikepdf.open(io.BytesIO(paper.make_pdf(EXAMPLES["two rates"])))
    xmp = bytes(pdf.Root.Metadata.read_bytes()).decode()
    assert dict(re.findall(r'pdfaid:(part|conformance)[=>"\s]*([0-9A-Z])', xmp)) == {"part": "3", "conformance": "B"}
    assert "pdfaExtension" in xmp
    assert "factur-x.xml" in xmp
    (attached,) = pdf.Root.AF
    assert (str(attached.F), str(attached.AFRelationship)) == ("factur-x.xml", "/Data")
    assert [str(each.S) for each in pdf.Root.OutputIntents] == ["/GTS_PDFA1"]
    assert not pdf.is_encrypted
    fonts = [
        each for each in pdf.objects if isinstance(each, pikepdf.Dictionary) and each.get("/Type") == "/FontDescriptor"
    ]
    assert fonts
    assert all("/FontFile2" in each or "/FontFile3" in each for each in fonts)


def test_the_same_content_makes_the_same_page():
    content = EXAMPLES["franchise"]
    assert paper.html_of(content) == paper.html_of(content)
    assert machine.xml_of(content) == machine.xml_of(content)


def test_signs_that_xml_cannot_hold_never_stop_a_document_from_being_printed():
    content = content_with([(999, 2000)])
    typed = replace(content, buyer=replace(content.buyer, name="Ac\x01mé\ud800 \u202f& <Fils>"), po_number="B\x00C")
    kept = from_text(to_text(typed))
    assert (kept.buyer.name, kept.po_number) == ("Acmé \u202f& <Fils>", "BC")
    assert "<Fils>" in text_of(paper.make_pdf(kept))


def test_what_people_typed_is_text_and_never_html():
    content = content_with([(999, 2000)])
    line = replace(content.lines[0], text="<img src='file:///etc/passwd'><b>bold</b>")
    assert "<b>bold</b>" in text_of(paper.make_pdf(replace(content, lines=(line,))))


@pytest.mark.parametrize("method", Method)
@pytest.mark.parametrize("buyer", [HOME, replace(HOME, street="", postcode="", city="")])
def test_an_invoice_of_a_top_up_says_how_it_was_paid_and_needs_no_address(method, buyer):
    content = content_with([(1200, 2000)], buyer=buyer, before_vat=False, paid=True)
    content = replace(content, kind=Kind.VOUCHER, paid_by=method, delivered_on=content.issued_on, po_number="")
    assert findings(machine.xml_of(content), "european") == []
    assert machine.data_of(content)["BT-3"] == "380"
    assert "Payé\N{NO-BREAK SPACE}: " in paper.html_of(content)
    assert "porte-monnaie" not in paper.html_of(content) or method == Method.WALLET
