"""A card payment is booked once, whatever order the messages come in, and only what was asked for, on both databases."""

import json
import threading
from collections import Counter
from datetime import timedelta

import pytest
import sqlalchemy as sa

from fablab import db, leaving
from fablab.accounts.permissions import Role
from fablab.billing import ledger, prepaid, seller
from fablab.billing.ledger import Paid
from fablab.billing.models import Account, LedgerEntry, LedgerLine, Prepaid
from fablab.billing.prepaid import RulesData
from fablab.bookkeeping import fec, fec_checking, payouts, takings
from fablab.bookkeeping.models import Span
from fablab.bookkeeping.periods import period
from fablab.db import utcnow
from fablab.errors import Conflict, Invalid, SentBefore
from fablab.invoicing import crediting, deposits, issuing, payments, queries, verifying
from fablab.invoicing.crediting import Credit
from fablab.invoicing.deposits import Asked
from fablab.invoicing.models import Document, Kind, Method
from fablab.invoicing.payments import PaymentData
from fablab.payments import looking, services, stripe
from fablab.payments import queries as card
from fablab.payments.models import CardEvent, CardPayment, CardState
from fablab.payments.port import Event, Outcome
from fablab.payments.providers import provider
from tests.books import business, command, company_order, draft_of
from tests.conftest import environment
from tests.people import add_person
from workers import tasks, ticker

ON_SQLITE = pytest.mark.parametrize("any_place", ["sqlite"], indirect=True)  # nothing in it is the database's work


@pytest.fixture
def alice(taking_cards):
    with db.transaction() as session:
        return add_person(session, "Alice")


def begin(person, cents=1_500, key="first-form"):
    """Ask for a top-up and open its checkout, as the pages do."""
    with db.transaction() as session:
        payment = services.top_up(session, person, cents, key, utcnow())
    looking.open_checkout(payment, person.email, "fr")
    return now(payment)


def now(payment):
    with db.reading() as session:
        return session.get_one(CardPayment, payment.id)


def hear(message):
    """Act on a message, as the page for them does."""
    body = json.dumps(message).encode()
    event = provider().read(
        body, stripe.signing.signed(body, provider().webhook_secret, int(utcnow().timestamp())), utcnow()
    )
    with db.transaction() as session:
        services.heard(session, event, utcnow())


def wallet(person):
    with db.reading() as session:
        return ledger.balance_cents(session, person.id)


def online():
    with db.reading() as session:
        return payouts.held_cents(session)


def test_a_top_up_that_was_paid_is_in_the_wallet_and_on_the_account_of_the_provider(alice, taking_cards):
    payment = begin(alice)
    assert (payment.state, wallet(alice)) == (CardState.OPEN, 2000)
    hear(taking_cards.pay(payment.provider_id))
    assert (now(payment).state, wallet(alice), online()) == (CardState.PAID, 3500, 1500)


def test_the_same_message_and_another_about_the_same_and_a_look_book_nothing_more(alice, taking_cards):
    payment = begin(alice)
    message = taking_cards.pay(payment.provider_id)
    for said in (message, message, {**message, "id": "evt_another"}):
        hear(said)
    assert looking.look(payment).state == CardState.PAID
    assert wallet(alice) == 3500
    with db.reading() as session:
        assert session.scalar(sa.select(sa.func.count(CardEvent.id))) == 2


def test_a_look_settles_it_before_the_message_comes_and_only_once(alice, taking_cards):
    payment = begin(alice)
    message = taking_cards.pay(payment.provider_id)
    assert looking.look(payment).state == CardState.PAID
    hear(message)
    assert wallet(alice) == 3500


def test_messages_and_looks_at_once_book_one_payment(alice, taking_cards):
    payment = begin(alice)
    message = taking_cards.pay(payment.provider_id)
    start, problems = threading.Barrier(6), []

    def act(number):
        start.wait()
        try:
            if number % 2:
                looking.look(payment)
            else:
                hear(message if number else {**message, "id": "evt_again"})
        except Exception as error:
            problems.append(error)

    threads = [threading.Thread(target=act, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert (wallet(alice), online()) == (3500, 1500)


def test_an_end_that_is_told_late_takes_no_money_back_and_money_after_an_end_is_booked(alice, taking_cards):
    payment = begin(alice)
    ended, paid = taking_cards.expire(payment.provider_id), taking_cards.pay(payment.provider_id)
    hear(ended)
    assert (now(payment).state, wallet(alice)) == (CardState.ENDED, 2000)
    hear(paid)
    hear(ended | {"id": "evt_late"})
    assert (now(payment).state, wallet(alice)) == (CardState.PAID, 3500)


@ON_SQLITE
@pytest.mark.parametrize("changed", [{"amount_total": 150_000}, {"amount_total": 1_499}, {"currency": "usd"}])
def test_another_amount_or_currency_books_nothing_and_is_said(alice, taking_cards, changed):
    payment = begin(alice)
    message = taking_cards.pay(payment.provider_id)
    message["data"]["object"] |= changed
    hear(message)
    hear(message | {"id": "evt_again"})
    assert (now(payment).state, wallet(alice), online()) == (CardState.WRONG, 2000, 0)
    assert "15.00" in str(now(payment).problem) or "€" in str(now(payment).problem)
    with db.reading() as session:
        assert card.newest(session)[0].id == payment.id


@ON_SQLITE
def test_what_was_done_about_a_wrong_payment_is_kept_and_it_heads_the_list_no_more(alice, taking_cards):
    wrong = begin(alice)
    message = taking_cards.pay(wrong.provider_id)
    message["data"]["object"]["currency"] = "usd"
    hear(message)
    newest = begin(alice, key="second-form")
    with pytest.raises(Conflict, match="nothing to look at"), db.transaction() as session:
        services.deal_with(session, newest.id, "Given back", session.merge(alice), utcnow())
    with pytest.raises(Invalid, match="what was done"), db.transaction() as session:
        services.deal_with(session, wrong.id, "  ", session.merge(alice), utcnow())
    for note in ("Given back at the provider", "Once more"):
        with db.transaction() as session:
            services.deal_with(session, wrong.id, note, session.merge(alice), utcnow())
    hear(message | {"id": "evt_later"})
    assert (now(wrong).state, wallet(alice)) == (CardState.DEALT_WITH, 2000)
    with db.reading() as session:
        assert card.newest(session)[0].id == newest.id
        done = card.dealt_with(session, wrong)
        assert (done.note, done.by.name) == ("Given back at the provider", "Alice")


def test_a_message_that_is_faster_than_our_note_of_the_checkout_finds_its_payment(alice, taking_cards):
    with db.transaction() as session:
        payment = services.top_up(session, alice, 1_500, "first-form", utcnow())
    looking.open_checkout(payment, alice.email, "fr")
    (checkout,) = taking_cards.sessions
    with db.transaction() as session:  # as if we had died after the provider answered
        found = session.get_one(CardPayment, payment.id)
        found.state, found.provider_id, found.url = CardState.NEW, None, ""
    hear(taking_cards.pay(checkout))
    assert (now(payment).state, now(payment).provider_id, wallet(alice)) == (CardState.PAID, checkout, 3500)


@ON_SQLITE
def test_a_message_about_somebody_elses_checkout_changes_nothing(alice, taking_cards):
    payment = begin(alice)
    message = taking_cards.pay(payment.provider_id)
    message["data"]["object"] |= {"id": "cs_test_of_a_shop", "client_reference_id": payment.public_id}
    hear(message)
    assert (now(payment).state, wallet(alice)) == (CardState.OPEN, 2000)


def test_the_form_sent_twice_is_one_payment_and_one_checkout(alice, taking_cards):
    assert begin(alice).id == begin(alice).id
    assert len(taking_cards.sessions) == 1
    with pytest.raises(SentBefore):
        begin(alice, 1_600)


@ON_SQLITE
def test_a_wallet_is_not_asked_for_more_than_it_may_hold_with_what_was_begun(alice):
    begin(alice, 20_000)
    with db.transaction() as session:
        with pytest.raises(Invalid, match="With the"):
            services.top_up(session, alice, 3_001, "second-form", utcnow())
        with pytest.raises(Invalid, match="may hold at most"):
            services.top_up(session, alice, 23_001, "third-form", utcnow())
        with pytest.raises(Invalid, match="at least"):
            services.top_up(session, alice, 99, "fourth-form", utcnow())


@ON_SQLITE
def test_money_that_has_come_is_booked_even_over_the_cap(alice, taking_cards):
    payment = begin(alice, 20_000)
    with db.transaction() as session:
        ledger.top_up(session, alice, 3_000, alice.id, "at the desk")
    hear(taking_cards.pay(payment.provider_id))
    assert wallet(alice) == 25_000


@ON_SQLITE
def test_vat_is_due_at_the_top_up_where_the_rules_say_so(taking_cards):
    with db.transaction() as session:
        cast, _ = business(session)
        prepaid.set_rules(session, RulesData(seller.today(utcnow()), Prepaid.SINGLE_PURPOSE), None)
    hear(taking_cards.pay(begin(cast.alice, 1_200).provider_id))
    with db.reading() as session:
        invoice = session.scalars(sa.select(Document).where(Document.key.like("online-%"))).one()
        entries = session.scalars(sa.select(LedgerEntry).where(LedgerEntry.document_id == invoice.id)).all()
        moved = Counter()
        for line in (line for entry in entries for line in entry.lines):
            moved[line.account] += line.amount_cents
    assert (invoice.kind, invoice.gross_cents, invoice.vat_cents) == (Kind.VOUCHER, 1_200, 200)
    assert moved == {
        Account.ONLINE: 1_200,
        Account.WALLET: -1_200,
        Account.VAT_PREPAID: 200,
        Account.VAT: -200,
        Account.RECEIVABLE: 0,
    }


class TestInvoices:
    """A company's people pay what is due."""

    @pytest.fixture
    def invoiced(self, taking_cards):
        with db.transaction() as session:
            cast, acme = business(session)
            return cast, issuing.issue(session, draft_of(10_000, company=acme), command("one"))

    def begin(self, cast, invoice, key="first-form"):
        with db.transaction() as session:
            payment = services.pay_invoice(session, invoice, cast.alice, key, utcnow())
        looking.open_checkout(payment, cast.alice.email, "fr")
        return now(payment)

    def balance(self, invoice):
        with db.reading() as session:
            return queries.balance_cents(session, invoice)

    def test_all_that_is_due_is_paid_and_on_the_invoice(self, invoiced, taking_cards):
        cast, invoice = invoiced
        payment = self.begin(cast, invoice)
        assert payment.amount_cents == 10_000
        hear(taking_cards.pay(payment.provider_id))
        assert (self.balance(invoice), online()) == (0, 10_000)
        with db.transaction() as session:
            (paid,) = queries.payments_of(session, invoice.id)
            assert (paid.method, paid.by_id) == (Method.ONLINE, cast.alice.id)
            assert list(verifying.findings(session)) == []
            with pytest.raises(Conflict, match="Nothing is due"):
                services.pay_invoice(session, invoice, cast.alice, "second-form", utcnow())

    @ON_SQLITE
    def test_a_deposit_is_paid_like_any_invoice(self, taking_cards):
        with db.transaction() as session:
            cast, acme = business(session)
            order = company_order(session, cast.alice, acme, 10)
            deposit = deposits.issue(session, order, Asked(percent=100), command("all"))
        hear(taking_cards.pay(self.begin(cast, deposit).provider_id))
        assert self.balance(deposit) == 0
        with db.reading() as session:
            assert list(verifying.findings(session)) == []

    @ON_SQLITE
    def test_a_payment_that_was_begun_is_gone_on_with_unless_another_sum_is_due(self, invoiced):
        cast, invoice = invoiced
        first = self.begin(cast, invoice)
        assert self.begin(cast, invoice, "second-form").id == first.id
        with db.transaction() as session:
            crediting.issue(session, invoice, Credit(2_000, "Scratched"), command("two"))
        assert self.begin(cast, invoice, "third-form").amount_cents == 8_000

    def test_what_came_twice_is_to_be_paid_back_by_card(self, invoiced, taking_cards):
        cast, invoice = invoiced
        payment = self.begin(cast, invoice)
        with db.transaction() as session:
            data = PaymentData(Method.TRANSFER, 10_000, seller.today(utcnow()), "", "by bank")
            payments.pay(session, invoice, data, None, utcnow())
        hear(taking_cards.pay(payment.provider_id))
        assert self.balance(invoice) == -10_000
        with db.transaction() as session:
            data = PaymentData(Method.ONLINE, 10_000, seller.today(utcnow()), "re_1", "back by card")
            payments.pay(session, invoice, data, None, utcnow())
        assert (self.balance(invoice), online()) == (0, 0)

    @ON_SQLITE
    def test_nobody_types_a_payment_by_card_online(self, invoiced):
        _, invoice = invoiced
        with db.transaction() as session, pytest.raises(Invalid, match="by itself"):
            data = PaymentData(Method.ONLINE, 10_000, seller.today(utcnow()), "", "typed")
            payments.pay(session, invoice, data, None, utcnow())


@ON_SQLITE
class TestWorkers:
    """What is asked of the provider when nobody comes back and no message arrives."""

    def age(self, payment, **changes):
        with db.transaction() as session:
            found = session.get_one(CardPayment, payment.id)
            for name, value in changes.items():
                setattr(found, name, value)

    def test_an_open_payment_is_looked_at_after_a_while_and_settled(self, alice, taking_cards):
        payment = begin(alice)
        taking_cards.pay(payment.provider_id)
        tasks.look_at_payments()
        assert wallet(alice) == 2000
        self.age(payment, created_at=utcnow() - timedelta(minutes=5))
        tasks.look_at_payments()
        tasks.look_at_payments()
        assert (now(payment).state, wallet(alice)) == (CardState.PAID, 3500)

    def test_it_is_asked_for_only_while_something_is_open(self, alice, taking_cards, recorder):
        def asked():
            recorder.asked.clear()
            with db.transaction() as session:
                session.execute(sa.text("delete from tick"))
                ticker.tick(session, utcnow())
            return ("look_at_payments", ()) in recorder.asked

        assert not asked()
        payment = begin(alice)
        assert asked()
        looking.end(payment)
        assert not asked()

    def test_a_checkout_nobody_knows_any_more_holds_up_no_other_and_is_given_up_in_the_end(self, alice, taking_cards):
        lost, other = begin(alice), begin(alice, key="second-form")
        del taking_cards.sessions[lost.provider_id]
        taking_cards.pay(other.provider_id)
        for payment in (lost, other):
            self.age(payment, created_at=utcnow() - timedelta(minutes=5))
        tasks.look_at_payments()
        assert (now(lost).state, now(other).state) == (CardState.OPEN, CardState.PAID)
        self.age(lost, until=utcnow() - timedelta(days=2), looked_at=None)
        tasks.look_at_payments()
        assert now(lost).state == CardState.ENDED

    def test_a_provider_that_is_away_changes_nothing(self, alice, taking_cards):
        payment = begin(alice)
        self.age(payment, created_at=utcnow() - timedelta(minutes=5))
        taking_cards.trouble = 500
        tasks.look_at_payments()
        assert now(payment).state == CardState.OPEN

    def test_a_checkout_that_could_not_be_opened_can_be_tried_again_and_ends_by_itself(self, alice, taking_cards):
        taking_cards.trouble = 402
        payment = begin(alice)
        assert (payment.state, "live charges" in str(payment.problem)) == (CardState.NEW, True)
        taking_cards.trouble = None
        assert begin(alice).state == CardState.OPEN
        taking_cards.trouble = 500
        second = begin(alice, key="second-form")
        self.age(second, until=utcnow() - timedelta(minutes=1))
        tasks.look_at_payments()
        assert now(second).state == CardState.ENDED


@ON_SQLITE
def test_where_no_keys_are_set_nobody_can_ask(any_place):
    with db.transaction() as session:
        alice = add_person(session, "Alice")
        assert provider() is None
        with pytest.raises(Conflict, match="not offered"):
            services.top_up(session, alice, 1000, "first-form", utcnow())
    with environment(stripe_key="sk_test_1"):
        assert provider() is None


@ON_SQLITE
class TestBooks:
    """What the treasurer sees and books."""

    def test_payouts_and_fees_leave_the_account_of_the_provider_once(self, alice, taking_cards):
        hear(taking_cards.pay(begin(alice).provider_id))
        with db.transaction() as session:
            for _ in range(2):
                payouts.book(session, 1_440, 48, "po_1", alice.id, "form")
            assert payouts.held_cents(session) == 12
            with pytest.raises(Invalid, match="holds"):
                payouts.book(session, 13, 0, "", alice.id, "other")
            with pytest.raises(Invalid, match="nothing"):
                payouts.book(session, 0, 0, "", alice.id, "none")
            with pytest.raises(Invalid, match="nothing"):
                payouts.book(session, 13, -1, "", alice.id, "less")
            moved = sa.select(LedgerLine.account, sa.func.sum(LedgerLine.amount_cents)).group_by(LedgerLine.account)
            sums = dict(session.execute(moved).all())
        assert (sums[Account.BANK], sums[Account.CARD_FEES], sums[Account.ONLINE]) == (1_440, 48, 12)

    def test_they_stand_in_the_month_by_their_own_way_and_in_the_fec(self, taking_cards):
        with db.transaction() as session:
            cast, _ = business(session)
            month = period(Span.MONTH, seller.today(utcnow()))
            assert Account.ONLINE not in {each.account for each in takings.takings(session, month)}
        hear(taking_cards.pay(begin(cast.alice).provider_id))
        with db.transaction() as session:
            payouts.book(session, 1_440, 60, "po_1", cast.carole.id, "form")
            (found,) = [each for each in takings.takings(session, month) if each.account == Account.ONLINE]
            assert (found.top_ups_cents, found.others_cents, found.total_cents) == (1_500, -1_500, 0)
            made = fec.export(session, month.first_on.year)
        assert list(fec_checking.findings(made.name, made.content)) == []
        rows = [line.split("\t") for line in made.content.decode("iso8859-15").splitlines()]
        assert {row[0] for row in rows if row[4] in ("517000", "627800")} == {"BQ"}
        assert {row[4] for row in rows} >= {"517000", "627800", "512000", "419100"}


@ON_SQLITE
def test_what_is_seen_of_another_outcome_than_paid_or_ended_changes_nothing(alice, taking_cards):
    payment = begin(alice)
    seen = provider().look(payment.provider_id)
    assert seen.outcome == Outcome.WAITING
    with db.transaction() as session:
        services.heard(session, Event("evt_1", "checkout.session.completed", seen), utcnow())
    assert (now(payment).state, wallet(alice)) == (CardState.OPEN, 2000)


def test_an_account_that_is_paying_by_card_is_not_erased(taking_cards, alice):
    payment = begin(alice)
    with db.transaction() as session:
        carole = add_person(session, "Carole", Role.ADMINISTRATOR, cents=0)
        ledger.pay_out(session, session.merge(alice), wallet(alice), carole.id, "out", Paid(Account.BANK))
    with pytest.raises(Conflict, match="payment by card is open"), db.transaction() as session:
        leaving.erase(session, session.merge(alice), session.merge(carole))
    hear(taking_cards.pay(payment.provider_id))
    assert wallet(alice) == 1_500
