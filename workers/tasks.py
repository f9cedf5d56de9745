"""The Celery tasks. Short, given ids only, harmless when run twice or at once: each begins with a compare-and-swap."""

from __future__ import annotations

import logging
from datetime import timedelta

from celery.signals import after_setup_logger, worker_process_init

from fablab import bus, db
from fablab.bookkeeping import closings
from fablab.db import utcnow
from fablab.invoicing import deposits, done_orders
from fablab.jobs import dispatch as dispatching
from fablab.jobs import slices
from fablab.orders import handing
from fablab.payments import looking
from fablab.quotes import ending
from fablab.receivables import reminders
from fablab.settings import settings
from workers import cameras, mailing, printing, slicing

app = bus.celery()


@worker_process_init.connect
def _after_fork(**_: object) -> None:
    db.forget_engine()
    bus.connection.cache_clear()


@after_setup_logger.connect
def _say_less(**_: object) -> None:
    """Leave out the two lines Celery writes for every look at every printer: they would fill a small disk."""
    for name in ("celery.worker.strategy", "celery.app.trace"):
        logging.getLogger(name).setLevel(logging.WARNING)


@app.task(name="slice")
def slice_(job_id: int) -> None:
    """Prepare a job for printing."""
    slicing.slice_job(job_id)


@app.task(name="preview")
def preview() -> None:
    """Check the price of the draft that has waited longest, unless a job waits for its slice."""
    slicing.slice_preview()


@app.task(name="tidy")
def tidy() -> None:
    """Clear away the slices of drafts that nobody has looked at for some days."""
    with db.transaction() as session:
        slices.tidy(session, utcnow() - timedelta(days=settings().keep_previews_days))


@app.task(name="schedule")
def schedule() -> None:
    """Claim printers for the jobs that may start now."""
    with db.transaction() as session:
        dispatching.schedule(session, utcnow())


@app.task(name="dispatch")
def dispatch(attempt_id: int) -> None:
    """Send a claimed job to its printer and start it."""
    printing.dispatch(attempt_id)


@app.task(name="connect")
def connect(machine_id: int) -> None:
    """Connect a printer's server to its machine again, and look at it."""
    printing.connect(machine_id)


@app.task(name="watch")
def watch(machine_id: int) -> None:
    """Look at a printer and write down what became of the attempt on it."""
    printing.watch(machine_id)


@app.task(name="find_camera")
def find_camera(machine_id: int) -> None:
    """Ask a printer's server where its camera is."""
    cameras.find(machine_id)


@app.task(name="remind")
def remind() -> None:
    """Remind the people whose parts have waited on the shelf for long."""
    with db.transaction() as session:
        handing.remind(session, utcnow())


@app.task(name="remind_overdue")
def remind_overdue() -> None:
    """Remind companies of overdue invoices, each in a transaction of its own: issuing waits for none of the others."""
    with db.reading() as session:
        due = reminders.due_now(session, utcnow())
    for invoice_id in due:
        with db.transaction() as session:
            reminders.send_if_due(session, invoice_id, utcnow())


@app.task(name="attend_quotes")
def attend_quotes() -> None:
    """Remind of quotes that end soon, and end those whose day is over."""
    with db.reading() as session:
        due = ending.due(session, utcnow())
    for quote_id in due:
        with db.transaction() as session:
            ending.attend(session, quote_id, utcnow())


@app.task(name="look_at_payments")
def look_at_payments() -> None:
    """Look at the card payments online that nobody has heard of for a while."""
    looking.look_at_open()


@app.task(name="credit_deposits")
def credit_deposits(order_id: int) -> None:
    """Credit the deposits of an order that was cancelled, so that nobody is asked to pay them."""
    with db.transaction() as session:
        deposits.credit_cancelled(session, order_id, utcnow())


@app.task(name="invoice_order")
def invoice_order(order_id: int) -> None:
    """Issue the invoice of an order that is done and was paid from the wallet."""
    with db.transaction() as session:
        done_orders.invoice(session, order_id, utcnow())


@app.task(name="close_days")
def close_days() -> None:
    """Close the days of the books that are over: not in a tick, which printers wait for."""
    with db.transaction() as session:
        closings.close_days(session, utcnow())


@app.task(name="send_mail")
def send_mail(mail_id: int) -> None:
    """Hand a mail to the mail server."""
    mailing.send(mail_id)
