"""Prints that fail because of their file: the free ones, what a further one costs, and who is told, on both databases."""

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from fablab import db
from fablab.accounts import projects
from fablab.accounts.projects import ProjectData
from fablab.billing import failures, ledger, payers, seller, tariffs
from fablab.billing import projects as budgets
from fablab.billing import services as billing
from fablab.billing.by_hand import HandLine, Made
from fablab.billing.failure_models import FailedPrint
from fablab.billing.failures import cost
from fablab.billing.payers import PayerChoice
from fablab.billing.pricing import Rules
from fablab.billing.tariffs import TariffData
from fablab.db import utcnow
from fablab.errors import Conflict
from fablab.invoicing import crediting, deposits, from_orders, payments, queries, verifying
from fablab.invoicing.content import from_text
from fablab.invoicing.crediting import Credit
from fablab.invoicing.deposits import Asked
from fablab.invoicing.models import Method
from fablab.invoicing.payments import PaymentData
from fablab.jobs.signoff import Reason
from fablab.notices.models import Notice
from fablab.orders import review
from fablab.orders import services as orders
from fablab.orders.models import OrderState
from fablab.refunds import services as complaints
from fablab.refunds.models import Answer, Wish
from fablab.refunds.services import Decision
from tests.books import business, command, company_order, make
from tests.hand_prices import confirmed, written
from tests.invoicing.contents import HOME
from tests.people import draft_cube, order_cube, wanted
from tests.quoting import rules

PRICES = {"PLA": 4000, "PETG": 4500, "TPU": 7000}
FOUR_EUROS = 400


@pytest.fixture
def place(any_place):
    """A place where the first print in twelve months that fails because of its file is free; two cubes cost 4 euros."""
    with sa.orm.Session(db.engine()) as session:
        cast, acme = business(session)
        prices = TariffData("Fixed", FOUR_EUROS, 0, 0, dict.fromkeys(PRICES, 0), Rules(free_failures=1))
        tariffs.set_tariff(session, prices, None)
        yield session, cast, acme
        assert [str(each) for each in verifying.findings(session)] == []


def spoilt(session, cast, order, good=0, part=0.5):
    return make(session, order, good, cast.bob, Reason.FILE, part)


def told(session, person):
    """What a person was told of failed prints."""
    kinds = ("failed", "failed_paid")
    notices = sa.select(Notice).where(Notice.person_id == person.id, Notice.kind.in_(kinds)).order_by(Notice.id)
    return [str(each.text) for each in session.scalars(notices)]


def test_the_first_is_free_and_the_second_costs_what_was_printed_of_it(place):
    session, cast, _ = place
    first = spoilt(session, cast, order_cube(session, cast.alice, 2))
    assert (first.state, ledger.charged_cents(session, first.id)) == (OrderState.CANCELLED, 0)
    second = spoilt(session, cast, order_cube(session, cast.alice, 2), good=1, part=0.75)
    assert second.state == OrderState.READY
    assert ledger.charged_cents(session, second.id) == 200 + 150
    assert ledger.balance_cents(session, cast.alice.id) == 2000 - 350
    assert ledger.reserved_cents(session, second.id) == 0
    texts = [str(each.entry.text) for each in ledger.history(session, cast.alice.id)]
    assert any(text.endswith("1 failed because of the file") for text in texts)
    free, paid = told(session, cast.alice)
    assert "file: 2. You pay nothing" in free
    assert "file: 1. What was printed of them costs €1.50" in paid


def test_another_reason_is_never_paid_nor_counted(place):
    session, cast, _ = place
    make(session, order_cube(session, cast.alice, 2), 0, cast.bob, Reason.GIVEN_UP)
    assert failures.counted(session, cast.alice.id, None, utcnow()) == 0
    first = spoilt(session, cast, order_cube(session, cast.alice, 2))
    assert ledger.charged_cents(session, first.id) == 0


def test_what_was_confirmed_at_other_prices_keeps_them(place):
    session, cast, _ = place
    for free in (None, 5):
        spoilt(session, cast, order_cube(session, cast.alice, 2))
        before = order_cube(session, cast.alice, 2)
        data = TariffData("Other", FOUR_EUROS, 0, 0, dict.fromkeys(PRICES, 0), Rules(free_failures=free))
        tariffs.set_tariff(session, data, None)
        assert ledger.charged_cents(session, spoilt(session, cast, before).id) == (100 * 2 if free is None else 0)
        after = spoilt(session, cast, order_cube(session, cast.alice, 2))
        assert ledger.charged_cents(session, after.id) == 0


def test_after_twelve_months_the_first_is_free_again(place):
    session, cast, _ = place
    spoilt(session, cast, order_cube(session, cast.alice, 2))
    later = utcnow() + failures.COUNTED_FOR
    assert failures.counted(session, cast.alice.id, None, utcnow()) == 1
    assert failures.counted(session, cast.alice.id, None, later) == 0


def test_a_volunteer_reads_beforehand_what_a_verdict_costs(place):
    session, cast, _ = place
    words = []

    def read(session, attempt, verdict, by):
        words.append(str(failures.in_words(session, attempt, verdict)))
        return signed(session, attempt, verdict, by)

    signed = billing.sign_off
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(billing, "sign_off", read)
        spoilt(session, cast, order_cube(session, cast.alice, 2))
        spoilt(session, cast, order_cube(session, cast.alice, 2))
    assert "number 1 of 1 free ones" in words[0]
    assert "(0 of 2) and €2.00 for what was printed" in words[1]


def test_a_company_and_a_project_have_free_ones_of_their_own(place):
    session, cast, acme = place
    club = projects.add(session, ProjectData("Club", seller.today(utcnow())), cast.carole.id)
    projects.join(session, club, cast.alice.email)
    budgets.set_budget(session, club, 5000, cast.carole.id, "budget")

    def of_club():
        order = draft_cube(session, cast.alice)
        payers.choose(session, order, PayerChoice(project=club.public_id), cast.alice)
        billing.confirm(session, order, {order.line.id: wanted(2)}, FOUR_EUROS, cast.alice)
        return order

    kinds = [
        lambda: order_cube(session, cast.alice, 2),
        lambda: company_order(session, cast.alice, acme, 2),
        of_club,
    ]
    for _ in range(2):
        for kind in kinds:
            spoilt(session, cast, kind())
    paid = session.execute(sa.select(FailedPrint.cents).order_by(FailedPrint.id)).scalars().all()
    assert paid == [0, 0, 0, 200, 200, 200]
    left = budgets.budget_of(session, club.id)
    assert (left.used_cents, left.reserved_cents, left.left_cents) == (200, 0, 4800)


def test_a_company_is_invoiced_for_it_also_when_nothing_else_came_of_the_order(place):
    session, cast, acme = place
    spoilt(session, cast, company_order(session, cast.alice, acme, 2))
    order = spoilt(session, cast, company_order(session, cast.alice, acme, 2), part=0.3)
    mixed = spoilt(session, cast, company_order(session, cast.alice, acme, 2), good=1, part=1)
    assert (order.state, mixed.state) == (OrderState.CANCELLED, OrderState.READY)
    (invoice,) = from_orders.invoice_company(session, acme, "", command("invoice", cast.carole))
    said = from_text(invoice.payload)
    assert [(line.net_cents, line.quantity) for line in said.lines] == [(120, 2), (200, 1), (200, 1)]
    assert "à cause du fichier" in said.lines[0].text
    assert "30\N{NO-BREAK SPACE}%" in said.lines[0].text
    with pytest.raises(Conflict):
        from_orders.invoice_company(session, acme, "", command("again", cast.carole))


def test_a_deposit_waits_for_the_invoice_of_what_failed_and_is_then_settled(place):
    session, cast, acme = place
    spoilt(session, cast, company_order(session, cast.alice, acme, 2))
    order = company_order(session, cast.alice, acme, 2)
    deposit = deposits.issue(session, order, Asked(percent=50), command("deposit", cast.carole))
    paid = PaymentData(Method.TRANSFER, deposit.gross_cents, seller.today(utcnow()), "", "paid")
    payments.pay(session, deposit, paid, cast.carole.id, utcnow())
    spoilt(session, cast, order, part=0.25)
    assert deposits.orphans(session) == []
    assert deposits.credit_cancelled(session, order.id, utcnow()) == []
    (invoice,) = from_orders.invoice_company(session, acme, "", command("invoice", cast.carole))
    assert (invoice.net_cents, queries.balance_cents(session, invoice)) == (100, 0)
    assert sum(queries.balance_cents(session, each) for each in (deposit, invoice)) == -120, (
        "the rest is to be paid back"
    )
    assert deposits.orphans(session) == []


def test_a_member_may_have_an_invoice_and_the_money_back(place):
    session, cast, _ = place
    spoilt(session, cast, order_cube(session, cast.alice, 2))
    order = spoilt(session, cast, order_cube(session, cast.alice, 2))
    asked = complaints.ask(session, order, Wish.REFUND, "Ce n’était pas le fichier", cast.alice, utcnow())
    invoice = from_orders.invoice_member(session, order, HOME, "fr", command("mine"))
    assert invoice.gross_cents == 200
    complaints.decide(session, asked, Decision(Answer.REFUND, 200), cast.bob, utcnow())
    assert ledger.balance_cents(session, cast.alice.id) == 2000
    assert sum(each.gross_cents for each in queries.left_of(session, invoice)) == 0


def test_where_all_are_free_nothing_is_noted_and_the_person_is_told(place):
    session, cast, _ = place
    tariffs.set_tariff(session, TariffData("Free", FOUR_EUROS, 0, 0, dict.fromkeys(PRICES, 0)), None)
    spoilt(session, cast, order_cube(session, cast.alice, 2), good=1)
    assert session.scalar(sa.select(sa.func.count(FailedPrint.id))) == 0
    (free,) = told(session, cast.alice)
    assert "You pay nothing" in free


def test_what_is_given_back_is_not_invoiced_as_a_failed_print(place):
    session, cast, acme = place
    spoilt(session, cast, order_cube(session, cast.alice, 2))
    order = spoilt(session, cast, order_cube(session, cast.alice, 2), good=1, part=0.75)
    asked = complaints.ask(session, order, Wish.REFUND, "Ce n’était pas le fichier", cast.alice, utcnow())
    complaints.decide(session, asked, Decision(Answer.REFUND, 150), cast.bob, utcnow())
    invoice = from_orders.invoice_member(session, order, HOME, "fr", command("mine"))
    (good,) = from_text(invoice.payload).lines
    assert (good.quantity, invoice.gross_cents) == (1, 200)
    spoilt(session, cast, company_order(session, cast.alice, acme, 2))
    spoilt(session, cast, company_order(session, cast.alice, acme, 2), good=1, part=0.75)
    (first,) = from_orders.invoice_company(session, acme, "", command("first", cast.carole))
    crediting.issue(session, first, Credit(180, "Ce n’était pas le fichier"), command("part", cast.carole))
    rest = Credit(first.gross_cents - 180, "Autre adresse", invoice_again=True)
    crediting.issue(session, first, rest, command("rest", cast.carole))
    (again,) = from_orders.invoice_company(session, acme, "", command("again", cast.carole))
    assert [(line.quantity, line.net_cents) for line in from_text(again.payload).lines] == [(1, 200)]


def test_a_print_for_which_the_place_answers_after_all_counts_no_more(place):
    session, cast, _ = place
    wrong = spoilt(session, cast, order_cube(session, cast.alice, 2))
    assert wrong.state == OrderState.CANCELLED
    asked = complaints.ask(session, wrong, Wish.REPRINT, "Ce n’était pas le fichier", cast.alice, utcnow())
    assert failures.counted(session, cast.alice.id, None, utcnow()) == 1
    complaints.decide(session, asked, Decision(Answer.REPRINT, copies=2), cast.bob, utcnow())
    assert failures.counted(session, cast.alice.id, None, utcnow()) == 0
    asked = complaints.ask(session, wrong, Wish.REFUND, "Encore", cast.alice, utcnow())
    complaints.decide(session, asked, Decision(Answer.REFUSE, reason="Réimprimé"), cast.bob, utcnow())
    free = spoilt(session, cast, order_cube(session, cast.alice, 2))
    assert ledger.charged_cents(session, free.id) == 0
    asked = complaints.ask(session, free, Wish.REFUND, "Pas moi", cast.alice, utcnow())
    complaints.decide(session, asked, Decision(Answer.REFUSE, reason="Si"), cast.bob, utcnow())
    assert failures.counted(session, cast.alice.id, None, utcnow()) == 1


def test_lines_by_hand_are_not_paid_for_a_failed_print(place):
    """Two cubes at 2 euros each and modelling for 10: one failed halfway costs 1 euro, and no modelling."""
    session, cast, _ = place
    review.set_rules(session, rules(first_order=True))
    data = TariffData("None free", FOUR_EUROS, 0, 0, dict.fromkeys(PRICES, 0), Rules(free_failures=0))
    tariffs.set_tariff(session, data, None)
    order = draft_cube(session, cast.alice)
    orders.wish(session, order.line, wanted(2))
    confirmed(session, order, cast.alice)
    written(session, order, cast.bob, HandLine("Modélisation", 1, 1000), added=True)
    confirmed(session, order, cast.alice)
    spoilt(session, cast, order, good=1)
    assert ledger.charged_cents(session, order.id) == 700 + 100
    invoice = from_orders.invoice_member(session, order, HOME, "fr", command("mine"))
    lines = from_text(invoice.payload).lines
    assert [line.quantity for line in lines] == [1, 1, 1]
    assert sum(line.net_cents for line in lines) == invoice.net_cents
    assert "Modélisation" in lines[1].text
    assert (invoice.gross_cents, lines[2].net_cents) == (800, 83)


def test_who_pays_before_vat_reads_so(place):
    session, cast, acme = place
    for _ in range(2):
        spoilt(session, cast, company_order(session, cast.alice, acme, 2))
    assert "costs €2.00 before VAT." in told(session, cast.alice)[1]


def test_a_free_reprint_that_fails_costs_nothing_and_its_person_is_told(place):
    session, cast, _ = place
    good = make(session, order_cube(session, cast.alice, 2), 2, cast.bob)
    asked = complaints.ask(session, good, Wish.REPRINT, "Rayé", cast.alice, utcnow())
    complaints.decide(session, asked, Decision(Answer.REPRINT, copies=2), cast.bob, utcnow())
    again = spoilt(session, cast, asked.reprint)
    assert ledger.charged_cents(session, again.id) == 0
    assert len(told(session, cast.alice)) == 1
    assert failures.of_order(session, again.id) == []


def test_rebates_that_outweigh_the_good_parts_lose_no_cent_of_an_invoice():
    made = Made((100, 900), (99, 1), (HandLine("Remise", 1, -900),))
    assert from_orders.shared_out(made, [1, 0], [1, 1], 99, 99) == [99, 0, 0]


@given(line=st.integers(1, 10**6), quantity=st.integers(1, 500), data=st.data())
def test_good_and_failed_copies_together_never_cost_more_than_was_confirmed(line, quantity, data):
    good = data.draw(st.integers(0, quantity))
    rest, failed = quantity - good, []
    while rest:
        copies = data.draw(st.integers(1, rest))
        whole = data.draw(st.integers(1, 10**6))
        failed.append(cost(line, copies, quantity, data.draw(st.integers(0, whole)), whole))
        rest -= copies
    assert all(each >= 0 for each in failed)
    assert line * good // quantity + sum(failed) <= line
