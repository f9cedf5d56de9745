"""What people may do to money at the same time: each action is one transaction, as a page or a worker makes it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from fablab import db
from fablab.accounts.models import Company, Person
from fablab.billing import ledger, offering, prepaid, seller
from fablab.billing import services as billing
from fablab.billing.ledger import Paid
from fablab.billing.models import Account, Prepaid
from fablab.billing.prepaid import RulesData
from fablab.bookkeeping import cash, closings
from fablab.bookkeeping.cash import CountData
from fablab.bookkeeping.closings import Closer
from fablab.bookkeeping.models import Span
from fablab.db import utcnow
from fablab.errors import Conflict, Invalid
from fablab.invoicing import crediting, deposits, from_orders, issuing, payments, queries, topping_up
from fablab.invoicing.crediting import Credit
from fablab.invoicing.deposits import Asked
from fablab.invoicing.models import Document, Method
from fablab.invoicing.payments import PaymentData
from fablab.jobs import dispatch
from fablab.jobs import queries as jobs
from fablab.jobs.judging import Judgement
from fablab.jobs.models import Attempt
from fablab.jobs.signoff import Verdict
from fablab.orders.models import Order, OrderState
from fablab.quotes import answering
from fablab.quotes.answering import Signature
from fablab.quotes.models import Quote
from fablab.refunds import queries as refunds
from fablab.refunds import services as complaints
from fablab.refunds.models import Answer, Complaint, Wish
from fablab.refunds.services import Decision
from tests.books import company_order, draft_of, made_company_order, make
from tests.invoicing.contents import HOME
from tests.invoicing.invariants import CAP_CENTS
from tests.people import Cast, draft_cube, order_cube, slice_job, wanted
from tests.quoting import quoted

TOGETHER_WITHIN_S = 60


class Clock:
    """A clock that is wound, and that may be late for one thread: whoever acts before midnight and commits after it."""

    def __init__(self) -> None:
        self.moment = utcnow().replace(month=11, day=10, hour=12)
        self.own = threading.local()

    def type(self) -> type[datetime]:
        """Return what stands for the type of moments in `fablab.db`."""
        clock = self

        class Wound(datetime):
            @classmethod
            def now(cls, tz=None):
                return clock.moment - getattr(clock.own, "late", timedelta(0))

        return Wound


@dataclass(frozen=True)
class Act:
    """What somebody does: which action, about which thing of its kind, how much, under which of two keys, and late?"""

    what: str
    place: int = 0
    part: float = 0.5
    key: int = 0
    late: bool = False


@dataclass
class Scene:
    """What is there for everybody to act on, by id, fresh in each round."""

    number: int
    clock: Clock
    cast: Cast
    acme: Company
    people: list[int] = field(default_factory=list)
    orders: list[int] = field(default_factory=list)
    drafts: list[int] = field(default_factory=list)
    attempts: list[int] = field(default_factory=list)
    quotes: list[int] = field(default_factory=list)
    invoices: list[int] = field(default_factory=list)
    complaints: list[int] = field(default_factory=list)

    def key(self, act: Act) -> str:
        """Return the key under which something is done: the same from two sides is a double click."""
        return f"round-{self.number}-{act.what}-{act.key}"

    def command(self, act: Act) -> issuing.Command:
        return issuing.Command(self.key(act), self.cast.carole.id, utcnow())


def set_scene(number: int, clock: Clock, cast: Cast, acme: Company, wallets: Prepaid = Prepaid.MULTI_PURPOSE) -> Scene:
    """Lay out, in one transaction: money, a draft, plates to be checked, quotes, invoices and a request.

    From that day on wallets are as these rules say.
    """
    scene = Scene(number, clock, cast, acme)
    with db.transaction() as session:
        prepaid.set_rules(session, RulesData(seller.today(utcnow()), wallets), None)
        alice, charlie, bob = (session.get_one(Person, each.id) for each in (cast.alice, cast.charlie, cast.bob))
        company = session.get_one(Company, acme.id)
        tidy(session, bob)
        scene.people = [alice.id, charlie.id]
        bought = []
        for person in (alice, charlie):
            wanting = 5_000 - ledger.balance_cents(session, person.id)
            if wanting > 0:
                key = f"round-{number}-{person.id}"
                bought.append(topping_up.receive(session, person, wanting, bob.id, key, Paid()).document_id)
        made = made_company_order(session, cast, company, 2, f"BC {number}")
        paid = make(session, order_cube(session, alice, 2), 2, bob)
        complaint = complaints.ask(session, paid, Wish.REFUND, "Rayé", alice, utcnow())
        cancellable = [order_cube(session, charlie), company_order(session, alice, company, 2)]
        waiting = [order_cube(session, alice, 2), company_order(session, alice, company, 2)]
        for order in waiting:
            slice_job(session, jobs.of_order(session, order.id)[0])
        scene.attempts = [finished(session)]
        scene.orders = [each.id for each in (*cancellable, *waiting, made, paid)]
        scene.drafts = [draft_cube(session, alice).id, draft_cube(session, charlie).id]
        offered = [quoted(session, draft_cube(session, alice), alice, payer) for payer in (company, None)]
        scene.quotes = [each.id for each in offered if each is not None]
        command = issuing.Command(f"round-{number}-given", None, utcnow())
        scene.invoices = [
            issuing.issue(session, draft_of(4_000, 777, company=company, before_vat=True), command).id,
            deposits.issue(
                session, waiting[1], Asked(percent=40), issuing.Command(f"{command.key}-2", None, utcnow())
            ).id,
            *(each for each in bought if each is not None),
        ]
        scene.complaints = [complaint.id]
    return scene


def tidy(session: Session, bob: Person) -> None:
    """End what is still under way from the round before: check its plates, cancel the rest, credit its deposits."""
    for attempt in jobs.live_attempts(session):
        billing.sign_off(session, attempt, Verdict(attempt.copies), bob)
    for order in session.scalars(select(Order).where(Order.state == OrderState.ACCEPTED)):
        billing.cancel(session, order, order.person)
    for order_id in deposits.orphans(session):
        deposits.credit_cancelled(session, order_id, utcnow())


def finished(session: Session) -> int:
    """Let the next plate in the queue be printed, and return its attempt, which waits for a verdict."""
    (attempt,) = dispatch.schedule(session, utcnow())
    dispatch.sending(session, attempt)
    dispatch.about_to_start(session, attempt, utcnow())
    for judgement in (Judgement.PRINTING, Judgement.FINISHED):
        dispatch.record(session, attempt, judgement, {}, utcnow())
    return attempt.id


def one_of(ids: list[int], act: Act) -> int:
    return ids[act.place % len(ids)]


# The actions ----------------------------------------------------------------------------------------------------------


def top_up(session: Session, scene: Scene, act: Act) -> None:
    person = session.get_one(Person, one_of(scene.people, act))
    topping_up.top_up(session, person, 1 + int(9_000 * act.part), scene.cast.bob.id, f"{scene.key(act)}-{person.id}")
    assert ledger.held_cents(session, person.id) <= CAP_CENTS, "P8: no top-up brings a wallet above its cap"


def pay_out(session: Session, scene: Scene, act: Act) -> None:
    person = session.get_one(Person, one_of(scene.people, act))
    cents, paid = 1 + int(4_000 * act.part), Paid(Account.CASH if act.key else Account.BANK)
    topping_up.pay_out(session, person, cents, scene.cast.bob.id, f"{scene.key(act)}-{person.id}", paid)


def confirm(session: Session, scene: Scene, act: Act) -> None:
    order = session.get_one(Order, one_of(scene.drafts, act))
    price = offering.quote_for(session, order.line.model_file, wanted()).price.total_cents
    billing.confirm(session, order, {order.line.id: wanted()}, price, order.person)


def sign_off(session: Session, scene: Scene, act: Act) -> None:
    attempt = session.get_one(Attempt, one_of(scene.attempts, act))
    billing.sign_off(session, attempt, Verdict(attempt.copies), session.get_one(Person, scene.cast.bob.id))


def cancel(session: Session, scene: Scene, act: Act) -> None:
    order = session.get_one(Order, one_of(scene.orders, act))
    billing.cancel(session, order, order.person)


def decide(session: Session, scene: Scene, act: Act) -> None:
    complaint = session.get_one(Complaint, one_of(scene.complaints, act))
    most = refunds.refundable(session, complaint.order).most_cents
    answer = Answer.REFUSE if act.part < 0.3 else Answer.REFUND
    decision = Decision(answer, int(most * act.part), 1, None, "Vu")
    complaints.decide(session, complaint, decision, session.get_one(Person, scene.cast.bob.id), utcnow())


def invoice_company(session: Session, scene: Scene, act: Act) -> None:
    company = session.get_one(Company, scene.acme.id)
    from_orders.invoice_company(session, company, f"BC {scene.number}", scene.command(act))


def invoice_member(session: Session, scene: Scene, act: Act) -> None:
    order = session.get_one(Order, scene.orders[-1])
    from_orders.invoice_member(session, order, HOME, "fr", scene.command(act))


def deposit(session: Session, scene: Scene, act: Act) -> None:
    order = session.get_one(Order, scene.orders[1 if act.place % 2 else 3])
    deposits.issue(session, order, Asked(percent=1 + int(80 * act.part)), scene.command(act))


def invoice_of(session: Session, scene: Scene, act: Act) -> Document:
    return session.get_one(Document, one_of(scene.invoices, act))


def pay(session: Session, scene: Scene, act: Act) -> None:
    invoice = invoice_of(session, scene, act)
    cents = 1 + int(invoice.gross_cents * act.part)
    key = f"{scene.key(act)}-{invoice.id}"
    payments.pay(session, invoice, PaymentData(Method.TRANSFER, cents, seller.today(utcnow()), "", key), None, utcnow())


def take_back(session: Session, scene: Scene, act: Act) -> None:
    paid = queries.payments_of(session, invoice_of(session, scene, act).id)
    if paid:
        payments.reverse(session, paid[0], None)


def credit(session: Session, scene: Scene, act: Act) -> None:
    invoice = invoice_of(session, scene, act)
    left = sum(each.gross_cents for each in queries.left_of(session, invoice))
    crediting.issue(session, invoice, Credit(int(left * act.part) + 1, "Rayure"), scene.command(act))


def accept_quote(session: Session, scene: Scene, act: Act) -> None:
    quote = session.get_one(Quote, one_of(scene.quotes, act))
    person = session.get_one(Person, scene.cast.alice.id)
    answering.accept(session, quote, Signature("Alice", person), "", utcnow())


def refuse_quote(session: Session, scene: Scene, act: Act) -> None:
    quote = session.get_one(Quote, one_of(scene.quotes, act))
    signature = Signature("Alice", session.get_one(Person, scene.cast.alice.id))
    if act.key:
        answering.withdraw(session, quote, session.get_one(Person, scene.cast.alice.id), utcnow())
    else:
        answering.refuse(session, quote, signature, "", utcnow())


def count_cash(session: Session, scene: Scene, act: Act) -> None:
    expected = cash.expected_cents(session)
    data = CountData(scene.key(act), expected, max(expected - act.place, 0), reason="Compté")
    cash.count(session, data, scene.cast.carole.id)


def close_days(session: Session, scene: Scene, _act: Act) -> None:
    closings.close_days(session, scene.clock.moment)


def close_month(session: Session, scene: Scene, _act: Act) -> None:
    before = seller.today(scene.clock.moment).replace(day=1) - timedelta(days=1)
    closings.close(session, Span.MONTH, before, Closer(scene.cast.carole.id, scene.clock.moment))


ACTIONS: dict[str, Callable[[Session, Scene, Act], None]] = {
    each.__name__: each
    for each in (
        top_up, pay_out, confirm, sign_off, cancel, decide, invoice_company, invoice_member, deposit, pay, take_back,
        credit, accept_quote, refuse_quote, count_cash, close_days, close_month,
    )
}  # fmt: skip


# Together -------------------------------------------------------------------------------------------------------------


@dataclass
class Outcome:
    """What came of it: how often each action was done, was refused in words, and what else went wrong."""

    done: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def together(scene: Scene, plans: list[list[Act]]) -> Outcome:
    """Let everybody act at the same moment, each a plan of actions, and tell what came of it."""
    barrier, outcome = threading.Barrier(len(plans)), Outcome()

    def somebody(plan: list[Act]) -> None:
        barrier.wait(TOGETHER_WITHIN_S)
        for act in plan:
            scene.clock.own.late = timedelta(hours=14) if act.late else timedelta(0)
            with told(act, outcome), db.transaction() as session:
                ACTIONS[act.what](session, scene, act)

    threads = [threading.Thread(target=somebody, args=(plan,), daemon=True) for plan in plans]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TOGETHER_WITHIN_S)
        assert not thread.is_alive(), "somebody waits for ever"
    return outcome


@contextmanager
def told(act: Act, outcome: Outcome) -> Iterator[None]:
    """Note whether an action was done or refused; anything but a refusal in words is wrong."""
    try:
        yield
    except (Conflict, Invalid) as problem:
        outcome.refused.append(f"{act.what}: {problem}")
    except Exception as problem:
        outcome.wrong.append(f"{act}: {type(problem).__name__} {str(problem)[:1200]}")
    else:
        outcome.done.append(act.what)
