"""Whose prices hold when, for whom, and that what was confirmed keeps its own."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError

from fablab import db
from fablab.billing import offering, payers, queries, seller, tariffs
from fablab.billing import services as billing
from fablab.billing.models import Group, TariffGroup
from fablab.billing.payers import PayerChoice
from fablab.billing.pricing import Rules, price
from fablab.db import utcnow
from fablab.errors import Conflict, Invalid
from tests.books import FRANCHISE, business
from tests.people import draft_cube, small_place, wanted

DEAR = tariffs.TariffData("Outside", 900, 80, 200, {"PLA": 4000}, group=Group.OUTSIDE)


def test_people_pay_the_prices_of_their_group_from_its_date_on(session):
    cast = small_place(session)
    tariffs.set_tariff(session, DEAR, None)
    today = seller.today(utcnow())
    order = draft_cube(session, cast.alice)
    before = offering.offer_for(session, order, wanted()).quote.price.total_cents
    tariffs.put_into(session, cast.alice.id, Group.OUTSIDE, today + timedelta(days=3), cast.carole.id)
    assert tariffs.group_of(session, cast.alice.id) == Group.MEMBER
    assert tariffs.group_of(session, cast.alice.id, today + timedelta(days=3)) == Group.OUTSIDE
    tariffs.put_into(session, cast.alice.id, Group.OUTSIDE, today, cast.carole.id)
    after = offering.offer_for(session, order, wanted()).quote.price.total_cents
    assert after > before
    with pytest.raises(Conflict, match="The price is"):
        billing.confirm(session, order, {order.line.id: wanted()}, before, cast.alice)
    billing.confirm(session, order, {order.line.id: wanted()}, after, cast.alice)
    assert order.price_cents == after


def test_a_group_without_prices_pays_those_of_members(session):
    cast = small_place(session)
    assert queries.current_tariff(session, Group.PARTNER).id == cast.tariff.id


def test_a_tariff_of_later_changes_nothing_today(session):
    cast = small_place(session)
    later = utcnow() + timedelta(days=2)
    planned = tariffs.set_tariff(session, tariffs.TariffData("2099", 100, 1, 1, {"PLA": 1}), None, later)
    assert queries.current_tariff(session).id == cast.tariff.id
    assert queries.current_tariff(session, now=later).id == planned.id


def test_a_confirmed_price_is_reckoned_by_its_own_tariff_for_ever(place):
    rules = Rules(
        slot_minutes=30, slot_cents=70, per_part_cents=20, breaks=((2, 10),), aid_percent=30, rounding_cents=5
    )
    with db.transaction() as session:
        cast = small_place(session)
        tariffs.set_tariff(session, tariffs.TariffData("Ours", 150, 0, 0, {"PLA": 4000}, rules), None)
        order = draft_cube(session, cast.alice)
        seen = offering.offer_for(session, order, wanted()).quote.price.total_cents
        billing.confirm(session, order, {order.line.id: wanted()}, seen, cast.alice)
        tariffs.set_tariff(session, tariffs.TariffData("Dear", 9000, 0, 0, {"PLA": 4000}), None)
        version = next(each for each in queries.tariffs(session) if each.id == order.tariff_id)
        line = order.line
        again = price(queries.as_tariff(version), "PLA", line.estimated_mass_g, line.estimated_time_s, line.quantity)
        assert again.to_json() == order.price
        assert again.total_cents == seen


def test_what_a_company_pays_is_priced_for_companies_whoever_orders(session):
    cast, company = business(session, FRANCHISE)
    theirs = tariffs.set_tariff(
        session, tariffs.TariffData("Companies", 2000, 80, 0, {"PLA": 9000}, group=Group.COMPANY), None
    )
    order = draft_cube(session, cast.alice)
    own = offering.offer_for(session, order, wanted()).quote.price.total_cents
    payers.choose(session, order, PayerChoice(company.public_id), cast.alice)
    seen = offering.offer_for(session, order, wanted()).quote.price.total_cents
    assert seen > own
    billing.confirm(session, order, {order.line.id: wanted()}, seen, cast.alice)
    assert order.tariff_id == theirs.id


def test_nobody_is_put_into_a_group_for_days_that_have_passed_nor_into_that_of_companies(session):
    cast = small_place(session)
    today = seller.today(utcnow())
    with pytest.raises(Invalid) as wrong:
        tariffs.put_into(session, cast.alice.id, Group.OUTSIDE, today - timedelta(days=1), None)
    assert wrong.value.field == "valid_from"
    with pytest.raises(Invalid) as wrong:
        tariffs.put_into(session, cast.alice.id, Group.COMPANY, today, None)
    assert wrong.value.field == "tariff_group"


def test_new_prices_begin_at_once_or_with_their_day_but_never_before():
    today = seller.today(utcnow())
    assert abs(tariffs.beginning(None) - utcnow()) < timedelta(minutes=1)
    assert seller.today(tariffs.beginning(today + timedelta(days=1))) == today + timedelta(days=1)
    with pytest.raises(Invalid):
        tariffs.beginning(date(2020, 1, 1))


def test_a_group_somebody_was_in_is_never_changed(any_place):
    with db.transaction() as session:
        cast = small_place(session)
        tariffs.put_into(session, cast.alice.id, Group.PARTNER, seller.today(utcnow()), None)
    for statement in (sa.update(TariffGroup).values(tariff_group="member"), sa.delete(TariffGroup)):
        with pytest.raises(DatabaseError), db.transaction() as session:
            session.execute(statement)
