"""An invoice of its own for each order a wallet paid, where the rules say so: once, whoever asks how often."""

from dataclasses import replace
from datetime import timedelta
from threading import Thread

import pytest
import sqlalchemy as sa

from fablab import bus, db, leaving
from fablab.accounts import addresses
from fablab.accounts.addresses import AddressData
from fablab.accounts.models import Person
from fablab.billing import ledger, prepaid, seller
from fablab.billing.ledger import Paid
from fablab.billing.models import Account, Prepaid
from fablab.billing.prepaid import RulesData
from fablab.db import utcnow
from fablab.invoicing import crediting, done_orders, from_orders, queries, topping_up, verifying
from fablab.invoicing.content import from_text
from fablab.invoicing.crediting import Credit
from fablab.invoicing.models import Document
from tests.books import FRANCHISE, STANDARD, business, command, company_order, make, open_books
from tests.people import order_cube, small_place

TODAY = seller.today(utcnow())
AT_HOME = AddressData("Alice Martin", "1 rue Haute", "26400", "Crest")


@pytest.fixture
def done(session):
    """An order that is done, in a place where nobody has set rules of wallets."""
    cast = small_place(session)
    open_books(session)
    return cast, make(session, order_cube(session, cast.alice), 1, cast.bob)


def found(session):
    return [str(each) for each in verifying.findings(session)]


def test_an_order_that_is_done_is_invoiced_once_and_paid_from_the_start(session, done):
    cast, order = done
    addresses.keep(session, cast.alice.id, AT_HOME)
    assert done_orders.waiting(session, utcnow()) == [order.id]
    made = done_orders.invoice(session, order.id, utcnow())
    assert done_orders.invoice(session, order.id, utcnow()) is None
    assert done_orders.waiting(session, utcnow()) == []
    assert (made.person_id, made.gross_cents, made.number) == (
        cast.alice.id,
        order.price_cents,
        f"F-{TODAY.year}-00001",
    )
    assert from_text(made.payload).buyer.street == "1 rue Haute"
    assert queries.standing(session, made, TODAY) == queries.Standing.PAID
    assert [each.document for each in queries.of_order(session, cast.alice, order.id, TODAY)] == [made]
    assert found(session) == []


def test_who_has_entered_no_address_is_named_alone(session, done):
    _, order = done
    buyer = from_text(done_orders.invoice(session, order.id, utcnow()).payload).buyer
    assert (buyer.name, buyer.street, buyer.city) == ("Alice", "", "")


def test_two_workers_at_once_issue_one_invoice(any_place):
    with db.transaction() as session:
        cast = small_place(session)
        open_books(session)
        order_id = make(session, order_cube(session, cast.alice), 1, cast.bob).id

    def work():
        with bus.using(bus.SilentTransport()), db.transaction() as session:
            done_orders.invoice(session, order_id, utcnow())

    workers = [Thread(target=work) for _ in range(3)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    with db.reading() as session:
        assert session.scalar(sa.select(sa.func.count(Document.id))) == 1
        assert found(session) == []


def test_with_the_setting_off_an_invoice_is_on_request(session, done):
    cast, order = done
    prepaid.set_rules(session, RulesData(TODAY, invoice_orders=False), None)
    assert done_orders.waiting(session, utcnow()) == []
    assert done_orders.invoice(session, order.id, utcnow()) is None
    buyer = done_orders.addresses.buyer_of(session, cast.alice)
    made = from_orders.invoice_member(
        session, order, replace(buyer, street="1", postcode="2", city="3"), "fr", command("a")
    )
    assert made.gross_cents == order.price_cents


def test_what_is_not_done_was_done_long_ago_or_is_not_paid_by_a_wallet_waits_for_nothing(session):
    cast, acme = business(session)
    order_cube(session, cast.charlie)
    make(session, company_order(session, cast.alice, acme), 1, cast.bob)
    assert done_orders.waiting(session, utcnow()) == []
    order = make(session, order_cube(session, cast.alice), 1, cast.bob)
    assert done_orders.waiting(session, utcnow()) == [order.id]
    assert done_orders.waiting(session, utcnow() + done_orders.LOOKS_BACK + timedelta(minutes=1)) == []


def test_where_nobody_has_said_who_sells_nothing_is_invoiced(session):
    cast = small_place(session)
    make(session, order_cube(session, cast.alice), 1, cast.bob)
    assert done_orders.waiting(session, utcnow()) == []


def test_an_order_that_is_to_be_invoiced_again_waits_for_its_person(session, done):
    _, order = done
    made = done_orders.invoice(session, order.id, utcnow())
    crediting.issue(session, made, Credit(made.gross_cents, "Adresse", invoice_again=True), command("again"))
    assert done_orders.waiting(session, utcnow()) == []
    assert from_orders.to_invoice_cents(session, order) == order.price_cents


@pytest.mark.parametrize("regime", [STANDARD, FRANCHISE])
def test_an_order_paid_with_a_voucher_is_invoiced_only_where_its_top_up_was_not(session, regime):
    cast = small_place(session, cents=0)
    open_books(session, regime)
    prepaid.set_rules(session, RulesData(TODAY, Prepaid.SINGLE_PURPOSE), None)
    topping_up.top_up(session, cast.alice, 1200, cast.carole.id, "k")
    order = make(session, order_cube(session, cast.alice), 1, cast.bob)
    assert done_orders.waiting(session, utcnow()) == ([] if regime is STANDARD else [order.id])


def test_an_address_goes_with_its_account_and_issued_invoices_keep_it(session, done):
    cast, order = done
    addresses.keep(session, cast.alice.id, AT_HOME)
    made = done_orders.invoice(session, order.id, utcnow())
    rest = ledger.balance_cents(session, cast.alice.id)
    topping_up.pay_out(session, cast.alice, rest, cast.carole.id, "out", Paid(Account.CASH))
    order.state = "collected"
    leaving.erase(session, session.get(Person, cast.alice.id), cast.carole)
    assert session.scalars(sa.select(addresses.InvoiceAddress)).all() == []
    assert from_text(made.payload).buyer.city == "Crest"
