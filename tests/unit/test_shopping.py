"""What to buy, from the queue's demand, the thresholds and the shelf; pure."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from fablab.filament.shopping import Demand, Product, plan

WHITE = Product(1, "PLA", "white", 1000.0, 0.0, 400.0)
BLUE = Product(2, "PLA", "blue", 750.0, 300.0, 500.0)


def bought(made):
    return {each.product_id: each.reels for each in made.purchases}


def test_nothing_is_bought_when_there_is_enough():
    made = plan([WHITE, BLUE], [Demand("PLA", "white", 400, 3)])
    assert (made.purchases, made.unknown, made.balances[0].missing_g) == ((), (), 0)


def test_what_the_queue_needs_more_than_there_is_is_bought_in_whole_reels():
    made = plan([WHITE], [Demand("PLA", "white", 1500, 9)])
    assert bought(made) == {1: 2}
    assert "need 1100 g more than there is" in str(made.purchases[0].because[0])


def test_a_threshold_counts_what_the_queue_leaves():
    assert bought(plan([BLUE], [])) == {}
    made = plan([BLUE], [Demand("PLA", "blue", 250, 1)])
    assert bought(made) == {2: 1}
    assert "250 g will be left, and 300 g should be there" in str(made.purchases[0].because[0])


def test_plates_of_any_colour_take_what_those_of_a_colour_leave():
    made = plan([WHITE, replace(BLUE, low_g=0)], [Demand("PLA", None, 600, 4), Demand("PLA", "white", 400, 1)])
    assert bought(made) == {2: 1}
    assert [each.missing_g for each in made.balances] == [0, 100]


def test_what_no_filament_is_known_of_is_said():
    made = plan([WHITE], [Demand("PETG", "black", 50, 1)])
    assert [each.material for each in made.unknown] == ["PETG"]


products = st.lists(
    st.builds(
        Product,
        st.integers(1, 6),
        st.sampled_from(["PLA", "PETG"]),
        st.sampled_from(["white", "blue"]),
        st.just(1000.0),
        st.floats(0, 900),
        st.floats(-50, 2000),
    ),
    unique_by=lambda each: each.id,
)
demands = st.lists(
    st.builds(
        Demand,
        st.sampled_from(["PLA", "PETG"]),
        st.sampled_from(["white", "blue", None]),
        st.floats(0, 3000),
        st.just(1),
    ),
    unique_by=lambda each: (each.material, each.colour),
)


@given(products=products, demands=demands)
def test_after_the_purchase_everything_that_is_known_can_be_printed_and_nothing_is_low(products, demands):
    first = plan(products, demands)
    reels = bought(first)
    stocked = [replace(each, free_g=max(0, each.free_g) + each.net_g * reels.get(each.id, 0)) for each in products]
    again = plan(stocked, [each for each in demands if each not in first.unknown])
    assert again.unknown == ()
    assert sum(each.missing_g for each in again.balances) < 0.1 * len(demands) + 0.1
