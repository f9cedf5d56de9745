"""The forms of money that comes into a wallet, wherever it is taken, and of money that is paid out again."""

from __future__ import annotations

import secrets
from typing import Any

from sqlalchemy.orm import Session

from fablab.accounts.models import Person
from fablab.billing.ledger import PAY_OUT_TEXTS, TOP_UP_TEXTS, Paid
from fablab.billing.models import ACCOUNT_LABELS, Account, LedgerEntry
from fablab.errors import Invalid
from fablab.invoicing import topping_up
from fablab.money import parse_euros
from fablab.web.forms import PayOutForm, TopUpForm
from fablab.web.language import tr
from fablab.web.typed import euros


def top_up_form(data: Any = None) -> TopUpForm:
    """Return the form with its ways to pay; a new one has a key of its own."""
    form = TopUpForm(data) if data is not None else TopUpForm(key=secrets.token_hex(12))
    form.method.choices = [(each.value, tr(ACCOUNT_LABELS[each])) for each in TOP_UP_TEXTS]
    return form


def book(session: Session, person: Person, form: TopUpForm, by_id: int) -> LedgerEntry:
    """Put what the form says into a wallet; sent twice, it is booked once. Raises `Invalid`."""
    amount = parse_euros(form.amount.data or "", field="amount")
    paid = Paid(Account(form.method.data), form.reference.data or "")
    return topping_up.top_up(session, person, amount, by_id, f"top-up-{person.id}-{form.key.data}", paid)


def pay_out_form(data: Any = None, *, left_cents: int = 0) -> PayOutForm:
    """Return the form with its ways to pay; a new one proposes all that is left, and has a key of its own."""
    form = PayOutForm(data) if data is not None else PayOutForm(paid_out=euros(left_cents), key=secrets.token_hex(12))
    form.by.choices = [(each.value, tr(ACCOUNT_LABELS[each])) for each in PAY_OUT_TEXTS]
    return form


def pay_out(session: Session, person: Person, form: PayOutForm, by_id: int) -> None:
    """Pay what the form says out of a wallet; sent twice, it is booked once. Raises `Invalid`."""
    try:
        amount = parse_euros(form.paid_out.data or "", field="amount")
        paid = Paid(Account(form.by.data), form.note.data or "")
        topping_up.pay_out(session, person, amount, by_id, f"pay-out-{person.id}-{form.key.data}", paid)
    except Invalid as problem:
        raise Invalid(problem.sentence, field="paid_out" if problem.field == "amount" else problem.field) from problem
