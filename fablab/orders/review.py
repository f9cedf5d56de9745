"""The review desk: which orders a person looks at before anything is reserved or made, and why, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fablab.db import utcnow
from fablab.errors import Conflict, Invalid
from fablab.orders.holding import hold
from fablab.orders.models import Order, OrderState
from fablab.orders.review_models import VERDICT_LABELS, Review, ReviewRules, Verdict
from fablab.slicing.findings import Severity
from fablab.slicing.report import MeshReport
from fablab.words import Euros, Sentence, say

THE_RULES = 1
"""The one row of the rules."""

LONGEST_REASON = 2000
BEYOND_ANY_PRINTER_MM = 2000


@dataclass(frozen=True)
class Case:
    """What the rules look at: the parts, their price, who asks and what they said about them."""

    reports: Sequence[MeshReport]
    price_cents: int
    first_order: bool
    company: bool
    attested: bool


def reasons(rules: ReviewRules, case: Case) -> list[Sentence]:
    """Return why a person has to look at an order first; none: it goes its way by itself."""
    largest_mm = max(max(report.size_mm) for report in case.reports)
    bad = not all(report.trusted for report in case.reports)
    bad = bad or any(each.severity == Severity.BAD for report in case.reports for each in report.findings)
    caught = (
        (case.first_order and rules.first_order, say("It is the first order here.")),
        (case.company and rules.company, say("A company pays for it.")),
        (
            0 < rules.price_cents < case.price_cents,
            say(
                "It costs {price}: from {limit} on somebody looks first.",
                price=Euros(case.price_cents),
                limit=Euros(rules.price_cents),
            ),
        ),
        (
            0 < rules.size_mm < largest_mm,
            say(
                "It is {size} cm long: from {limit} cm on somebody looks first.",
                size=round(largest_mm / 10, 1),
                limit=round(rules.size_mm / 10, 1),
            ),
        ),
        (bad and rules.warnings, say("The file has faults that may spoil the print.")),
        (
            not case.attested and rules.attestation,
            say("It was not confirmed that the part is allowed and may be copied."),
        ),
    )
    return [sentence for applies, sentence in caught if applies]


def rules_of(session: Session) -> ReviewRules:
    """Return the rules of the place."""
    return session.get(ReviewRules, THE_RULES) or ReviewRules(
        size_mm=200, price_cents=5000, warnings=True, first_order=True, company=False, attestation=True
    )


def set_rules(session: Session, rules: ReviewRules) -> None:
    """Let new rules hold for what is sent from now on. Raises `Invalid` naming the field."""
    if not 0 <= rules.size_mm <= BEYOND_ANY_PRINTER_MM:
        raise Invalid(say("A size between 0 and {most} mm is meant.", most=BEYOND_ANY_PRINTER_MM), field="size_mm")
    if rules.price_cents < 0:
        raise Invalid(say("A price of 0 or more is meant."), field="price")
    rules.id = THE_RULES
    session.merge(rules)


def is_first_order(session: Session, order: Order) -> bool:
    """Tell whether its person has never had an order that was accepted."""
    earlier = select(Order.id).where(
        Order.person_id == order.person_id, Order.id != order.id, Order.confirmed_at.is_not(None)
    )
    return session.scalar(earlier.limit(1)) is None


def waiting(session: Session) -> int:
    """Return how many orders wait for somebody to look at them."""
    count = select(func.count(Order.id)).where(Order.state == OrderState.IN_REVIEW)
    return session.scalar(count) or 0


def desk(session: Session) -> Sequence[Review]:
    """Return what lies on the desk, the oldest first."""
    lying = select(Review).join(Order, Order.id == Review.order_id)
    lying = lying.where(Order.state == OrderState.IN_REVIEW, Review.verdict.is_(None))
    return session.scalars(lying.order_by(Review.asked_at, Review.id)).all()


def latest(session: Session, order_id: int) -> Review | None:
    """Return the last time an order lay on the desk."""
    return session.scalars(
        select(Review).where(Review.order_id == order_id).order_by(Review.id.desc()).limit(1)
    ).first()


def ask(session: Session, order: Order, why: list[Sentence]) -> None:
    """Lay an order on the desk."""
    session.add(Review(order_id=order.id, why={"reasons": [each.to_json() for each in why]}))
    session.flush()


def take(session: Session, order: Order) -> Review:
    """Hold what lies on the desk until the end of the transaction; two reviewers never decide on the same request.

    Raises `Conflict` saying who was faster, and what they said.
    """
    hold(session, order)
    found = latest(session, order.id)
    if found is not None:
        session.refresh(found)
    if found is not None and order.state == OrderState.IN_REVIEW and found.verdict is None:
        return found
    if found is not None and found.verdict is not None and found.decided_by is not None:
        said = Sentence(VERDICT_LABELS[Verdict(found.verdict)])
        raise Conflict(say("{name} was faster: {said}.", name=found.decided_by.first_name, said=said))
    raise Conflict(say("This is not on the desk any more: please look again."))


def close(session: Session, review: Review, verdict: Verdict, reason: str, by_id: int) -> None:
    """Write down what was said. Raises `Invalid` without a reason that its person can read."""
    reason = reason.strip()
    if not reason and verdict != Verdict.ACCEPT:
        raise Invalid(say("Please write what is to be changed, or why not: the person reads it."), field="reason")
    if len(reason) > LONGEST_REASON:
        raise Invalid(say("A reason has at most {most} signs.", most=LONGEST_REASON), field="reason")
    review.verdict, review.reason = verdict, reason
    review.decided_at, review.decided_by_id = utcnow(), by_id
    session.flush()
    session.refresh(review)
