"""Sentences as data, amounts, prices, and settings."""

import math
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fablab.billing.pricing import DEFAULT_TARIFF, Price, Tariff, price
from fablab.billing.quoting import plates_for
from fablab.errors import Invalid
from fablab.filament.usage import extruded_mg
from fablab.money import parse_euros, spread
from fablab.settings import Settings
from fablab.words import Duration, Euros, Grams, Sentence, say

values = st.one_of(
    st.text(max_size=8),
    st.integers(-(10**6), 10**6),
    st.builds(Grams, st.floats(0, 1000)),
    st.builds(Duration, st.floats(0, 10**6)),
    st.builds(Euros, st.integers(-1000, 1000)),
    st.builds(lambda text: say("inner {x}", x=text), st.text(max_size=5)),
)


@given(values)
def test_a_sentence_survives_being_kept(value):
    sentence = say("It says {value}.", value=value)
    assert Sentence.from_json(sentence.to_json()) == sentence
    assert str(Sentence.from_json(sentence.to_json())) == str(sentence)


def test_quantities_are_written_for_people():
    sentence = say("{g}, {t}, {e}", g=Grams(12.34), t=Duration(4000), e=Euros(-105))
    assert str(sentence) == "12.3 g, 1 h 07, -€1.05"


@pytest.mark.parametrize(
    ("text", "cents"), [("12", 1200), ("12,5", 1250), (" 3.40 € ", 340), ("1 000", 100_000), ("-2", -200)]
)
def test_amounts_are_read_as_people_write_them(text, cents):
    assert parse_euros(text) == cents


@pytest.mark.parametrize(
    "text", ["", "abc", "1.234", "NaN", "Infinity", "1e9", "1e3", "1_000", "\uff15", "--2", "99999999"]
)
def test_what_is_not_an_amount_is_refused(text):
    with pytest.raises(Invalid):
        parse_euros(text)


tariffs = st.builds(
    Tariff,
    name=st.just("T"),
    setup_cents=st.integers(0, 1000),
    per_hour_cents=st.integers(0, 1000),
    minimum_cents=st.integers(1, 1000),
    per_kg_cents=st.just({"PLA": 4000}),
)


@given(tariffs, st.floats(0.01, 2000), st.floats(1, 200_000))
def test_a_price_is_the_sum_of_its_lines_and_at_least_the_minimum(tariff, mass_g, time_s):
    made = price(tariff, "PLA", mass_g, time_s)
    assert made.total_cents == sum(line.amount_cents for line in made.lines)
    assert made.total_cents >= tariff.minimum_cents
    assert Price.from_json(made.to_json()) == made


@given(tariffs, st.floats(0.01, 1000), st.floats(1, 100_000), st.floats(1, 2))
def test_more_never_costs_less(tariff, mass_g, time_s, factor):
    assert (
        price(tariff, "PLA", mass_g * factor, time_s * factor).total_cents
        >= price(tariff, "PLA", mass_g, time_s).total_cents
    )


@pytest.mark.parametrize("figure", [0.0, -1.0, math.nan, math.inf])
def test_absurd_figures_have_no_price(figure):
    for mass_g, time_s in ((figure, 60.0), (5.0, figure)):
        with pytest.raises(Invalid, match="a volunteer has to set"):
            price(DEFAULT_TARIFF, "PLA", mass_g, time_s)


def test_a_material_without_a_price_is_named():
    with pytest.raises(Invalid, match="no price for WOOD"):
        price(DEFAULT_TARIFF, "WOOD", 5.0, 60.0)


@given(st.integers(1, 500), st.integers(1, 60))
def test_plates_hold_all_copies_and_no_more(quantity, per_plate):
    plates = plates_for(quantity, per_plate)
    assert sum(plates) == quantity
    assert all(1 <= copies <= per_plate for copies in plates)


@given(st.floats(0, 1), st.floats(0, 500))
def test_a_print_never_takes_more_than_the_whole_nor_less_than_nothing(progress, mass_g):
    curve = [0.0, 0.1, 0.5, 0.9, 1.0]
    assert (
        0 <= extruded_mg(mass_g, curve, progress, completed=False) <= extruded_mg(mass_g, curve, None, completed=True)
    )


def test_a_long_data_folder_gets_a_short_socket(tmp_path):
    made = Settings(data_dir=tmp_path / ("x" * 120))
    assert len(str(made.socket())) <= 100
    assert made.broker().startswith("redis+socket:///")
    assert made.broker().endswith("?virtual_host=0")


@given(st.integers(0, 10**7), st.lists(st.integers(-(10**5), 10**6), min_size=1, max_size=20))
def test_an_amount_is_spread_to_the_cent_also_over_rebates(cents, weights):
    assume(sum(weights) > 0 or not any(weights))
    parts, shares = spread(cents, weights), weights if any(weights) else [1] * len(weights)
    assert sum(parts) == cents
    exact = [Fraction(cents * each, sum(shares)) for each in shares]
    assert all(abs(part - due) < 1 for part, due in zip(parts, exact, strict=True))
    assert all(part == due for part, due in zip(parts, exact, strict=True) if due.denominator == 1)
