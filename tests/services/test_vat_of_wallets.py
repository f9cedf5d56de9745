"""With VAT, wallets are never without it: refused by date on both sides, said where it stands, right by itself."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from fablab.billing import clash, ledger, prepaid, seller
from fablab.billing.models import Account, LedgerLine, Prepaid, WalletRules
from fablab.billing.prepaid import RulesData
from fablab.db import utcnow
from fablab.errors import Invalid
from tests.books import FRANCHISE, STANDARD, make, open_books
from tests.people import order_cube, small_place

TODAY = seller.today(utcnow())
LATER = TODAY + timedelta(days=40)
LATEST = TODAY + timedelta(days=80)
BARE = RulesData(TODAY, Prepaid.WITHOUT_VAT)


def balance(session, account):
    total = sa.select(sa.func.sum(LedgerLine.amount_cents)).where(LedgerLine.account == account)
    return session.scalar(total) or 0


def test_with_vat_a_wallets_sale_books_vat_though_nobody_has_set_rules(session):
    cast = small_place(session)
    open_books(session)
    order = make(session, order_cube(session, cast.alice), 1, cast.bob)
    vat = prepaid.vat_within(order.price_cents, 2000)
    assert vat > 0
    assert (balance(session, Account.VAT), balance(session, Account.SALES)) == (-vat, vat - order.price_cents)


@pytest.mark.parametrize(("regime", "rule"), [(STANDARD, Prepaid.MULTI_PURPOSE), (FRANCHISE, Prepaid.WITHOUT_VAT)])
def test_until_somebody_sets_rules_the_regime_says_when_vat_is_due(session, regime, rule):
    small_place(session)
    open_books(session, regime)
    assert prepaid.rules_on(session, TODAY).prepaid == rule


def test_rules_without_vat_are_refused_naming_the_day_on_which_vat_holds(session):
    small_place(session)
    open_books(session, FRANCHISE)
    seller.set_regime(session, replace(STANDARD, valid_from=LATER), None)
    with pytest.raises(Invalid, match=f"{LATER:%Y}.*subject to VAT") as refused:
        prepaid.set_rules(session, BARE, None)
    assert refused.value.field == "prepaid"
    assert prepaid.all_rules(session) == []


def test_a_regime_with_vat_is_refused_while_wallets_are_without_and_taken_once_they_are_not(session):
    small_place(session)
    open_books(session, FRANCHISE)
    prepaid.set_rules(session, BARE, None)
    begins = replace(STANDARD, valid_from=LATER)
    with pytest.raises(Invalid, match="first let another rule hold") as refused:
        seller.set_regime(session, begins, None)
    assert refused.value.field == "regime"
    prepaid.set_rules(session, RulesData(LATER, Prepaid.SINGLE_PURPOSE), None)
    seller.set_regime(session, begins, None)
    assert clash.warning(session, TODAY) is None


def test_rules_without_vat_hold_until_the_day_before_vat_and_from_the_day_after_it(session):
    small_place(session)
    open_books(session, FRANCHISE)
    prepaid.set_rules(session, RulesData(LATER, Prepaid.MULTI_PURPOSE), None)
    seller.set_regime(session, replace(STANDARD, valid_from=LATER), None)
    seller.set_regime(session, replace(FRANCHISE, valid_from=LATEST), None)
    prepaid.set_rules(session, BARE, None)
    prepaid.set_rules(session, replace(BARE, valid_from=LATEST), None)
    with pytest.raises(Invalid, match="subject to VAT"):
        prepaid.set_rules(session, replace(BARE, valid_from=LATEST - timedelta(days=1)), None)


def test_rows_from_before_are_warned_of_from_the_day_they_are_at_odds_until_they_are_mended(session):
    small_place(session)
    open_books(session)
    assert clash.warning(session, TODAY) is None
    old = TODAY - timedelta(days=30)
    session.add(WalletRules(valid_from=old, prepaid=Prepaid.WITHOUT_VAT, cap_cents=25_000))
    session.add(WalletRules(valid_from=TODAY, prepaid=Prepaid.WITHOUT_VAT, cap_cents=10_000))
    session.flush()
    assert f"{old.day}" in str(clash.warning(session, TODAY))
    assert "without the VAT that is due" in str(clash.warning(session, TODAY))
    assert clash.warning(session, old - timedelta(days=5)) is not None
    prepaid.set_rules(session, RulesData(TODAY), None)
    assert clash.warning(session, TODAY) is None


def test_an_old_mistake_that_was_mended_does_not_refuse_what_is_right(session):
    small_place(session)
    open_books(session)
    session.add(WalletRules(valid_from=TODAY - timedelta(days=9), prepaid=Prepaid.WITHOUT_VAT, cap_cents=25_000))
    session.flush()
    prepaid.set_rules(session, RulesData(TODAY), None)
    seller.set_regime(session, replace(STANDARD, valid_from=TODAY, rate_bp=1000), None)
    assert ledger.unbalanced(session) == []
