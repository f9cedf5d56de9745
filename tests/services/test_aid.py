"""Aid of the place in the ledger, on both databases: as far as the price was paid, and back with what is given back."""

import csv
import io

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fablab import db
from fablab.accounts import projects
from fablab.accounts.projects import ProjectData
from fablab.billing import aid, offering, payers, seller
from fablab.billing import projects as budgets
from fablab.billing import services as billing
from fablab.billing.ledger import Booking, post
from fablab.billing.models import Account, EntryKind, Group, LedgerLine
from fablab.billing.payers import PayerChoice
from fablab.bookkeeping import aided, fec, fec_checking, sheets
from fablab.bookkeeping.models import Span
from fablab.bookkeeping.periods import period
from fablab.db import utcnow
from fablab.errors import Problem
from fablab.invoicing import crediting, from_orders, queries, verifying
from fablab.invoicing.crediting import Credit
from fablab.invoicing.models import Document
from fablab.jobs import queries as jobs
from fablab.refunds import services as refunds
from fablab.refunds.models import Answer, Wish
from fablab.refunds.services import Decision
from fablab.words import say
from tests.books import business, command, company_order, give_aid, made_company_order, make
from tests.invoicing.contents import HOME
from tests.people import draft_cube, order_cube, slice_job, wanted

MONTH = period(Span.MONTH, seller.today(utcnow()))


@pytest.fixture
def place_with_aid(session):
    """A place that pays half of the real cost, for members and for Acmé."""
    cast, acme = business(session)
    give_aid(session, 50)
    return cast, acme


def stands(session):
    """What stands on the account of aid, against its counterpart."""
    sums = {
        account: session.scalar(sa.select(sa.func.sum(LedgerLine.amount_cents)).where(LedgerLine.account == account))
        or 0
        for account in (Account.AID, Account.AID_FUNDS)
    }
    assert sums[Account.AID] == -sums[Account.AID_FUNDS]
    assert [str(each) for each in verifying.findings(session)] == []
    return sums[Account.AID]


def refund(session, order, cents, by):
    complaint = refunds.ask(session, order, Wish.REFUND, "Rayé", order.person, utcnow())
    return refunds.decide(session, complaint, Decision(Answer.REFUND, refund_cents=cents), by, utcnow())


def test_it_is_frozen_with_the_price_and_booked_when_good_parts_are_charged(session, place_with_aid):
    cast, _ = place_with_aid
    order = order_cube(session, cast.alice, 2)
    assert aid.of(order) > 0
    assert abs(aid.of(order) - order.price_cents) <= 1
    assert stands(session) == 0
    make(session, order, 2, cast.bob)
    assert stands(session) == aid.of(order)


def test_copies_that_are_not_good_have_none(session, place_with_aid):
    cast, _ = place_with_aid
    order = make(session, order_cube(session, cast.alice, 3), 1, cast.bob)
    assert stands(session) == aid.of(order) * (order.price_cents // 3) // order.price_cents


def test_a_refund_takes_its_share_back_and_the_last_one_all_of_it(session, place_with_aid):
    cast, _ = place_with_aid
    order = make(session, order_cube(session, cast.alice), 1, cast.bob)
    refund(session, order, 100, cast.bob)
    assert stands(session) == aid.of(order) * (order.price_cents - 100) // order.price_cents
    refund(session, order, order.price_cents - 100, cast.bob)
    assert stands(session) == 0


def test_a_free_reprint_has_none_of_its_own(session, place_with_aid):
    cast, _ = place_with_aid
    order = make(session, order_cube(session, cast.alice), 1, cast.bob)
    complaint = refunds.ask(session, order, Wish.REPRINT, "Rayé", order.person, utcnow())
    decided = refunds.decide(session, complaint, Decision(Answer.REPRINT, copies=1), cast.bob, utcnow())
    make(session, decided.reprint, 1, cast.bob)
    assert stands(session) == aid.of(order)


def test_a_company_gets_it_with_the_invoice_and_a_credit_note_takes_its_share_back(session, place_with_aid):
    cast, acme = place_with_aid
    order = made_company_order(session, cast, acme, 2)
    assert stands(session) == 0
    (invoice,) = from_orders.invoice_company(session, acme, "", command("one"))
    assert stands(session) == aid.of(order)
    half = invoice.gross_cents // 2
    crediting.issue(session, invoice, Credit(half, "Rayure"), command("half"))
    kept = order.price_cents * (invoice.gross_cents - half) // invoice.gross_cents
    assert stands(session) == aid.of(order) * kept // order.price_cents
    crediting.issue(session, invoice, Credit(invoice.gross_cents - half, "Rayure"), command("rest"))
    assert stands(session) == 0


def test_what_is_to_be_invoiced_again_gets_it_again(session, place_with_aid):
    cast, acme = place_with_aid
    order = made_company_order(session, cast, acme)
    (invoice,) = from_orders.invoice_company(session, acme, "", command("one"))
    crediting.issue(session, invoice, Credit(invoice.gross_cents, "Adresse", invoice_again=True), command("all"))
    assert stands(session) == 0
    from_orders.invoice_company(session, acme, "", command("two"))
    assert stands(session) == aid.of(order)


def test_a_member_who_asks_for_an_invoice_gets_it_once_and_a_refund_on_it_takes_it_back(session, place_with_aid):
    cast, _ = place_with_aid
    order = make(session, order_cube(session, cast.alice), 1, cast.bob)
    from_orders.invoice_member(session, order, HOME, "fr", command("one"))
    assert stands(session) == aid.of(order)
    refund(session, order, order.price_cents, cast.bob)
    assert stands(session) == 0


def test_what_a_project_pays_is_aided_too(session, place_with_aid):
    cast, _ = place_with_aid
    project = projects.add(session, ProjectData("Club", MONTH.first_on), cast.carole.id)
    budgets.set_budget(session, project, 1_000, cast.carole.id, "opening")
    projects.join(session, project, cast.alice.email)
    order = draft_cube(session, cast.alice)
    payers.choose(session, order, PayerChoice(project=project.public_id), cast.alice)
    seen = offering.order_offer(session, order, {order.line.id: wanted()}).price.total_cents
    billing.confirm(session, order, {order.line.id: wanted()}, seen, cast.alice)
    make(session, order, 1, cast.bob)
    assert stands(session) == aid.of(order) > 0


def test_a_dearer_slice_brings_its_own_aid(session, place_with_aid):
    cast, acme = place_with_aid
    order = company_order(session, cast.alice, acme)
    before = aid.of(order)
    (job,) = jobs.of_order(session, order.id)
    slice_job(session, job, mass_g=100.0, time_s=7200.0)
    billing.confirm_again(session, order, order.proposal_cents, cast.alice)
    assert aid.of(order) > before
    assert abs(aid.of(order) - order.price_cents) <= 1


def test_verify_finds_aid_that_belongs_to_nothing_that_was_paid(session, place_with_aid):
    cast, _ = place_with_aid
    order = make(session, order_cube(session, cast.alice), 1, cast.bob)
    other = order_cube(session, cast.alice)
    for wrong, cents in ((order, -1), (other, 7)):
        lines = [(Account.AID, None, cents), (Account.AID_FUNDS, None, -cents)]
        post(session, Booking(f"wrong-{wrong.id}", EntryKind.AID, lines, say("Test"), order_id=wrong.id))
    found = [str(each) for each in verifying.findings(session)]
    assert len(found) == 2
    assert f"Order {other.id}: €0.07 of aid are booked, and €0.00 belong to what was paid." in found


def test_the_month_shows_it_by_group_and_the_file_of_the_year_by_month(session, place_with_aid):
    cast, _ = place_with_aid
    mine = make(session, order_cube(session, cast.alice), 1, cast.bob)
    make(session, order_cube(session, cast.charlie), 1, cast.bob)
    (found,) = aided.by_group(session, MONTH)
    assert (found.group, found.orders, found.cents) == (Group.MEMBER, 2, stands(session))
    refund(session, mine, mine.price_cents, cast.bob)
    made = sheets.aid(session, period(Span.YEAR, MONTH.first_on))
    assert made.name == f"aid-{MONTH.first_on.year}.csv"
    (row,) = csv.DictReader(io.StringIO(made.content.decode("utf-8-sig")), delimiter=";")
    cents = stands(session)
    month = f"{MONTH.first_on:%Y-%m}"
    assert row == {"month": month, "group": "member", "orders": "2", "aid": f"{cents // 100},{cents % 100:02d}"}


def test_the_journals_hold_it_outside_the_balance_sheet(session, place_with_aid):
    cast, _ = place_with_aid
    make(session, order_cube(session, cast.alice), 1, cast.bob)
    made = fec.export(session, MONTH.first_on.year)
    assert list(fec_checking.findings(made.name, made.content)) == []
    text = made.content.decode(fec.ENCODING)
    assert "\t801820\tAide accordée sur les prix\t" in text
    assert "\t809182\t" in text


STEPS = st.lists(st.tuples(st.sampled_from(["refund", "credit", "again", "invoice"]), st.integers(1, 900)), max_size=8)


@given(st.integers(1, 99), st.integers(1, 5), st.integers(0, 5), st.booleans(), STEPS)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_given_back_the_aid_is_the_share_of_what_is_kept(place, percent, copies, good, on_invoice, steps):
    with sa.orm.Session(db.engine()) as session:
        cast, acme = business(session)
        give_aid(session, percent)
        good = min(good, copies)
        order = (
            company_order(session, cast.alice, acme, copies) if on_invoice else order_cube(session, cast.alice, copies)
        )
        make(session, order, good, cast.bob)
        for number, (what, cents) in enumerate(steps):
            try:
                with session.begin_nested():
                    step(session, cast, acme, order, what, cents, f"step-{number}")
            except Problem:
                continue
            assert 0 <= stands(session) <= aid.of(order)
        session.rollback()


def step(session, cast, acme, order, what, cents, key):
    """Do something with an order or its invoice; what cannot be done now is refused."""
    invoice = session.scalars(
        sa.select(Document).where(Document.corrects_id.is_(None)).order_by(Document.id.desc())
    ).first()
    match what:
        case "refund":
            refund(session, order, cents, cast.bob)
        case "invoice" if order.company_id is not None:
            from_orders.invoice_company(session, acme, "", command(key))
        case "invoice":
            from_orders.invoice_member(session, order, HOME, "fr", command(key))
        case "credit" if invoice is not None:
            crediting.issue(session, invoice, Credit(cents, "Rayure"), command(key))
        case "again" if invoice is not None:
            left = sum(each.gross_cents for each in queries.left_of(session, invoice))
            crediting.issue(session, invoice, Credit(left, "Adresse", invoice_again=True), command(key))
