"""What tariffs can say, and that no price they make loses a cent, falls when it must not, or changes later."""

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fablab.billing.pricing import Price, Rules, Tariff, price
from fablab.billing.tariffs import READY_MADE, in_words, must_be_possible
from fablab.errors import Invalid

amounts = st.integers(0, 5000)
breaks = st.lists(st.tuples(st.integers(2, 60), st.integers(1, 99)), max_size=4).map(
    lambda pairs: tuple(zip(sorted({n for n, _ in pairs}), sorted(percent for _, percent in pairs), strict=False))
)
slots = st.one_of(st.just((0, 0, 1)), st.tuples(st.integers(1, 240), st.integers(1, 1000), st.integers(1, 4)))
rules = st.builds(
    lambda slot, per_part, breaks, aid, step: Rules(*slot[:2], per_part, breaks, aid, step, least_slots=slot[2]),
    slots,
    amounts,
    breaks,
    st.integers(0, 99),
    st.sampled_from([1, 5, 10, 50, 100]),
)
tariffs = st.builds(
    lambda setup, hour, least, kg, rules: Tariff("T", setup, hour, least, {"PLA": kg}, rules),
    amounts,
    amounts,
    amounts,
    st.integers(1, 20_000),
    rules,
)
masses, times, copies = st.floats(0.01, 5000), st.floats(1, 400_000), st.integers(1, 100)


def priced(tariff, mass_g, time_s, parts):
    try:
        return price(tariff, "PLA", mass_g, time_s, parts)
    except Invalid:
        return None


@given(tariffs, masses, times, copies)
def test_every_cent_of_a_price_is_on_a_line_and_the_price_is_kept_as_it_is(tariff, mass_g, time_s, parts):
    must_be_possible(tariff)
    made = priced(tariff, mass_g, time_s, parts)
    assume(made is not None)
    assert made.total_cents == sum(line.amount_cents for line in made.lines) > 0
    assert made.total_cents % tariff.rules.rounding_cents == 0
    assert Price.from_json(made.to_json()) == made
    kept = replace(tariff, rules=Rules.from_json(tariff.rules.to_json()))
    assert price(kept, "PLA", mass_g, time_s, parts) == made


@given(tariffs, masses, times, copies, st.floats(1, 3))
def test_more_filament_or_more_time_never_costs_less(tariff, mass_g, time_s, parts, factor):
    less = priced(tariff, mass_g, time_s, parts)
    for more in (
        priced(tariff, mass_g * factor, time_s, parts),
        priced(tariff, mass_g, time_s * factor, parts),
    ):
        assume(less is not None and more is not None)
        assert more.total_cents >= less.total_cents


@given(tariffs, masses, times, st.integers(1, 50), st.integers(1, 50))
def test_more_copies_never_cost_less_until_a_quantity_price_is_reached(tariff, mass_g, time_s, some, others):
    plain = replace(tariff, rules=replace(tariff.rules, breaks=()))
    few = priced(plain, mass_g * some, time_s * some, some)
    many = priced(plain, mass_g * (some + others), time_s * (some + others), some + others)
    assume(few is not None and many is not None)
    assert many.total_cents >= few.total_cents


@given(tariffs, masses, times, copies)
def test_aid_and_rounding_together_are_what_is_between_the_real_cost_and_the_price(tariff, mass_g, time_s, parts):
    whole = priced(replace(tariff, rules=replace(tariff.rules, aid_percent=0, rounding_cents=1)), mass_g, time_s, parts)
    helped = priced(replace(tariff, rules=replace(tariff.rules, rounding_cents=1)), mass_g, time_s, parts)
    assume(whole is not None and helped is not None)
    aid = whole.total_cents - helped.total_cents
    assert abs(aid * 100 - whole.total_cents * tariff.rules.aid_percent) <= 50


def test_a_begun_slot_is_a_whole_one_and_filament_may_be_included():
    tariff = Tariff("T", 0, 0, 0, {"PLA": 0}, Rules(slot_minutes=30, slot_cents=100))
    for minutes, cents in ((1, 100), (30, 100), (30.5, 200), (60, 200), (61, 300)):
        assert price(tariff, "PLA", 12.0, minutes * 60).total_cents == cents


def test_so_many_slots_count_at_least_and_then_each_one_that_is_begun():
    tariff = Tariff("T", 0, 0, 0, {"PLA": 0}, Rules(slot_minutes=15, slot_cents=60, least_slots=2))
    for minutes, cents in ((1, 120), (15, 120), (30, 120), (30.5, 180), (45, 180)):
        assert price(tariff, "PLA", 12.0, minutes * 60).total_cents == cents
    assert "at least {slots}" in price(tariff, "PLA", 12.0, 60).lines[0].sentence.msgid
    assert "at least" not in price(tariff, "PLA", 12.0, 1800).lines[0].sentence.msgid


def test_a_tariff_from_before_there_was_a_least_number_of_slots_counts_one():
    kept = Rules(slot_minutes=15, slot_cents=60).to_json()
    del kept["least_slots"]
    assert Rules.from_json(kept).least_slots == 1


def test_the_lines_come_in_the_order_in_which_they_are_reckoned():
    tariff = Tariff("T", 100, 0, 2000, {"PLA": 4000}, Rules(0, 0, 50, ((10, 10), (20, 50)), 25, 10))
    made = price(tariff, "PLA", 100.0, 3600.0, 10)
    assert [line.amount_cents for line in made.lines] == [400, 500, -90, 100, 1090, -500]
    assert made.total_cents == 1500
    made = price(replace(tariff, minimum_cents=0), "PLA", 101.0, 3600.0, 20)
    assert [line.amount_cents for line in made.lines] == [404, 1000, -702, 100, -201, -1]


def test_what_would_be_free_or_absurd_goes_to_a_person():
    free = Tariff("T", 0, 0, 0, {"PLA": 0}, Rules(slot_minutes=30, slot_cents=2, rounding_cents=5))
    with pytest.raises(Invalid, match="a volunteer has to set"):
        price(free, "PLA", 5.0, 60.0)
    with pytest.raises(Invalid, match="a volunteer has to set"):
        price(Tariff("T", 0, 0, 0, {"PLA": 1_000_000}, Rules(aid_percent=99)), "PLA", 5000.0, 60.0)
    with pytest.raises(Invalid, match="a volunteer has to set"):
        price(Tariff("T", 100, 0, 0, {"PLA": 1}), "PLA", 5.0, 60.0, 0)


GOOD = Tariff("T", 100, 80, 200, {"PLA": 4000})


@pytest.mark.parametrize(
    ("tariff", "field"),
    [
        (replace(GOOD, setup_cents=-1), "setup"),
        (replace(GOOD, per_kg_cents={"PLA": -1}), "rate-PLA"),
        (replace(GOOD, per_hour_cents=1_000_001), "per_hour"),
        (replace(GOOD, rules=Rules(slot_minutes=30)), "slot"),
        (replace(GOOD, rules=Rules(slot_cents=30)), "slot"),
        (replace(GOOD, rules=Rules(slot_minutes=-30, slot_cents=1)), "slot_minutes"),
        (replace(GOOD, rules=Rules(slot_minutes=15, slot_cents=60, least_slots=0)), "least_slots"),
        (replace(GOOD, rules=Rules(slot_minutes=15, slot_cents=60, least_slots=101)), "least_slots"),
        (replace(GOOD, rules=Rules(least_slots=2)), "least_slots"),
        (replace(GOOD, rules=Rules(aid_percent=100)), "aid_percent"),
        (replace(GOOD, rules=Rules(rounding_cents=0)), "rounding"),
        (replace(GOOD, rules=Rules(breaks=((10, 20), (20, 10)))), "breaks"),
        (replace(GOOD, rules=Rules(breaks=((1, 20),))), "breaks"),
        (replace(GOOD, rules=Rules(breaks=((10, 100),))), "breaks"),
        (Tariff("T", 0, 0, 0, {"PLA": 0}), None),
        (Tariff("T", 100, 0, 0, {}), None),
    ],
)
def test_a_tariff_that_cannot_be_meant_names_what_is_wrong(tariff, field):
    with pytest.raises(Invalid) as wrong:
        must_be_possible(tariff)
    assert wrong.value.field == field


@pytest.mark.parametrize("ready", READY_MADE, ids=lambda ready: ready.key)
def test_what_is_ready_to_use_is_possible_prices_a_small_part_sensibly_and_says_what_it_does(ready):
    must_be_possible(ready.tariff)
    for material in ("PLA", "PETG", "TPU"):
        assert 50 <= price(ready.tariff, material, 25.0, 5400.0).total_cents <= 1500
    assert len({str(each) for each in in_words(ready.tariff)}) >= 4
