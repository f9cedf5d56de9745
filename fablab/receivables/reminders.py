"""Reminders of overdue invoices: who is due for which level, and sending it once, written down with its mail."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from fablab.accounts.models import Company
from fablab.billing import seller
from fablab.errors import Conflict, Invalid
from fablab.invoicing import chain, sending
from fablab.invoicing import queries as documents
from fablab.invoicing.content import from_text
from fablab.invoicing.models import Document, Kind
from fablab.notices import services as notices
from fablab.receivables import wording
from fablab.receivables.models import Reminder, ReminderStop
from fablab.words import say

LONGEST_REASON = 200
MOST_AT_ONCE = 50
MOST_SHOWN = 50


@dataclass(frozen=True)
class Owed:
    """An overdue invoice: how much, since when, what was sent, and when which level comes next."""

    invoice: Document
    balance_cents: int
    days: int
    sent: tuple[Reminder, ...]
    stop: ReminderStop | None
    next_level: int | None
    next_on: date | None


def overdue(session: Session, today: date) -> list[Owed]:
    """Return the overdue invoices of companies, the oldest first."""
    owed = documents.owed_invoices(session)
    query = select(Document).where(
        Document.id.in_(owed),
        Document.kind != Kind.CREDIT_NOTE,
        Document.company_id.is_not(None),
        Document.due_on < today,
    )
    invoices = session.scalars(query.order_by(Document.due_on, Document.position)).all()
    ids = [each.id for each in invoices]
    sent: dict[int, list[Reminder]] = defaultdict(list)
    for each in session.scalars(select(Reminder).where(Reminder.document_id.in_(ids)).order_by(Reminder.level)):
        sent[each.document_id].append(each)
    stops = {
        each.document_id: each
        for each in session.scalars(select(ReminderStop).where(ReminderStop.document_id.in_(ids)))
    }
    return [_owed(each, owed[each.id], tuple(sent[each.id]), stops.get(each.id), today) for each in invoices]


def _owed(
    invoice: Document, balance_cents: int, sent: tuple[Reminder, ...], stop: ReminderStop | None, today: date
) -> Owed:
    level, on = _next(invoice, sent)
    waits = stop is None and _can_be_written_to(invoice)
    return Owed(invoice, balance_cents, (today - invoice.due_on).days, sent, stop, level, on if waits else None)


def _can_be_written_to(invoice: Document) -> bool:
    return invoice.company is not None and bool(invoice.company.contact_email)


def _next(invoice: Document, sent: Sequence[Reminder]) -> tuple[int | None, date | None]:
    """Return the next level and its day: so long after the due date, and never right after the level before."""
    days = wording.days()
    level = len(sent) + 1
    if level > len(days):
        return None, None
    on = invoice.due_on + timedelta(days=days[level - 1])
    if sent:
        on = max(on, seller.today(sent[-1].at) + timedelta(days=days[level - 1] - days[level - 2]))
    return level, on


def due_now(session: Session, now: datetime) -> list[int]:
    """Return the invoices a reminder is due for."""
    today = seller.today(now)
    due = [each.invoice.id for each in overdue(session, today) if each.next_on is not None and each.next_on <= today]
    return due[:MOST_AT_ONCE]


def send_if_due(session: Session, invoice_id: int, now: datetime) -> Reminder | None:
    """Send the reminder that is due for an invoice, unless it was paid, stopped or reminded of meanwhile."""
    chain.hold(session)  # nobody notes a payment, and nobody else reminds, from here to the commit
    today = seller.today(now)
    for each in overdue(session, today):
        if each.invoice.id == invoice_id and each.next_level and each.next_on and each.next_on <= today:
            return _send(session, each, each.next_level, None, now)
    return None


def send_now(session: Session, invoice: Document, level: int, by_id: int, now: datetime) -> Reminder:
    """Send a level before its day, because somebody wants it. Sent twice it is one reminder. Raises `Conflict`."""
    chain.hold(session)
    for each in overdue(session, seller.today(now)):
        if each.invoice.id != invoice.id:
            continue
        before = [reminder for reminder in each.sent if reminder.level == level]
        if before:
            return before[0]
        if each.next_level != level:
            raise Conflict(say("Somebody else was faster: please look again."))
        if each.stop is not None:
            raise Conflict(say("Nobody is to be reminded of this invoice: let it be reminded of again first."))
        if not _can_be_written_to(invoice):
            raise Conflict(say("This company has no e-mail address for invoices: enter one first."))
        return _send(session, each, level, by_id, now)
    raise Conflict(say("This invoice is not overdue any more."))


def _send(session: Session, owed: Owed, level: int, by_id: int | None, now: datetime) -> Reminder:
    content = from_text(owed.invoice.payload)
    company = session.get_one(Company, owed.invoice.company_id)
    text = wording.body(content, level, owed.balance_cents)
    mail = notices.write_to(session, sending.contact_of(company, content), wording.subject(content, level), text, now)
    sending.attach(session, mail, owed.invoice, f"reminder-{owed.invoice.id}-{level}", by_id)
    made = Reminder(
        document_id=owed.invoice.id,
        level=level,
        amount_cents=owed.balance_cents,
        mail_id=mail.id,
        at=now,
        by_id=by_id,
    )
    session.add(made)
    session.flush()
    session.refresh(made)
    return made


def stop(session: Session, invoice: Document, reason: str, by_id: int, now: datetime) -> None:
    """Let nobody be reminded of an invoice. Raises `Invalid` without a reason."""
    kept = " ".join(reason.split())
    if not 1 <= len(kept) <= LONGEST_REASON:
        raise Invalid(say("Please say why, in at most {most} signs.", most=LONGEST_REASON), field="reason")
    chain.hold(session)
    if session.get(ReminderStop, invoice.id) is None:
        session.add(ReminderStop(document_id=invoice.id, reason=kept, by_id=by_id, at=now))
        session.flush()


def resume(session: Session, invoice: Document) -> None:
    """Let an invoice be reminded of again."""
    chain.hold(session)
    found = session.get(ReminderStop, invoice.id)
    if found is not None:
        session.delete(found)
        session.flush()


def newest(session: Session) -> Sequence[Reminder]:
    """Return the reminders that were sent last."""
    return session.scalars(select(Reminder).order_by(Reminder.id.desc()).limit(MOST_SHOWN)).all()
