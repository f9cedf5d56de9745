"""The web server: pages that are whole without JavaScript and come alive with it."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask

from fablab import vault
from fablab.settings import settings
from fablab.web import auth, failures, labels, language, limits, live, menu, security
from fablab.web.pages import (
    archives,
    board,
    books,
    cameras,
    companies,
    deposits,
    exchange,
    filament,
    hand_over,
    hand_prices,
    health,
    home,
    invoices,
    jobs,
    joining,
    loading,
    mails,
    notices,
    order_parts,
    orders,
    owed,
    parts,
    payments,
    people,
    pickups,
    place,
    projects,
    quotes,
    refunds,
    reporting,
    review,
    seller,
    setup,
    spool_labels,
    spools,
    tariffs,
    threads,
    treasury,
    walk_in,
    wallet,
    wallet_rules,
    wallets,
)

SPARE_BYTES = 1_000_000
PAGES = (
    home,
    joining,
    place,
    orders,
    order_parts,
    parts,
    wallet,
    wallets,
    invoices,
    payments,
    deposits,
    owed,
    books,
    reporting,
    archives,
    treasury,
    quotes,
    companies,
    projects,
    board,
    review,
    hand_prices,
    refunds,
    threads,
    hand_over,
    cameras,
    walk_in,
    jobs,
    pickups,
    filament,
    spools,
    tariffs,
    loading,
    spool_labels,
    exchange,
    people,
    setup,
    seller,
    wallet_rules,
    notices,
    mails,
    health,
)


def create_app() -> Flask:
    """Return the web application of this installation."""
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=vault.derived("cookies"),
        MAX_CONTENT_LENGTH=settings().max_upload_mb * 1_000_000 + SPARE_BYTES,
        MAX_FORM_MEMORY_SIZE=500_000,
        PERMANENT_SESSION_LIFETIME=timedelta(days=14),
        SESSION_COOKIE_NAME="fablab",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings().secure_cookies,
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    for part in (security, auth, language, labels, menu, limits, failures, live):
        part.install(app)
    for page in PAGES:
        app.register_blueprint(page.blueprint)
    return app
