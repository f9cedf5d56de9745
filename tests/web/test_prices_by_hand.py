"""Prices that a person sets, through the pages: Alice asks, Bob writes, Alice confirms, and nothing gets around it."""

import pytest

from fablab import db
from fablab.accounts import companies
from fablab.accounts.models import CompanyRole
from fablab.billing import ledger
from fablab.invoicing import from_orders
from fablab.invoicing.content import from_text
from fablab.orders import review
from fablab.orders.models import Order
from fablab.orders.review_models import Review, ReviewRules
from fablab.quotes.models import Quote
from tests.books import add_company, command, make, open_books
from tests.hand_prices import make_everything_free
from tests.people import NO_RULE, draft_cube
from tests.web.test_member_pages import CHOICES, seen_cents

LINES = {
    "added": "whole",
    "text-0": "Print",
    "price-0": "9",
    "text-2": "Design help",
    "quantity-2": "2",
    "price-2": "2,50",
    "text-3": "Rebate",
    "price-3": "\N{MINUS SIGN}1,00",
    "reason": "A <b>thin</b> part.",
}


@pytest.fixture
def draft(site):
    with db.transaction() as session:
        make_everything_free(session)
        return draft_cube(session, site.cast.alice).public_id


def order_of(public_id):
    with db.reading() as session:
        return session.query(Order).filter_by(public_id=public_id).one()


def ask(browser, public_id, **more):
    return browser.post(f"/orders/{public_id}/ask-price", **CHOICES, **more)


def test_a_draft_without_a_price_is_no_dead_end(site, draft):
    alice = site.as_("alice")
    page = alice.get(f"/orders/{draft}").text
    assert "No price can be computed for this order" in page
    assert "Ask the place for a price" in page
    assert "Confirm for" not in page
    again = alice.get(f"/orders/{draft}/price", query_string={**CHOICES, "message": "For <the> fair"}).text
    assert "For &lt;the&gt; fair" in again


def test_a_choice_that_cannot_be_made_has_no_price_to_ask_for(site, draft):
    page = site.as_("alice").get(f"/orders/{draft}/price", query_string={**CHOICES, "filament": "XYZ|"}).text
    assert "This material is not available" in page
    assert "Ask the place for a price" not in page


def test_the_whole_way_from_the_question_to_the_reserved_price(site, draft):
    alice, bob = site.as_("alice"), site.as_("bob")
    assert ask(alice, draft, message="For the <i>fair</i>").status_code == 302
    assert ask(alice, draft, message="For the fair").status_code == 302
    with db.reading() as session:
        assert session.query(Review).count() == 1  # pressed twice is asked once
    page = alice.get(f"/orders/{draft}").text
    assert "The place sets the price; you are told" in page
    desk = bob.get("/review/").text
    for text in ("without a price", "No price can be computed", "For the &lt;i&gt;fair&lt;/i&gt;", "Set the price"):
        assert text in desk
    assert 'value="accept"' not in desk
    assert bob.post(f"/review/{draft}", verdict="accept").status_code == 409
    assert bob.post(f"/review/{draft}", verdict="price", reason="x").status_code == 422
    form = bob.get(f"/review/{draft}/price").text
    assert "There is no computed price." in form
    assert "added to the computed price" not in form
    summed = bob.get(f"/review/{draft}/price/sum", query_string=LINES).text
    for text in ("Design help: 2 at €2.50", "€5.00", "-€1.00", "€13.00"):
        assert text in summed
    shown = bob.post(f"/review/{draft}/price", show="y", **LINES)
    assert summed.strip() in shown.text
    assert order_of(draft).state == "in_review"
    assert bob.post(f"/review/{draft}/price", **LINES).status_code == 302
    assert bob.post(f"/review/{draft}/price", **LINES).status_code == 409
    page = alice.get(f"/orders/{draft}").text
    for text in ("The place has set a price", "Price set by Bob on", "A &lt;b&gt;thin&lt;/b&gt; part.", "€13.00"):
        assert text in page
    assert alice.post(f"/orders/{draft}/confirm", **CHOICES, seen_cents=seen_cents(page)).status_code == 302
    page = alice.get(f"/orders/{draft}").text
    for text in ("Confirmed price", "Design help: 2 at €2.50", "Price set by Bob on"):
        assert text in page
    with db.reading() as session:
        assert ledger.balance_cents(session, site.cast.alice.id) == 2000 - 1300


def test_a_choice_that_changes_lets_the_price_lapse_and_asks_again_with_a_sentence(site, draft):
    alice, bob = site.as_("alice"), site.as_("bob")
    ask(alice, draft)
    bob.post(f"/review/{draft}/price", **LINES)
    other = {**CHOICES, "quantity": "4"}
    page = alice.get(f"/orders/{draft}/price", query_string=other).text
    assert "Something was changed since Bob had set the price" in page
    assert "Ask the place for a price" in page
    refused = alice.post(f"/orders/{draft}/confirm", **other, seen_cents="1300")
    assert refused.status_code == 422
    assert "Something was changed since Bob" in refused.text
    assert order_of(draft).state == "draft"
    assert "€13.00" in alice.get(f"/orders/{draft}/price", query_string=CHOICES).text
    assert alice.post(f"/orders/{draft}/ask-price", **other).status_code == 302
    assert "Something was changed since Bob had set the price" in bob.get("/review/").text


@pytest.mark.parametrize(
    ("changed", "field", "sentence"),
    [
        ({"price-2": "much"}, "price-2", "is not an amount in euros"),
        ({"price-2": "0"}, "price-2", "An amount is meant"),
        ({"price-2": "NaN"}, "price-2", "is not an amount in euros"),
        ({"quantity-2": "101"}, "quantity-2", "Between 1 and 100"),
        ({"text-2": " "}, "text-2", "say what it is"),
        ({"price-3": "-14"}, "price-0", "more than nothing"),
        ({"reason": " "}, "reason", "why it costs this"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_nothing_that_was_typed_is_lost(
    site, draft, changed, field, sentence
):
    ask(site.as_("alice"), draft)
    answer = site.as_("bob").post(f"/review/{draft}/price", **(LINES | changed))
    assert answer.status_code == 422
    assert sentence in answer.text.split(f'id="{field}-error"')[1].split("</p>")[0]
    assert 'value="Print"' in answer.text
    assert order_of(draft).state == "in_review"


def test_only_who_works_at_the_desk_sets_prices_and_not_their_own(site, draft):
    alice, bob = site.as_("alice"), site.as_("bob")
    ask(alice, draft)
    assert alice.get(f"/review/{draft}/price").status_code == 403
    assert alice.post(f"/review/{draft}/price", **LINES).status_code == 403
    assert site.as_("charlie").post(f"/orders/{draft}/ask-price", **CHOICES).status_code == 404
    with db.transaction() as session:
        own = draft_cube(session, site.cast.bob).public_id
    ask(bob, own)
    refused = bob.post(f"/review/{own}/price", **LINES)
    assert refused.status_code == 409
    assert "your own request" in refused.text


def test_a_company_gets_a_quote_with_a_line_for_design_and_an_invoice_with_the_same(site):
    with db.transaction() as session:
        open_books(session)
        company = add_company(session, buyer=site.cast.alice)
        review.set_rules(session, ReviewRules(**(NO_RULE | {"company": True})))
        draft = draft_cube(session, site.cast.alice).public_id
    alice, bob = site.as_("alice"), site.as_("bob")
    chosen = {**CHOICES, "payer": company.public_id}
    seen = seen_cents(alice.get(f"/orders/{draft}", query_string=chosen).text)
    alice.post(f"/quotes/order/{draft}", **chosen, seen_cents=seen, seen_before_vat="y")
    assert "Set another price" in bob.get("/review/").text
    form = bob.get(f"/review/{draft}/price").text
    for text in ("added to the computed price", "which Acmé Mécanique SARL pays on top", "Write the quote"):
        assert text in form
    bob.post(f"/review/{draft}/price", **(LINES | {"added": "added"}))
    with db.reading() as session:
        quote = session.query(Quote).one()
    page = alice.get(f"/quotes/{quote.public_id}").text
    for text in ("Design help", "Rebate", "€5.00"):
        assert text in page
    assert quote.cents == int(seen) + 1300
    assert alice.get(f"/quotes/{quote.public_id}/quote.pdf").data.startswith(b"%PDF")
    alice.post(f"/quotes/{quote.public_id}/accept", name="Alice", agreed="y")
    with db.transaction() as session:
        order = session.query(Order).filter_by(public_id=draft).one()
        make(session, order, 1, site.cast.bob)
        (invoice,) = from_orders.invoice_company(session, company, "", command("one"))
        lines = from_text(invoice.payload).lines
    assert [(line.quantity, line.net_cents) for line in lines] == [(1, int(seen)), (1, 900), (2, 500), (-1, -100)]
    assert invoice.net_cents == quote.cents


def test_who_pays_is_kept_on_the_page_after_the_desk_has_answered(site):
    with db.transaction() as session:
        open_books(session)
        make_everything_free(session)
        company = add_company(session)
        companies.join(session, company, site.cast.alice.email, CompanyRole.BUYER)
        draft = draft_cube(session, site.cast.alice).public_id
    alice = site.as_("alice")
    ask(alice, draft, payer=company.public_id)
    site.as_("bob").post(f"/review/{draft}/price", **LINES)
    page = alice.get(f"/orders/{draft}").text
    assert "Confirm for €13.00 before VAT" in page
    fields = {**CHOICES, "payer": company.public_id, "seen_before_vat": "y"}
    assert alice.post(f"/orders/{draft}/confirm", **fields, seen_cents="1300").status_code == 302
    assert (order_of(draft).state, order_of(draft).price_cents) == ("accepted", 1300)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_pages_are_whole_in_both_languages(site, draft, language):
    alice, bob = site.as_("alice"), site.as_("bob")
    for browser in (alice, bob):
        browser.post("/language", language=language)
    assert alice.get(f"/orders/{draft}").status_code == 200
    ask(alice, draft)
    for path in ("/review/", f"/review/{draft}/price"):
        assert bob.get(path).status_code == 200
    bob.post(f"/review/{draft}/price", **LINES)
    assert alice.get(f"/orders/{draft}").status_code == 200
    assert alice.get("/notices/").status_code == 200
