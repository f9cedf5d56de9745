"""Net, VAT and gross, whatever the prices: sums by the chosen rounding, and credit notes that add up to the invoice."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from fablab.accounts.legal import legal_numbers, read_iban, read_rna
from fablab.errors import Invalid
from fablab.invoicing.amounts import Priced, RateSum, gross_first, minus, net_first, part_of, unit_price
from fablab.money import half_up

rates = st.sampled_from([2000, 1000, 550, 210, 0])
lines = st.lists(st.builds(Priced, st.integers(0, 10**6), rates), min_size=1, max_size=8)


@given(lines)
def test_net_first_rounds_vat_once_per_rate(priced):
    sums = net_first(priced)
    assert sums.line_nets == tuple(each.cents for each in priced)
    assert sums.net_cents == sum(sums.line_nets)
    for each in sums.rates:
        exact = Fraction(each.net_cents * each.rate_bp, 10_000)
        assert abs(each.vat_cents - exact) <= Fraction(1, 2)
    assert sums.gross_cents == sums.net_cents + sums.vat_cents


@given(lines)
def test_gross_first_keeps_the_price_that_was_shown(priced):
    sums = gross_first(priced)
    assert sums.gross_cents == sum(each.cents for each in priced)
    assert sums.net_cents == sum(sums.line_nets)
    for each in sums.rates:
        places = [place for place, line in enumerate(priced) if line.rate_bp == each.rate_bp]
        assert sum(sums.line_nets[place] for place in places) == each.net_cents
        assert abs(each.vat_cents - Fraction(each.net_cents * each.rate_bp, 10_000)) <= Fraction(1, 2) + Fraction(
            each.rate_bp, 20_000
        )


def test_three_times_33_cents_have_20_cents_of_vat_and_not_21():
    assert net_first([Priced(33, 2000)] * 3).vat_cents == 20


def test_99_cents_with_vat_stay_99_cents():
    assert gross_first([Priced(99, 2000)]).gross_cents == 99


@given(lines, st.booleans(), st.lists(st.integers(1, 10**6), max_size=12))
@example(priced=[Priced(0, 2000), Priced(1, 1000)], before_vat=False, wanted=[])
def test_credit_notes_never_exceed_the_invoice_and_the_last_takes_the_rest(priced, before_vat, wanted):
    left = whole = (net_first if before_vat else gross_first)(priced).rates
    assume(sum(each.gross_cents for each in whole) > 0)
    taken: list[RateSum] = []
    for amount in [*wanted, None]:
        rest = sum(each.gross_cents for each in left)
        gross = rest if amount is None else min(amount, rest)
        if gross == 0:
            break
        part = part_of(whole, left, gross)
        assert sum(each.gross_cents for each in part) == gross
        assert all(each.net_cents >= 0 and each.vat_cents >= 0 for each in part)
        taken += part
        left = minus(left, part)
        assert all(each.net_cents >= 0 and each.vat_cents >= 0 for each in left)
    assert all((each.net_cents, each.vat_cents) == (0, 0) for each in left)
    assert sum(each.vat_cents for each in taken) == sum(each.vat_cents for each in whole)


@given(st.integers(0, 10**7), st.integers(1, 100))
def test_quantity_times_unit_price_rounds_to_the_line(cents, quantity):
    assert half_up(Decimal(unit_price(cents, quantity)) * quantity / 100) == cents


def test_numbers_are_read_as_people_type_them():
    numbers = legal_numbers("", "552 100 554 00013", "fr 96 552 100 554")
    assert (numbers.siren, numbers.siret, numbers.vat_number) == ("552100554", "55210055400013", "FR96552100554")
    assert read_iban("FR14 2004 1010 0505 0001 3M02 606") == "FR1420041010050500013M02606"
    assert read_rna("w263001234") == "W263001234"
    assert legal_numbers("", "356 000 000 49837", "").siren == "356000000", "La Poste counts in its own way"
    assert legal_numbers("", "", "BE0428759497").siren == ""


@pytest.mark.parametrize(
    ("siren", "siret", "vat", "field"),
    [
        ("552100555", "", "", "siren"),
        ("", "55210055400014", "", "siret"),
        ("732829320", "55210055400013", "", "siret"),
        ("552100554", "", "FR44732829320", "vat_number"),
        ("", "", "FR00552100554", "vat_number"),
        ("", "", "hello", "vat_number"),
    ],
)
def test_a_wrong_number_is_refused_beside_its_field(siren, siret, vat, field):
    with pytest.raises(Invalid) as caught:
        legal_numbers(siren, siret, vat)
    assert caught.value.field == field
