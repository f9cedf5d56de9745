"""Prices that a person sets, on both databases: asked for, written, confirmed, quoted, invoiced to the cent."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from lxml import etree

from fablab import db
from fablab.accounts.models import Person
from fablab.billing import by_hand, hand_pricing, ledger, offering, payers, reviewing, tariffs, urgency
from fablab.billing import projects as budgets
from fablab.billing import services as billing
from fablab.billing.by_hand import Basis, HandLine
from fablab.billing.hand_models import HandPrice
from fablab.billing.hand_pricing import Wish
from fablab.billing.models import Group
from fablab.billing.payers import PayerChoice
from fablab.billing.pricing import NoPrice, Price, PriceLine, Rules
from fablab.db import utcnow
from fablab.errors import Conflict, Invalid
from fablab.invoicing import crediting, facturx, from_orders, verifying
from fablab.invoicing.content import from_text
from fablab.invoicing.crediting import Credit
from fablab.jobs import queries as jobs
from fablab.jobs.states import JobState
from fablab.money import share
from fablab.notices import queries as notices
from fablab.notices.kinds import Kind
from fablab.orders import lines, review
from fablab.orders.models import Order, OrderState
from fablab.orders.review_models import Review, ReviewRules, Verdict
from fablab.quotes import answering, issuing
from fablab.quotes import content as quote_content
from fablab.refunds import giving
from fablab.words import say
from tests.books import business, command, make
from tests.hand_prices import (
    HELP,
    PRINT,
    REBATE,
    WHY,
    asked,
    confirmed,
    make_everything_free,
    seen_cents,
    wants_quote,
    written,
)
from tests.people import NO_RULE, draft_cube, slice_job, small_place, wanted
from tests.services.test_claims import race
from tests.services.test_orders_of_several_parts import three_cubes
from tests.services.test_projects import open_project
from tests.services.test_quotes import by
from tests.services.test_refunds import HOME, answered, refund
from tests.services.test_refunds import asked as complained


@pytest.fixture
def cast(session):
    found = small_place(session, cents=4000)
    make_everything_free(session)
    return found


def chosen_draft(session, person, copies=1):
    order = draft_cube(session, person)
    lines.keep_wish(session, order, order.line.id, wanted(copies))
    return order


def priced(session, cast, *written_lines, copies=1):
    order = asked(session, chosen_draft(session, cast.alice, copies), cast.alice)
    written(session, order, cast.bob, *written_lines)
    return order


def test_a_draft_without_a_price_is_laid_on_the_desk_with_its_reason_and_what_its_person_says(session, cast):
    order = chosen_draft(session, cast.alice)
    with pytest.raises(NoPrice, match="a volunteer has to set"):
        seen_cents(session, order)
    asked(session, order, cast.alice, "It is for the school fair.")
    assert (order.state, order.price_cents, order.price) == (OrderState.IN_REVIEW, None, None)
    assert [str(each) for each in review.latest(session, order.id).reasons] == [
        "No price can be computed for this order: a volunteer has to set one.",
        "They write: “It is for the school fair.”",
    ]
    assert order.line.machine_profile == "mk3"
    assert order.line.estimated_time_s > 0


def test_a_draft_that_has_a_price_is_not_asked_for_and_a_long_message_is_told(session):
    alice = small_place(session).alice
    order = chosen_draft(session, alice)
    with pytest.raises(Conflict, match="There is a price by now"):
        asked(session, order, alice)
    with pytest.raises(Invalid, match="at most 500") as wrong:
        asked(session, order, alice, "x" * 501)
    assert (wrong.value.field, order.state) == ("message", OrderState.DRAFT)


def test_without_a_price_nothing_on_the_desk_can_be_accepted(session, cast):
    order = asked(session, chosen_draft(session, cast.alice), cast.alice)
    with pytest.raises(Conflict, match="no price yet"):
        reviewing.decide(session, order, Verdict.ACCEPT, "", cast.bob)


def test_the_price_that_was_set_is_explained_told_confirmed_and_reserved_like_any(session, cast):
    review.set_rules(session, ReviewRules(**(NO_RULE | {"first_order": True})))
    order = priced(session, cast, PRINT, HELP, REBATE)
    assert order.state == OrderState.DRAFT
    (notice,) = notices.newest(session, cast.alice.id)
    assert (notice.kind, notice.path) == (Kind.HAND_PRICE, f"/orders/{order.public_id}")
    confirmed(session, order, cast.alice, attested=False)
    price = Price.from_json(order.price)
    hand = by_hand.behind(session, order.price)
    assert (order.state, order.price_cents) == (OrderState.ACCEPTED, 900 + 2500 - 300)
    assert [(str(line.sentence), line.amount_cents) for line in price.lines] == [
        ("Print", 900),
        ("Design help: 2 at €12.50", 2500),
        ("Rebate", -300),
    ]
    assert (hand.set_by.name, hand.reason, hand.total_cents) == ("Bob", WHY, 3100)
    assert ledger.reserved_cents(session, order.id) == 3100


def test_a_wallet_that_lacks_the_money_is_told_as_for_another_price(session, cast):
    order = priced(session, cast, HandLine("Print", 1, 4001))
    with pytest.raises(Conflict, match="wallet"):
        confirmed(session, order, cast.alice)


@pytest.mark.parametrize(
    ("changed", "field", "said"),
    [
        ({"lines": ()}, "text-0", "Between 1 and 6 lines"),
        ({"lines": (PRINT,) * 7}, "text-0", "Between 1 and 6 lines"),
        ({"lines": (PRINT, replace(HELP, text=" "))}, "text-1", "say what it is"),
        ({"lines": (replace(PRINT, text="x" * 201),)}, "text-0", "at most 200"),
        ({"lines": (PRINT, replace(HELP, quantity=0))}, "quantity-1", "Between 1 and 100"),
        ({"lines": (replace(HELP, quantity=101),)}, "quantity-0", "Between 1 and 100"),
        ({"lines": (replace(PRINT, each_cents=0),)}, "price-0", "An amount is meant"),
        ({"lines": (replace(PRINT, each_cents=10_000_001),)}, "price-0", "An amount is meant"),
        ({"lines": (PRINT, replace(REBATE, each_cents=-900))}, "price-0", "more than nothing"),
        ({"reason": "  "}, "reason", "write why"),
        ({"reason": "x" * 501}, "reason", "write why"),
        ({"added": True}, "added", "no computed price"),
    ],
)
def test_what_cannot_be_meant_names_its_field_and_the_request_stays_on_the_desk(session, cast, changed, field, said):
    order = asked(session, chosen_draft(session, cast.alice), cast.alice)
    wish = replace(Wish((PRINT,), added=False, reason=WHY), **changed)
    with pytest.raises(Invalid, match=said) as wrong:
        hand_pricing.set_price(session, order, wish, cast.bob, issuing.write)
    assert wrong.value.field == field
    assert (order.state, review.latest(session, order.id).verdict) == (OrderState.IN_REVIEW, None)
    assert by_hand.latest(session, order.id) is None


CHANGES = {
    "more copies": lambda session, order: lines.keep_wish(session, order, order.line.id, wanted(40)),
    "another colour": lambda session, order: lines.keep_wish(session, order, order.line.id, wanted(1, "white")),
    "urgent": lambda _, order: setattr(order, "urgent", True),
    "who pays": lambda _, order: setattr(order, "company_id", 1),
    "a part less": lambda session, order: lines.remove(session, order, order.lines[-1].id),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_is_changed_the_price_lapses_and_no_other_is_offered_until_it_is_asked_for_again(session, change):
    cast, _ = business(session)
    tariffs.set_tariff(
        session, replace(tariffs.TariffData("T", 100, 80, 200, {"PLA": 4000}), rules=Rules(urgent_percent=10)), None
    )
    tariffs.set_tariff(
        session,
        tariffs.TariffData("T", 100, 80, 200, {"PLA": 4000}, Rules(urgent_percent=10), group=Group.COMPANY),
        None,
    )
    review.set_rules(session, ReviewRules(**(NO_RULE | {"first_order": True})))
    order = three_cubes(session, cast.alice) if change == "a part less" else chosen_draft(session, cast.alice)
    confirmed(session, order, cast.alice)
    written(session, order, cast.bob, HELP, added=True)
    before = seen_cents(session, order)
    CHANGES[change](session, order)
    with pytest.raises(NoPrice, match="Something was changed since Bob had set the price"):
        seen_cents(session, order)
    with pytest.raises(NoPrice):
        billing.confirm(session, order, {}, before, cast.alice)
    assert ledger.reserved_cents(session, order.id) == 0
    if change == "more copies":
        asked(session, order, cast.alice)
        written(session, order, cast.bob, HELP, added=True)
        assert seen_cents(session, order) != before


def test_what_is_changed_back_has_its_price_again_and_after_its_time_it_has_none(session, cast):
    order = priced(session, cast)
    lines.keep_wish(session, order, order.line.id, wanted(3))
    lines.keep_wish(session, order, order.line.id, wanted(1))
    assert seen_cents(session, order) == 900
    with pytest.raises(NoPrice, match="Something was changed"):
        offering.order_offer(session, order, {order.line.id: wanted(2)})
    hand = by_hand.latest(session, order.id)
    old = utcnow() - timedelta(days=31)
    again = HandPrice(
        order_id=order.id,
        terms=hand.terms,
        total_cents=900,
        content=hand.content,
        reason=WHY,
        set_at=old,
        set_by_id=cast.bob.id,
    )
    session.add(again)
    session.flush()
    with pytest.raises(NoPrice, match="was valid until"):
        seen_cents(session, order)


def test_lines_on_top_of_the_computed_price_keep_it_line_by_line(session):
    cast = small_place(session)
    review.set_rules(session, ReviewRules(**(NO_RULE | {"first_order": True})))
    order = confirmed(session, chosen_draft(session, cast.alice), cast.alice)
    seen = Price.from_json(order.price)
    written(session, order, cast.bob, HandLine("Design help", 1, 500), added=True)
    price = offering.order_offer(session, order, {}).price
    assert price.lines[:-1] == seen.lines
    assert price.total_cents == seen.total_cents + 500
    confirmed(session, order, cast.alice)
    assert order.price_cents == seen.total_cents + 500


def test_a_price_by_hand_includes_everything_also_the_surcharge(session, cast):
    rules = Rules(urgent_percent=50, urgent_cents=700)
    tariffs.set_tariff(session, tariffs.TariffData("Nearly free", 0, 0, 0, {"PLA": 1}, rules), None)
    tariffs.set_tariff(
        session, tariffs.TariffData("Absurd", 0, 0, 0, {"PLA": 1_000_000}, rules, group=Group.COMPANY), None
    )
    order = chosen_draft(session, cast.alice)
    lines.keep_wish(session, order, order.line.id, wanted())
    tariffs.set_tariff(session, tariffs.TariffData("N", 0, 0, 0, {"PLA": 1}, Rules(urgent_percent=50)), None)
    urgency.choose(session, order, urgent=True)
    asked(session, order, cast.alice)
    written(session, order, cast.bob, PRINT)
    confirmed(session, order, cast.alice)
    assert order.price_cents == 900
    assert all(job.urgent for job in jobs.of_order(session, order.id))


def test_a_dearer_slice_does_not_ask_again_for_a_price_the_place_has_set(session, cast):
    order = priced(session, cast)
    confirmed(session, order, cast.alice)
    tariffs.set_tariff(session, tariffs.TariffData("Dear", 9000, 0, 0, {"PLA": 90_000}), None)
    slice_job(session, jobs.of_order(session, order.id)[0], mass_g=500)
    assert (order.state, order.price_cents) == (OrderState.ACCEPTED, 900)


def test_good_copies_are_charged_in_their_share_and_all_together_at_exactly_the_price(session, cast):
    order = confirmed(session, priced(session, cast, HandLine("Print", 1, 1000), copies=3), cast.alice)
    make(session, order, 2, cast.bob)
    assert ledger.charged_cents(session, order.id) == 666
    assert ledger.balance_cents(session, cast.alice.id) == 4000 - 666
    assert list(verifying.findings(session)) == []


def test_a_volunteer_does_not_set_the_price_of_their_own_order_and_an_administrator_does(session, cast):
    own = asked(session, chosen_draft(session, cast.bob), cast.bob)
    with pytest.raises(Conflict, match="your own request"):
        written(session, own, cast.bob)
    written(session, own, cast.carole)
    assert seen_cents(session, own) == 900


def press(order_id, person_id):
    try:
        with db.transaction() as session:
            written(session, session.get_one(Order, order_id), session.get_one(Person, person_id))
    except Conflict as lost:
        return str(lost)
    return "done"


def test_four_volunteers_at_once_set_one_price_and_the_others_read_who_was_faster(any_place):
    with db.transaction() as session:
        cast = small_place(session)
        make_everything_free(session)
        order_id = asked(session, chosen_draft(session, cast.alice), cast.alice).id
        bob_id = cast.bob.id

    found = race(press, order_id, bob_id)
    assert sorted(each == "done" for each in found) == [False, False, False, True]
    assert all("Bob was faster: A price was set" in each for each in found if each != "done")
    with db.reading() as session:
        assert session.scalar(sa.select(sa.func.count(HandPrice.id))) == 1
        assert session.scalar(sa.select(Review.verdict)) == Verdict.PRICE


def test_what_was_set_cannot_be_changed_or_deleted(session, cast):
    priced(session, cast)
    for statement in (sa.update(HandPrice).values(total_cents=1), sa.delete(HandPrice)):
        with pytest.raises(sa.exc.DatabaseError, match="only grows"), session.begin_nested():
            session.execute(statement)


def test_a_quote_over_the_desk_gets_a_line_for_design_and_binds_up_to_the_invoice_and_its_xml(session):
    cast, company = business(session)
    order = wants_quote(session, chosen_draft(session, cast.alice, 2), cast.alice, company.public_id)
    computed = order.price_cents
    written(session, order, cast.bob, HELP, REBATE, added=True)
    quote = issuing.latest(session, order)
    said = quote_content.from_text(quote.payload).content
    assert (order.state, quote.cents, said.net_cents) == (OrderState.OFFERED, computed + 2200, computed + 2200)
    assert [(line.text.split(",")[0], line.quantity, line.net_cents) for line in said.lines] == [
        ("Impression 3D « cube.stl »".replace(" »", "\u00a0»").replace("« ", "«\u00a0"), 2, computed),
        ("Design help", 2, 2500),
        ("Rebate", -1, -300),
    ]
    answering.accept(session, quote, by(cast.alice), "", utcnow())
    make(session, order, 2, cast.bob)
    (invoice,) = from_orders.invoice_company(session, company, "", command("one"))
    content = from_text(invoice.payload)
    assert [line.net_cents for line in content.lines] == [computed, 2500, -300]
    assert invoice.net_cents == order.price_cents == quote.cents
    assert lines_in(facturx.xml_of(content)) == [computed, 2500, -300]
    assert list(verifying.findings(session)) == []


def test_a_quote_that_was_refused_leaves_the_price_and_one_that_outlives_it_still_binds(session):
    cast, company = business(session)
    order = wants_quote(session, chosen_draft(session, cast.alice), cast.alice, company.public_id)
    written(session, order, cast.bob, HELP, added=True)
    quote = issuing.latest(session, order)
    answering.refuse(session, quote, by(cast.alice), "", utcnow())
    assert seen_cents(session, order) == quote.cents
    issuing.ask(session, order, {}, quote.cents, cast.alice, attested=True)
    second = issuing.latest(session, order)
    assert (second.version, second.cents) == (2, quote.cents)
    tariffs.set_tariff(session, tariffs.TariffData("D", 9000, 0, 0, {"PLA": 4000}, group=Group.COMPANY), None)
    answering.accept(session, second, by(cast.alice), "", utcnow())
    assert order.price_cents == quote.cents == sum(line.price_cents for line in order.lines)


def test_a_member_gets_an_invoice_with_each_line_and_what_failed_is_on_none(session):
    cast, _ = business(session)
    make_everything_free(session)
    order = asked(session, chosen_draft(session, cast.alice, 2), cast.alice)
    written(session, order, cast.bob, HandLine("Print", 1, 800), HandLine("Design help", 1, 300))
    confirmed(session, order, cast.alice)
    make(session, order, 1, cast.bob)
    invoice = from_orders.invoice_member(session, order, HOME, "en", command("one"))
    content = from_text(invoice.payload)
    assert invoice.gross_cents == ledger.charged_cents(session, order.id) == 550
    assert "in the share of the parts that are good" in content.lines[1].text
    assert content.lines[0].net_cents == 0  # the print itself is named; its price is in the lines
    assert list(verifying.findings(session)) == []


@pytest.mark.parametrize("invoiced", [False, True])
def test_refunds_go_up_to_what_was_charged_with_or_without_an_invoice(session, invoiced):
    cast, _ = business(session)
    make_everything_free(session)
    order = asked(session, chosen_draft(session, cast.alice, 3), cast.alice)
    written(session, order, cast.bob, HandLine("Print", 1, 1000), HandLine("Rebate", 1, -1))
    make(session, confirmed(session, order, cast.alice), 2, cast.bob)
    assert ledger.charged_cents(session, order.id) == 666
    if invoiced:
        from_orders.invoice_member(session, order, HOME, "en", command("one"))
    answered(session, complained(session, order), refund(200), cast.carole)
    second = complained(session, order)
    with pytest.raises(Invalid, match="At most"):
        answered(session, second, refund(467), cast.carole)
    answered(session, second, refund(466), cast.carole)
    assert ledger.balance_cents(session, cast.alice.id) == 2000
    assert list(verifying.findings(session)) == []


def test_what_is_credited_to_be_invoiced_again_has_the_same_lines_again(session):
    cast, company = business(session)
    order = wants_quote(session, chosen_draft(session, cast.alice), cast.alice, company.public_id)
    written(session, order, cast.bob, HELP, REBATE, added=True)
    answering.accept(session, issuing.latest(session, order), by(cast.alice), "", utcnow())
    make(session, order, 1, cast.bob)
    (first,) = from_orders.invoice_company(session, company, "", command("one"))
    crediting.issue(session, first, Credit(first.gross_cents, "Another address", invoice_again=True), command("credit"))
    (second,) = from_orders.invoice_company(session, company, "", command("two"))
    assert from_text(second.payload).lines == from_text(first.payload).lines
    assert list(verifying.findings(session)) == []


def test_a_project_pays_such_a_price_from_its_budget(session, cast):
    project = open_project(session, cast)
    order = chosen_draft(session, cast.alice)
    payers.choose(session, order, PayerChoice(project=project.public_id), cast.alice)
    asked(session, order, cast.alice)
    written(session, order, cast.bob, PRINT)
    confirmed(session, order, cast.alice)
    assert budgets.budget_of(session, project.id).left_cents == 100
    make(session, order, 1, cast.bob)
    assert budgets.budget_of(session, project.id).used_cents == 900
    assert ledger.balance_cents(session, cast.alice.id) == 4000


def test_printed_again_it_costs_nothing_whoever_had_set_the_price(session, cast):
    order = confirmed(session, priced(session, cast), cast.alice)
    make(session, order, 1, cast.bob)
    again = giving.print_again(session, order, None, 1, cast.bob)
    assert (again.price_cents, again.line.price_cents) == (0, 0)
    assert by_hand.latest(session, again.id) is None


# Properties ----------------------------------------------------------------------------------------------------------

WRITTEN = st.lists(
    st.builds(HandLine, st.just("Line"), st.integers(1, 100), st.integers(-3000, 3000).filter(bool)),
    min_size=1,
    max_size=6,
)
WEIGHTS = st.lists(st.integers(0, 5000), min_size=1, max_size=5)


def lines_in(xml: bytes) -> list[int]:
    """What each line of an XML costs, in cents."""
    names = "{*}IncludedSupplyChainTradeLineItem//{*}LineTotalAmount"
    return [round(float(each.text) * 100) for each in etree.fromstring(xml).iterfind(f".//{names}")]


def made_or_none(weights, written_lines, *, added):
    cents = sum(weights)
    computed = Price(cents, (PriceLine(say("Parts"), cents),)) if added and cents else None
    try:
        return by_hand.made_of(Basis(tuple(weights), computed), written_lines)
    except Invalid:
        return None


@given(weights=WEIGHTS, written_lines=WRITTEN, added=st.booleans(), data=st.data())
def test_lines_shares_and_what_is_invoiced_of_them_are_the_price_to_the_cent(weights, written_lines, added, data):
    found = made_or_none(weights, written_lines, added=added)
    if found is None:
        return
    made, price = found
    assert price.total_cents == sum(line.amount_cents for line in price.lines) == sum(made.share_cents) > 0
    assert price.total_cents == sum(made.own_cents) + sum(line.cents for line in written_lines)
    assert Price.from_json(price.to_json()) == price
    quantities = data.draw(st.lists(st.integers(1, 9), min_size=len(weights), max_size=len(weights)))
    good = [data.draw(st.integers(0, most)) for most in quantities]
    earned = sum(share(cents, some, of) for cents, some, of in zip(made.share_cents, good, quantities, strict=True))
    amounts = from_orders.shared_out(made, good, quantities, earned, earned)
    assert sum(amounts) == earned
    whole = from_orders.shared_out(made, quantities, quantities, price.total_cents, price.total_cents)
    assert whole == [*made.own_cents, *(line.cents for line in written_lines)]


@hypothesis_settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    written_lines=WRITTEN,
    copies=st.lists(st.integers(1, 3), min_size=3, max_size=3),
    added=st.booleans(),
    before_vat=st.booleans(),
    data=st.data(),
)
def test_the_lines_are_the_price_of_the_quote_the_order_the_invoice_and_its_xml(
    place, written_lines, copies, added, before_vat, data
):
    with sa.orm.Session(db.engine(), expire_on_commit=False) as session:
        cast, company = business(session)
        order = three_cubes(session, cast.alice)
        for line, many in zip(order.lines, copies, strict=True):
            lines.keep_wish(session, order, line.id, wanted(many))
        wants_quote(session, order, cast.alice, company.public_id)
        order.price_before_vat = before_vat
        try:
            hand = written(session, order, cast.bob, *written_lines, added=added)
        except Invalid:
            return
        quote = issuing.latest(session, order)
        answering.accept(session, quote, by(cast.alice), "", utcnow())
        assert order.price_cents == hand.total_cents == quote.cents == sum(each.price_cents for each in order.lines)
        for job in jobs.of_order(session, order.id):
            job.state, job.good_copies = JobState.DONE, data.draw(st.integers(0, job.copies))
        order.state = OrderState.READY
        session.flush()
        earned = billing.earned_cents(session, order)
        if earned == 0:
            return
        (invoice,) = from_orders.invoice_company(session, company, "", command("one"))
        content = from_text(invoice.payload)
        assert earned == (content.net_cents if before_vat else content.gross_cents)
        assert lines_in(facturx.xml_of(content)) == [line.net_cents for line in content.lines]
        assert sum(line.net_cents for line in content.lines) == content.net_cents
        assert all(line.unit_price >= 0 for line in content.lines)
        if all(job.good_copies == job.copies for job in jobs.of_order(session, order.id)):
            said = quote_content.from_text(quote.payload).content
            assert [line.net_cents for line in said.lines] == [line.net_cents for line in content.lines]
        assert list(verifying.findings(session)) == []
