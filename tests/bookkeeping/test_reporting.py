"""Periods of e-reporting: by the regime of their days, without gap or overlap, each due in time, written down once."""

import csv
import io
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fablab import db
from fablab.billing import prepaid, seller
from fablab.billing.models import Operation, Regime, VatRegime
from fablab.billing.prepaid import Prepaid, RulesData
from fablab.bookkeeping import reporting, sheets
from fablab.bookkeeping.models import EReport
from fablab.bookkeeping.reporting import Report, What
from fablab.errors import Conflict, Invalid, NotFound
from fablab.invoicing import topping_up
from tests.books import SELLER
from tests.conftest import environment
from tests.people import small_place

BEGINS = date(2027, 9, 1)


def holds(session, day, regime, operation=Operation.GOODS):
    rate = 2000 if regime == Regime.STANDARD else 0
    row = VatRegime(valid_from=day, regime=regime, rate_bp=rate, operation=operation, companies_before_vat=False)
    session.add(row)
    session.flush()


def said(session, until):
    return [
        (each.what.value, f"{each.first_on:%m-%d}", f"{each.last_on:%m-%d}", f"{each.due_on:%m-%d}")
        for each in reporting.reports(session, until)
    ]


def test_with_vat_sales_go_out_three_times_a_month_within_ten_days(session):
    holds(session, date(2020, 1, 1), Regime.STANDARD)
    assert said(session, date(2027, 9, 30)) == [
        ("sales", "09-01", "09-10", "09-20"),
        ("sales", "09-11", "09-20", "09-30"),
        ("sales", "09-21", "09-30", "10-10"),
    ]


def test_payments_for_services_go_out_once_a_month_beside_them(session):
    holds(session, date(2020, 1, 1), Regime.STANDARD, Operation.SERVICES)
    assert [each for each in said(session, date(2027, 10, 1)) if each[0] == "payments"] == [
        ("payments", "09-01", "09-30", "10-10"),
        ("payments", "10-01", "10-31", "11-10"),
    ]


@pytest.mark.parametrize(("returns", "due"), [("quarterly", "03-10"), ("simplified", "03-30")])
def test_with_fewer_returns_of_vat_both_go_out_once_a_month(session, tmp_path, returns, due):
    holds(session, date(2020, 1, 1), Regime.STANDARD, Operation.SERVICES)
    with environment(data_dir=str(tmp_path), vat_returns=returns, e_reporting_from="2028-02-01"):
        assert said(session, date(2028, 2, 10)) == [("both", "02-01", "02-29", due)]


def test_in_february_the_last_day_is_late_enough(session, tmp_path):
    holds(session, date(2020, 1, 1), Regime.STANDARD)
    with environment(data_dir=str(tmp_path), vat_returns="simplified", e_reporting_from="2029-01-01"):
        assert said(session, date(2029, 1, 10)) == [("sales", "01-01", "01-31", "02-28")]


def test_under_the_exemption_it_is_every_two_months(session):
    holds(session, date(2020, 1, 1), Regime.FRANCHISE)
    assert said(session, date(2028, 1, 1)) == [
        ("sales", "09-01", "10-31", "11-30"),
        ("sales", "11-01", "12-31", "01-30"),
        ("sales", "01-01", "02-29", "03-30"),
    ]


def test_a_change_of_regime_ends_a_period(session):
    holds(session, date(2020, 1, 1), Regime.FRANCHISE)
    holds(session, date(2027, 9, 16), Regime.STANDARD)
    holds(session, date(2027, 10, 5), Regime.NOT_TAXABLE)
    assert said(session, date(2028, 1, 1)) == [
        ("sales", "09-16", "09-20", "09-30"),
        ("sales", "09-21", "09-30", "10-10"),
        ("sales", "10-01", "10-04", "10-20"),
        ("sales", "09-01", "09-15", "11-30"),
    ]


@pytest.mark.parametrize("regime", [Regime.EXEMPT_261_7, Regime.NOT_TAXABLE])
def test_who_is_not_taxable_reports_nothing(session, regime):
    holds(session, date(2020, 1, 1), regime)
    assert said(session, date(2028, 1, 1)) == []
    assert reporting.duty_on(session, date(2028, 1, 1)) is None


CHANGES = st.lists(
    st.tuples(st.integers(-300, 700), st.sampled_from(list(Regime)), st.sampled_from(list(Operation))), max_size=5
)


@given(CHANGES, st.sampled_from(["monthly", "quarterly", "simplified"]))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_day_is_reported_once_and_no_other_day_is(place, changes, returns):
    until = BEGINS + timedelta(days=600)
    with sa.orm.Session(db.engine()) as session, environment(data_dir=str(place), vat_returns=returns):
        for days, regime, operation in changes:
            holds(session, BEGINS + timedelta(days=days), regime, operation)
        found = reporting.reports(session, until)
        for each in found:
            assert BEGINS <= each.first_on <= each.last_on < each.due_on
            assert each.last_on - each.first_on < timedelta(days=62)
        for kind, wanted in (
            ((What.SALES, What.BOTH), lambda duty: True),
            ((What.PAYMENTS, What.BOTH), lambda duty: duty.services),
        ):
            days = [
                each.first_on + timedelta(days=number)
                for each in found
                if each.what in kind
                for number in range((each.last_on - each.first_on).days + 1)
            ]
            assert len(days) == len(set(days))
            for number in range(600):
                day = BEGINS + timedelta(days=number)
                duty = reporting.duty_on(session, day)
                assert (day in days) == (duty is not None and wanted(duty))
        session.rollback()


def test_what_is_over_is_to_be_handed_over_until_it_is_written_down_once(session):
    carole = small_place(session, cents=0).carole
    holds(session, date(2020, 1, 1), Regime.STANDARD)
    today = date(2027, 9, 22)
    first, second = reporting.standing(session, today).due
    assert (first.due_on, second.due_on) == (date(2027, 9, 20), date(2027, 9, 30))
    assert [each.first_on for each in reporting.standing(session, today).running] == [date(2027, 9, 21)]
    for _ in range(2):
        made = reporting.hand_over(session, first, today, " AR  77 ", carole.id, today)
    assert made.reference == "AR 77"
    assert reporting.standing(session, today).due == (second,)
    assert session.scalar(sa.select(sa.func.count(EReport.id))) == 1


def test_what_is_not_over_and_days_that_cannot_be_are_refused(session):
    carole = small_place(session, cents=0).carole
    holds(session, date(2020, 1, 1), Regime.STANDARD)
    report = reporting.one(session, "sales", BEGINS)
    with pytest.raises(Conflict, match="not over yet"):
        reporting.hand_over(session, report, report.last_on, "", carole.id, report.last_on)
    for wrong in (report.last_on, date(2027, 9, 13)):
        with pytest.raises(Invalid) as refused:
            reporting.hand_over(session, report, wrong, "", carole.id, date(2027, 9, 12))
        assert refused.value.field == "handed_on"
    with pytest.raises(Invalid, match="80"):
        reporting.hand_over(session, report, date(2027, 9, 12), "x" * 81, carole.id, date(2027, 9, 12))
    for what, day in (("sales", date(2027, 9, 2)), ("payments", BEGINS), ("sales", date(2026, 1, 1))):
        with pytest.raises(NotFound):
            reporting.one(session, what, day)


def test_the_file_of_a_report_holds_its_days_and_what_it_is_about(session):
    cast = small_place(session, cents=0)
    today = datetime.now(UTC).date()
    holds(session, date(2020, 1, 1), Regime.STANDARD)
    prepaid.set_rules(session, RulesData(today, Prepaid.SINGLE_PURPOSE), None)
    seller.set_identity(session, SELLER, None)
    topping_up.top_up(session, cast.alice, 1200, cast.carole.id, "t")
    week = (today - timedelta(days=6), today + timedelta(days=1))

    def written(what, days):
        made = sheets.of_report(session, Report(what, *days, today))
        assert made.name == f"e-reporting-{what}-{days[0].isoformat()}_{days[1].isoformat()}.csv"
        return [row["what"] for row in csv.DictReader(io.StringIO(made.content.decode("utf-8-sig")), delimiter=";")]

    assert written(What.SALES, week) == ["sales"]
    assert written(What.PAYMENTS, week) == ["payments"]
    assert written(What.BOTH, week) == ["sales", "payments"]
    assert written(What.BOTH, (week[0] - timedelta(days=9), week[0])) == []
