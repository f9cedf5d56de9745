"""Who sells, for administrators: identity, VAT regime and legal mentions, each from a date on."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from fablab import db
from fablab.accounts.permissions import Permission
from fablab.billing import seller
from fablab.billing.mentions import MENTIONS
from fablab.billing.models import OPERATION_KIND_LABELS, REGIME_LABELS, Operation, Regime
from fablab.billing.seller import IdentityData, RegimeData
from fablab.db import utcnow
from fablab.errors import Invalid, NotFound
from fablab.web.auth import me, needs
from fablab.web.book_forms import IdentityForm, MentionForm, RegimeForm
from fablab.web.forms import saved
from fablab.web.language import tr
from fablab.web.typed import decimal
from fablab.words import say

blueprint = Blueprint("seller", __name__, url_prefix="/setup/seller")


@blueprint.get("/")
@needs(Permission.SET_UP)
def show() -> Any:
    """Show who sells today, and what holds from which date."""
    day = _today()
    with db.reading() as session:
        identities, regimes = seller.identities(session), seller.regimes(session)
        return render_template(
            "seller/show.html",
            today=day,
            identities=identities,
            regimes=regimes,
            identity=next((each for each in identities if each.valid_from <= day), None),
            regime=next((each for each in regimes if each.valid_from <= day), None),
            regime_labels=REGIME_LABELS,
            mentions=seller.mentions_on(session, day),
            rows={code: seller.mention_rows(session, code) for code in MENTIONS},
            known=MENTIONS,
        )


def _today() -> date:
    return seller.today(utcnow())


@blueprint.get("/identity")
@needs(Permission.SET_UP)
def identity() -> Any:
    """Show the form for who sells, filled with what holds now."""
    with db.reading() as session:
        newest = next(iter(seller.identities(session)), None)
    form = IdentityForm(obj=newest)
    form.valid_from.data = _today()
    return render_template("seller/identity.html", form=form)


@blueprint.post("/identity")
@needs(Permission.SET_UP)
def set_identity() -> Any:
    """Let an identity hold from its date on."""
    form = IdentityForm(request.form)

    def save(session: Session) -> None:
        values: dict[str, Any] = {name: value or "" for name, value in form.data.items()}
        seller.set_identity(session, IdentityData(**values), me().id)

    if saved(form, save):
        return redirect(url_for("seller.show"))
    return render_template("seller/identity.html", form=form), 422


def _regime_form(data: Any = None, **values: Any) -> RegimeForm:
    form = RegimeForm(data, **values)
    form.regime.choices = [(each.value, tr(label)) for each, label in REGIME_LABELS.items()]
    form.operation.choices = [(each.value, tr(label)) for each, label in OPERATION_KIND_LABELS.items()]
    return form


@blueprint.get("/vat")
@needs(Permission.SET_UP)
def regime() -> Any:
    """Show the form for the VAT regime, filled with what holds now."""
    with db.reading() as session:
        newest = next(iter(seller.regimes(session)), None)
    values: dict[str, Any] = {"valid_from": _today(), "operation": Operation.GOODS.value}
    if newest is not None:
        values |= {"regime": newest.regime, "operation": newest.operation}
        values |= {"companies_before_vat": newest.companies_before_vat, "rate": _rate_text(newest.rate_bp)}
    return render_template("seller/regime.html", form=_regime_form(**values))


def _rate_text(rate_bp: int) -> str:
    return decimal(f"{Decimal(rate_bp) / 100:f}") if rate_bp else ""


@blueprint.post("/vat")
@needs(Permission.SET_UP)
def set_regime() -> Any:
    """Let a VAT regime hold from its date on."""
    form = _regime_form(request.form)

    def save(session: Session) -> None:
        regime = Regime(form.regime.data)
        data = RegimeData(
            form.valid_from.data,
            regime,
            _rate_bp(form.rate.data or ""),
            Operation(form.operation.data),
            form.companies_before_vat.data and regime == Regime.STANDARD,
        )
        seller.set_regime(session, data, me().id)

    if saved(form, save):
        return redirect(url_for("seller.show"))
    return render_template("seller/regime.html", form=form), 422


def _rate_bp(text: str) -> int:
    """Read a rate in per cent, with at most two decimals, as hundredths of a per cent."""
    cleaned = text.replace("%", "").replace(",", ".").strip() or "0"
    try:
        rate = Decimal(cleaned) * 100
    except InvalidOperation:
        raise Invalid(say("“{text}” is not a rate in per cent.", text=text), field="rate") from None
    if not rate.is_finite() or not 0 <= rate <= 10_000 or rate != int(rate):
        raise Invalid(say("“{text}” is not a rate in per cent.", text=text), field="rate")
    return int(rate)


@blueprint.get("/mentions/<code>")
@needs(Permission.SET_UP)
def mention(code: str) -> Any:
    """Show the form for a legal mention, with its ready-made wordings."""
    _must_exist(code)
    with db.reading() as session:
        now = seller.mentions_on(session, _today())[code]
    form = MentionForm(valid_from=_today(), text=request.args.get("text") or now)
    return _mention_page(code, form)


def _must_exist(code: str) -> None:
    if code not in MENTIONS:
        raise NotFound


def _mention_page(code: str, form: MentionForm) -> str:
    return render_template("seller/mention.html", form=form, code=code, mention=MENTIONS[code])


@blueprint.post("/mentions/<code>")
@needs(Permission.SET_UP)
def set_mention(code: str) -> Any:
    """Let a wording hold from its date on."""
    _must_exist(code)
    form = MentionForm(request.form)
    if saved(form, lambda s: seller.set_mention(s, code, form.valid_from.data, form.text.data or "", me().id)):
        return redirect(url_for("seller.show"))
    return _mention_page(code, form), 422
