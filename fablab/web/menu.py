"""Which entry of the menu a page belongs to, and the pages of money, which have a line of their own."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, request

from fablab import db
from fablab.accounts import companies
from fablab.accounts.permissions import Permission
from fablab.web.auth import me
from fablab.words import N_

SECTIONS = {
    "board.show": ("board", "jobs", "hand_over", "walk_in", "cameras"),
    "filament.shelf": ("filament", "spools", "loading", "labels", "exchange"),
    "review.show": ("review", "hand_prices", "refunds"),
    "orders.mine": ("orders", "order_parts", "parts"),
    "threads.listed": ("threads",),
    "wallet.show": ("wallet", "payments"),
    "pickups.waiting": ("pickups",),
    "people.everybody": ("people",),
    "setup.show": ("setup", "seller", "tariffs", "wallet_rules", "mails"),
    "invoices.listed": (
        *("invoices", "quotes", "deposits", "owed", "companies", "projects"),
        *("wallets", "treasury", "books", "reporting", "archives"),
    ),
}
"""The entries of the menu, each with the blueprints under it."""

DRAWER = {"treasury.drawer", "treasury.count_cash", "treasury.take_to_bank"}


@dataclass(frozen=True)
class Tab:
    """A page of money: where it is, what it is called, and whether it is the one that is shown."""

    endpoint: str
    text: str
    current: bool


def section() -> str | None:
    """Return the entry of the menu that the shown page belongs to."""
    return next((entry for entry, names in SECTIONS.items() if request.blueprint in names), None)


def money_tabs() -> list[Tab]:
    """Return the pages of money this person has; nothing to choose from is no tabs."""
    pages = [("invoices.listed", N_("Invoices")), ("quotes.listed", N_("Quotes"))]
    if me().may(Permission.KEEP_BOOKS):
        pages += [
            ("deposits.listed", N_("Deposits")),
            ("owed.show", N_("Reminders")),
            ("companies.all_of_them", N_("Companies")),
            ("projects.listed", N_("Projects")),
            ("wallets.everybody", N_("Wallets")),
            ("treasury.drawer", N_("Cash drawer")),
            ("treasury.month", N_("Books of the month")),
            ("books.show", N_("Closings")),
            ("archives.show", N_("Archives")),
        ]
    elif _in_a_company():
        pages.append(("companies.all_of_them", N_("Companies")))
    return [Tab(endpoint, text, _is_shown(endpoint)) for endpoint, text in pages]


def _is_shown(endpoint: str) -> bool:
    if request.endpoint in DRAWER:
        return endpoint == "treasury.drawer"
    blueprint = "books" if request.blueprint == "reporting" else request.blueprint
    return blueprint == endpoint.split(".", maxsplit=1)[0] and endpoint != "treasury.drawer"


def _in_a_company() -> bool:
    with db.reading() as session:
        return bool(companies.listed(session, me()))


def install(app: Flask) -> None:
    """Let the layout of `app` ask for both."""
    app.context_processor(lambda: {"section": section, "money_tabs": money_tabs})
