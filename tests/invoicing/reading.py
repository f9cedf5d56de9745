"""What an invoice says, read twice: from the labelled cells of its page, and from its XML. The two must be the same."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from functools import partial

from babel.dates import get_month_names
from babel.numbers import parse_decimal
from lxml import etree, html

from fablab.invoicing.models import METHOD_LABELS, Method
from fablab.languages import Language
from fablab.words import Sentence, say

RAM = "{urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100}"
RSM = "{urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100}"
PAID_AT_ONCE = {
    Method.CASH: "10",
    Method.CHEQUE: "20",
    Method.TRANSFER: "30",
    Method.CARD: "48",
    Method.ONLINE: "68",
}
"""The codes of UNTDID 4461 for what was paid when the document was issued."""
NOT_SAID = "1"


@dataclass(frozen=True)
class Item:
    """A line: what, how many, at how much each, the rate of VAT in per cent, and the amount."""

    text: str
    quantity: Decimal
    unit_price: Decimal
    rate: Decimal | None
    amount: Decimal


@dataclass(frozen=True)
class Said:
    """All that a document says in figures, days and numbers. What a kind of document does not show is none."""

    number: str
    issued_on: date
    delivered_on: date | None
    due_on: date | None
    po_number: str
    items: tuple[Item, ...]
    net: Decimal | None
    rates: tuple[tuple[Decimal, Decimal, Decimal], ...]
    gross: Decimal
    paid: Decimal
    due: Decimal
    means: str
    before: tuple[tuple[str, date], ...]
    iban: str
    reference: str


def differences(one: Said, other: Said) -> list[str]:
    """Name the fields in which two readings are not the same."""
    return [each.name for each in fields(Said) if getattr(one, each.name) != getattr(other, each.name)]


# The page -------------------------------------------------------------------------------------------------------------


class Page:
    """The page of a document, by its tables and the labels of their rows."""

    def __init__(self, source: str, code: str) -> None:
        self.tree, self.words = html.fromstring(source), Language(code)
        self.facts = {row[0]: row[1] for row in self._rows("facts")}
        self.sums = self._rows("sums")
        self.lines = self._rows("lines")

    def _rows(self, table: str) -> list[list[str]]:
        rows = self.tree.xpath(f"//table[@class='{table}']//tr[td]")
        return [[plain(cell.text_content()) for cell in row.xpath("td")] for row in rows]

    def rows(self) -> list[str]:
        """The text of every row, label and value together."""
        return ["".join(row) for row in (*self.lines, *self.sums, *map(list, self.facts.items()))]

    def label(self, msgid: str | Sentence) -> str:
        return plain(self.words.text(msgid))

    def fact(self, msgid: str) -> str:
        return self.facts.get(self.label(msgid), "")

    def sum(self, *msgids: str | Sentence) -> Decimal | None:
        """The amount beside one of these labels, of which a page has at most one."""
        found = [row[1] for row in self.sums if row[0] in [self.label(each) for each in msgids]]
        assert len(found) <= 1, found
        return self.amount(found[0]) if found else None

    def sums_like(self, msgid: str) -> list[tuple[dict[str, str], Decimal]]:
        """What stands in the places of a label with places, and the amount beside it."""
        wanted = pattern(self.label(msgid))
        found = [(wanted.match(row[0]), row[1]) for row in self.sums]
        return [(match.groupdict(), self.amount(cell)) for match, cell in found if match]

    def amount(self, text: str) -> Decimal:
        """Read money, a percentage or a number exactly as it is printed."""
        kept = re.fullmatch(r"(-?)[€%]?([\d.,\u202f\xa0 ]+?)[\xa0\u202f ]?[€%]?", text)
        assert kept, f"no amount: {text}"
        digits = kept[2].replace("\xa0", "\u202f").replace(" ", "\u202f")
        return Decimal(f"{kept[1]}{parse_decimal(digits, locale=self.words.code)}")

    def day(self, text: str) -> date | None:
        """Read "25 novembre 2026"."""
        if not text:
            return None
        day, month, year = text.split()
        months = {name: number for number, name in get_month_names("wide", locale=self.words.code).items()}
        return date(int(year), months[month], int(day))


def plain(text: str) -> str:
    return re.sub(r"[ \n\t]+", " ", text).strip()


def pattern(label: str) -> re.Pattern[str]:
    """Turn "VAT %(rate)s on %(base)s" into what reads its places."""
    days = re.sub(r"%\\\(day\\\)s", r"(?P<day>\\d+ \\w+ \\d+)", re.escape(label))
    return re.compile(re.sub(r"%\\\((\w+)\\\)s", r"(?P<\1>.+?)", days) + r"(?= |$)")


def from_page(source: str, code: str) -> Said:
    """Read the page."""
    page = Page(source, code)
    with_vat = page.sum("Total before VAT") is not None
    deposits = page.sums_like("Deposit %(number)s of %(day)s")
    corrected = re.match(pattern(page.label("invoice %(number)s of %(day)s")), page.fact("Corrects"))
    before = [each for each, _ in deposits] or ([corrected.groupdict()] if corrected else [])
    by = {method: page.sum(say("Paid: {method}", method=say(METHOD_LABELS[method]))) for method in PAID_AT_ONCE}
    at_once = {method: cents for method, cents in by.items() if cents is not None}
    before_issue = [page.sum("Paid from the wallet"), *at_once.values(), *(cents for _, cents in deposits)]
    to_pay = page.tree.xpath("//div[@class='note pay']/p")
    transfer = pattern(page.label("By bank transfer to IBAN %(iban)s, with the reference %(number)s."))
    asked = transfer.match(plain(to_pay[0].text_content())) if to_pay else None
    issued_on = page.day(page.fact("Date of issue"))
    gross, due = page.sum("Total with VAT", "Total"), page.sum("Balance due", "Credited to you")
    assert issued_on
    assert gross is not None
    assert due is not None
    return Said(
        number=plain(page.tree.xpath("string(//p[@class='number'])")),
        issued_on=issued_on,
        delivered_on=issued_on if at_once else page.day(page.fact("Delivered on")),  # prepaid credit is there at once
        due_on=page.day(page.fact("Payable by")),
        po_number=page.fact("Your purchase order"),
        items=tuple(_item(page, row, with_vat=with_vat) for row in page.lines),
        net=page.sum("Total before VAT"),
        rates=tuple(_rate(page, *each) for each in page.sums_like("VAT %(rate)s on %(base)s")),
        gross=gross,
        paid=-sum((each for each in before_issue if each is not None), Decimal(0)),
        due=due,
        means=PAID_AT_ONCE[Method.TRANSFER] if asked else "".join(PAID_AT_ONCE[method] for method in at_once),
        before=tuple((each["number"], page.day(each["day"]) or date.min) for each in before),
        iban=asked["iban"].replace(" ", "") if asked else "",
        reference=asked["number"] if asked else "",
    )


def _item(page: Page, row: list[str], *, with_vat: bool) -> Item:
    text, quantity, price, *rate, amount = row
    assert len(rate) == with_vat
    read = page.amount
    return Item(text, read(quantity), read(price), read(rate[0]) if rate else None, read(amount))


def _rate(page: Page, places: dict[str, str], vat: Decimal) -> tuple[Decimal, Decimal, Decimal]:
    return page.amount(places["rate"]), page.amount(places["base"]), vat


# The XML --------------------------------------------------------------------------------------------------------------


def path(*names: str) -> str:
    return "/".join(f"{RAM}{name}" for name in names)


def from_xml(xml: bytes) -> Said:
    """Read the XML; what the page of this kind of document does not show is left out."""
    tree = etree.fromstring(xml)
    find = partial(_find, tree)
    (settlement,) = tree.iter(f"{RAM}ApplicableHeaderTradeSettlement")
    (sums,) = settlement.findall(path("SpecifiedTradeSettlementHeaderMonetarySummation"))
    document = tree.find(f"{RSM}ExchangedDocument")
    assert document is not None
    kind = document.findtext(path("TypeCode"))
    with_vat = find("ApplicableHeaderTradeSettlement", "ApplicableTradeTax", "CategoryCode") == "S"
    number = document.findtext(path("ID")) or ""
    due_amount = _decimal(sums, "DuePayableAmount")
    iban = find("PayeePartyCreditorFinancialAccount", "IBANID") if due_amount else ""
    means = find("SpecifiedTradeSettlementPaymentMeans", "TypeCode")
    delivered = _day(next(tree.iter(f"{RAM}ActualDeliverySupplyChainEvent")), "OccurrenceDateTime")
    due = [_day(each, "DueDateDateTime") for each in settlement.findall(path("SpecifiedTradePaymentTerms"))]
    before = [
        (each.findtext(path("IssuerAssignedID")) or "", _day(each, "FormattedIssueDateTime") or date.min)
        for each in settlement.findall(path("InvoiceReferencedDocument"))
    ]
    return Said(
        number=number,
        issued_on=_day(document, "IssueDateTime") or date.min,
        delivered_on=delivered if kind == "380" else None,
        due_on=due[0] if due and kind != "381" else None,
        po_number=find("BuyerOrderReferencedDocument", "IssuerAssignedID"),
        items=tuple(_xml_item(each, with_vat=with_vat) for each in tree.iter(f"{RAM}IncludedSupplyChainTradeLineItem")),
        net=_decimal(sums, "TaxBasisTotalAmount") if with_vat else None,
        rates=tuple(
            tuple(_decimal(each, name) for name in ("RateApplicablePercent", "BasisAmount", "CalculatedAmount"))
            for each in (settlement.findall(path("ApplicableTradeTax")) if with_vat else [])
        ),  # type: ignore[arg-type]
        gross=_decimal(sums, "GrandTotalAmount"),
        paid=_decimal(sums, "TotalPrepaidAmount"),
        due=due_amount,
        means="" if means == NOT_SAID else means,
        before=tuple(before),
        iban=iban,
        reference=(settlement.findtext(path("PaymentReference")) or "") if iban else "",
    )


def _find(tree: etree._Element, *names: str) -> str:
    return (tree.findtext(f".//{path(*names)}") or "").strip()


def _decimal(inside: etree._Element, name: str) -> Decimal:
    return Decimal(inside.findtext(f".//{path(name)}") or "NaN")


def _day(inside: etree._Element, name: str) -> date | None:
    for each in inside.iter():
        if each.tag.endswith(f"}}{name}"):
            text = "".join(each.itertext()).strip()
            return date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    return None


def _xml_item(line: etree._Element, *, with_vat: bool) -> Item:
    return Item(
        plain(line.findtext(f".//{path('SpecifiedTradeProduct', 'Name')}") or ""),
        _decimal(line, "BilledQuantity"),
        Decimal(line.findtext(f".//{path('NetPriceProductTradePrice', 'ChargeAmount')}") or "NaN"),
        _decimal(line, "RateApplicablePercent") if with_vat else None,
        _decimal(line, "LineTotalAmount"),
    )
