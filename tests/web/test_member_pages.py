"""What a member sees and does, through the pages."""

import io
import re
import struct

import pytest

from fablab import db, files
from fablab.billing import ledger
from fablab.jobs import queries as jobs
from fablab.settings import settings
from fablab.slicing.samples import write_samples
from tests.people import PASSWORD, draft_cube, order_cube, slice_job

CHOICES = {"filament": "PLA|", "quality": "normal", "infill": "20", "quantity": "1"}


def stl(tmp_path):
    return write_samples(tmp_path / "samples")[0].read_bytes()


def upload(browser, content, name="part.stl", **options):
    return browser.post("/orders/", files={"file": (io.BytesIO(content), name)}, **options)


def seen_cents(html):
    return re.search(r'name="seen_cents" value="(\d+)"', html).group(1)


def kept_files():
    return [path for path in settings().files().rglob("*") if path.is_file()]


def test_from_a_file_to_a_confirmed_order(site, tmp_path):
    alice = site.as_("alice")
    answer = upload(alice, stl(tmp_path), "Ma pièce.stl")
    assert answer.status_code == 302
    page = alice.get(answer.location)
    for text in ("Ma pièce.stl", "2.0 × 2.0 × 2.0", "You pay", "Prusa MK3"):
        assert text in page.text
    cents = seen_cents(page.text)
    done = alice.post(f"{answer.location}/confirm", **CHOICES, seen_cents=cents)
    assert done.status_code == 302
    assert "Confirmed price" in alice.get(answer.location).text
    with db.reading() as session:
        assert ledger.balance_cents(session, site.cast.alice.id) == 2000 - int(cents)
    assert "Reserved for an order" in alice.get("/wallet/").text


def test_a_change_of_choices_changes_the_price_and_nothing_else(site):
    alice = site.as_("alice")
    with db.transaction() as session:
        order = draft_cube(session, site.cast.alice)
    address = f"/orders/{order.public_id}"
    one = alice.get(f"{address}/price", query_string=CHOICES).text
    five = alice.get(f"{address}/price", query_string={**CHOICES, "quantity": "5", "infill": "50"}).text
    assert int(seen_cents(five)) > int(seen_cents(one))
    whole = alice.get(address, query_string={**CHOICES, "quantity": "5", "infill": "50"}).text
    assert seen_cents(whole) == seen_cents(five)


def test_a_price_nobody_saw_is_refused(site):
    alice = site.as_("alice")
    with db.transaction() as session:
        order = draft_cube(session, site.cast.alice)
    for wrong in ("1", "", "-5", "abc", "99999999999"):
        answer = alice.post(f"/orders/{order.public_id}/confirm", **CHOICES, seen_cents=wrong)
        assert answer.status_code in (409, 422)
    with db.reading() as session:
        assert ledger.balance_cents(session, site.cast.alice.id) == 2000


@pytest.mark.parametrize(
    "choices",
    [
        {"quantity": "0"},
        {"quantity": "101"},
        {"quantity": "x"},
        {"infill": "140"},
        {"quality": "perfect"},
        {"filament": "GOLD|"},
        {"filament": ""},
    ],
)
def test_odd_choices_get_a_sentence(site, choices):
    alice = site.as_("alice")
    with db.transaction() as session:
        order = draft_cube(session, site.cast.alice)
    shown = alice.get(f"/orders/{order.public_id}", query_string={**CHOICES, **choices})
    assert shown.status_code == 200
    assert 'role="alert"' in shown.text
    refused = alice.post(f"/orders/{order.public_id}/confirm", **{**CHOICES, **choices}, seen_cents="200")
    assert refused.status_code in (409, 422)


HOSTILE = {
    "empty.stl": (b"", "empty"),
    "truncated.stl": (b"x" * 80 + struct.pack("<I", 100) + b"\0" * 500, ""),
    "liar.stl": (b"x" * 80 + struct.pack("<I", 10**9) + b"\0" * 500, ""),
    "page.stl": (b"<html><body>Not found</body></html>", ""),
    "flat.stl": (b"x" * 80 + struct.pack("<I", 1) + struct.pack("<12fH", 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0), ""),
    "nan.stl": (b"x" * 80 + struct.pack("<I", 1) + struct.pack("<12fH", *([float("nan")] * 12), 0), ""),
    "picture.png": (b"\x89PNG\r\n\x1a\n" + b"\0" * 200, ""),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_that_is_no_part_gets_a_sentence_and_leaves_nothing(site, name):
    alice = site.as_("alice")
    content, words = HOSTILE[name]
    answer = upload(alice, content, name, headers={"Accept": "application/json"})
    assert answer.status_code == 422
    assert words in answer.json["error"].lower()
    assert len(answer.json["error"]) > 10
    assert kept_files() == []
    with db.reading() as session:
        from sqlalchemy import func, select

        from fablab.orders.models import Order

        assert session.scalar(select(func.count(Order.id))) == 0


def test_an_oversized_file_gets_a_sentence_and_leaves_nothing(site, monkeypatch):
    from tests.conftest import environment

    with environment(data_dir=str(settings().data_dir), max_upload_mb="1", sign_in_limit="99 per minute"):
        alice = site.as_("alice")
        answer = upload(alice, b"x" * 1_500_000, headers={"Accept": "application/json"})
        assert answer.status_code == 422
        assert "larger than 1 MB" in answer.json["error"]
        assert kept_files() == []


def test_the_same_file_is_kept_once(site, tmp_path):
    for name in ("alice", "charlie"):
        assert upload(site.as_(name), stl(tmp_path)).status_code == 302
    assert len([path for path in kept_files() if not path.suffix]) == 1


def test_a_file_name_cannot_lead_anywhere(site, tmp_path):
    alice = site.as_("alice")
    answer = upload(alice, stl(tmp_path), "../../etc/<b>pass\x07wd.stl")
    page = alice.get(answer.location).text
    assert "&lt;b&gt;passwd.stl" in page
    sent = alice.client.get(f"{answer.location}/model.stl")
    assert sent.headers["Content-Disposition"].startswith("attachment")


def test_the_pages_speak_both_languages(site):
    alice = site.as_("alice")
    assert "My prints" in alice.get("/orders/").text
    alice.post("/language", language="fr", back="/orders/")
    page = alice.get("/orders/").text
    assert '<html lang="fr">' in page
    assert "My prints" not in page
    assert alice.post("/language", language="de").status_code == 422


@pytest.mark.parametrize("back", ["//evil.example/", "https://evil.example/", "javascript:alert(1)"])
def test_nobody_is_sent_to_another_site(site, back):
    answer = site.as_("alice").post("/language", language="en", back=back)
    assert answer.location == "/"


def test_a_wrong_password_says_no_more_than_that(site):
    nobody = site.as_(None)
    answers = {
        nobody.post("/sign-in", headers={"Accept-Language": "en"}, email=email, password="wrong").text.count(
            "do not belong together"
        )
        for email in ("alice@example.org", "nobody@example.org")
    }
    assert answers == {1}


def test_after_signing_in_one_is_where_one_wanted_to_be(site):
    nobody = site.as_(None)
    assert nobody.get("/wallet/").location == "/sign-in"
    answer = nobody.post("/sign-in", email="alice@example.org", password=PASSWORD)
    assert answer.location == "/wallet/"


def test_signing_out_ends_the_sign_in_for_good(site):
    alice = site.as_("alice")
    with alice.client.session_transaction() as cookie:
        kept = dict(cookie)
    alice.post("/sign-out")
    with alice.client.session_transaction() as cookie:
        cookie.update(kept)
    assert alice.get("/wallet/").status_code == 302


def test_a_dearer_slice_is_shown_and_confirmed_again(site):
    alice = site.as_("alice")
    with db.transaction() as session:
        order = order_cube(session, site.cast.alice)
        slice_job(session, jobs.of_order(session, order.id)[0], mass_g=100)
    page = alice.get(f"/orders/{order.public_id}").text
    assert "Please look at the new price" in page
    assert alice.post(f"/orders/{order.public_id}/confirm-again", seen_cents=seen_cents(page)).status_code == 302
    assert "Please look at the new price" not in alice.get(f"/orders/{order.public_id}").text


def test_cancelling_gives_the_money_back(site):
    alice = site.as_("alice")
    with db.transaction() as session:
        order = order_cube(session, site.cast.alice)
    assert alice.post(f"/orders/{order.public_id}/cancel").status_code == 302
    assert "Cancelled" in alice.get(f"/orders/{order.public_id}").text
    assert alice.post(f"/orders/{order.public_id}/cancel").status_code == 409
    assert "€20.00" in alice.get("/wallet/").text


def test_a_crash_of_ours_is_told_without_its_insides(site, monkeypatch):
    from fablab.web.pages import wallet

    def broken(*_):
        raise RuntimeError("secret details")

    monkeypatch.setattr(wallet, "facts", broken)
    answer = site.as_("alice").get("/wallet/")
    assert answer.status_code == 500
    assert "Nothing was lost" in answer.text
    assert "secret details" not in answer.text


def test_damaged_features_are_measured_again(site):
    with db.transaction() as session:
        order = draft_cube(session, site.cast.alice)
    files.beside(order.line.model_sha256, "npz").write_bytes(b"rubbish")
    answer = site.as_("alice").get(f"/orders/{order.public_id}")
    assert "You pay" in answer.text
