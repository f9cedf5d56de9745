"""Projects with a budget: orders reserve from it and use it, it never goes below nothing, and nothing is sold by that."""

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fablab import db
from fablab.accounts import projects
from fablab.accounts.project_models import Project
from fablab.accounts.projects import ProjectData
from fablab.billing import ledger, offering, payers, reviewing, seller
from fablab.billing import projects as budgets
from fablab.billing import services as billing
from fablab.billing.models import Account, LedgerLine
from fablab.billing.payers import PayerChoice
from fablab.billing.projects import Budget
from fablab.bookkeeping import fec, fec_checking, journal, sales
from fablab.bookkeeping.models import Span
from fablab.bookkeeping.periods import period
from fablab.db import utcnow
from fablab.errors import Conflict, Invalid, NotFound
from fablab.invoicing import from_orders, verifying
from fablab.jobs import queries as jobs
from fablab.orders import review
from fablab.orders.models import Order, OrderState
from fablab.orders.review_models import ReviewRules, Verdict
from fablab.refunds import queries as refunds
from tests.books import make, open_books
from tests.people import NO_RULE, Cast, draft_cube, slice_job, small_place, wanted
from tests.quoting import quoted
from tests.services.test_claims import race

TODAY = seller.today(utcnow())
DATA = ProjectData("Robotics club", TODAY)


@dataclass
class Scene:
    cast: Cast
    project: Project


def open_project(session, cast, cents=1_000, data=DATA):
    project = projects.add(session, data, cast.carole.id)
    budgets.set_budget(session, project, cents, cast.carole.id, "opening")
    projects.join(session, project, cast.alice.email)
    return project


@pytest.fixture
def scene(session):
    cast = small_place(session)
    return Scene(cast, open_project(session, cast))


def chosen(session, scene, person=None):
    order = draft_cube(session, person or scene.cast.alice)
    payers.choose(session, order, PayerChoice(project=scene.project.public_id), person or scene.cast.alice)
    return order


def ordered(session, scene, quantity=1):
    order = chosen(session, scene)
    seen = offering.order_offer(session, order, {order.line.id: wanted(quantity)}).price.total_cents
    billing.confirm(session, order, {order.line.id: wanted(quantity)}, seen, scene.cast.alice)
    return order


def budget(session, scene):
    return budgets.budget_of(session, scene.project.id)


def test_an_order_reserves_from_the_budget_and_uses_it_for_good_parts_and_the_wallet_stays(session, scene):
    order = ordered(session, scene)
    price = order.price_cents
    assert budget(session, scene) == Budget(1_000, 0, price)
    make(session, order, 1, scene.cast.bob)
    assert budget(session, scene) == Budget(1_000, price, 0)
    assert ledger.balance_cents(session, scene.cast.alice.id) == 2000
    assert ledger.unbalanced(session) == []
    assert list(verifying.findings(session)) == []


def test_failed_copies_and_cancelled_orders_give_their_part_back(session, scene):
    order = ordered(session, scene, 2)
    make(session, order, 1, scene.cast.bob)
    assert budget(session, scene) == Budget(1_000, order.price_cents // 2, 0)
    other = ordered(session, scene)
    billing.cancel(session, other, scene.cast.alice)
    assert budget(session, scene).reserved_cents == 0
    assert budgets.reserved_for(session, other) == 0


def test_a_dearer_slice_is_confirmed_again_from_the_budget(session, scene):
    order = ordered(session, scene)
    (job,) = jobs.of_order(session, order.id)
    slice_job(session, job, mass_g=100.0, time_s=7200.0)
    assert order.state == OrderState.QUOTED
    billing.confirm_again(session, order, order.proposal_cents, scene.cast.alice)
    assert budget(session, scene) == Budget(1_000, 0, order.price_cents)


def test_it_never_goes_below_nothing(session, scene):
    budgets.set_budget(session, scene.project, 300, scene.cast.carole.id, "less")
    ordered(session, scene)
    order = chosen(session, scene)
    seen = offering.order_offer(session, order, {order.line.id: wanted()}).price.total_cents
    with pytest.raises(Conflict, match="are missing in the budget of “Robotics club”"):
        billing.confirm(session, order, {order.line.id: wanted()}, seen, scene.cast.alice)
    assert budget(session, scene).left_cents >= 0
    with pytest.raises(Invalid, match="cannot be less") as raised:
        budgets.set_budget(session, scene.project, 100, scene.cast.carole.id, "least")
    assert raised.value.field == "budget"


def test_a_budget_is_set_once_however_often_it_is_sent_and_a_change_is_its_difference(session, scene):
    for _ in range(2):
        budgets.set_budget(session, scene.project, 5_000, scene.cast.carole.id, "raised")
    budgets.set_budget(session, scene.project, 4_000, scene.cast.carole.id, "lowered")
    budgets.set_budget(session, scene.project, 5_000, scene.cast.carole.id, "raised")
    assert budget(session, scene).given_cents == 4_000
    assert [each.left_change_cents for each in budgets.statement(session, scene.project.id)] == [-1_000, 4_000, 1_000]
    for cents in (-1, 100_000_001):
        with pytest.raises(Invalid):
            budgets.set_budget(session, scene.project, cents, scene.cast.carole.id, "absurd")


def test_only_its_people_order_on_it_and_only_while_it_runs(session, scene):
    with pytest.raises(Conflict, match="cannot order on this project"):
        chosen(session, scene, scene.cast.charlie)
    with pytest.raises(NotFound):
        projects.seen_by(session, scene.cast.charlie, scene.project.public_id)
    assert projects.seen_by(session, scene.cast.carole, scene.project.public_id) == scene.project
    order = chosen(session, scene)
    day = timedelta(days=1)
    for data in (
        replace(DATA, first_on=TODAY + day),
        replace(DATA, first_on=TODAY - day, last_on=TODAY - day),
        replace(DATA, active=False),
    ):
        projects.change(scene.project, data)
        session.flush()
        with pytest.raises(Conflict, match="is not running today"):
            chosen(session, scene)
        nested = session.begin_nested()
        with pytest.raises(Conflict, match="is not running today"):
            billing.confirm(
                session, order, {}, offering.order_offer(session, order, {}).price.total_cents, order.person
            )
        nested.rollback()
    projects.change(scene.project, replace(DATA, last_on=TODAY))
    projects.leave(session, scene.project, scene.cast.alice)
    with pytest.raises(Conflict, match="cannot order on this project"):
        chosen(session, scene)
    with pytest.raises(Invalid, match="ends after"):
        projects.change(scene.project, replace(DATA, last_on=TODAY - day))


def test_the_desk_accepts_what_the_budget_holds(session, scene):
    review.set_rules(session, ReviewRules(**(NO_RULE | {"first_order": True})))
    order = chosen(session, scene)
    seen = offering.order_offer(session, order, {order.line.id: wanted()}).price.total_cents
    reviewing.submit(session, order, {order.line.id: wanted()}, seen, scene.cast.alice, attested=True)
    assert (order.state, budget(session, scene).reserved_cents) == (OrderState.IN_REVIEW, 0)
    budgets.set_budget(session, scene.project, 0, scene.cast.carole.id, "none")
    nested = session.begin_nested()
    with pytest.raises(Conflict, match="missing in the budget"):
        reviewing.decide(session, order, Verdict.ACCEPT, "", scene.cast.bob)
    nested.rollback()
    budgets.set_budget(session, scene.project, 1_000, scene.cast.carole.id, "again")
    reviewing.decide(session, order, Verdict.ACCEPT, "", scene.cast.bob)
    assert budget(session, scene).reserved_cents == seen


def test_nothing_is_sold_or_invoiced_or_given_back_by_it_and_the_journals_name_it(session, scene):
    open_books(session)
    order = make(session, ordered(session, scene), 1, scene.cast.bob)
    month = period(Span.MONTH, TODAY)
    assert list(sales.sales(session, month)) == []
    assert from_orders.to_invoice_cents(session, order) == 0
    assert refunds.refundable(session, order).most_cents == 0
    made = fec.export(session, TODAY.year)
    assert list(fec_checking.findings(made.name, made.content)) == []
    lines = [each for each in journal.lines(session, month) if each.account.number.startswith("80")]
    assert {each.journal for each in lines} == {"OD"}
    assert {each.holder for each in lines} == {f"P{scene.project.id:06d}", ""}
    assert sum(each.debit_cents - each.credit_cents for each in lines) == 0


def order_at_once(order_ids):
    import os

    mine = order_ids[os.getpid() % len(order_ids)]
    try:
        with db.transaction() as session:
            order = session.get_one(Order, mine)
            seen = offering.order_offer(session, order, {}).price.total_cents
            billing.confirm(session, order, {}, seen, order.person)
    except Conflict as problem:
        return str(problem)
    return "confirmed"


def test_orders_at_once_never_take_more_than_there_is(any_place):
    with db.transaction() as session:
        cast = small_place(session)
        scene = Scene(cast, open_project(session, cast, 650))
        ids = [chosen(session, scene).id for _ in range(6)]
    race(order_at_once, ids)
    with db.reading() as session:
        found = budget(session, scene)
        assert found.left_cents >= 0
        assert found.reserved_cents > 0
        assert budgets.below_nothing(session) == []


steps = st.lists(st.tuples(st.sampled_from(["order", "cancel", "budget"]), st.integers(0, 2_000)), max_size=8)


@pytest.mark.parametrize("any_place", ["sqlite"], indirect=True)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
def test_the_statement_adds_up_to_what_is_left_whatever_happens(any_place, moves):
    with sa.orm.Session(db.engine(), expire_on_commit=False) as session:
        cast = small_place(session)
        scene = Scene(cast, open_project(session, cast))
        waiting = []
        for step, number in moves:
            try:
                with session.begin_nested():
                    if step == "order":
                        waiting.append(ordered(session, scene, number % 3 + 1))
                    elif step == "budget":
                        budgets.set_budget(session, scene.project, number, cast.carole.id, f"to-{number}")
                    elif waiting and step == "cancel":
                        billing.cancel(session, waiting.pop(), cast.alice)
            except (Conflict, Invalid):
                pass
            found = budget(session, scene)
            assert min(found.left_cents, found.reserved_cents, found.used_cents) >= 0
            lines = budgets.statement(session, scene.project.id)
            assert sum(each.left_change_cents for each in lines) == lines[0].left_cents == found.left_cents
            assert sum(each.reserved_change_cents for each in lines) == found.reserved_cents
            accounts = sa.select(sa.func.sum(LedgerLine.amount_cents)).where(LedgerLine.account.like("project%"))
            assert session.scalar(accounts) == 0
        assert session.scalar(sa.select(LedgerLine.id).where(LedgerLine.account == Account.SALES).limit(1)) is None


def test_there_is_no_quote_for_what_a_project_pays(session, scene):
    open_books(session)
    order = draft_cube(session, scene.cast.alice)
    payers.choose(session, order, PayerChoice(project=scene.project.public_id), scene.cast.alice)
    with pytest.raises(Conflict, match="nothing to offer"):
        quoted(session, order, scene.cast.alice)
    assert order.state == OrderState.DRAFT
