"""What becomes of quotes nobody answers: a reminder before their end, then their order is a draft again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, aliased

from fablab.billing import seller
from fablab.orders.holding import hold
from fablab.orders.models import Order, OrderState
from fablab.quotes import answering, links, queries, telling
from fablab.quotes.models import Quote, QuoteReminder, Standing
from fablab.settings import settings

AT_ONCE = 50


def due(session: Session, now: datetime) -> Sequence[int]:
    """Return the quotes that wait for an answer and end soon, or have ended: of each order the newest."""
    soon = seller.today(now) + timedelta(days=settings().quote_reminder_days)
    query = select(Quote.id).join(Order, Order.id == Quote.order_id).where(Order.state == OrderState.OFFERED)
    reminded = select(QuoteReminder.quote_id)
    newer = aliased(Quote)
    query = query.where(~exists().where(newer.order_id == Quote.order_id, newer.version > Quote.version))
    over = Quote.valid_until < seller.today(now)
    waiting = (Quote.valid_until <= soon) & Quote.id.not_in(reminded)
    return session.scalars(query.where(over | waiting).order_by(Quote.valid_until, Quote.id).limit(AT_ONCE)).all()


def attend(session: Session, quote_id: int, now: datetime) -> None:
    """Remind of a quote that ends soon, once, or end one whose day is over; one that was answered is left alone."""
    quote = session.get_one(Quote, quote_id)
    order = quote.order
    hold(session, order)
    standing = queries.standing(session, quote, seller.today(now))
    if standing == Standing.EXPIRED and order.state == OrderState.OFFERED and _is_newest(session, quote):
        answering.to_draft(session, order, None)
        telling.ended(session, quote)
    elif standing == Standing.OPEN and settings().quote_reminder_days and not session.get(QuoteReminder, quote.id):
        session.add(QuoteReminder(quote_id=quote.id, at=now))
        telling.ending(session, quote)
        for link in queries.links_of(session, quote):
            links.remind(session, link, now)


def _is_newest(session: Session, quote: Quote) -> bool:
    later = select(Quote.id).where(Quote.order_id == quote.order_id, Quote.version > quote.version)
    return session.scalar(later.limit(1)) is None
