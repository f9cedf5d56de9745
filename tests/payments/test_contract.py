"""What an adapter of card payments promises, over a server that answers in the shape Stripe's answers were recorded."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from fablab.payments import signing, stripe
from fablab.payments.port import Checkout, NotReached, NotSigned, Outcome, Refused
from fablab.payments.stripe import Stripe
from tests.stripe_server import KEY, SECRET

NOW = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)
WANTED = Checkout(
    "kq3Vx0wT9aBc",
    2_050,
    "Top-up",
    "alice@example.org",
    "fr",
    "https://lab.example/pay/kq3Vx0wT9aBc",
    NOW + timedelta(hours=1),
)


@pytest.fixture
def adapter(provider_server):
    return Stripe(KEY, SECRET, provider_server.address)


def test_a_checkout_is_opened_for_the_amount_and_waits(adapter, provider_server):
    seen = adapter.open(WANTED)
    assert (seen.outcome, seen.amount_cents, seen.currency) == (Outcome.WAITING, 2_050, "eur")
    assert (seen.reference, seen.url) == (WANTED.reference, f"{provider_server.address}/c/pay/{seen.id}")
    made = provider_server.sessions[seen.id]
    assert (made["success_url"], made["cancel_url"], made["locale"]) == (WANTED.return_url, WANTED.return_url, "fr")
    assert (made["customer_email"], made["expires_at"]) == ("alice@example.org", int(WANTED.until.timestamp()))


def test_opened_twice_it_is_one_checkout(adapter, provider_server):
    assert adapter.open(WANTED) == adapter.open(WANTED)
    assert len(provider_server.sessions) == 1


def test_a_checkout_that_was_paid_is_seen_as_paid_and_keeps_its_amount(adapter, provider_server):
    opened = adapter.open(WANTED)
    provider_server.pay(opened.id)
    seen = adapter.look(opened.id)
    assert (seen.outcome, seen.amount_cents, seen.url) == (Outcome.PAID, 2_050, "")


def test_a_checkout_can_be_ended_and_ending_a_paid_one_says_that_it_is_paid(adapter, provider_server):
    opened = adapter.open(WANTED)
    assert adapter.end(opened.id).outcome == Outcome.ENDED
    assert adapter.end(opened.id).outcome == Outcome.ENDED
    provider_server.pay(opened.id)
    assert adapter.end(opened.id).outcome == Outcome.PAID


def test_the_keys_can_be_tried(adapter, provider_server):
    adapter.check()
    with pytest.raises(Refused, match="Invalid API Key"):
        Stripe("sk_test_wrong", SECRET, provider_server.address).check()


@pytest.mark.parametrize(
    ("trouble", "said"),
    [(400, "30 minutes"), (401, "Invalid API Key"), (402, "live charges"), (409, "in-progress"), (429, "rate limit")],
)
def test_a_refusal_says_why_in_the_words_of_the_provider(adapter, provider_server, trouble, said):
    provider_server.trouble = trouble
    with pytest.raises(Refused, match=said):
        adapter.open(WANTED)


@pytest.mark.parametrize("trouble", [500, 503, "garbage", "other", "hang"])
def test_a_provider_that_does_not_answer_as_it_should_is_not_reached_and_nothing_else(
    adapter, provider_server, trouble, monkeypatch
):
    opened = adapter.open(WANTED)
    monkeypatch.setattr(stripe, "ANSWER_S", 0.2)
    provider_server.trouble = trouble
    for ask in (lambda: adapter.open(WANTED), lambda: adapter.look(opened.id), lambda: adapter.end(opened.id)):
        with pytest.raises(NotReached) as raised:
            ask()
        assert not isinstance(raised.value, Refused)
    provider_server.trouble = None
    provider_server.go_on.set()
    assert adapter.open(WANTED) == opened


def test_nobody_there_is_not_reached():
    with pytest.raises(NotReached):
        Stripe(KEY, SECRET, "http://127.0.0.1:9").look("cs_test_1")


def test_a_checkout_nobody_knows_is_refused(adapter):
    with pytest.raises(Refused, match="No such checkout"):
        adapter.look("../../v1/charges")


def test_no_key_is_shown_where_the_adapter_is_printed(adapter):
    assert KEY not in repr(adapter)
    assert SECRET not in repr(adapter)


class TestMessages:
    """What the provider sends by itself."""

    def send(self, adapter, message, at=NOW, secret=SECRET, **changed):
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        signature = changed.get("signature", signing.signed(body, secret, int(at.timestamp())))
        return adapter.read(changed.get("body", body), signature, NOW)

    @pytest.fixture
    def paid(self, adapter, provider_server):
        return provider_server.pay(adapter.open(WANTED).id)

    def test_a_signed_message_says_which_checkout_was_paid(self, adapter, paid):
        event = self.send(adapter, paid)
        assert (event.id, event.kind) == (paid["id"], "checkout.session.completed")
        assert (event.seen.outcome, event.seen.reference) == (Outcome.PAID, WANTED.reference)

    def test_a_message_is_taken_up_to_five_minutes_early_or_late(self, adapter, paid):
        for minutes in (-4.9, 4.9):
            assert self.send(adapter, paid, NOW + timedelta(minutes=minutes)) is not None
        for minutes in (-5.1, 5.1):
            with pytest.raises(NotSigned, match="too long ago"):
                self.send(adapter, paid, NOW + timedelta(minutes=minutes))

    def test_another_secret_a_changed_body_or_time_is_refused(self, adapter, paid):
        body = json.dumps(paid).encode()
        later = signing.signed(body, SECRET, int(NOW.timestamp())).replace(
            str(int(NOW.timestamp())), str(int(NOW.timestamp()) + 1)
        )
        with pytest.raises(NotSigned, match="signature"):
            self.send(adapter, paid, secret="whsec_other")
        with pytest.raises(NotSigned, match="signature"):
            self.send(adapter, paid, body=body.replace(b"2050", b"9050"))
        with pytest.raises(NotSigned, match="signature"):
            self.send(adapter, paid, signature=later)

    @pytest.mark.parametrize(
        "signature", ["", "t=", "v1=abc", "t=abc,v1=abc", "t=1,t=2,v1=a", "t=٣,v1=a", "t=" + "9" * 5000 + ",v1=é"]
    )
    def test_a_signature_that_is_none_is_refused(self, adapter, paid, signature):
        with pytest.raises(NotSigned):
            self.send(adapter, paid, signature=signature)

    def test_one_right_signature_of_several_is_enough_while_secrets_change(self, adapter, paid):
        body, at = json.dumps(paid).encode(), int(NOW.timestamp())
        both = f"{signing.signed(body, 'whsec_old', at)},{signing.signed(body, SECRET, at).split(',')[1]},v0=00"
        assert self.send(adapter, paid, signature=both) is not None

    def test_a_message_about_something_else_is_nothing_of_ours(self, adapter, paid):
        assert self.send(adapter, paid | {"type": "charge.succeeded"}) is None

    def test_a_payment_that_failed_later_has_ended(self, adapter, paid):
        paid["data"]["object"] |= {"payment_status": "unpaid", "status": "complete"}
        assert self.send(adapter, paid).seen.outcome == Outcome.WAITING
        assert (
            self.send(adapter, paid | {"type": "checkout.session.async_payment_failed"}).seen.outcome == Outcome.ENDED
        )

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"null",
            b"[]",
            b"{}",
            b'{"type": "checkout.session.completed"}',
            b"\xff\xfe",
            b'{"type": "checkout.session.completed", "id": 1, "data": {"object": []}}',
        ],
    )
    def test_a_signed_message_that_cannot_be_read_is_refused(self, adapter, body):
        with pytest.raises(NotSigned, match="cannot be read"):
            self.send(adapter, body)
