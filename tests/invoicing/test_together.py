"""Several people move the same money at the same moment, committed, on both databases: the books add up afterwards."""

from datetime import timedelta
from itertools import cycle

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from fablab import db
from fablab.accounts.models import Person
from fablab.billing import ledger
from fablab.billing.models import Account, Prepaid, Regime
from fablab.bookkeeping import checking
from fablab.invoicing import verifying
from fablab.invoicing.models import Document
from fablab.jobs import queries as jobs
from fablab.money import share
from fablab.orders.models import Order, OrderState
from fablab.quotes.models import Quote, QuoteAnswer, Reply
from fablab.tables import APPEND_ONLY
from tests.books import STANDARD, business
from tests.invoicing import invariants as inv
from tests.invoicing.acting import ACTIONS, Act, Clock, set_scene, together

PEOPLE = 4
RULES = (Prepaid.SINGLE_PURPOSE, Prepaid.MULTI_PURPOSE)
ENDED = (OrderState.READY, OrderState.COLLECTED, OrderState.CANCELLED)

acts = st.builds(
    Act,
    what=st.sampled_from(sorted(ACTIONS)),
    place=st.integers(0, 3),
    part=st.floats(0, 1),
    key=st.integers(0, 1),
    late=st.sampled_from([False, False, False, True]),
)
plans = st.lists(st.lists(acts, min_size=2, max_size=5), min_size=PEOPLE, max_size=PEOPLE)


@pytest.fixture
def clock(monkeypatch):
    """Let the whole program read a clock that the test winds."""
    made = Clock()
    monkeypatch.setattr(db, "datetime", made.type())
    return made


@pytest.fixture
def scenes(any_place, clock):
    """Give one scene after the other in the same place, each a day after the one before and with its rules of wallets."""
    with db.transaction() as session:
        cast, acme = business(session)
    numbers = iter(range(1, 1000))

    def next_scene(wallets):
        clock.moment += timedelta(days=1)
        clock.own.late = timedelta(0)
        return set_scene(next(numbers), clock, cast, acme, wallets)

    return next_scene


def at_rest():
    """Assert all that holds in the books when nobody does anything."""
    with db.snapshot() as session:
        assert [str(each) for each in (*verifying.findings(session), *checking.findings(session))] == []
        inv.p1_numbers_have_no_gap_and_days_never_go_back(session)
        inv.p2_every_booking_balances_and_all_of_them_do(session)
        inv.p3_every_hash_is_computed_again_and_chains(session)
        inv.p4_lines_rates_and_totals_belong_together(session)
        inv.p5_nothing_is_credited_twice(session)
        inv.p7_what_clients_owe_is_documents_less_payments(session)
        inv.p8_wallets_are_the_advances_of_members(session, list(session.scalars(sa.select(Person.id))))
        inv.p11_perpetual_totals_continue(session)
        inv.p13_without_vat_there_is_none(session, Regime.STANDARD)
        inv.p14_each_plate_took_its_filament_from_a_spool_once(session)
        inv.every_booking_is_tied(session)
        orders = list(session.scalars(sa.select(Order)))
        inv.accounts_say_what_documents_say(session, [each.id for each in orders])
        inv.vat_of_wallets_is_as_their_rules_say(session, set(RULES), STANDARD.rate_bp)
        for order in orders:
            inv.nothing_is_given_back_twice(session, order)
            wallet_and_order_agree(session, order)
        quotes_were_accepted_once(session)


def wallet_and_order_agree(session, order):
    """What is reserved for an order, and what was charged, is its price and what came out good: never twice."""
    charged = ledger.charged_cents(session, order.id) + ledger.refunded_cents(session, order.id)
    reserved = ledger.reserved_cents(session, order.id)
    if order.company_id is not None:
        assert (charged, reserved) == (0, 0)
        return
    good = sum(each.good_copies for each in jobs.of_order(session, order.id))
    assert charged == share(order.price_cents or 0, good, order.line.quantity)
    under_way = order.state in (OrderState.ACCEPTED, OrderState.IN_PRODUCTION)
    assert reserved == ((order.price_cents or 0) - charged if under_way else 0)


def quotes_were_accepted_once(session):
    """A quote that was accepted is one order with one set of plates; one that was not has none."""
    for quote in session.scalars(sa.select(Quote)):
        answer = session.get(QuoteAnswer, quote.id)
        accepted = answer is not None and answer.reply == Reply.ACCEPTED
        copies = sum(each.copies for each in jobs.of_order(session, quote.order_id))
        assert copies == (quote.order.line.quantity if accepted else 0)
        assert accepted == (quote.order.state not in (OrderState.DRAFT, OrderState.OFFERED))


def what_was_booked_stays(table):
    with db.transaction() as session:
        for verb in ("update", "delete"):
            inv.p9_nothing_issued_or_booked_can_be_changed(session, table, verb)


@pytest.mark.timeout(300)
def test_whatever_four_people_do_at_once_the_books_add_up(scenes, clock):
    seen, rules = {"done": set(), "refused": set()}, cycle(RULES)

    @settings(
        max_examples=5,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],  # what threads do is never the same twice: nothing to shrink
        suppress_health_check=list(HealthCheck),
    )
    @given(plans=plans, table=st.sampled_from(APPEND_ONLY))
    def a_round(plans, table):
        outcome = together(scenes(next(rules)), plans)
        assert outcome.wrong == []
        seen["done"].update(outcome.done)
        seen["refused"].update(outcome.refused)
        at_rest()
        what_was_booked_stays(table)

    a_round()
    with db.snapshot() as session:
        inv.p6_the_journals_are_read_again_and_balance(session, {clock.moment.year})
    assert len(seen["done"]) > len(ACTIONS) / 2, "most of what can be done was done"
    assert seen["refused"], "and some of it was refused in words"


TWO_SIDES = {
    "a quote is accepted by two": ([Act("accept_quote"), Act("accept_quote", key=1)], 1),
    "a quote is accepted, refused and withdrawn": (
        [Act("accept_quote", place=1), Act("refuse_quote", place=1), Act("refuse_quote", place=1, key=1)],
        1,
    ),
    "a draft is confirmed by two": ([Act("confirm"), Act("confirm", key=1)], 1),
    "a plate is checked by two": ([Act("sign_off"), Act("sign_off", key=1)], 1),
    "an order is cancelled by two": ([Act("cancel"), Act("cancel", key=1)], 1),
    "a company is invoiced by two": ([Act("invoice_company"), Act("invoice_company", key=1)], 1),
    "a member is invoiced by two": ([Act("invoice_member"), Act("invoice_member", key=1)], 1),
    "more is paid than is due": ([Act("pay", part=0.6), Act("pay", part=0.6, key=1)], 1),
    "a wallet is paid out by two": ([Act("pay_out", part=0.9), Act("pay_out", part=0.9, key=1)], 1),
    "deposits are more than the order costs": ([Act("deposit", part=0.5), Act("deposit", part=0.5, key=1)], 1),
    "a request is answered twice": ([Act("decide", part=1.0), Act("decide", part=0.1)], 1),
    "a top-up is sent three times": ([Act("top_up", part=0.2, key=2)] * 3, 3),
    "one payment is sent three times": ([Act("pay", part=0.2, key=2)] * 3, 3),
    "a day is closed while somebody books in it": (
        [Act("close_days"), Act("close_days"), Act("top_up", late=True)], None
    ),
}  # fmt: skip
"""What is pressed at once, and how many of them are done: the others are told why not."""
INVOICED_AT_THE_TOP_UP = {"a member is invoiced by two": 0}
"""How many are done where the invoice of the top-up is the only one."""


@pytest.mark.timeout(300)
@pytest.mark.parametrize("wallets", RULES)
def test_what_two_press_at_once_is_done_once(scenes, wallets):
    scene = scenes(wallets)
    others = INVOICED_AT_THE_TOP_UP if wallets == Prepaid.SINGLE_PURPOSE else {}
    for name, (plan, usual) in TWO_SIDES.items():
        times = others.get(name, usual)
        before, held = in_the_bank(), held_cents(scene)
        outcome = together(scene, [[act] for act in plan])
        assert outcome.wrong == [], name
        assert len(outcome.done) + len(outcome.refused) == len(plan), name
        assert times is None or len(outcome.done) == times, f"{name}: {outcome}"
        if name == "one payment is sent three times":
            assert in_the_bank() - before == 1 + int(0.2 * given_cents(scene)), "the same payment is one payment"
        if name == "a top-up is sent three times":
            assert held_cents(scene) - held == 1 + int(0.2 * 9_000), "the same top-up is one top-up"
    at_rest()


def in_the_bank():
    with db.reading() as session:
        return -inv.total(session, Account.BANK)


def given_cents(scene):
    with db.reading() as session:
        return session.get_one(Document, scene.invoices[0]).gross_cents


def held_cents(scene):
    with db.reading() as session:
        return ledger.held_cents(session, scene.people[0])
