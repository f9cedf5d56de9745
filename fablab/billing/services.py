"""What money does along an order's way: confirmed, checked against the slice, charged for what is good."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from fablab.accounts import companies
from fablab.accounts.models import Person
from fablab.billing import aid, baskets, by_hand, failures, ledger, offering, paying, tariffs, urgency
from fablab.billing.baskets import OrderOffer
from fablab.billing.failures import Failure
from fablab.billing.models import TariffVersion
from fablab.billing.offers import Check
from fablab.billing.quoting import Quote
from fablab.billing.totalling import Printed, Total, total
from fablab.errors import Conflict
from fablab.jobs import queries as job_queries
from fablab.jobs import services as job_services
from fablab.jobs import signoff, slices
from fablab.jobs.models import Attempt, Job
from fablab.money import share, spread
from fablab.orders import services as orders
from fablab.orders import telling
from fablab.orders.holding import hold
from fablab.orders.models import Order, OrderLine, OrderState
from fablab.orders.services import Wanted
from fablab.settings import settings
from fablab.words import Euros, say


def confirm(session: Session, order: Order, edited: Mapping[int, Wanted], seen_cents: int, by: Person) -> None:
    """Confirm a draft at the price the person saw: reserve it and make the plates. A checked price may be lower.

    `edited` are the choices by part, where they are not those that were kept. Nothing is reserved for an order that a
    company pays: its good parts are owed once they are invoiced.

    Raises `Conflict` like `agree`, or when the wallet does not hold enough; nothing happens then.
    """
    produce(session, order, agree(session, order, edited, seen_cents), by)


@dataclass(frozen=True)
class Agreed:
    """What was agreed on for an order: the offer, the price that was seen or a lower one, and the tariff it is from.

    `shares` is what each part has of the price, if that was agreed on too; otherwise it follows from the offer.
    """

    offer: OrderOffer
    cents: int
    version: TariffVersion
    shares: tuple[int, ...] = ()

    @property
    def part_cents(self) -> list[int]:
        """What each part has of the price: together exactly the price."""
        return spread(self.cents, self.shares or [each.cents for each in self.offer.parts])


def agree(session: Session, order: Order, edited: Mapping[int, Wanted], seen_cents: int) -> Agreed:
    """Hold a draft, and keep what was chosen for it at the price that was seen.

    Raises `Conflict` when the price is a higher one by now, or the slicer has found that this cannot be printed.
    """
    orders.hold_draft(session, order)
    version = tariffs.holding_for(session, order, order.company_id)
    offer = chosen_offer(session, order, edited, version)
    return Agreed(offer, _agreed(offer, seen_cents), version)


def chosen_offer(
    session: Session,
    order: Order,
    edited: Mapping[int, Wanted],
    version: TariffVersion,
    agreed: Total | None = None,
) -> OrderOffer:
    """Keep what was chosen for the parts and return the offer, at a price that was agreed on before if there is one.

    Raises `Conflict` for what cannot be printed.
    """
    if agreed is None:
        offer = offering.order_offer(session, order, edited, version)
    else:
        offer = baskets.whole(offering.offered_parts(session, order, edited, version), agreed)
    if offer.check == Check.REFUSED and offer.problem is not None:
        raise Conflict(offer.problem)
    for part in offer.parts:
        keep_choice(session, part.line, part.wanted, part.offer.estimate)
    return offer


def keep_choice(session: Session, line: OrderLine, wanted: Wanted, estimate: Quote) -> None:
    """Keep what was chosen for a part, and its estimate; figures that are none are kept as nothing."""
    mass_g, time_s = (each if math.isfinite(each) else 0.0 for each in (estimate.mass_g, estimate.time_s))
    orders.choose(session, line, wanted, estimate.machine_profile, mass_g, time_s)


def produce(session: Session, order: Order, agreed: Agreed, by: Person | None) -> None:
    """Freeze the price that was agreed on, reserve it where it is paid from, and make the plates."""
    offer, cents = agreed.offer, agreed.cents
    for part, part_cents in zip(offer.parts, agreed.part_cents, strict=True):
        part.line.price_cents = part_cents
    explained = order.price or offer.price.to_json()
    orders.accept(session, order, cents, explained, agreed.version.id, by.id if by else None)
    paying.reserve(session, order, cents, f"reserve-{order.id}-0")
    for part in offer.parts:
        orders.make_jobs(session, order, part.line, part.offer.estimate.plates, part.offer.slices)
    slices.no_longer_wanted(session, order.id)


def _agreed(offer: OrderOffer, seen_cents: int) -> int:
    """Return the price that holds: the one that was seen, or a lower one that was checked meanwhile."""
    cents = offer.price.total_cents
    if cents == seen_cents or (offer.checked and cents < seen_cents):
        return cents
    raise Conflict(say("The price is {price} now: please look at it and confirm again.", price=Euros(cents)))


def slice_arrived(session: Session, job: Job) -> None:
    """Compare the real slice with the confirmed price. A dearer slice is never silently charged.

    Up to `reconfirm_above_percent` the house carries the difference; beyond it the order goes back to the person,
    unless a printer has one of its plates already.
    """
    order = session.get_one(Order, job.order_id)
    hold(session, order)
    if not order.price_cents:
        return  # what is printed again free of charge has no price to compare
    if order.quote_sha256 is not None or by_hand.behind(session, order.price) is not None:
        return  # a quote that was accepted binds the place, and so does a price that it has set itself
    if order.state == OrderState.QUOTED:
        job_services.wait_for_confirmation(session, job)
        return
    if order.state != OrderState.ACCEPTED or not orders.can_be_cancelled(session, order):
        return
    real = price_after_slicing(session, order)
    if real > math.floor(order.price_cents * (100 + settings().reconfirm_above_percent) / 100):
        note = say(
            "Preparing the print showed that it costs {price} instead of {before}.",
            price=Euros(real),
            before=Euros(order.price_cents),
        )
        orders.ask_again(session, order, real, note)


def price_after_slicing(session: Session, order: Order) -> int:
    """Return the order's price from the slices that are there."""
    return _after_slicing(session, order).price.total_cents


def _after_slicing(session: Session, order: Order) -> Total:
    jobs = job_queries.of_order(session, order.id)
    version = session.get_one(TariffVersion, order.tariff_id)
    tariff = urgency.tariff_for(version, urgent=order.urgent)
    return total(tariff, [_as_sliced(line, jobs) for line in order.lines])


def _as_sliced(line: OrderLine, jobs: Sequence[Job]) -> Printed:
    """Return what a part takes by its slices; plates without one take as much as the others, or as was estimated."""
    assert line.material_code is not None
    plates = [job for job in jobs if job.line_id == line.id]
    sliced = [(job, job.slice) for job in plates if job.slice is not None]
    if not sliced:
        estimated = (line.estimated_mass_g or 0.0, line.estimated_time_s or 0.0)
        return Printed(line.file_name, line.material_code, *estimated, line.quantity)
    scale = sum(job.copies for job in plates) / sum(job.copies for job, _ in sliced)
    mass_g = sum(made.mass_g for _, made in sliced) * scale
    time_s = sum(made.time_s for _, made in sliced) * scale
    return Printed(line.file_name, line.material_code, mass_g, time_s, line.quantity)


def confirm_again(session: Session, order: Order, seen_cents: int, by: Person) -> None:
    """Confirm the new price of an order whose slice was dearer: the old reservation goes back, the new one is made.

    Raises `Conflict` when it is another price by now, or its person may not order for the company that pays any more.
    """
    hold(session, order)
    if order.state != OrderState.QUOTED or order.proposal_cents is None:
        raise Conflict(say("There is no new price to confirm."))
    if order.proposal_cents != seen_cents:
        raise Conflict(
            say("The price is {price} now: please look at it and confirm again.", price=Euros(order.proposal_cents))
        )
    if order.company_id is not None and not companies.orders_for(session, order.person, order.company):
        raise Conflict(companies.NO_BUYER)
    version = session.get_one(TariffVersion, order.tariff_id)
    sliced = _after_slicing(session, order)
    for line, cents in zip(order.lines, spread(seen_cents, sliced.part_cents), strict=True):
        line.price_cents = cents
    turn = ledger.entries_of(session, order.id)
    paying.release(session, order, f"release-{order.id}-{turn}", by.id)
    paying.reserve(session, order, seen_cents, f"reserve-{order.id}-{turn}")
    explained = {
        "total_cents": seen_cents,
        "lines": [{"sentence": say("As prepared for the printer").to_json(), "amount_cents": seen_cents}],
        "aid_cents": sliced.price.aid_cents,
    }
    orders.accept(session, order, seen_cents, explained, version.id, by.id)
    orders.queue_confirmed(session, order, by.id)


def cancel(session: Session, order: Order, by: Person) -> None:
    """Cancel an order before printing and give the whole reservation back."""
    hold(session, order)
    orders.cancel(session, order, by.id)
    paying.release(session, order, f"release-{order.id}-cancelled", by.id)


def cancel_plate(session: Session, job: Job, by: Person) -> None:
    """Take one waiting plate out of the queue; when it was the order's last, the order ends and gets its rest back."""
    hold(session, session.get_one(Order, job.order_id))
    job_services.cancel(session, job, by.id)
    plate_ended(session, job, by.id)


def plate_ended(session: Session, job: Job, by_id: int | None) -> None:
    """Close the order of a plate that has ended, if it was the last one, and give back what is still reserved."""
    order = session.get_one(Order, job.order_id)
    orders.close_if_done(session, order, by_id)
    if order.state in (OrderState.READY, OrderState.CANCELLED):
        paying.release(session, order, f"release-{order.id}-rest", by_id)


def sign_off(session: Session, attempt: Attempt, verdict: signoff.Verdict, by: Person) -> signoff.Consequence:
    """Sign a plate off, charge what it costs, and close the order when all its plates have ended.

    That are its good copies, and what was printed of those that failed because of their file where that is not free.
    """
    order = session.get_one(Order, attempt.job.order_id)
    hold(session, order)
    paying.hold(session, order)
    failure = failures.expected(session, order, attempt, verdict)
    result = job_services.sign_off(session, attempt, verdict, by.id)
    paying.charge(session, order, earned_cents(session, order), f"charge-attempt-{attempt.id}", order.title, by.id)
    if failure is not None:
        _charge_failed(session, order, attempt, failure, by)
    if order.company_id is None:
        aid.settle(session, order, aid.paid_cents(session, order), by.id)
    orders.in_production(session, order)
    if result.remake:
        telling.printed_again(session, order, attempt.id)
    plate_ended(session, attempt.job, by.id)
    return result


def _charge_failed(session: Session, order: Order, attempt: Attempt, failure: Failure, by: Person) -> None:
    """Note copies that failed because of their file, charge them where they are not free, and tell the person."""
    failures.note(session, order, attempt, failure, by.id)
    text = say("{order}: {copies} failed because of the file", order=order.title, copies=failure.copies)
    paying.charge(session, order, earned_cents(session, order), f"charge-failed-{attempt.id}", text, by.id)
    telling.failed(
        session, order, attempt.id, failure.copies, failures.amount(order, failure.cents), paid=failure.cents > 0
    )


def earned_cents(session: Session, order: Order) -> int:
    """Return what an order costs so far; all its copies together, if all are good, exactly the confirmed price."""
    return sum(good_cents(session, line) + failures.cents_by(session, line) for line in order.lines)


def good_cents(session: Session, line: OrderLine) -> int:
    """Return what the good copies of one part cost so far."""
    if line.price_cents is None:
        return 0
    return share(line.price_cents, orders.good_of(session, line), line.quantity)
