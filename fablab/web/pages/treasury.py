"""The treasurer's month: money by how it came, VAT, files for the accountant, the cash drawer, the attestation."""

from __future__ import annotations

import secrets
from datetime import date
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from fablab import db
from fablab.accounts.permissions import Permission
from fablab.billing import seller
from fablab.billing.models import ACCOUNT_LABELS, GROUP_LABELS
from fablab.bookkeeping import aided, cash, fec, sheets, thresholds
from fablab.bookkeeping.cash import PIECES_CENTS, CountData
from fablab.bookkeeping.fec import Exported
from fablab.bookkeeping.models import Span
from fablab.bookkeeping.periods import Period, following, name, period, read_period
from fablab.bookkeeping.sales import by_rate, sales
from fablab.bookkeeping.takings import takings
from fablab.db import utcnow
from fablab.money import parse_euros
from fablab.web.auth import me, needs
from fablab.web.cash_forms import BankForm, CashCountForm
from fablab.web.forms import saved

blueprint = Blueprint("treasury", __name__, url_prefix="/books")


def _today() -> date:
    return seller.today(utcnow())


def _wanted() -> Period:
    return read_period(request.args.get("period") or name(Span.MONTH, _today()))


@blueprint.get("/month")
@needs(Permission.KEEP_BOOKS)
def month() -> Any:
    """Show a month (or a day, or a year): what came, by how it was paid, and the VAT."""
    wanted = _wanted()
    before, after = period(wanted.span, _day_before(wanted)), following(wanted)
    with db.snapshot() as session:
        found = list(sales(session, wanted))
        return render_template(
            "books/month.html",
            wanted=wanted,
            title=name(wanted.span, wanted.first_on),
            before=name(before.span, before.first_on),
            after=name(after.span, after.first_on),
            takings=takings(session, wanted),
            booked=by_rate(each for each in found if each.booked),
            waiting=by_rate(each for each in found if not each.booked),
            aided=aided.by_group(session, wanted),
            group_labels=GROUP_LABELS,
            warned=thresholds.warning(session, min(wanted.last_on, _today())),
            account_labels=ACCOUNT_LABELS,
            fec_warning=fec.warning(session, wanted.first_on.year),
        )


def _day_before(wanted: Period) -> date:
    return date.fromordinal(max(wanted.first_on.toordinal() - 1, date(1900, 1, 1).toordinal()))


@blueprint.get("/vat")
@needs(Permission.KEEP_BOOKS)
def vat() -> Any:
    """Give the VAT of a period by rate as CSV."""
    wanted = _wanted()
    with db.snapshot() as session:
        return _file(sheets.vat_summary(session, wanted))


@blueprint.get("/aid")
@needs(Permission.KEEP_BOOKS)
def aid() -> Any:
    """Give the aid of a period by month and tariff group as CSV."""
    wanted = _wanted()
    with db.snapshot() as session:
        return _file(sheets.aid(session, wanted))


@blueprint.get("/e-reporting")
@needs(Permission.KEEP_BOOKS)
def reporting() -> Any:
    """Give sales to consumers by day and rate, and what they paid, as CSV."""
    wanted = _wanted()
    with db.snapshot() as session:
        return _file(sheets.e_reporting(session, wanted))


def _file(made: Exported) -> Response:
    answer = Response(made.content, content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{made.name}"'
    return answer


@blueprint.get("/cash")
@needs(Permission.KEEP_BOOKS)
def drawer() -> Any:
    """Show the cash drawer: what is expected in it, the form to count it, and the counts so far."""
    return _drawer()


def _drawer(count: CashCountForm | None = None, bank: BankForm | None = None) -> str:
    with db.reading() as session:
        expected, counts = cash.expected_cents(session), cash.counts(session)
    count = count or CashCountForm(key=secrets.token_hex(12))
    count.expected.raw_data, count.expected.data = None, expected
    return render_template(
        "books/cash.html",
        count=count,
        bank=bank or BankForm(key=secrets.token_hex(12)),
        expected=expected,
        counts=counts,
        pieces=PIECES_CENTS,
    )


@blueprint.post("/cash")
@needs(Permission.KEEP_BOOKS)
def count_cash() -> Any:
    """Write down what was counted, and book the difference; sent twice, it is one count."""
    form = CashCountForm(request.form)

    def save(session: Session) -> None:
        typed = (form.total.data or "").strip()
        total = parse_euros(typed, field="total") if typed else None
        data = CountData(form.key.data, form.expected.data, total, form.pieces(), form.reason.data or "")
        cash.count(session, data, me().id)

    return redirect(url_for("treasury.drawer")) if saved(form, save) else (_drawer(count=form), 422)


@blueprint.post("/cash/bank")
@needs(Permission.KEEP_BOOKS)
def take_to_bank() -> Any:
    """Book cash that was taken to the bank; sent twice, it is booked once."""
    form = BankForm(request.form)

    def save(session: Session) -> None:
        cents = parse_euros(form.amount.data or "", field="amount")
        cash.take_to_bank(session, cents, form.reference.data or "", me().id, form.key.data)

    return redirect(url_for("treasury.drawer")) if saved(form, save) else (_drawer(bank=form), 422)


@blueprint.get("/attestation")
@needs(Permission.KEEP_BOOKS)
def attestation() -> Any:
    """Show the editor's attestation for cash software, filled in as far as the program can, to be printed."""
    from importlib.metadata import version

    with db.reading() as session:
        identity = next((each for each in seller.identities(session) if each.valid_from <= _today()), None)
    return render_template("books/attestation.html", identity=identity, today=_today(), version=version("fablab"))
