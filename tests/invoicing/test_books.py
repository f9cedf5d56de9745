"""Random orders, invoices, payments, reversals and credit notes: after each step the books still add up."""

import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from fablab import db
from fablab.billing import ledger, seller
from fablab.billing.models import Account, LedgerLine
from fablab.db import utcnow
from fablab.errors import Problem
from fablab.invoicing import crediting, from_orders, issuing, payments, queries, verifying
from fablab.invoicing.crediting import Credit
from fablab.invoicing.models import Document, Kind, Method
from fablab.invoicing.payments import PaymentData
from fablab.words import say
from tests.books import business, command, copied_order, draft_of, made_company_order, make
from tests.invoicing.contents import HOME
from tests.people import order_cube

TODAY = seller.today(utcnow())


class Books(RuleBasedStateMachine):
    """One company; every command may also be sent twice, and may be refused in words."""

    invoices = Bundle("invoices")

    def __init__(self):
        super().__init__()
        self.session = sa.orm.Session(db.engine())
        self.cast, self.acme = business(self.session)
        self.order = made_company_order(self.session, self.cast, self.acme)
        self.members = [make(self.session, order_cube(self.session, self.cast.alice), 1, self.cast.bob)]
        self.steps = 0

    def teardown(self):
        self.session.close()

    def key(self):
        self.steps += 1
        return f"step-{self.steps}"

    def tried(self, act):
        """Do something in a savepoint; a refusal in words leaves nothing behind."""
        try:
            with self.session.begin_nested():
                return act()
        except Problem:
            return None

    @rule(
        price=st.integers(1, 30_000), good=st.integers(0, 5), before_vat=st.booleans(), po=st.sampled_from(["", "BC"])
    )
    def order_is_made(self, price, good, before_vat, po):
        made = copied_order(self.session, self.order, price, good)
        made.price_before_vat, made.po_number = before_vat, po or None
        self.session.flush()

    @rule(target=invoices, po=st.sampled_from(["", "BC"]))
    def invoice_the_orders(self, po):
        sent = command(self.key())
        owed = sum(
            from_orders.to_invoice_cents(self.session, each)
            for group in from_orders.waiting(self.session)
            if group.po_number == po
            for each in group.orders
        )
        made = self.tried(lambda: from_orders.invoice_company(self.session, self.acme, po, sent))
        assert (made is None) == (owed == 0)
        assert not made or from_orders.invoice_company(self.session, self.acme, po, sent) == made
        return made[0].id if made else None

    @rule(price=st.integers(1, 900))
    def member_is_charged(self, price):
        alice, text = self.cast.alice, say("Test")
        self.tried(lambda: ledger.top_up(self.session, alice, 1000, alice.id, self.key()))

        def act():
            order = copied_order(self.session, self.members[0], price, 1)
            ledger.reserve(self.session, alice.id, order.id, price, self.key(), text)
            ledger.charge(self.session, alice.id, order.id, price, self.key(), text, alice.id)
            self.members.append(order)

        self.tried(act)

    @rule(target=invoices, which=st.integers(0, 9))
    def member_asks_for_an_invoice(self, which):
        order = self.members[which % len(self.members)]
        owed = from_orders.to_invoice_cents(self.session, order)
        sent = command(self.key())
        made = self.tried(lambda: from_orders.invoice_member(self.session, order, HOME, "fr", sent))
        assert (made is None) == (owed == 0)
        return made.id if made else None

    @rule(target=invoices, cents=st.lists(st.integers(1, 100_000), min_size=1, max_size=4), before_vat=st.booleans())
    def invoice_something(self, cents, before_vat):
        draft = draft_of(*cents, company=self.acme, before_vat=before_vat)
        return issuing.issue(self.session, draft, command(self.key())).id

    @rule(invoice=invoices, part=st.floats(0, 1.2), method=st.sampled_from(list(Method)))
    def pay(self, invoice, part, method):
        if invoice is None:
            return
        found = self.session.get(Document, invoice)
        before = queries.balance_cents(self.session, found)
        data = PaymentData(method, int(abs(before) * part), TODAY, "", self.key())
        for _ in range(2):
            paid = self.tried(lambda: payments.pay(self.session, found, data, None, utcnow()))
        after = queries.balance_cents(self.session, found)
        assert after == before - (paid.amount_cents if paid else 0)
        assert after * before >= 0, "no payment goes beyond what was due"

    @rule(invoice=invoices)
    def take_the_last_payment_back(self, invoice):
        paid = queries.payments_of(self.session, invoice) if invoice else []
        if paid:
            self.tried(lambda: payments.reverse(self.session, paid[-1], None))

    @rule(invoice=invoices, part=st.floats(0, 1.2), again=st.booleans())
    def credit(self, invoice, part, again):
        if invoice is None:
            return
        found = self.session.get(Document, invoice)
        left = sum(each.gross_cents for each in queries.left_of(self.session, found))
        wanted = Credit(left if again else int(left * part), "Rayure", invoice_again=again)
        shown = self.tried(lambda: crediting.consequence(self.session, found, wanted))
        note = self.tried(lambda: crediting.issue(self.session, found, wanted, command(self.key())))
        assert (shown is None) == (note is None)
        if note:
            assert (note.net_cents, note.vat_cents) == (shown.net_cents, shown.vat_cents)
            assert queries.balance_cents(self.session, found) == shown.balance_after_cents

    @invariant()
    def the_books_add_up(self):
        assert [str(each) for each in verifying.findings(self.session)] == []
        assert (self.session.scalar(sa.select(sa.func.sum(LedgerLine.amount_cents))) or 0) == 0
        documents = self.session.scalars(sa.select(Document)).all()
        paid = sum(each.amount_cents for doc in documents for each in queries.payments_of(self.session, doc.id))
        issued = sum(each.gross_cents if each.kind == Kind.INVOICE else -each.gross_cents for each in documents)
        owed = ledger.receivable_cents(self.session, [each.id for each in documents])
        assert owed == issued - paid
        for each in documents:
            if each.kind == Kind.INVOICE:
                left = queries.left_of(self.session, each)
                assert all(rate.net_cents >= 0 and rate.vat_cents >= 0 for rate in left)
        total = sa.select(sa.func.sum(LedgerLine.amount_cents)).where(LedgerLine.account == Account.VAT)
        vat = sum(each.vat_cents if each.kind == Kind.INVOICE else -each.vat_cents for each in documents)
        assert -(self.session.scalar(total) or 0) == vat
        self.sales_are_what_was_invoiced_or_charged(documents)

    def sales_are_what_was_invoiced_or_charged(self, documents):
        """The wallet's charges that no invoice has taken over are sales as well, with their VAT."""
        invoiced = sum(each.net_cents if each.kind == Kind.INVOICE else -each.net_cents for each in documents)
        charged = sum(ledger.charged_cents(self.session, order.id) for order in self.members)
        paid = [each for doc in documents for each in queries.payments_of(self.session, doc.id)]
        taken_over = sum(each.amount_cents for each in paid if "settled-" in each.key)
        total = sa.select(sa.func.sum(LedgerLine.amount_cents)).where(LedgerLine.account == Account.SALES)
        assert -(self.session.scalar(total) or 0) == invoiced + charged - taken_over


def test_the_books_add_up_after_any_history(place):
    run_state_machine_as_test(
        Books,
        settings=settings(
            max_examples=40, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
