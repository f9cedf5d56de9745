"""The treasurer's page of the books: which days, months and years are closed, closing them, and their digests."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from fablab import db
from fablab.accounts.permissions import Permission
from fablab.billing import clash, law_moved, seller
from fablab.billing.models import ACCOUNT_LABELS
from fablab.bookkeeping import checking, closings, fec, fec_package, journal_csv, letters, outside, reporting
from fablab.bookkeeping.closings import Closer
from fablab.bookkeeping.models import SPAN_LABELS, Span
from fablab.bookkeeping.periods import name, read_period
from fablab.bookkeeping.statement import from_text
from fablab.db import utcnow
from fablab.languages import Language
from fablab.settings import settings
from fablab.web.auth import me, needs
from fablab.web.forms import saved
from fablab.web.language import choose
from fablab.web.mail_forms import ReadersForm

blueprint = Blueprint("books", __name__, url_prefix="/books")


def _today() -> date:
    return seller.today(utcnow())


@blueprint.get("/")
@needs(Permission.KEEP_BOOKS)
def show() -> Any:
    """Show how far the books are closed, and what can be closed next."""
    with db.reading() as session:
        year = request.args.get("year", default=_today().year, type=int)
        year = min(max(year, 2000), 9000)
        due = [closings.next_period(session, span, _today()) for span in (Span.MONTH, Span.YEAR)]
        closed = [(span, closings.listed(session, span, year)) for span in (Span.YEAR, Span.MONTH, Span.DAY)]
        return render_template(
            "books/show.html",
            year=year,
            day=closings.last_closing(session, Span.DAY),
            due=[each for each in due if each is not None],
            closed=closed,
            name=name,
            span_labels=SPAN_LABELS,
            month=f"{_today():%Y-%m}",
            left_at=outside.left_at(session, [each for _, rows in closed for each in rows]),
            late=outside.late(session, utcnow()),
            readers=outside.readers(session),
            fec_warning=fec.warning(session, year),
            reports=reporting.standing(session, _today()),
            what_labels=reporting.WHAT_LABELS,
            today=_today(),
            warning=clash.warning(session, _today()),
            old_mention=law_moved.warning(session, _today()),
        )


@blueprint.get("/fec/<int:number>")
@needs(Permission.KEEP_BOOKS)
def fec_of(number: int) -> Any:
    """Give the journals of a year in FEC format with their description, as one ZIP."""
    with db.snapshot() as session:
        return _file(fec_package.package(session, min(max(number, 2000), 9000)), "application/zip")


@blueprint.get("/journal")
@needs(Permission.KEEP_BOOKS)
def journal() -> Any:
    """Give the journal of a month (or of another period) as CSV."""
    wanted = read_period(request.args.get("period", ""))
    with db.snapshot() as session:
        return _file(journal_csv.export(session, wanted), "text/csv; charset=utf-8")


def _file(made: fec.Exported, content_type: str) -> Response:
    answer = Response(made.content, content_type=content_type)
    answer.headers["Content-Disposition"] = f'attachment; filename="{made.name}"'
    return answer


@blueprint.post("/close")
@needs(Permission.KEEP_BOOKS)
def close() -> Any:
    """Close a month or a year that is over; sent twice, it is closed once."""
    wanted = read_period(request.form.get("period", ""))
    with db.transaction() as session:
        made = closings.close(session, wanted.span, wanted.first_on, Closer(me().id, utcnow()))
    if not made:
        return redirect(url_for("books.show", year=wanted.first_on.year))
    return redirect(url_for("books.closing", number=made[-1].position))


@blueprint.get("/closings/<int:number>")
@needs(Permission.KEEP_BOOKS)
def closing(number: int) -> Any:
    """Show a closing to be printed or sent: its totals, the perpetual totals, and the digest."""
    with db.reading() as session:
        found = closings.numbered(session, number)
        mails, readers = outside.mails_of(session, number), outside.readers(session)
    said = from_text(found.payload)
    return render_template(
        "books/closing.html",
        closing=found,
        said=said,
        period=name(said.span, said.first_on),
        letter=letters.of_closings([found], settings().place_name, Language(choose())),
        mails=mails,
        readers=readers,
        span_labels=SPAN_LABELS,
        account_labels=ACCOUNT_LABELS,
    )


@blueprint.get("/digests")
@needs(Permission.KEEP_BOOKS)
def digests() -> Any:
    """Show who keeps the digests outside the place, with the form to change it."""
    with db.reading() as session:
        form = ReadersForm(addresses="\n".join(outside.readers(session)))
    return _digests(form)


def _digests(form: ReadersForm) -> str:
    with db.reading() as session:
        return render_template(
            "books/digests.html",
            form=form,
            readers=outside.readers(session),
            history=outside.history(session),
            late=outside.late(session, utcnow()),
            newest=outside.newest_left(session),
            waiting=len(outside.waiting(session)),
            most=outside.MOST_READERS,
            has_server=bool(settings().mail_server),
        )


@blueprint.post("/digests")
@needs(Permission.KEEP_BOOKS)
def set_readers() -> Any:
    """Let the digests go to other addresses from now on."""
    form = ReadersForm(request.form)

    def act(session: Session) -> None:
        outside.set_readers(session, form.addresses.data or "", me().id, utcnow())

    return redirect(url_for("books.digests")) if saved(form, act) else (_digests(form), 422)


@blueprint.post("/digests/send")
@needs(Permission.KEEP_BOOKS)
def send_digests() -> Any:
    """Send what has not left yet now; pressed twice, it is sent once."""
    with db.transaction() as session:
        outside.send_now(session, utcnow())
    return redirect(url_for("books.digests"))


@blueprint.post("/verify")
@needs(Permission.KEEP_BOOKS)
def verify() -> Any:
    """Check documents, ledger and closings, and show what was found."""
    from fablab.invoicing import verifying

    with db.snapshot() as session:
        documents, bookings = verifying.counted(session)
        found = list(checking.everything(session))
    return render_template("books/verified.html", found=found, documents=documents, bookings=bookings)
