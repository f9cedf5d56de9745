"""What an urgent order costs: a surcharge on what is left to pay, explained, rounded like every price."""

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fablab.billing.pricing import Rules, Tariff, price
from fablab.billing.tariffs import in_words, must_be_possible
from fablab.billing.totalling import Printed, total
from fablab.errors import Invalid
from tests.unit.test_tariffs import copies, masses, priced, tariffs, times

PLAIN = Tariff("T", 100, 0, 0, {"PLA": 4000})


@given(tariffs, masses, times, copies, st.integers(0, 300), st.integers(0, 5000))
def test_an_urgent_order_costs_no_less_and_exactly_the_surcharge_more(tariff, mass_g, time_s, parts, percent, fee):
    asked = replace(tariff, rules=replace(tariff.rules, urgent_percent=percent, urgent_cents=fee))
    must_be_possible(asked)
    usual, urgent = priced(asked, mass_g, time_s, parts), priced(replace(asked, urgent=True), mass_g, time_s, parts)
    assume(usual is not None and urgent is not None)
    assert usual == priced(tariff, mass_g, time_s, parts)
    assert urgent.total_cents >= usual.total_cents
    assert urgent.total_cents == sum(line.amount_cents for line in urgent.lines)
    assert urgent.total_cents % tariff.rules.rounding_cents == 0
    before = sum(line.amount_cents for line in usual.lines if "Rounded" not in str(line.sentence))
    surcharge = sum(line.amount_cents for line in urgent.lines if "As soon as possible" in str(line.sentence))
    assert abs((surcharge - fee) * 100 - before * percent) <= 50
    assert abs(urgent.total_cents - before - surcharge) * 2 <= tariff.rules.rounding_cents


@pytest.mark.parametrize(("percent", "fee", "cents"), [(25, 0, 325), (0, 150, 410), (25, 150, 475), (1, 0, 263)])
def test_the_surcharge_is_by_per_cent_by_order_or_both_and_half_a_cent_is_rounded_up(percent, fee, cents):
    tariff = replace(PLAIN, rules=Rules(urgent_percent=percent, urgent_cents=fee), urgent=True)
    assert price(tariff, "PLA", 40.0, 60.0).total_cents == cents


def test_the_place_does_not_pay_a_part_of_it():
    tariff = replace(PLAIN, rules=Rules(aid_percent=50, urgent_percent=100), urgent=True)
    assert price(tariff, "PLA", 40.0, 60.0).total_cents == 260


def test_it_is_counted_once_for_all_parts_and_each_has_its_share():
    tariff = replace(PLAIN, rules=Rules(urgent_cents=500), urgent=True)
    made = total(tariff, [Printed("a.stl", "PLA", 40.0, 60.0, 1), Printed("b.stl", "PLA", 40.0, 60.0, 1)])
    assert made.price.total_cents == sum(made.part_cents) == 920
    assert [str(line.sentence) for line in made.price.lines][-1] == "As soon as possible: €5.00 per order"


def test_it_is_told_with_the_prices_and_absurd_ones_are_refused():
    told = [str(each) for each in in_words(replace(PLAIN, rules=Rules(urgent_percent=25, urgent_cents=150)))]
    assert told[-2:] == ["As soon as possible: 25 per cent more", "As soon as possible: €1.50 more per order"]
    for rules, field in ((Rules(urgent_percent=301), "urgent_percent"), (Rules(urgent_cents=-1), "urgent")):
        with pytest.raises(Invalid) as raised:
            must_be_possible(replace(PLAIN, rules=rules))
        assert raised.value.field == field
    with pytest.raises(Invalid, match="would be free"):
        must_be_possible(Tariff("T", 0, 0, 0, {"PLA": 0}, Rules(urgent_cents=100)))
