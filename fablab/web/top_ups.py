"""The form of a top-up, wherever money is taken for a wallet."""

from __future__ import annotations

import secrets
from typing import Any

from sqlalchemy.orm import Session

from fablab.accounts.models import Person
from fablab.billing import ledger
from fablab.billing.ledger import TOP_UP_TEXTS, Paid
from fablab.billing.models import ACCOUNT_LABELS, Account, LedgerEntry
from fablab.money import parse_euros
from fablab.web.forms import TopUpForm
from fablab.web.language import tr


def top_up_form(data: Any = None) -> TopUpForm:
    """Return the form with its ways to pay; a new one has a key of its own."""
    form = TopUpForm(data) if data is not None else TopUpForm(key=secrets.token_hex(12))
    form.method.choices = [(each.value, tr(ACCOUNT_LABELS[each])) for each in TOP_UP_TEXTS]
    return form


def book(session: Session, person: Person, form: TopUpForm, by_id: int) -> LedgerEntry:
    """Put what the form says into a wallet; sent twice, it is booked once. Raises `Invalid`."""
    amount = parse_euros(form.amount.data or "", field="amount")
    paid = Paid(Account(form.method.data), form.reference.data or "")
    return ledger.top_up(session, person, amount, by_id, f"top-up-{person.id}-{form.key.data}", paid)
