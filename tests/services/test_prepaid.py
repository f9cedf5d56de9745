"""Money for wallets: by every way to pay, within the cap, and with VAT when the regime says it is due."""

from decimal import Decimal

import pytest
import sqlalchemy as sa

from fablab.billing import ledger, prepaid, receipts, seller
from fablab.billing.ledger import Paid
from fablab.billing.models import Account, LedgerLine, Prepaid
from fablab.billing.prepaid import RulesData
from fablab.db import utcnow
from fablab.errors import Invalid, NotFound
from fablab.invoicing import from_orders, topping_up, verifying
from fablab.money import half_up
from fablab.words import say
from tests.books import FRANCHISE, HOME, STANDARD, command, make, open_books
from tests.people import order_cube, small_place

TODAY = seller.today(utcnow())


def balance(session, account):
    total = sa.select(sa.func.sum(LedgerLine.amount_cents)).where(LedgerLine.account == account)
    return session.scalar(total) or 0


def topped_up(session, prepaid_regime, regime=STANDARD, cents=1200):
    """Alice with that much in the wallet, under these rules."""
    cast = small_place(session, cents=0)
    open_books(session, regime)
    prepaid.set_rules(session, RulesData(TODAY, prepaid_regime), None)
    topping_up.top_up(session, cast.alice, cents, cast.carole.id, "first")
    return cast


@pytest.mark.parametrize(
    ("account", "text"),
    [
        (Account.CASH, "Cash at the desk"),
        (Account.CHEQUE, "Cheque at the desk · 0042"),
        (Account.CARD, "Card terminal at the desk"),
        (Account.BANK, "Bank transfer"),
    ],
)
def test_a_top_up_goes_into_the_account_of_its_way_to_pay_and_has_a_receipt(session, account, text):
    cast = small_place(session, cents=0)
    before = balance(session, account)
    paid = Paid(account, "0042" if account == Account.CHEQUE else "")
    made = ledger.top_up(session, cast.alice, 1500, cast.carole.id, "once", paid)
    assert ledger.top_up(session, cast.alice, 1500, cast.carole.id, "once", paid) is made
    assert balance(session, account) == before + 1500
    receipt = receipts.of_top_up(session, made.id)
    assert (receipt.number, receipt.person, receipt.taken_by) == (f"E{made.id:06d}", cast.alice, cast.carole)
    assert (receipt.account, receipt.amount_cents, receipt.vat_cents) == (account, 1500, 0)
    assert str(made.text) == text


def test_only_a_top_up_has_a_receipt(session):
    cast = small_place(session)
    order_cube(session, cast.alice)
    reservation = next(each.entry for each in ledger.history(session, cast.alice.id) if each.reserved_cents)
    for number in (reservation.id, 9999, 2**40):
        with pytest.raises(NotFound):
            receipts.of_top_up(session, number)


def test_the_cap_of_a_wallet_holds_from_its_day_on(session):
    cast = small_place(session, cents=0)
    prepaid.set_rules(session, RulesData(TODAY, cap_cents=1000), None)
    with pytest.raises(Invalid, match="at most €10"):
        ledger.top_up(session, cast.alice, 1001, cast.carole.id, "much")
    ledger.top_up(session, cast.alice, 1000, cast.carole.id, "full")
    with pytest.raises(Invalid, match="today or later"):
        prepaid.set_rules(session, RulesData(TODAY.replace(year=2020), cap_cents=1000), None)


def test_no_more_than_the_law_allows_is_put_in_with_cash(session):
    alice = small_place(session, cents=0).alice
    prepaid.set_rules(session, RulesData(TODAY, cap_cents=500_000), None)
    with pytest.raises(Invalid, match="may be paid in cash"):
        ledger.top_up(session, alice, 100_001, alice.id, "too much")
    ledger.top_up(session, alice, 100_000, alice.id, "cash")
    ledger.top_up(session, alice, 100_001, alice.id, "cheque", ledger.Paid(Account.CHEQUE))
    assert ledger.balance_cents(session, alice.id) == 200_001


def test_a_single_purpose_voucher_owes_vat_at_the_top_up_and_none_when_it_is_used(session):
    cast = topped_up(session, Prepaid.SINGLE_PURPOSE)
    assert (balance(session, Account.VAT), balance(session, Account.VAT_PREPAID)) == (-200, 200)
    order = order_cube(session, cast.alice)
    make(session, order, order.line.quantity, cast.bob)
    price = order.price_cents
    used = half_up(Decimal(200 * price) / 1200)
    assert (balance(session, Account.VAT), balance(session, Account.VAT_PREPAID)) == (-200, 200 - used)
    assert balance(session, Account.SALES) == used - price
    assert ledger.charged_cents(session, order.id) == price


def test_what_is_paid_out_takes_back_the_vat_that_was_due_for_it(session):
    cast = topped_up(session, Prepaid.SINGLE_PURPOSE)
    topping_up.pay_out(session, cast.alice, 600, cast.carole.id, "half", Paid(Account.BANK, "VIR 9"))
    assert (balance(session, Account.VAT), balance(session, Account.VAT_PREPAID)) == (-100, 100)
    assert balance(session, Account.BANK) == -600
    topping_up.pay_out(session, cast.alice, 600, cast.carole.id, "rest", Paid(Account.CASH))
    assert (balance(session, Account.VAT), balance(session, Account.VAT_PREPAID)) == (0, 0)
    assert list(verifying.findings(session)) == []


def test_a_wallet_that_is_used_up_has_no_vat_left_to_use_up(session):
    cast = topped_up(session, Prepaid.SINGLE_PURPOSE, cents=1001)
    order = order_cube(session, cast.alice)
    ledger.release(session, cast.alice.id, order.id, "free", say("Test"), None)
    for number, cents in enumerate((333, 1, 667)):
        ledger.reserve(session, cast.alice.id, order.id, cents, f"r{number}", say("Test"))
        ledger.charge(session, cast.alice.id, order.id, cents, f"c{number}", say("Test"), cast.bob.id)
    assert ledger.held_cents(session, cast.alice.id) == 0
    assert balance(session, Account.VAT_PREPAID) == 0


def test_a_multi_purpose_voucher_owes_vat_when_it_is_used(session):
    cast = topped_up(session, Prepaid.MULTI_PURPOSE)
    assert balance(session, Account.VAT) == 0
    order = order_cube(session, cast.alice)
    make(session, order, order.line.quantity, cast.bob)
    assert -balance(session, Account.VAT) == prepaid.vat_within(order.price_cents, 2000)
    assert balance(session, Account.VAT_PREPAID) == 0


def test_an_invoice_of_what_the_wallet_paid_owes_its_vat_once(session):
    cast = topped_up(session, Prepaid.MULTI_PURPOSE)
    order = order_cube(session, cast.alice)
    make(session, order, order.line.quantity, cast.bob)
    vat, sales = balance(session, Account.VAT), balance(session, Account.SALES)
    made = from_orders.invoice_member(session, order, HOME, "fr", command("ask"))
    assert made.vat_cents > 0
    assert abs(balance(session, Account.VAT) - vat) <= 1
    assert abs(balance(session, Account.SALES) - sales) <= 1
    assert [str(each) for each in verifying.findings(session)] == []


@pytest.mark.parametrize("rules", list(Prepaid))
def test_a_place_without_vat_never_books_any(session, rules):
    cast = topped_up(session, rules, FRANCHISE)
    order = order_cube(session, cast.alice)
    make(session, order, order.line.quantity, cast.bob)
    assert balance(session, Account.VAT) == balance(session, Account.VAT_PREPAID) == 0
    assert balance(session, Account.SALES) == -order.price_cents
