"""What neither the XSD nor the schematrons of Factur-X see: VAT a cent off, a rate no law knows, a wrong number.

The schematrons let VAT be wrong by up to a euro, accept 19.6 % and do not compute the key of a VAT number. So every
document is looked at here before it is issued, and again by `fablab billing verify`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from fablab.accounts.legal import legal_numbers
from fablab.billing.models import Regime
from fablab.billing.seller import LEGAL_RATES_BP
from fablab.errors import Invalid
from fablab.invoicing.amounts import RateSum, Rounding, net_within, vat_of
from fablab.invoicing.content import Content
from fablab.invoicing.models import Kind
from fablab.words import Sentence, say

LEGAL = {rate for rates in LEGAL_RATES_BP.values() for rate in rates}
SLACK_CENTS = 2
"""How far VAT of one of several credit notes may be from the rule: each takes its share of what is left."""


def findings(content: Content) -> Iterator[Sentence]:
    """Tell what is wrong about what a document says, taken by itself."""
    if not adds_up(content):
        yield say("{number}: its lines, rates and totals do not add up.", number=content.number)
    if content.regime == Regime.STANDARD and not {each.rate_bp for each in content.rates} <= LEGAL:
        yield say("{number}: a rate of VAT is not one of the law.", number=content.number)
    for body in (content.seller, content.buyer):
        try:
            legal_numbers(body.siren, body.siret, body.vat_number)
        except Invalid as wrong:
            yield say("{number}: {problem}", number=content.number, problem=wrong.sentence)


def adds_up(content: Content) -> bool:
    """Tell whether lines, rates and totals of a document belong together, and VAT is what its rounding rule makes."""
    by_rate: dict[int, int] = defaultdict(int)
    for line in content.lines:
        by_rate[line.rate_bp] += line.net_cents
    if by_rate != {each.rate_bp: each.net_cents for each in content.rates}:
        return False
    if content.regime != Regime.STANDARD and content.vat_cents:
        return False
    if not all(_vat_is_right(content, each) for each in content.rates):
        return False
    sums = (sum(each.net_cents for each in content.rates), sum(each.vat_cents for each in content.rates))
    return sums == (content.net_cents, content.vat_cents) and sum(sums) == content.gross_cents


def _vat_is_right(content: Content, of_rate: RateSum) -> bool:
    if content.kind == Kind.CREDIT_NOTE:
        return abs(of_rate.vat_cents - vat_of(of_rate.net_cents, of_rate.rate_bp)) <= SLACK_CENTS
    by_rule = {
        Rounding.NET_FIRST: of_rate.vat_cents == vat_of(of_rate.net_cents, of_rate.rate_bp),
        Rounding.GROSS_FIRST: of_rate.net_cents == net_within(of_rate.gross_cents, of_rate.rate_bp),
    }
    return by_rule[content.rounding] if content.rounding is not None else any(by_rule.values())
