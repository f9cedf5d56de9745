"""Refunds and free reprints, on both databases: asked once, answered once, never more than was charged."""

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fablab import db
from fablab.accounts.permissions import Role
from fablab.billing import ledger, offering, prepaid
from fablab.billing import services as billing
from fablab.billing.models import Account, Prepaid
from fablab.billing.prepaid import RulesData
from fablab.db import utcnow
from fablab.errors import Conflict, Invalid
from fablab.invoicing import from_orders, verifying
from fablab.invoicing import queries as documents
from fablab.invoicing.content import Buyer
from fablab.jobs import dispatch
from fablab.jobs import queries as jobs
from fablab.jobs.judging import Judgement
from fablab.jobs.signoff import Reason, Verdict
from fablab.notices.models import Notice
from fablab.orders import services as orders
from fablab.orders.models import Order, OrderState
from fablab.refunds import queries, services
from fablab.refunds.models import Answer, Wish
from fablab.refunds.services import Decision
from tests.books import business, command, made_company_order, make
from tests.people import add_person, draft_cube, order_cube, queued_order, slice_job, small_place, wanted

HOME = Buyer("Alice Martin", "1 rue Haute", "26400", "Crest")
REFUSED = Decision(Answer.REFUSE, reason="This is how the file looks.")


def asked(session, order, wish=Wish.REFUND):
    return services.ask(session, order, wish, "A layer has slipped.", order.person, utcnow())


def answered(session, complaint, decision, by):
    return services.decide(session, complaint, decision, by, utcnow())


def refund(cents):
    return Decision(Answer.REFUND, refund_cents=cents)


def titles(session, person):
    return [each.title.msgid for each in session.scalars(sa.select(Notice).where(Notice.person_id == person.id))]


def test_a_part_of_the_charge_goes_back_to_the_wallet_once(session):
    cast = small_place(session)
    order = make(session, order_cube(session, cast.alice), 1, cast.bob)
    complaint = asked(session, order)
    for _ in range(2):
        answered(session, complaint, refund(150), cast.bob)
    assert ledger.balance_cents(session, cast.alice.id) == 2000 - order.price_cents + 150
    assert ledger.charged_cents(session, order.id) == order.price_cents - 150
    assert queries.refundable(session, order).most_cents == order.price_cents - 150
    assert titles(session, cast.alice).count("“{file}”: {amount} given back") == 1
    assert list(verifying.findings(session)) == []


def test_never_more_than_was_charged_is_given_back(session):
    cast = small_place(session)
    order = make(session, order_cube(session, cast.alice), 1, cast.bob)
    for cents, words in ((0, "more than nothing"), (order.price_cents + 1, "At most")):
        with pytest.raises(Invalid, match=words) as wrong:
            answered(session, asked(session, order), refund(cents), cast.bob)
        assert wrong.value.field == "amount"
    answered(session, asked(session, order), refund(order.price_cents), cast.bob)
    with pytest.raises(Conflict, match="Nothing that was charged"):
        answered(session, asked(session, order), refund(1), cast.bob)


def test_an_invoiced_member_gets_a_partial_credit_note_and_the_money_into_the_wallet(session):
    cast, _ = business(session)
    order = make(session, order_cube(session, cast.alice), 1, cast.bob)
    invoice = from_orders.invoice_member(session, order, HOME, "fr", command("one"))
    complaint = answered(session, asked(session, order), refund(100), cast.bob)
    assert complaint.credit_note.corrects_id == invoice.id
    assert complaint.credit_note.gross_cents == 100
    assert documents.balance_cents(session, invoice) == 0
    assert ledger.balance_cents(session, cast.alice.id) == 2000 - order.price_cents + 100
    assert queries.refundable(session, order).most_cents == order.price_cents - 100
    assert list(verifying.findings(session)) == []


def test_what_was_given_back_before_the_invoice_is_not_invoiced_and_not_given_back_again(session):
    cast, _ = business(session)
    order = make(session, order_cube(session, cast.alice), 1, cast.bob)
    answered(session, asked(session, order), refund(100), cast.bob)
    invoice = from_orders.invoice_member(session, order, HOME, "fr", command("one"))
    assert invoice.gross_cents == order.price_cents - 100
    assert queries.refundable(session, order).most_cents == order.price_cents - 100
    answered(session, asked(session, order), refund(order.price_cents - 100), cast.bob)
    assert ledger.balance_cents(session, cast.alice.id) == 2000
    assert list(verifying.findings(session)) == []


def test_a_companys_order_is_credited_on_its_invoice_up_to_its_own_share(session):
    cast, acme = business(session)
    first = made_company_order(session, cast, acme)
    second = made_company_order(session, cast, acme, quantity=2)
    complaint = asked(session, first)
    with pytest.raises(Conflict, match="send its invoice first"):
        answered(session, complaint, refund(100), cast.bob)
    (invoice,) = from_orders.invoice_company(session, acme, "", command("one"))
    gross = first.price_cents * 12 // 10
    assert queries.refundable(session, first).most_cents in (gross, gross + 1)
    with pytest.raises(Invalid, match="At most"):
        answered(session, complaint, refund(gross + 2), cast.bob)
    answered(session, complaint, refund(gross), cast.bob)
    assert documents.balance_cents(session, invoice) == invoice.gross_cents - gross
    assert queries.refundable(session, first).most_cents <= 1
    assert queries.refundable(session, second).most_cents in range(invoice.gross_cents - gross - 1, invoice.gross_cents)
    assert ledger.balance_cents(session, cast.alice.id) == 2000
    assert list(verifying.findings(session)) == []


def test_a_reprint_is_a_new_order_that_costs_nothing_even_when_its_slice_is_dear(session):
    cast = small_place(session)
    order = make(session, order_cube(session, cast.alice, 3), 3, cast.bob)
    before = ledger.balance_cents(session, cast.alice.id)
    complaint = asked(session, order, Wish.REPRINT)
    for copies in (0, 4):
        with pytest.raises(Invalid, match="Between 1 and 3") as wrong:
            answered(session, complaint, Decision(Answer.REPRINT, copies=copies), cast.bob)
        assert wrong.value.field == "copies"
    for _ in range(2):
        answered(session, complaint, Decision(Answer.REPRINT, copies=2), cast.bob)
    again = complaint.reprint
    assert (again.state, again.price_cents, again.line.quantity) == (OrderState.ACCEPTED, 0, 2)
    assert session.scalar(sa.select(sa.func.count(Order.id))) == 2
    make(session, again, 2, cast.bob)
    assert again.state == OrderState.READY
    assert ledger.balance_cents(session, cast.alice.id) == before
    assert ledger.charged_cents(session, again.id) == 0


def test_a_companys_reprint_is_never_invoiced(session):
    cast, acme = business(session)
    order = made_company_order(session, cast, acme)
    from_orders.invoice_company(session, acme, "", command("one"))
    complaint = answered(session, asked(session, order), Decision(Answer.REPRINT, copies=1), cast.bob)
    make(session, complaint.reprint, 1, cast.bob)
    assert from_orders.waiting(session) == []


def test_a_refusal_needs_a_reason_which_the_member_is_told(session):
    cast = small_place(session)
    complaint = asked(session, make(session, order_cube(session, cast.alice), 1, cast.bob))
    with pytest.raises(Invalid, match="say why") as wrong:
        answered(session, complaint, Decision(Answer.REFUSE, reason="  "), cast.bob)
    assert wrong.value.field == "reason"
    answered(session, complaint, REFUSED, cast.bob)
    told = session.scalars(sa.select(Notice).where(Notice.person_id == cast.alice.id))
    (notice,) = [each for each in told if "refused" in each.title.msgid]
    assert notice.text.params["reason"] == REFUSED.reason
    with pytest.raises(Conflict, match="answered this request already"):
        answered(session, complaint, refund(100), cast.bob)


def test_an_order_has_one_request_at_a_time_and_nothing_that_has_not_started_has_any(session):
    cast = small_place(session)
    order, _ = queued_order(session, cast.alice)
    with pytest.raises(Conflict, match="cancel the order"):
        asked(session, order)
    make_printing(session, order)
    first = asked(session, order)
    assert asked(session, order, Wish.REPRINT) == first
    with pytest.raises(Conflict, match="nothing to give back"):
        asked(session, cancelled(session, cast.charlie))


def make_printing(session, order):
    (attempt,) = dispatch.schedule(session, utcnow())
    dispatch.sending(session, attempt)
    dispatch.about_to_start(session, attempt, utcnow())
    dispatch.record(session, attempt, Judgement.PRINTING, {}, utcnow())
    session.refresh(order)
    return attempt


def cancelled(session, person):
    order, _ = queued_order(session, person)
    billing.cancel(session, order, person)
    assert ledger.balance_cents(session, person.id) == 2000
    return order


def test_a_plate_that_the_machine_spoilt_is_made_again_for_nothing_and_nobody_has_to_ask(session):
    cast = small_place(session)
    order, job = queued_order(session, cast.alice)
    attempt = make_printing(session, order)
    dispatch.record(session, attempt, Judgement.STOPPED, {}, utcnow())
    billing.sign_off(session, attempt, Verdict(0, Reason.CLOGGED), cast.bob)
    session.refresh(job)
    assert job.free_of_charge
    assert ledger.charged_cents(session, order.id) == 0
    cast.ada.plate = "clear"
    make_again(session, order, cast.bob)
    assert ledger.charged_cents(session, order.id) == order.price_cents
    assert queries.desk(session) == []


def make_again(session, order, volunteer):
    attempt = make_printing(session, order)
    dispatch.record(session, attempt, Judgement.FINISHED, {}, utcnow())
    billing.sign_off(session, attempt, Verdict(attempt.copies), volunteer)
    session.refresh(order)


def test_what_was_given_back_while_it_is_printed_is_not_charged_by_the_next_plate(session):
    cast = small_place(session)
    order, job = queued_order(session, cast.alice, 3)
    attempt = make_printing(session, order)
    dispatch.record(session, attempt, Judgement.FINISHED, {}, utcnow())
    billing.sign_off(session, attempt, Verdict(2, Reason.DETACHED), cast.bob)
    session.refresh(order)
    answered(session, asked(session, order), refund(100), cast.bob)
    session.refresh(job)
    slice_job(session, job)
    make_again(session, order, cast.bob)
    assert order.state == OrderState.READY
    assert ledger.balance_cents(session, cast.alice.id) == 2000 - order.price_cents + 100


def test_a_volunteer_does_not_answer_their_own_request(session):
    cast = small_place(session)
    complaint = asked(session, make(session, order_cube(session, cast.bob), 1, cast.bob))
    with pytest.raises(Conflict, match="your own request"):
        answered(session, complaint, refund(1), cast.bob)
    answered(session, complaint, refund(1), add_person(session, "Dora", Role.VOLUNTEER))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.integers(-50, 900), st.booleans()), max_size=6), invoiced_before=st.integers(0, 6))
def test_whatever_is_asked_and_answered_no_more_comes_back_than_was_charged(any_place, steps, invoiced_before):
    with sa.orm.Session(db.engine(), expire_on_commit=False) as session:
        cast, _ = business(session)
        order = make(session, order_cube(session, cast.alice), 1, cast.bob)
        given_back = 0
        for place, (cents, twice) in enumerate(steps):
            if place == invoiced_before and given_back < order.price_cents:
                from_orders.invoice_member(session, order, HOME, "fr", command("one"))
            complaint = asked(session, order)
            for _ in range(1 + twice):
                try:
                    answered(session, complaint, refund(cents), cast.carole)
                except (Invalid, Conflict):
                    break
            given_back += complaint.refund_cents
            if complaint.decided_at is None:
                answered(session, complaint, REFUSED, cast.carole)
            wallet = ledger.balance_cents(session, cast.alice.id)
            assert 0 <= given_back <= order.price_cents
            assert wallet == 2000 - order.price_cents + given_back
            assert queries.refundable(session, order).most_cents == order.price_cents - given_back
        assert list(verifying.findings(session)) == []
        lines = sa.select(sa.func.sum(ledger.LedgerLine.amount_cents))
        assert (session.scalar(lines) or 0) == 0
        assert session.scalar(lines.where(ledger.LedgerLine.account == Account.RESERVED)) in (0, None)


def test_a_part_of_an_order_of_several_is_printed_again_in_its_own_copies(session):
    cast = small_place(session)
    order = draft_cube(session, cast.alice)
    session.add(orders.new_line(order, order.line.model_file, "second.stl"))
    session.flush()
    session.refresh(order)
    choices = {line.id: wanted(copies) for copies, line in enumerate(order.lines, start=1)}
    seen = offering.order_offer(session, order, choices).price.total_cents
    billing.confirm(session, order, choices, seen, cast.alice)
    slice_job(session, jobs.of_order(session, order.id)[0])
    (attempt,) = dispatch.schedule(session, utcnow())
    dispatch.sending(session, attempt)
    dispatch.about_to_start(session, attempt, utcnow())
    dispatch.record(session, attempt, Judgement.PRINTING, {}, utcnow())
    complaint = asked(session, order, Wish.REPRINT)
    with pytest.raises(Invalid, match="not one of the order"):
        answered(session, complaint, Decision(Answer.REPRINT, copies=1, line_id=999_999), cast.bob)
    answered(session, complaint, Decision(Answer.REPRINT, copies=2, line_id=order.lines[1].id), cast.bob)
    assert [(line.file_name, line.quantity, line.price_cents) for line in complaint.reprint.lines] == [
        ("second.stl", 2, 0)
    ]


def test_vat_that_was_taken_with_the_charge_goes_back_with_it(session):
    cast, _ = business(session)
    today = utcnow().date()
    prepaid.set_rules(session, RulesData(today, Prepaid.MULTI_PURPOSE), cast.carole.id)
    order = make(session, order_cube(session, cast.alice), 1, cast.bob)
    vat = ledger.vat_of_charges(session, order.id)
    assert vat > 0
    answered(session, asked(session, order), refund(order.price_cents // 2), cast.carole)
    left = order.price_cents - order.price_cents // 2
    assert abs(ledger.vat_of_charges(session, order.id) - vat * left / order.price_cents) <= 1
    answered(session, asked(session, order), refund(left), cast.carole)
    assert ledger.sold_by_account(session, order.id) == dict.fromkeys((Account.SALES, Account.VAT), 0)
    assert ledger.balance_cents(session, cast.alice.id) == 2000
