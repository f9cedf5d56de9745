"""Every route, as nobody, as a stranger, as a member, as a volunteer and as an administrator."""

import pytest

from fablab import db
from fablab.accounts.permissions import Permission
from fablab.db import utcnow
from fablab.invoicing import issuing
from fablab.jobs import dispatch
from fablab.orders import threads
from fablab.web import create_app
from tests.books import add_company, command, draft_of, open_books
from tests.people import draft_cube, queued_order
from tests.quoting import quoted

OPEN = {
    "home.index",
    "home.sign_in",
    "home.do_sign_in",
    "home.sign_out",
    "home.language",
    "health.alive",
    "place.show",
    "place.now",
    "place.wall",
    "place.wall_now",
    "health.ready",
    "mails.ask_stop",
    "joining.form",
    "joining.ask",
    "joining.by_link",
    "joining.join",
    "quotes.by_link",
    "quotes.pdf_by_link",
    "quotes.accept_by_link",
    "quotes.refuse_by_link",
    "mails.stop",
    "payments.webhook",
}
OWN = {
    "orders.show",
    "orders.live",
    "orders.price",
    "orders.check",
    "orders.confirm",
    "orders.confirm_again",
    "orders.cancel",
    "orders.model",
    "parts.picture",
    "parts.sent_file",
    "parts.change",
    "parts.undo",
    "companies.show",
    "companies.change",
    "companies.save",
    "invoices.show",
    "invoices.pdf",
    "invoices.ask",
    "invoices.invoice_order",
    "threads.show",
    "threads.live",
    "threads.write",
    "threads.close",
    "threads.become",
    "threads.live_about",
    "threads.write_about",
    "notices.follow",
    "hand_prices.ask",
    "quotes.show",
    "quotes.pdf",
    "quotes.ask",
    "quotes.accept",
    "quotes.refuse",
    "quotes.send",
    "quotes.change",
}

WITH_CHOICES = {
    "orders.confirm",
    "orders.confirm_again",
    "orders.price",
    "orders.check",
    "quotes.ask",
    "hand_prices.ask",
}
ANSWER = {"name": "Charlie", "agreed": "y", "email": "charlie@example.org"}


def routes(app):
    return [rule for rule in app.url_map.iter_rules() if rule.endpoint != "static"]


def test_every_route_says_who_may_use_it(site):
    for rule in routes(site.app):
        view = site.app.view_functions[rule.endpoint]
        access = getattr(view, "access", None)
        assert access == "everybody" if rule.endpoint in OPEN else isinstance(access, Permission), rule.endpoint


@pytest.fixture
def things(site):
    """An order of Alice with an attempt on Ada, and one id of everything a route can ask for."""
    with db.transaction() as session:
        order, job = queued_order(session, site.cast.alice)
        (attempt,) = dispatch.schedule(session, utcnow())
        open_books(session)
        company = add_company(session, buyer=site.cast.alice)
        thread = threads.ask_for_help(session, site.cast.alice, "A knob", "For an old oven.")
        invoice = issuing.issue(session, draft_of(5000, company=company), command("one"))
        quote = quoted(session, draft_cube(session, site.cast.alice), site.cast.alice)
    cast = site.cast
    ids = {
        "orders": order,
        "parts": order,
        "jobs": job,
        "board": attempt,
        "people": cast.charlie,
        "wallets": cast.charlie,
        "setup": cast.spool,
    }
    ids |= {"companies": company, "invoices": invoice, "threads": thread, "review": order, "walk_in": order}
    ids |= {"hand_prices": order}
    ids |= {"quotes": quote}
    ids = {name: thing.public_id for name, thing in ids.items()}
    machine = cast.ada.public_id
    ids |= {"spools": cast.spool.public_id, "labels": cast.spool.public_id, "loading": machine}
    ids |= {"filament": cast.spool.filament.public_id}
    special = {"board.clear": machine, "board.hold": machine, "board.connect": machine}
    special |= {f"invoices.{name}": company.public_id for name in ("preview", "invoice_company")}
    special |= {f"invoices.{name}": order.public_id for name in ("ask", "invoice_order")}
    special |= {f"threads.{name}": order.public_id for name in ("live_about", "write_about")}
    special["quotes.ask"] = order.public_id
    special |= {f"setup.{name}": machine for name in ("machine", "change_machine", "set_service")}

    def address(rule):
        values = {"public_id": special.get(rule.endpoint, ids.get(rule.endpoint.split(".")[0], "x"))}
        values |= {"wish": "pause", "name": "pot", "act": "weigh", "number": 1, "job": job.public_id}
        values |= {
            "code": "footer",
            "person_id": "x",
            "payment_id": "x",
            "key": "standard",
            "link": "x",
            "signature": "x",
            "token": "x",
            "year": 2025,
            "what": "sales",
            "first_on": "2026-01-01",
        }
        return (
            site.app.test_request_context()
            .app.url_map.bind("")
            .build(
                rule.endpoint,
                {name: values[name] for name in rule.arguments},
                method=next(iter(rule.methods - {"HEAD", "OPTIONS"})),
            )
        )

    return address


def ask(browser, rule, address):
    if "GET" in rule.methods:
        return browser.client.get(address)
    return browser.client.post(address, data=ANSWER if rule.endpoint.startswith("quotes.") else None)


def test_nobody_sees_anything_without_signing_in(site, things):
    nobody = site.as_(None)
    for rule in routes(site.app):
        if rule.endpoint not in OPEN:
            answer = ask(nobody, rule, things(rule))
            assert answer.status_code in (302, 401), rule.endpoint
            assert answer.status_code == 401 or answer.location.endswith("/sign-in")


@pytest.mark.parametrize(("name", "permissions"), [("charlie", {"order"}), ("bob", {"order", "run_board"})])
def test_people_are_refused_what_they_may_not_do(site, things, name, permissions):
    browser = site.as_(name)
    for rule in routes(site.app):
        access = site.app.view_functions[rule.endpoint].access
        if rule.endpoint in OPEN or access in permissions:
            continue
        assert ask(browser, rule, things(rule)).status_code == 403, rule.endpoint


def test_somebody_elses_order_is_not_found(site, things):
    charlie = site.as_("charlie")
    for rule in routes(site.app):
        if rule.endpoint in OWN and rule.endpoint not in WITH_CHOICES:
            assert ask(charlie, rule, things(rule)).status_code == 404, rule.endpoint
    choices = {"filament": "PLA|", "quality": "normal", "infill": "20", "quantity": "1", "seen_cents": "200"}
    for rule in routes(site.app):
        if rule.endpoint in ("orders.confirm", "orders.confirm_again", "quotes.ask"):
            assert charlie.client.post(things(rule), data=choices).status_code == 404
        if rule.endpoint == "orders.check":
            assert charlie.client.post(things(rule), query_string=choices).status_code == 404
        if rule.endpoint == "orders.price":
            assert charlie.client.get(things(rule), query_string=choices).status_code == 404


def test_the_owner_and_a_volunteer_see_the_order(site, things):
    for name in ("alice", "bob"):
        for rule in routes(site.app):
            if rule.endpoint in ("orders.show", "orders.live", "orders.model", "parts.picture", "parts.sent_file"):
                assert ask(site.as_(name), rule, things(rule)).status_code == 200


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Origin": "http://localhost"}, True),
        ({"Origin": "http://evil.example"}, False),
        ({"Origin": "null"}, False),
    ],
)
def test_requests_from_other_sites_change_nothing(site, headers, allowed):
    answer = site.as_("alice").post("/language", headers=headers, language="fr")
    assert answer.status_code == (302 if allowed else 403)


def test_every_answer_carries_the_security_headers(site):
    answer = site.as_("alice").get("/orders/")
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    cookie = site.app.test_client().post("/language", data={"language": "en"}).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_sign_ins_are_limited(place):
    from tests.conftest import environment

    with environment(data_dir=str(place), sign_in_limit="2 per minute"):
        client = create_app().test_client()
        answers = [client.post("/sign-in", data={"email": "x@y.fr", "password": "wrong"}).status_code for _ in range(4)]
    assert answers == [422, 422, 429, 429]
