"""Thea, who keeps the books: she tops wallets up, invoices, takes payments, credits, gives back and closes months.

She presses twice, takes payments back, asks for the same thing again when the answer was lost, and answers a request
with yes and no at the same moment.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import partial

from sqlalchemy.orm import Session

from fablab import db
from fablab.accounts.models import Person
from fablab.billing import seller
from fablab.billing.models import Account
from fablab.bookkeeping import closings
from fablab.bookkeeping.models import Span
from fablab.bookkeeping.periods import name
from fablab.db import utcnow
from fablab.invoicing import deposits, from_orders, queries
from fablab.invoicing.models import Document, Kind, Method
from fablab.refunds import queries as refunds
from fablab.refunds.models import Complaint
from tests.chaos.visitor import Away, Patience, Refused, Visitor

DEPOSIT_SHARE = 0.4
AGAIN_SHARE = 0.3
TOP_UPS = 6
USUAL = ("part", "credit", "rest")
PLANS = (USUAL, ("part", "back", "rest"), ("rest", "back", "part", "credit", "rest"), ("credit", "rest"))


class Thea(Visitor):
    """A treasurer. `told`: the keys of what she was told is in the books, by what it is."""

    def __init__(self, url: str, chance: random.Random) -> None:
        super().__init__(url, "Thea", chance)
        self.patience = Patience(chance)
        self.told: dict[str, list[str]] = {"top-up": [], "invoice": [], "payment": [], "credit": []}
        self._sent: dict[object, dict[str, str]] = {}
        self._plans: dict[int, list[str]] = {}
        self._deposits: dict[int, bool] = {}
        self._credited_again = False

    def walk(self) -> None:
        """Do whatever is to be done and has waited its moment."""
        self._top_up()
        with db.reading() as session:
            groups = [(each.company.public_id, each.po_number) for each in from_orders.waiting(session)]
            asked = [(each.id, each.public_id) for each in deposits.under_way(session)]
            complaints = refunds.desk(session)
            invoices = self._invoices(session)
            month = closings.next_period(session, Span.MONTH, seller.today(utcnow()))
        for each in asked:
            self.tried(partial(self._ask_deposit, *each))
        for company, po_number in groups:
            if self.patience.over("invoice", company, po_number):
                self.tried(partial(self._invoice, company, po_number))
        for complaint in complaints:
            if self.patience.over("answer", complaint.id):
                self.tried(partial(self._answer, complaint))
        for invoice in invoices:
            if self._plan(invoice) and self.patience.over("invoice", invoice.id):
                self.tried(partial(self._go_on, invoice))
        if month is not None and self.patience.over("close", least_s=1.0, most_s=6.0):
            self.tried(partial(self.pressed, "/books/close", period=name(Span.MONTH, month.first_on)))

    def has_done_everything(self, session: Session) -> bool:
        """Tell whether nothing waits for her: no order to invoice, no request, no invoice she has plans with."""
        if from_orders.waiting(session) or refunds.desk(session) or deposits.orphans(session):
            return False
        return all(each.id in self._plans and not self._plans[each.id] for each in self._invoices(session))

    @staticmethod
    def _invoices(session: Session) -> list[Document]:
        return [each for each in session.query(Document).order_by(Document.id) if each.kind != Kind.CREDIT_NOTE]

    def _plan(self, invoice: Document) -> list[str]:
        """Return what she still means to do with an invoice; the first one gets the usual treatment."""
        if invoice.id not in self._plans:
            self._plans[invoice.id] = list(self.chance.choice(PLANS) if self._plans else USUAL)
        return self._plans[invoice.id]

    def _booked(self, what: str, path: str, about: object, fields: Mapping[str, str]) -> None:
        """Press a button whose form has a key; when the answer is lost, the same form is sent again the next time."""
        form = self._sent.setdefault((what, about), {"key": f"thea-{self.chance.getrandbits(80):x}", **fields})
        try:
            self.pressed(path, **form)
        except Away:
            raise
        except Refused:
            del self._sent[what, about]
            raise
        self.told[what].append(self._sent.pop((what, about))["key"])

    # Wallets, deposits and invoices -----------------------------------------------------------------------------------

    def _top_up(self) -> None:
        if len(self.told["top-up"]) >= TOP_UPS or not self.patience.over("top up", least_s=0.5, most_s=3.0):
            return
        with db.reading() as session:
            names = {each.name: each.public_id for each in session.query(Person)}
        method = self.chance.choice((Account.CASH, Account.CARD, Account.CHEQUE, Account.BANK))
        fields = {"amount": str(self.chance.randint(1, 20)), "method": method.value, "reference": ""}
        self.tried(partial(self._booked, "top-up", f"/wallets/{names['Alice']}", "Alice", fields))

    def _ask_deposit(self, order_id: int, public_id: str) -> None:
        if self._deposits.setdefault(order_id, self.chance.random() < DEPOSIT_SHARE):
            fields = {"percent": str(self.chance.randint(10, 60)), "amount": ""}
            self._booked("invoice", f"/invoices/deposits/{public_id}", order_id, fields)
            self._deposits[order_id] = False

    def _invoice(self, company: str, po_number: str) -> None:
        self._booked("invoice", f"/invoices/company/{company}", (company, po_number), {"po": po_number})

    # What happens to an invoice ---------------------------------------------------------------------------------------

    def _go_on(self, invoice: Document) -> None:
        """Do the next thing she means to do; what cannot be done any more is left."""
        plan = self._plans[invoice.id]
        step = {"part": self._pay_part, "rest": self._pay_rest, "credit": self._credit, "back": self._take_back}
        try:
            step[plan[0]](invoice)
        except Away:
            raise
        except Refused:
            plan.pop(0)
            raise
        plan.pop(0)

    def _balance(self, invoice: Document) -> int:
        with db.reading() as session:
            return queries.balance_cents(session, invoice)

    def _pay_part(self, invoice: Document) -> None:
        balance = self._balance(invoice)
        if balance > 1:
            self._pay(invoice, self.chance.randint(1, balance - 1))

    def _pay_rest(self, invoice: Document) -> None:
        """Take what is due, or pay back what is too much."""
        balance = self._balance(invoice)
        if balance:
            self._pay(invoice, abs(balance))

    def _pay(self, invoice: Document, cents: int) -> None:
        method = self.chance.choice((Method.TRANSFER, Method.CARD, Method.CHEQUE, Method.CASH))
        fields = {"amount": euros(cents), "method": method.value, "received_on": today().isoformat()}
        self._booked("payment", f"/invoices/{invoice.public_id}/payments", invoice.id, fields)

    def _take_back(self, invoice: Document) -> None:
        with db.reading() as session:
            paid = queries.payments_of(session, invoice.id)
            gone = {each.reverses_id for each in paid}
            kept = [each for each in paid if each.reverses_id is None and each.id not in gone]
        if kept:
            self.pressed(f"/invoices/{invoice.public_id}/payments/{kept[-1].public_id}/reverse")

    def _credit(self, invoice: Document) -> None:
        """Credit a part; or once all of it, and the orders are invoiced again."""
        with db.reading() as session:
            left = sum(each.gross_cents for each in queries.left_of(session, invoice))
        if left <= 0:
            return
        again = not self._credited_again and invoice.kind == Kind.INVOICE and self.chance.random() < AGAIN_SHARE
        cents = left if again else max(left // self.chance.randint(2, 5), 1)
        fields = {"amount": euros(cents), "reason": "Rayure"} | ({"invoice_again": "y"} if again else {})
        self._booked("credit", f"/invoices/{invoice.public_id}/credit", invoice.id, fields)
        self._credited_again |= again

    def _answer(self, complaint: Complaint) -> None:
        """Give back a part of what can be given back; now and then somebody says no at the same moment."""
        with db.reading() as session:
            most = refunds.refundable(session, complaint.order).most_cents
        yes = {"answer": "refund", "amount": euros(self.chance.randint(1, most) if most else 0)}
        no = {"answer": "refuse", "reason": "Non"}
        answers = [yes, self.chance.choice((yes, no))] if most else [no, no]
        with ThreadPoolExecutor(2) as people:
            given = [people.submit(self.post, f"/refunds/{complaint.public_id}", **each) for each in answers]
        for each in given:
            each.result()


def euros(cents: int) -> str:
    """Write an amount as somebody types it."""
    return f"{cents // 100},{cents % 100:02d}"


def today() -> date:
    """Return the day it is at the place."""
    return seller.today(utcnow())
