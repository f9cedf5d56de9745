"""Contents of documents: examples of each kind, and a strategy that makes any."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import date, timedelta

from hypothesis import strategies as st

from fablab.billing.mentions import B2B, DEBITS, MENTIONS
from fablab.billing.models import Operation, Regime
from fablab.invoicing.amounts import Priced, gross_first, minus, net_first, part_of, unit_price
from fablab.invoicing.content import Buyer, Content, Corrects, Deducted, Line, Mention, Seller
from fablab.invoicing.models import Kind, Method
from tests.books import BUYER, HOME, SELLER

DAY = date(2026, 11, 25)
NAME_ALONE = replace(HOME, street="", postcode="", city="")
AT_THE_TOP_UP = [each for each in Method if each != Method.WALLET]
"""How money comes into a wallet."""
ASSOCIATION = {"siren": "", "siret": "", "vat_number": ""}


def seller_with(**changes) -> Seller:
    values = {name: value for name, value in asdict(SELLER).items() if name != "valid_from"}
    return Seller(**(values | changes))


def content_with(
    priced, regime=Regime.STANDARD, *, buyer=BUYER, before_vat=True, paid=False, language="fr", quantities=None
) -> Content:
    """Make the content of an invoice from (cents, rate) of its lines."""
    lines = [Priced(cents, rate if regime == Regime.STANDARD else 0) for cents, rate in priced]
    sums = (net_first if before_vat else gross_first)(lines)
    quantities = quantities or [1] * len(lines)
    codes = [*([regime.value] if regime != Regime.STANDARD else []), *(B2B if buyer.is_company else ())]
    return Content(
        kind=Kind.INVOICE,
        number="F-2026-00012",
        issued_on=DAY,
        delivered_on=DAY - timedelta(days=2),
        due_on=DAY if paid else DAY + timedelta(days=30),
        language=language,
        seller=seller_with(),
        buyer=buyer,
        regime=regime,
        operation=Operation.GOODS,
        lines=tuple(
            Line(f"Impression 3D « pièce-{n}.stl », PLA", many, unit_price(net, many), net, line.rate_bp)
            for n, (line, net, many) in enumerate(zip(lines, sums.line_nets, quantities, strict=True), 1)
        ),
        rates=sums.rates,
        net_cents=sums.net_cents,
        vat_cents=sums.vat_cents,
        gross_cents=sums.gross_cents,
        paid_cents=sums.gross_cents if paid else 0,
        mentions=tuple(Mention(code, MENTIONS[code].wordings[0].text) for code in codes),
        po_number="BC-77",
        rounding=sums.rounding,
    )


def of_services(content: Content, *, on_invoices: bool) -> Content:
    """The same for services; with the option to pay VAT on invoices or without."""
    option = Mention(DEBITS, MENTIONS[DEBITS].wordings[1].text)
    mentions = (*content.mentions, option) if on_invoices else content.mentions
    return replace(content, operation=Operation.SERVICES, mentions=mentions)


def credited(content: Content) -> Content:
    """The credit note that takes all of an invoice."""
    corrects = Corrects(content.number, content.issued_on, "Pièces rayées")
    return replace(
        content,
        kind=Kind.CREDIT_NOTE,
        number="A-2026-00003",
        corrects=corrects,
        due_on=DAY,
        delivered_on=DAY,
        paid_cents=0,
        paid_by="",
        deposits=(),
    )


def credited_in_part(content: Content, *cents: int) -> Content:
    """The credit note that takes so much of what those before it left of an invoice, a line for each rate."""
    left, part = content.rates, content.rates
    for each in content.deposits:
        left = minus(left, each.rates)
    for each in cents:
        part = part_of(content.rates, left, each)
        left = minus(left, part)
    text = f"Avoir partiel sur facture {content.number} : pièces rayées"
    return replace(
        credited(content),
        lines=tuple(Line(text, 1, each.net_cents * 100, each.net_cents, each.rate_bp) for each in part),
        rates=part,
        net_cents=sum(each.net_cents for each in part),
        vat_cents=sum(each.vat_cents for each in part),
        gross_cents=sum(each.gross_cents for each in part),
    )


def top_up(cents: int, paid_by: Method, buyer: Buyer = HOME, language: str = "fr") -> Content:
    """The invoice of a top-up, paid at once."""
    content = content_with([(cents, 2000)], buyer=buyer, before_vat=False, paid=True, language=language)
    line = replace(content.lines[0], text="Crédit prépayé pour des impressions 3D dans ce lieu (bon à usage unique)")
    return replace(
        content, kind=Kind.VOUCHER, paid_by=paid_by, delivered_on=content.issued_on, po_number="", lines=(line,)
    )


def deposit(content: Content) -> Content:
    """The same as a deposit invoice."""
    return replace(content, kind=Kind.DEPOSIT, delivered_on=DAY)


def after_deposits(content: Content, percents=(30,)) -> Content:
    """The final invoice after deposits of so many per cent each."""
    left, parts = content.rates, []
    for place, percent in enumerate(percents):
        rates = part_of(content.rates, left, max(content.gross_cents * percent // 100, 1))
        left = minus(left, rates)
        parts.append(Deducted(f"F-2026-0000{place + 1}", DAY - timedelta(days=20 - place), rates))
    return replace(content, deposits=tuple(parts), paid_cents=sum(each.gross_cents for each in parts))


TWO_RATES = [(4500, 2000), (1250, 550)]
BY_HAND = [(0, 2000), (2500, 2000), (-300, 2000)]
EXAMPLES = {
    "two rates": content_with(TWO_RATES, quantities=[12, 2]),
    "with VAT": content_with(TWO_RATES, before_vat=False),
    "lines by hand, a part at nothing and a rebate": content_with(BY_HAND, quantities=[3, 2, -1]),
    "lines by hand with VAT": content_with(BY_HAND, before_vat=False, quantities=[3, 2, -1]),
    "lines by hand without VAT": content_with(BY_HAND, Regime.FRANCHISE, quantities=[3, 2, -1]),
    "final after a deposit, lines by hand": after_deposits(content_with(BY_HAND, quantities=[3, 2, -1])),
    "credit note of lines by hand": credited(content_with(BY_HAND, quantities=[3, 2, -1])),
    "franchise": content_with([(999, 0)], Regime.FRANCHISE),
    "exempt": content_with([(999, 0)], Regime.EXEMPT_261_7),
    "not taxable": content_with([(999, 0)], Regime.NOT_TAXABLE),
    "deposit": deposit(content_with([(4500, 2000)], before_vat=False)),
    "deposit without VAT": deposit(content_with([(999, 0)], Regime.FRANCHISE)),
    "credit note of a deposit": credited(deposit(content_with([(4500, 2000)]))),
    "final after a deposit": after_deposits(content_with([(4500, 2000)])),
    "final after two deposits, all paid": after_deposits(content_with([(4500, 2000)]), (40, 60)),
    "final after a deposit, without VAT": after_deposits(content_with([(999, 0)], Regime.EXEMPT_261_7)),
    "for an association": content_with(
        TWO_RATES, buyer=replace(BUYER, siren="", siret="", vat_number="", rna="W381000123")
    ),
    "credit note": credited(content_with(TWO_RATES)),
    "credit note of a part, two rates": credited_in_part(content_with(TWO_RATES), 1999),
    "the last of three credit notes": credited_in_part(content_with(TWO_RATES, before_vat=False), 1, 2500, 3248),
    "credit note of a part of a deposit": credited_in_part(deposit(content_with([(4500, 2000)])), 1111),
    "credit note of a part after a deposit": credited_in_part(after_deposits(content_with([(4500, 2000)])), 1001),
    "credit note of a cent without VAT": credited_in_part(content_with([(999, 0)], Regime.FRANCHISE), 1),
    "services": of_services(content_with(TWO_RATES), on_invoices=False),
    "services, VAT on invoices": of_services(content_with(TWO_RATES), on_invoices=True),
    "credit note of services": credited(of_services(content_with(TWO_RATES), on_invoices=True)),
    "credit note without VAT": credited(content_with([(999, 0)], Regime.FRANCHISE)),
}
FOR_PEOPLE = {
    "paid by the wallet": content_with([(750, 2000)], buyer=HOME, before_vat=False, paid=True),
    "paid, without VAT": content_with([(750, 0)], Regime.EXEMPT_261_7, buyer=HOME, paid=True, language="en"),
    "an association without SIREN": replace(
        content_with([(750, 0)], Regime.NOT_TAXABLE, buyer=HOME, paid=True), seller=seller_with(**ASSOCIATION)
    ),
    "an exempt association without SIREN": replace(
        content_with([(750, 0)], Regime.EXEMPT_261_7, buyer=HOME), seller=seller_with(**ASSOCIATION, iban="")
    ),
    "refunded": credited(content_with([(750, 2000)], buyer=HOME, before_vat=False, paid=True)),
    "refunded in part": credited_in_part(content_with([(750, 2000)], buyer=HOME, before_vat=False, paid=True), 333),
    **{f"a top-up by {each}": top_up(1201, each) for each in AT_THE_TOP_UP},
    "a top-up of somebody without address": top_up(2500, Method.CARD, NAME_ALONE, "en"),
    "a top-up paid out": credited(top_up(1201, Method.CARD)),
    "a top-up paid out in part": credited_in_part(top_up(1201, Method.CASH), 500, 600),
}

lines = st.lists(st.tuples(st.integers(1, 500_000), st.sampled_from([2000, 1000, 550])), min_size=1, max_size=6)
by_hand = st.lists(st.tuples(st.integers(-200_000, 500_000), st.just(2000)), min_size=1, max_size=6).filter(
    lambda priced: sum(cents for cents, _ in priced) > 2
)
"""Lines as a person may write them: rebates and parts at nothing among them, together more than nothing."""


@st.composite
def contents(draw) -> Content:
    """Any invoice, also of a top-up, or a credit note of all of it or of a part."""
    content = draw(st.one_of(invoices(), invoices(), top_ups()))
    match draw(st.sampled_from(["invoice", "credited", "in part"])):
        case "credited":
            return credited(content)
        case "in part":
            return draw(parts_of(content))
        case _:
            return content


@st.composite
def parts_of(draw, content: Content) -> Content:
    """A credit note of less than an invoice, alone or after another one; of a cent there is no part."""
    rest = content.gross_cents - sum(each.gross_cents for each in content.deposits)
    if rest < 2:
        return credited(content)
    first = draw(st.integers(1, rest - 1))
    return credited_in_part(content, first, *draw(st.lists(st.integers(1, rest - first), max_size=1)))


@st.composite
def top_ups(draw) -> Content:
    """Any invoice of a top-up."""
    paid_by, buyer = draw(st.sampled_from(AT_THE_TOP_UP)), draw(st.sampled_from([HOME, NAME_ALONE]))
    return top_up(draw(st.integers(1, 1_000_000)), paid_by, buyer, draw(st.sampled_from(["fr", "en"])))


@st.composite
def invoices(draw) -> Content:
    """Any invoice of something that was sold."""
    priced = draw(st.one_of(lines, by_hand))
    many = draw(st.lists(st.integers(1, 100), min_size=len(priced), max_size=len(priced)))
    buyer = draw(st.sampled_from([BUYER, HOME]))
    content = content_with(
        priced,
        draw(st.sampled_from(list(Regime))),
        buyer=buyer,
        before_vat=draw(st.booleans()),
        paid=draw(st.booleans()),
        language=draw(st.sampled_from(["fr", "en"])),
        quantities=[-each if cents < 0 else each for each, (cents, _) in zip(many, priced, strict=True)],
    )
    if buyer.is_company and not content.paid_cents:
        made = draw(st.sampled_from(["invoice", "deposit", "final"]))
        if made == "deposit":
            content = deposit(content)
        elif made == "final" and content.gross_cents >= 3:
            content = after_deposits(content, draw(st.sampled_from([(30,), (33, 33), (50, 50), (100,)])))
    if draw(st.booleans()):
        content = of_services(content, on_invoices=content.regime == Regime.STANDARD and draw(st.booleans()))
    return content
