"""The periods of e-reporting by the VAT regime of their days, when each is due, and which were handed over.

Under VAT with monthly returns sales go out three times a month and payments once; with quarterly or simplified returns
both go once a month, under the small business exemption every two months (decree 2022-1299). Payments are reported for
services alone. Bodies that are exempt or not taxable report nothing.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from fablab.billing import seller
from fablab.billing.models import Operation, Regime, VatRegime
from fablab.bookkeeping.models import EReport
from fablab.errors import Conflict, Invalid, NotFound
from fablab.settings import settings
from fablab.words import N_, say

LONGEST_REFERENCE = 80
LATEST_DAY = 30


class What(StrEnum):
    """What a report is about."""

    SALES = "sales"
    PAYMENTS = "payments"
    BOTH = "both"


WHAT_LABELS: dict[What, str] = {
    What.SALES: N_("Sales to consumers"),
    What.PAYMENTS: N_("Payments of consumers"),
    What.BOTH: N_("Sales to consumers and their payments"),
}


class Rhythm(StrEnum):
    """How often something is reported."""

    DECADES = "decades"
    MONTHS = "months"
    MONTHS_LATER = "months_later"
    TWO_MONTHS = "two_months"


RHYTHM_LABELS: dict[Rhythm, str] = {
    Rhythm.DECADES: N_("three times a month, each time within ten days"),
    Rhythm.MONTHS: N_("once a month, by the 10th of the next month"),
    Rhythm.MONTHS_LATER: N_("once a month, by the 30th of the next month"),
    Rhythm.TWO_MONTHS: N_("every two months, by the 30th of the month after them"),
}
OF_RETURNS = {"monthly": Rhythm.DECADES, "quarterly": Rhythm.MONTHS, "simplified": Rhythm.MONTHS_LATER}


@dataclass(frozen=True)
class Report:
    """What is to be handed over: sales, payments or both of some days, and the last day to do it."""

    what: What
    first_on: date
    last_on: date
    due_on: date


@dataclass(frozen=True)
class Duty:
    """How somebody reports on a day."""

    rhythm: Rhythm
    services: bool


Rhythms = Callable[[Duty], tuple[What, Rhythm] | None]


def duty_on(session: Session, day: date) -> Duty | None:
    """Return how the place reports on a day: not at all before e-reporting begins, or under most regimes."""
    return _duty(seller.regimes(session), day) if day >= settings().e_reporting_from else None


def _duty(regimes: Sequence[VatRegime], day: date) -> Duty | None:
    found = next((each for each in regimes if each.valid_from <= day), None)
    if found is None or found.regime not in (Regime.STANDARD, Regime.FRANCHISE):
        return None
    rhythm = Rhythm.TWO_MONTHS if found.regime == Regime.FRANCHISE else OF_RETURNS[settings().vat_returns]
    return Duty(rhythm, found.operation == Operation.SERVICES)


def reports(session: Session, until: date) -> list[Report]:
    """Return every report whose days begin up to a day, in the order in which they are due."""
    regimes = seller.regimes(session)
    found = [*_stream(regimes, until, _main), *_stream(regimes, until, _payments)]
    return sorted(found, key=lambda each: (each.due_on, each.first_on, each.what))


def _main(duty: Duty) -> tuple[What, Rhythm] | None:
    both = duty.services and duty.rhythm != Rhythm.DECADES
    return What.BOTH if both else What.SALES, duty.rhythm


def _payments(duty: Duty) -> tuple[What, Rhythm] | None:
    """Return how payments are reported where they do not go with the sales."""
    return (What.PAYMENTS, Rhythm.MONTHS) if duty.services and duty.rhythm == Rhythm.DECADES else None


def _stream(regimes: Sequence[VatRegime], until: date, rhythms: Rhythms) -> Iterator[Report]:
    """Yield reports without a gap; a period ends early where another regime begins that reports in another way."""
    changes = sorted({each.valid_from for each in regimes})

    def at(day: date) -> tuple[What, Rhythm] | None:
        duty = _duty(regimes, day)
        return rhythms(duty) if duty is not None else None

    day = settings().e_reporting_from
    while day <= until:
        how = at(day)
        change = next((each for each in changes if each > day and at(each) != how), None)
        if how is None:
            if change is None:
                return
            day = change
            continue
        end, due_on = _ends(how[1], day)
        last_on = min(end, change - timedelta(days=1)) if change else end
        yield Report(how[0], day, last_on, due_on)
        day = last_on + timedelta(days=1)


def _ends(rhythm: Rhythm, day: date) -> tuple[date, date]:
    """Return when the period a day lies in ends, and when its report is due."""
    if rhythm == Rhythm.DECADES:
        last_on = day.replace(day=next((each for each in (10, 20) if day.day <= each), _days(day)))
    elif rhythm == Rhythm.TWO_MONTHS and day.month % 2:
        last_on = _month_end(_month_end(day) + timedelta(days=1))
    else:
        last_on = _month_end(day)
    if rhythm in (Rhythm.DECADES, Rhythm.MONTHS):
        return last_on, last_on + timedelta(days=10)
    after = last_on + timedelta(days=1)
    return last_on, after.replace(day=min(LATEST_DAY, _days(after)))


def _days(day: date) -> int:
    return monthrange(day.year, day.month)[1]


def _month_end(day: date) -> date:
    return day.replace(day=_days(day))


@dataclass(frozen=True)
class Standing:
    """Where e-reporting stands: what is over and not handed over, what is running, and what was handed over."""

    due: tuple[Report, ...]
    running: tuple[Report, ...]
    done: tuple[EReport, ...]


def standing(session: Session, today: date) -> Standing:
    """Return what is to be handed over, the most urgent first, and what was, the newest first."""
    done = session.scalars(select(EReport).order_by(EReport.last_on.desc(), EReport.id.desc())).all()
    handed = {(each.what, each.first_on, each.last_on) for each in done}
    left = [each for each in reports(session, today) if (each.what, each.first_on, each.last_on) not in handed]
    due, running = ([each for each in left if (each.last_on < today) == over] for over in (True, False))
    return Standing(tuple(due), tuple(running), tuple(done))


def one(session: Session, what: str, first_on: date) -> Report:
    """Return the report of something that begins on a day. Raises `NotFound`."""
    found = next((each for each in reports(session, first_on) if (each.what, each.first_on) == (what, first_on)), None)
    if found is None:
        raise NotFound
    return found


def hand_over(session: Session, report: Report, handed_on: date, reference: str, by_id: int, today: date) -> EReport:
    """Write down that a report was handed over; sent twice, it is written once. Raises `Invalid` or `Conflict`."""
    query = select(EReport).where(EReport.what == report.what, EReport.first_on == report.first_on)
    found = session.scalar(query.where(EReport.last_on == report.last_on))
    if found is not None:
        return found
    if report.last_on >= today:
        raise Conflict(say("These days are not over yet: more may be sold."))
    if not report.last_on < handed_on <= today:
        raise Invalid(say("A day after the last one reported, and not after today."), field="handed_on")
    cleaned = " ".join(reference.split())
    if len(cleaned) > LONGEST_REFERENCE:
        raise Invalid(say("At most {most} signs.", most=LONGEST_REFERENCE), field="reference")
    made = EReport(
        what=report.what,
        first_on=report.first_on,
        last_on=report.last_on,
        handed_on=handed_on,
        reference=cleaned,
        by_id=by_id,
    )
    session.add(made)
    session.flush()
    return made
