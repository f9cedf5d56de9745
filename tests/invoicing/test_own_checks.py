"""What the schematrons let pass is found before a document is issued, and again when the books are checked."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fablab.billing.models import Regime
from fablab.invoicing import issuing, own_checks
from fablab.invoicing.amounts import RateSum, Rounding
from fablab.invoicing.models import Document
from tests.books import business, command, draft_of
from tests.invoicing.contents import content_with, credited

RATES = st.sampled_from([2000, 1000, 550, 210])
PRICED = st.lists(st.tuples(st.integers(1, 200_000), RATES), min_size=1, max_size=5)


def found(content):
    return [str(each) for each in own_checks.findings(content)]


def with_vat(content, cents):
    """The content with so much more VAT at its first rate, everything else following."""
    first, *others = content.rates
    moved = replace(first, vat_cents=first.vat_cents + cents)
    return replace(
        content,
        rates=(moved, *others),
        vat_cents=content.vat_cents + cents,
        gross_cents=content.gross_cents + cents,
    )


@given(priced=PRICED, before_vat=st.booleans())
def test_what_is_issued_is_right(priced, before_vat):
    content = content_with(priced, before_vat=before_vat)
    assert found(content) == []
    assert found(credited(content)) == []
    assert found(replace(content, rounding=None)) == []


@given(priced=PRICED, cents=st.sampled_from([-100, -1, 1, 100]))
def test_one_cent_of_vat_too_much_or_too_little_is_found_by_the_rule_of_the_document(priced, cents):
    content = content_with(priced, before_vat=True)
    assert found(with_vat(content, cents)) == ["F-2026-00012: its lines, rates and totals do not add up."]


@given(priced=PRICED, cents=st.sampled_from([-1, 1]))
def test_a_cent_moved_between_net_and_vat_is_found_in_prices_with_vat(priced, cents):
    content = content_with(priced, before_vat=False)
    rate, *rates = content.rates
    place = next(place for place, each in enumerate(content.lines) if each.rate_bp == rate.rate_bp)
    lines = list(content.lines)
    lines[place] = replace(lines[place], net_cents=lines[place].net_cents + cents)
    moved = replace(
        content,
        lines=tuple(lines),
        rates=(RateSum(rate.rate_bp, rate.net_cents + cents, rate.vat_cents - cents), *rates),
        net_cents=content.net_cents + cents,
        vat_cents=content.vat_cents - cents,
    )
    assert found(moved) == ["F-2026-00012: its lines, rates and totals do not add up."]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda c: replace(c, gross_cents=c.gross_cents + 1), "do not add up"),
        (lambda c: replace(c, rates=(*c.rates, c.rates[0])), "do not add up"),
        (lambda c: replace(c, rates=()), "do not add up"),
        (lambda c: replace(c, lines=c.lines[:-1]), "do not add up"),
        (lambda c: replace(c, regime=Regime.FRANCHISE), "do not add up"),
        (lambda c: replace(c, buyer=replace(c.buyer, siret="55210055400014")), "is not a SIRET"),
        (lambda c: replace(c, buyer=replace(c.buyer, vat_number="FR97552100554")), "is not a VAT number"),
        (lambda c: replace(c, seller=replace(c.seller, vat_number="FR96552100554")), "belongs to another SIREN"),
    ],
)
def test_each_fault_is_named(change, problem):
    content = content_with([(1000, 2000), (333, 550)])
    assert any(problem in each for each in found(change(content)))


def test_a_rate_of_the_past_is_found():
    content = content_with([(1000, 1960)])
    assert found(content) == ["F-2026-00012: a rate of VAT is not one of the law."]


def test_the_rule_is_frozen_so_that_a_cent_cannot_hide_behind_the_other_one():
    content = content_with([(3, 2000)])  # 0.60 cents of VAT are 1; of 3 cents with VAT, 3 are net as well
    wrong = with_vat(content, -1)
    assert content.rounding == Rounding.NET_FIRST
    assert found(wrong) != []
    assert found(replace(wrong, rounding=None)) == []


def test_nothing_wrong_is_issued_and_no_number_is_lost(session, monkeypatch):
    _, acme = business(session)
    draft = draft_of(1000, company=acme)
    right = issuing.content_of
    with monkeypatch.context() as patched:
        patched.setattr(issuing, "content_of", lambda *given: with_vat(right(*given), 1))
        with pytest.raises(ValueError, match="do not add up"), session.begin_nested():
            issuing.issue(session, draft, command("one"))
    assert session.query(Document).count() == 0
    assert issuing.issue(session, draft, command("one")).number.endswith("-00001")
