"""Tariffs that are ready to use, what a tariff may say, and who pays by which: dated, never changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from fablab.billing import failures, queries
from fablab.billing.models import Group, TariffGroup, TariffVersion
from fablab.billing.pricing import DEFAULT_TARIFF, HIGHEST_PRICE_CENTS, NO_RULES, Rules, Tariff
from fablab.db import utcnow
from fablab.errors import Invalid
from fablab.orders.models import Order
from fablab.settings import settings
from fablab.words import N_, Euros, Sentence, say

MOST_BREAKS = 5
LONGEST_SLOT_MINUTES = 24 * 60
MOST_LEAST_SLOTS = 100
HIGHEST_STEP_CENTS = 1000
MOST_URGENT_PERCENT = 300
MOST_FREE_FAILURES = 100


@dataclass(frozen=True)
class ReadyMade:
    """A tariff to begin with, and for whom it is."""

    key: str
    tariff: Tariff
    about: str


READY_MADE: Sequence[ReadyMade] = (
    ReadyMade("standard", DEFAULT_TARIFF, N_("Filament, hours and a small fee, each for what it costs the place.")),
    ReadyMade(
        "by-the-gram",
        Tariff(N_("By the gram"), 0, 0, 100, {"PLA": 10_000, "PETG": 12_000, "TPU": 20_000}),
        N_("One figure to remember: 10 cents a gram of PLA, and no clock. Long, light prints are cheap."),
    ),
    ReadyMade(
        "by-the-slot",
        Tariff(
            N_("By the half hour, PLA included"),
            0,
            0,
            0,
            {"PLA": 0, "PETG": 5000, "TPU": 8000},
            Rules(slot_minutes=30, slot_cents=100),
        ),
        N_("Each half hour that is begun; PLA is included, other filament comes by the gram. Easy to tell at a desk."),
    ),
    ReadyMade(
        "by-the-part",
        Tariff(
            N_("By the part, with quantity prices"),
            300,
            150,
            500,
            {"PLA": 5000, "PETG": 6000, "TPU": 9000},
            Rules(per_part_cents=50, breaks=((10, 10), (50, 20)), rounding_cents=10),
        ),
        N_("For companies and people from outside: the work on each part counts, and series are cheaper."),
    ),
    ReadyMade(
        "helped",
        Tariff(
            N_("Half paid by the place"),
            100,
            120,
            100,
            {"PLA": 4000, "PETG": 4500, "TPU": 7000},
            Rules(aid_percent=50, rounding_cents=5),
        ),
        N_("For schools, clubs and projects with a grant: the real cost is shown, and the place pays half of it."),
    ),
)


@dataclass(frozen=True)
class TariffData:
    """What an administrator enters for a tariff, in cents, and whom it is for."""

    name: str
    setup_cents: int
    per_hour_cents: int
    minimum_cents: int
    per_kg_cents: Mapping[str, int]
    rules: Rules = NO_RULES
    group: Group = Group.MEMBER

    @property
    def tariff(self) -> Tariff:
        """What prices are computed with."""
        fees = (self.setup_cents, self.per_hour_cents, self.minimum_cents)
        return Tariff(self.name.strip()[:80], *fees, dict(self.per_kg_cents), self.rules)


def set_tariff(session: Session, data: TariffData, by_id: int | None, now: datetime | None = None) -> TariffVersion:
    """Let a new tariff of a group take over from `now` on, or later; orders that were confirmed keep theirs."""
    if not data.name.strip():
        raise Invalid(say("Please give the tariff a name."), field="name")
    must_be_possible(data.tariff)
    version = TariffVersion(
        name=data.name.strip()[:80],
        valid_from=now or utcnow(),
        setup_cents=data.setup_cents,
        per_hour_cents=data.per_hour_cents,
        minimum_cents=data.minimum_cents,
        rates=dict(data.per_kg_cents),
        rules=data.rules.to_json(),
        tariff_group=data.group,
        created_by_id=by_id,
    )
    session.add(version)
    session.flush()
    return version


def must_be_possible(tariff: Tariff) -> None:
    """Raise `Invalid`, naming the field, when a tariff says what no tariff can say."""
    rules = tariff.rules
    amounts = {
        "setup": tariff.setup_cents,
        "per_hour": tariff.per_hour_cents,
        "minimum": tariff.minimum_cents,
        "slot": rules.slot_cents,
        "per_part": rules.per_part_cents,
        "urgent": rules.urgent_cents,
        **{f"rate-{code}": cents for code, cents in tariff.per_kg_cents.items()},
    }
    if not tariff.per_kg_cents:
        raise Invalid(say("A tariff has no negative prices, and a price for at least one material."))
    for field, cents in amounts.items():
        if cents < 0:
            raise Invalid(say("A tariff has no negative prices, and a price for at least one material."), field=field)
        if cents > HIGHEST_PRICE_CENTS:
            raise Invalid(say("At most {most}.", most=Euros(HIGHEST_PRICE_CENTS)), field=field)
    if not any(cents for field, cents in amounts.items() if field != "urgent"):
        raise Invalid(say("With these prices everything would be free: please enter at least one."))
    _rules_must_be_possible(rules)


def _rules_must_be_possible(rules: Rules) -> None:
    if not 0 <= rules.slot_minutes <= LONGEST_SLOT_MINUTES:
        raise Invalid(say("A slot has between 0 and {most} minutes.", most=LONGEST_SLOT_MINUTES), field="slot_minutes")
    if bool(rules.slot_minutes) != bool(rules.slot_cents):
        raise Invalid(say("A slot needs both its minutes and its price."), field="slot")
    if not 1 <= rules.least_slots <= MOST_LEAST_SLOTS:
        raise Invalid(say("Between 1 and {most} slots count at least.", most=MOST_LEAST_SLOTS), field="least_slots")
    if rules.least_slots > 1 and not rules.slot_minutes:
        raise Invalid(say("There are no slots of which so many could count."), field="least_slots")
    if not 0 <= rules.aid_percent < 100:
        raise Invalid(say("The place pays between 0 and 99 %."), field="aid_percent")
    if not 0 <= rules.urgent_percent <= MOST_URGENT_PERCENT:
        raise Invalid(
            say("An urgent order costs between 0 and {most} % more.", most=MOST_URGENT_PERCENT), field="urgent_percent"
        )
    if not 1 <= rules.rounding_cents <= HIGHEST_STEP_CENTS:
        raise Invalid(
            say("Rounding is to between {least} and {most}.", least=Euros(1), most=Euros(HIGHEST_STEP_CENTS)),
            field="rounding",
        )
    if rules.free_failures is not None and not 0 <= rules.free_failures <= MOST_FREE_FAILURES:
        raise Invalid(
            say("Between 0 and {most} failed prints are free.", most=MOST_FREE_FAILURES), field="free_failures"
        )
    copies = [least for least, _ in rules.breaks]
    percents = [percent for _, percent in rules.breaks]
    if (
        len(copies) > MOST_BREAKS
        or copies != sorted(set(copies))
        or percents != sorted(percents)
        or not all(least > 1 for least in copies)
        or not all(0 < percent < 100 for percent in percents)
    ):
        raise Invalid(
            say(
                "Quantity prices go up: more copies, more per cent, below 100, at most {most} of them.",
                most=MOST_BREAKS,
            ),
            field="breaks",
        )


def in_words(tariff: Tariff) -> Iterator[Sentence]:
    """Tell what a tariff says, one sentence for each rule that applies."""
    for code, cents in tariff.per_kg_cents.items():
        if cents:
            yield say("{material}: {rate} per kg", material=code, rate=Euros(cents))
        else:
            yield say("{material}: included", material=code)
    yield from (sentence for applies, sentence in _rules_in_words(tariff, tariff.rules) if applies)


def _rules_in_words(tariff: Tariff, rules: Rules) -> Iterator[tuple[int, Sentence]]:
    slot = {"rate": Euros(rules.slot_cents), "minutes": rules.slot_minutes}
    yield tariff.per_hour_cents, say("{rate} per hour of printer", rate=Euros(tariff.per_hour_cents))
    yield rules.slot_minutes, say("{rate} for each {minutes} min begun", **slot)
    least = rules.least_slots
    yield least - 1, say("At least {slots} of them: {minutes} min", slots=least, minutes=least * rules.slot_minutes)
    yield rules.per_part_cents, say("{rate} per part", rate=Euros(rules.per_part_cents))
    yield tariff.setup_cents, say("{rate} per order", rate=Euros(tariff.setup_cents))
    for copies, percent in rules.breaks:
        yield percent, say("{percent} per cent off from {copies} copies on", percent=percent, copies=copies)
    yield tariff.minimum_cents, say("At least {minimum}", minimum=Euros(tariff.minimum_cents))
    yield rules.aid_percent, say("The place pays {percent} per cent of it", percent=rules.aid_percent)
    yield rules.urgent_percent, say("As soon as possible: {percent} per cent more", percent=rules.urgent_percent)
    yield rules.urgent_cents, say("As soon as possible: {rate} more per order", rate=Euros(rules.urgent_cents))
    step = rules.rounding_cents
    yield step - 1, say("Rounded to a multiple of {step}", step=Euros(step))
    failed = failures.terms(rules.free_failures)
    if failed is not None:
        yield 1, failed


def beginning(day: date | None) -> datetime:
    """Return when prices of a day begin: at once for none or today, else as the day does where the place is.

    Raises `Invalid` for a day that has passed.
    """
    if day is None or day == _today():
        return utcnow()
    if day < _today():
        raise Invalid(say("This day has passed: what was confirmed then keeps its price."), field="valid_from")
    return datetime.combine(day, time(), ZoneInfo(settings().timezone)).astimezone(UTC)


def group_of(session: Session, person_id: int, day: date | None = None) -> Group:
    """Return the group whose prices a person pays on a day; somebody nobody has put into one is a member."""
    rows = select(TariffGroup.tariff_group).where(
        TariffGroup.person_id == person_id, TariffGroup.valid_from <= (day or _today())
    )
    found = session.scalar(rows.order_by(TariffGroup.valid_from.desc(), TariffGroup.id.desc()).limit(1))
    return Group(found) if found else Group.MEMBER


def groups_of(session: Session, person_id: int) -> Sequence[TariffGroup]:
    """Return all groups a person was or will be in, the newest date first."""
    rows = select(TariffGroup).where(TariffGroup.person_id == person_id)
    return session.scalars(rows.order_by(TariffGroup.valid_from.desc(), TariffGroup.id.desc())).all()


def put_into(session: Session, person_id: int, group: Group, valid_from: date, by_id: int | None) -> TariffGroup:
    """Let a person pay a group's prices from a date on. Raises `Invalid` for a day that has passed."""
    if group == Group.COMPANY:
        raise Invalid(say("Prices for companies hold for what a company pays, whoever orders."), field="tariff_group")
    if valid_from < _today():
        raise Invalid(say("This day has passed: what was confirmed then keeps its price."), field="valid_from")
    row = TariffGroup(person_id=person_id, tariff_group=group, valid_from=valid_from, by_id=by_id)
    session.add(row)
    session.flush()
    return row


def holding_for(session: Session, order: Order, company_id: int | None) -> TariffVersion:
    """Return the tariff an order is priced by today, if this company or else its person pays."""
    group = Group.COMPANY if company_id is not None else group_of(session, order.person_id)
    return queries.current_tariff(session, group)


def rules_for(session: Session, order: Order) -> Rules:
    """Return the rules an order is priced by today."""
    return Rules.from_json(holding_for(session, order, order.company_id).rules)


def _today() -> date:
    return utcnow().astimezone(ZoneInfo(settings().timezone)).date()
