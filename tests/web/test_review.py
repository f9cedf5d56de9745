"""The review desk through the pages: Alice asks, Bob answers."""

import pytest

from fablab import db
from fablab.billing import ledger
from fablab.orders import review
from fablab.orders.models import Order
from fablab.orders.review_models import ReviewRules
from tests.people import NO_RULE, draft_cube
from tests.web.test_member_pages import CHOICES, seen_cents


def catch(**rules):
    with db.transaction() as session:
        review.set_rules(session, ReviewRules(**{**NO_RULE, **rules}))


@pytest.fixture
def address(site):
    with db.transaction() as session:
        return f"/orders/{draft_cube(session, site.cast.alice).public_id}"


def send(browser, address, **more):
    page = browser.get(address, query_string={**CHOICES, **more})
    return browser.post(f"{address}/confirm", **CHOICES, **more, seen_cents=seen_cents(page.text))


def desk_of(address):
    return address.replace("/orders/", "/review/")


def state_of(address):
    with db.reading() as session:
        return session.query(Order).filter_by(public_id=address.rsplit("/", 1)[-1]).one().state


def test_a_caught_order_says_why_before_and_after_it_is_sent_and_reserves_nothing(site, address):
    catch(first_order=True)
    alice = site.as_("alice")
    assert "Somebody of the place looks at it first." in alice.get(address).text
    send(alice, address)
    page = alice.get(address).text
    assert "It is the first order here." in page
    assert "Being looked at" in alice.get("/orders/").text
    with db.reading() as session:
        assert ledger.balance_cents(session, site.cast.alice.id) == 2000


def test_the_box_is_asked_for_and_a_ticked_one_lets_the_order_go(site, address):
    catch(attestation=True)
    alice = site.as_("alice")
    page = alice.get(address).text
    assert "no weapon or part of one" in page
    assert "It was not confirmed that the part is allowed" in page
    assert "It was not confirmed" not in alice.get(f"{address}/price", query_string={**CHOICES, "attested": "y"}).text
    send(alice, address, attested="y")
    assert state_of(address) == "accepted"


def test_without_the_rule_the_box_is_not_shown(site, address):
    assert "no weapon or part of one" not in site.as_("alice").get(address).text


def test_the_desk_shows_the_request_and_its_acceptance_reserves_the_seen_price(site, address):
    catch(first_order=True)
    send(site.as_("alice"), address)
    bob = site.as_("bob")
    page = bob.get("/review/").text
    for text in ("cube.stl", "Alice", "It is the first order here.", "Accept", "Ask for changes", "Decline"):
        assert text in page
    assert '<span class="badge">1' in bob.get("/board/").text
    assert bob.post(desk_of(address), verdict="accept", reason="Use <b>white</b>").status_code == 302
    assert "Nobody waits for an answer." in bob.get("/review/").text
    assert "Use &lt;b&gt;white&lt;/b&gt;" in site.as_("alice").get(address).text
    assert state_of(address) == "accepted"


@pytest.mark.parametrize("verdict", ["change", "decline"])
def test_a_refusal_without_a_reason_is_shown_beside_the_field(site, address, verdict):
    catch(first_order=True)
    send(site.as_("alice"), address)
    answer = site.as_("bob").post(desk_of(address), verdict=verdict, reason="   ")
    assert answer.status_code == 422
    assert "Please write what is to be changed" in answer.text
    assert state_of(address) == "in_review"


def test_a_reason_that_is_too_long_is_kept_in_its_field(site, address):
    catch(first_order=True)
    send(site.as_("alice"), address)
    answer = site.as_("bob").post(desk_of(address), verdict="decline", reason="far too long " * 300)
    assert answer.status_code == 422
    assert "far too long far too long" in answer.text


def test_what_is_to_be_changed_is_read_changed_and_sent_again(site, address):
    catch(first_order=True)
    alice, bob = site.as_("alice"), site.as_("bob")
    send(alice, address)
    bob.post(desk_of(address), verdict="change", reason="Please take 50 % infill.")
    page = alice.get(address).text
    assert "Please take 50 % infill." in page
    assert "How should it be?" in page
    assert "Please take 50 % infill." in bob.get(address).text
    send(alice, address)
    assert state_of(address) == "in_review"
    assert "cube.stl" in bob.get("/review/").text


def test_a_declined_request_says_why_and_charges_nothing(site, address):
    catch(first_order=True)
    alice = site.as_("alice")
    send(alice, address)
    site.as_("bob").post(desk_of(address), verdict="decline", reason="This is a key of the town hall.")
    page = alice.get(address).text
    assert "This is a key of the town hall." in page
    assert "Declined" in alice.get("/orders/").text
    with db.reading() as session:
        assert ledger.balance_cents(session, site.cast.alice.id) == 2000


def test_the_second_reviewer_reads_who_was_faster(site, address):
    catch(first_order=True)
    send(site.as_("alice"), address)
    site.as_("bob").post(desk_of(address), verdict="accept")
    answer = site.as_("carole").post(desk_of(address), verdict="decline", reason="No.")
    assert answer.status_code == 409
    assert "Bob was faster: Accepted." in answer.text


def test_a_volunteer_s_own_order_goes_its_way(site):
    catch(first_order=True, attestation=True)
    with db.transaction() as session:
        address = f"/orders/{draft_cube(session, site.cast.bob).public_id}"
    send(site.as_("bob"), address)
    assert state_of(address) == "accepted"


def test_the_rules_are_changed_in_the_browser_and_bad_ones_lose_nothing(site):
    carole = site.as_("carole")
    assert "What somebody looks at first" in carole.get("/setup/").text
    wrong = carole.post("/review/rules", size_mm="-3", price="12,50", warnings="y")
    assert wrong.status_code == 422
    assert "A size between 0 and 2000 mm is meant." in wrong.text.replace(",", "")
    assert 'value="12,50"' in wrong.text
    assert carole.post("/review/rules", size_mm="150", price="12,50", warnings="y").status_code == 302
    with db.reading() as session:
        rules = review.rules_of(session)
    assert (rules.size_mm, rules.price_cents, rules.warnings, rules.company) == (150, 1250, True, False)
