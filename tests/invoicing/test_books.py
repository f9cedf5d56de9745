"""Random lives of a place, on both databases: after each step the books still add up (the invariants P1 to P14).

People fill wallets, order, pay, complain and are erased; companies are asked for deposits, invoiced, credited; prints
fail by the machine or for good; the drawer is counted; days, months and years pass and are closed.
"""

import sys
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from fablab import db, leaving
from fablab.accounts import companies, projects
from fablab.accounts.models import CompanyRole, Person
from fablab.accounts.projects import ProjectData
from fablab.billing import ledger, offering, payers, prepaid, seller
from fablab.billing import projects as budgets
from fablab.billing import services as billing
from fablab.billing.ledger import Booking, Paid
from fablab.billing.models import Account, EntryKind, Prepaid, Regime
from fablab.billing.payers import PayerChoice
from fablab.billing.prepaid import RulesData
from fablab.billing.seller import RegimeData
from fablab.bookkeeping import cash, closings
from fablab.bookkeeping.cash import CountData
from fablab.bookkeeping.closings import Closer
from fablab.bookkeeping.models import Span
from fablab.db import utcnow
from fablab.errors import Problem
from fablab.invoicing import crediting, deposits, from_orders, issuing, payments, queries, topping_up, verifying
from fablab.invoicing.crediting import Credit
from fablab.invoicing.deposits import Asked
from fablab.invoicing.models import Document, Method
from fablab.invoicing.payments import PaymentData
from fablab.jobs import dispatch
from fablab.jobs.judging import Judgement
from fablab.jobs.models import Job
from fablab.jobs.signoff import Reason, Verdict
from fablab.jobs.states import JobState
from fablab.orders import services as orders
from fablab.orders.models import Order, OrderLine, OrderState
from fablab.refunds import services as complaints
from fablab.refunds.models import Answer, Complaint, Wish
from fablab.refunds.services import Decision
from fablab.tables import APPEND_ONLY
from fablab.words import say
from tests.books import (
    FRANCHISE,
    LONG_AGO,
    STANDARD,
    business,
    company_order,
    draft_of,
    give_aid,
    made_company_order,
    make,
)
from tests.invoicing import invariants as inv
from tests.invoicing.contents import HOME
from tests.people import add_person, draft_cube, order_cube, slice_job, wanted

parts = st.floats(0, 1.2)
which = st.integers(0, 9)
PO = st.sampled_from(["", "BC"])
MONEY = [Account.CASH, Account.CARD, Account.CHEQUE, Account.BANK]


WITHOUT_VAT = [FRANCHISE, RegimeData(LONG_AGO, Regime.EXEMPT_261_7), RegimeData(LONG_AGO, Regime.NOT_TAXABLE)]
WITH_VAT = st.tuples(st.just(STANDARD), st.sampled_from([Prepaid.SINGLE_PURPOSE, Prepaid.MULTI_PURPOSE]))
PLACES = WITH_VAT | WITH_VAT | st.tuples(st.sampled_from(WITHOUT_VAT), st.sampled_from(Prepaid))
"""How a place stands to VAT, and its wallets: one that is subject to VAT cannot have wallets without."""


class Clock:
    """A clock that the machine winds."""

    def __init__(self) -> None:
        self.now = utcnow().replace(month=11, day=10, hour=12)

    def __call__(self):
        return self.now


class Books(RuleBasedStateMachine):
    """One company, two members; every command may also be sent twice, and may be refused in words."""

    invoices = Bundle("invoices")
    clock: Clock

    def __init__(self):
        super().__init__()
        type(self).clock.now = Clock().now
        self.session = sa.orm.Session(db.engine())
        self.steps = 0
        self.frozen: dict[int, tuple[str, str]] = {}

    @initialize(place=PLACES, aid=st.sampled_from([0, 33, 50]), free=st.sampled_from([None, 0, 1, 2]))
    def open_the_place(self, place, aid, free):
        regime, self.wallets = place
        self.regime, self.rate_bp = regime.regime, regime.rate_bp
        self.cast, self.acme = business(self.session, regime)
        prepaid.set_rules(self.session, RulesData(self.today(), self.wallets), None)
        give_aid(self.session, aid, free)
        self.people = [self.cast.alice, self.cast.charlie]
        today = self.today()
        self.project = projects.add(self.session, ProjectData("Club", today - timedelta(days=400)), self.cast.carole.id)
        projects.join(self.session, self.project, self.cast.alice.email)
        made_company_order(self.session, self.cast, self.acme, 2)
        make(self.session, order_cube(self.session, self.cast.alice, 2), 2, self.cast.bob)
        asked = company_order(self.session, self.cast.alice, self.acme, 2)
        paid = deposits.issue(self.session, asked, Asked(percent=40), self.command())
        half = PaymentData(Method.TRANSFER, paid.gross_cents // 2, self.today(), "", self.key())
        payments.pay(self.session, paid, half, None, self.clock.now)

    def teardown(self):
        try:
            if hasattr(self, "cast"):
                inv.p11_perpetual_totals_continue(self.session)
                inv.p6_the_journals_are_read_again_and_balance(self.session, self.years())
                inv.what_machines_read_passes_the_rules(self.session)
        finally:
            self.session.close()  # or the next life would wait for this one

    def key(self):
        self.steps += 1
        return f"step-{self.steps}"

    def years(self):
        return {self.clock.now.year, self.clock.now.year - 1}

    def command(self):
        return issuing.Command(self.key(), None, self.clock.now)

    def today(self) -> date:
        return seller.today(self.clock.now)

    def tried(self, act):
        """Do something in a savepoint; a refusal in words leaves nothing behind."""
        try:
            with self.session.begin_nested():
                return act()
        except Problem:
            return None

    def one_of(self, table, place, *conditions):
        found = self.session.scalars(sa.select(table).where(*conditions).order_by(table.id.desc()).limit(10)).all()
        return found[place % len(found)] if found else None

    def person(self, place):
        return self.people[place % len(self.people)]

    # Members, orders and prints ---------------------------------------------------------------------------------------

    @rule(target=invoices, person=which, cents=st.integers(1, 26_000), account=st.sampled_from(MONEY))
    def top_up(self, person, cents, account):
        """Where it is the sale, the top-up is an invoice like others: it may be credited, and paid back."""
        holder, key = self.person(person), self.key()
        before = ledger.held_cents(self.session, holder.id)
        for _ in range(2):
            made = self.tried(lambda: topping_up.top_up(self.session, holder, cents, holder.id, key, Paid(account)))
        held = ledger.held_cents(self.session, holder.id)
        assert held == before + (cents if made else 0)
        assert not made or held <= inv.CAP_CENTS, "P8: no top-up brings a wallet above its cap"
        sold = self.wallets == Prepaid.SINGLE_PURPOSE and self.rate_bp > 0
        assert not made or (made.document_id is not None) == sold
        return made.document_id if made else None

    @rule(person=which, cents=st.integers(1, 30_000), account=st.sampled_from([Account.CASH, Account.BANK]))
    def pay_out(self, person, cents, account):
        holder, key = self.person(person), self.key()
        before = ledger.balance_cents(self.session, holder.id)
        in_the_drawer = account != Account.CASH or cents <= ledger.cash_cents(self.session)
        for _ in range(2):
            self.tried(lambda: topping_up.pay_out(self.session, holder, cents, self.cast.bob.id, key, Paid(account)))
        made = cents <= before and in_the_drawer
        assert ledger.balance_cents(self.session, holder.id) == before - (cents if made else 0)

    @rule(cents=st.integers(0, 5_000))
    def give_the_project_a_budget(self, cents):
        key = self.key()
        for _ in range(2):
            self.tried(lambda: budgets.set_budget(self.session, self.project, cents, self.cast.carole.id, key))

    @rule(payer=st.sampled_from(["wallet", "company", "project"]), person=which, quantity=st.integers(1, 3), po=PO)
    def order(self, payer, person, quantity, po):
        """From the wallet of a person, on the invoice of the company, or from the budget of a project."""
        if payer == "wallet":
            self.tried(lambda: order_cube(self.session, self.person(person), quantity))
            return
        alice, before_vat = self.cast.alice, seller.companies_before_vat(self.session, self.today())
        on_company = PayerChoice(self.acme.public_id, po, before_vat)

        def act():
            order = draft_cube(self.session, alice)
            choice = on_company if payer == "company" else PayerChoice(project=self.project.public_id)
            payers.choose(self.session, order, choice, alice)
            price = offering.quote_for(self.session, order.line.model_file, wanted(quantity)).price.total_cents
            billing.confirm(self.session, order, {order.line.id: wanted(quantity)}, price, alice)

        self.tried(act)

    @rule(good=parts, reason=st.sampled_from([Reason.CLOGGED, Reason.POWER, Reason.GIVEN_UP, *[Reason.FILE] * 3]))
    def print_the_next_plate(self, good, reason):
        """The machine's fault is printed again free of charge, what was given up is not; the file's may be paid."""
        for job in self.session.scalars(sa.select(Job).where(Job.state == JobState.TO_SLICE)).all():
            slice_job(self.session, job, mass_g=estimated_g(self.session, job))
        for attempt in dispatch.schedule(self.session, self.clock.now):
            dispatch.sending(self.session, attempt)
            dispatch.about_to_start(self.session, attempt, self.clock.now)
            for judgement in (Judgement.PRINTING, Judgement.FINISHED):
                dispatch.record(self.session, attempt, judgement, {}, self.clock.now)
            copies = min(round(attempt.copies * good), attempt.copies)
            verdict = Verdict(copies, None if copies == attempt.copies else reason)
            billing.sign_off(self.session, attempt, verdict, self.cast.bob)
            assert self.tried(lambda a=attempt, v=verdict: billing.sign_off(self.session, a, v, self.cast.bob)) is None

    @rule(place=which)
    def cancel(self, place):
        order = self.one_of(Order, place)
        if order is not None:
            self.tried(lambda: billing.cancel(self.session, order, order.person))
        for order_id in deposits.orphans(self.session):
            assert deposits.credit_cancelled(self.session, order_id, self.clock.now)
            assert deposits.credit_cancelled(self.session, order_id, self.clock.now) == []

    @rule(place=which, wish=st.sampled_from(list(Wish)))
    def complain(self, place, wish):
        order = self.one_of(Order, place)
        if order is not None:
            self.tried(lambda: complaints.ask(self.session, order, wish, "Rayé", order.person, self.clock.now))

    @rule(place=which, answer=st.sampled_from(list(Answer)), part=parts)
    def answer(self, place, answer, part):
        complaint = self.one_of(Complaint, place)
        if complaint is None:
            return
        cents = int((complaint.order.price_cents or 0) * part)
        decision = Decision(answer, cents, 1, complaint.order.line.id, "Vu")
        for _ in range(2):
            self.tried(lambda: complaints.decide(self.session, complaint, decision, self.cast.bob, self.clock.now))
        inv.nothing_is_given_back_twice(self.session, complaint.order)

    # Documents and payments -------------------------------------------------------------------------------------------

    @rule(target=invoices, po=PO)
    def invoice_the_orders(self, po):
        sent = self.command()
        owed = sum(
            from_orders.to_invoice_cents(self.session, each)
            for group in from_orders.waiting(self.session)
            if group.po_number == po
            for each in group.orders
        )
        made = self.tried(lambda: from_orders.invoice_company(self.session, self.acme, po, sent))
        assert (made is None) == (owed == 0)
        assert not made or from_orders.invoice_company(self.session, self.acme, po, sent) == made, "P12"
        return made[0].id if made else None

    @rule(target=invoices, place=which)
    def member_asks_for_an_invoice(self, place):
        order = self.one_of(Order, place, Order.company_id.is_(None))
        if order is None:
            return None
        owed, sent = from_orders.to_invoice_cents(self.session, order), self.command()
        made = self.tried(lambda: from_orders.invoice_member(self.session, order, HOME, "fr", sent))
        assert (made is None) == (owed <= 0)
        assert made is None or from_orders.invoice_member(self.session, order, HOME, "fr", sent) == made, "P12"
        return made.id if made else None

    @rule(target=invoices, cents=st.lists(st.integers(1, 100_000), min_size=1, max_size=4), before_vat=st.booleans())
    def invoice_something(self, cents, before_vat):
        draft = draft_of(*cents, company=self.acme, before_vat=before_vat)
        return issuing.issue(self.session, draft, self.command()).id

    @rule(target=invoices, place=which, percent=st.integers(1, 100))
    def ask_for_a_deposit(self, place, percent):
        order, sent = self.one_of(Order, place, Order.company_id.is_not(None)), self.command()
        if order is None:
            return None
        made = self.tried(lambda: deposits.issue(self.session, order, Asked(percent=percent), sent))
        assert made is None or deposits.issue(self.session, order, Asked(percent=percent), sent) == made, "P12"
        return made.id if made else None

    @rule(invoice=invoices, part=parts, method=st.sampled_from(list(Method)))
    def pay(self, invoice, part, method):
        if invoice is None:
            return
        found = self.session.get(Document, invoice)
        before = queries.balance_cents(self.session, found)
        data = PaymentData(method, int(abs(before) * part), self.today(), "", self.key())
        for _ in range(2):
            paid = self.tried(lambda: payments.pay(self.session, found, data, None, self.clock.now))
        after = queries.balance_cents(self.session, found)
        assert after == before - (paid.amount_cents if paid else 0)
        assert after * before >= 0, "no payment goes beyond what was due"

    @rule(invoice=invoices)
    def take_the_last_payment_back(self, invoice):
        paid = queries.payments_of(self.session, invoice) if invoice else []
        if paid:
            self.tried(lambda: payments.reverse(self.session, paid[-1], None))

    @rule(invoice=invoices, part=parts, again=st.booleans())
    def credit(self, invoice, part, again):
        if invoice is None:
            return
        found = self.session.get(Document, invoice)
        left = sum(each.gross_cents for each in queries.left_of(self.session, found))
        asked = Credit(left if again else int(left * part), "Rayure", invoice_again=again)
        shown = self.tried(lambda: crediting.consequence(self.session, found, asked))
        note = self.tried(lambda: crediting.issue(self.session, found, asked, self.command()))
        assert (shown is None) == (note is None)
        if note:
            assert (note.net_cents, note.vat_cents) == (shown.net_cents, shown.vat_cents)
            assert queries.balance_cents(self.session, found) == shown.balance_after_cents

    # The treasurer and the clock --------------------------------------------------------------------------------------

    @rule(difference=st.integers(-500, 500))
    def count_the_cash(self, difference):
        expected = cash.expected_cents(self.session)
        data = CountData(self.key(), expected, max(expected + difference, 0), reason="Compté")
        for _ in range(2):
            self.tried(lambda: cash.count(self.session, data, self.cast.carole.id))
        assert cash.expected_cents(self.session) == max(expected + difference, 0) or expected < 0

    @rule(days=st.integers(1, 25))
    def days_pass_and_are_closed(self, days):
        self.clock.now += timedelta(days=days)
        closings.close_days(self.session, self.clock.now, at_most=days)
        inv.p11_perpetual_totals_continue(self.session)

    @rule(span=st.sampled_from([Span.MONTH, Span.YEAR]), back=st.integers(0, 70))
    def close(self, span, back):
        day = self.today() - timedelta(days=back)
        closer = Closer(self.cast.carole.id, self.clock.now)
        self.tried(lambda: closings.close(self.session, span, day, closer))
        assert not self.tried(lambda: closings.close(self.session, span, day, closer)), "closed once"

    @rule()
    def the_clock_goes_back(self):
        """P10: nothing is booked in a closed period, whatever the clock says."""
        last = closings.last_closing(self.session, Span.DAY)
        if last is None:
            return
        now, self.clock.now = (
            self.clock.now,
            self.clock.now.replace(year=last.last_on.year, month=last.last_on.month, day=last.last_on.day),
        )
        lines = [(Account.CASH, None, 1), (Account.BANK, None, -1)]
        late = Booking(self.key(), EntryKind.DEPOSIT, lines, say("Late"))
        draft = draft_of(100, company=self.acme)
        inv.p10_nothing_is_booked_in_a_closed_period(lambda: ledger.post(self.session, late))
        inv.p10_nothing_is_booked_in_a_closed_period(lambda: self.issued_late(draft))
        self.clock.now = now

    def issued_late(self, draft):
        with self.session.begin_nested():
            issuing.issue(self.session, draft, self.command())

    @rule(table=st.sampled_from(APPEND_ONLY), verb=st.sampled_from(["update", "delete"]))
    def somebody_changes_what_was_issued(self, table, verb):
        inv.p9_nothing_issued_or_booked_can_be_changed(self.session, table, verb)

    @rule()
    def a_person_joins(self):
        self.people.append(add_person(self.session, self.key(), cents=500))

    @rule(person=which)
    def a_person_leaves_and_is_erased(self, person):
        """What is open ends, their money is paid out, their account goes; nothing that is read in the books changes.

        Exports never had a name of theirs: members appear there by number.
        """
        gone = self.person(person)
        name = gone.name
        self.end_what_is_open(gone)
        if left := ledger.balance_cents(self.session, gone.id):
            topping_up.pay_out(self.session, gone, left, self.cast.bob.id, self.key(), Paid(Account.BANK))
        before = {account: inv.total(self.session, account) for account in Account}
        pages = inv.what_the_pages_say(self.session, self.years())
        files = inv.exports(self.session, self.years())
        for _ in range(2):
            self.tried(lambda: leaving.erase(self.session, gone, self.cast.carole))
        assert {account: inv.total(self.session, account) for account in Account} == before
        assert inv.what_the_pages_say(self.session, self.years()) == pages
        assert inv.exports(self.session, self.years()) == files
        assert [file for file, written in files.items() if name.encode() in written] == []
        if gone.is_erased:
            self.people.remove(gone)
        if gone.is_erased and gone is self.cast.alice:
            self.somebody_else_buys()

    def end_what_is_open(self, person):
        """Hand out what is ready, cancel what nobody has begun to print, and turn requests down."""
        for order in self.session.scalars(sa.select(Order).where(Order.person_id == person.id)).all():
            if order.state == OrderState.READY:
                orders.collected(self.session, order, self.cast.bob.id)
            else:
                self.tried(lambda each=order: billing.cancel(self.session, each, person))
        asked = (
            sa.select(Complaint)
            .join(Complaint.order)
            .where(Order.person_id == person.id, Complaint.decided_at.is_(None))
        )
        for each in self.session.scalars(asked).all():
            decision = Decision(Answer.REFUSE, 0, 1, None, "Vu")
            complaints.decide(self.session, each, decision, self.cast.bob, self.clock.now)

    def somebody_else_buys(self):
        """Let a new person act for the company and the project."""
        self.cast.alice = add_person(self.session, self.key(), cents=500)
        self.people.insert(0, self.cast.alice)
        companies.join(self.session, self.acme, self.cast.alice.email, CompanyRole.BUYER)
        projects.join(self.session, self.project, self.cast.alice.email)

    # What always holds ------------------------------------------------------------------------------------------------

    @invariant()
    def the_books_add_up(self):
        if not hasattr(self, "cast"):
            return
        assert [str(each) for each in verifying.findings(self.session)] == []
        people = list(self.session.scalars(sa.select(Person.id)))
        inv.p1_numbers_have_no_gap_and_days_never_go_back(self.session)
        inv.p2_every_booking_balances_and_all_of_them_do(self.session)
        inv.p3_every_hash_is_computed_again_and_chains(self.session)
        inv.p4_lines_rates_and_totals_belong_together(self.session)
        inv.p5_nothing_is_credited_twice(self.session)
        inv.p7_what_clients_owe_is_documents_less_payments(self.session)
        inv.p8_wallets_are_the_advances_of_members(self.session, people)
        inv.p13_without_vat_there_is_none(self.session, self.regime)
        inv.p14_each_plate_took_its_filament_from_a_spool_once(self.session)
        inv.p14_the_grams_billed_are_those_that_left_the_spools(self.session)
        inv.failed_prints_are_paid_after_the_free_ones(self.session)
        inv.every_booking_is_tied(self.session)
        inv.aid_is_the_share_of_what_was_paid(self.session)
        inv.accounts_say_what_documents_say(self.session, list(self.session.scalars(sa.select(Order.id))))
        inv.vat_of_wallets_is_as_their_rules_say(self.session, {self.wallets}, self.rate_bp)
        left = budgets.budget_of(self.session, self.project.id)
        assert min(left.left_cents, left.used_cents, left.reserved_cents) >= 0
        for each in inv.documents(self.session):
            assert self.frozen.setdefault(each.id, (each.payload, each.hash)) == (each.payload, each.hash)


def estimated_g(session, job):
    """The grams of the copies a plate still lacks, as many as the price was made for."""
    line = session.get_one(OrderLine, job.line_id)
    return line.estimated_mass_g * job.missing_copies / line.quantity


@pytest.fixture
def clock(monkeypatch):
    """Let every module of the program read the clock of the machine."""
    made = Clock()
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] in ("fablab", "tests") and getattr(module, "utcnow", None) is utcnow and name != __name__:
            monkeypatch.setattr(module, "utcnow", made)
    return made


@pytest.mark.timeout(400)
def test_the_books_add_up_after_any_history(any_place, clock):
    Books.clock = clock
    lite = db.engine().dialect.name == "sqlite"
    run_state_machine_as_test(
        Books,
        settings=settings(
            max_examples=16 if lite else 4,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
