"""A provider to pay at, and a place that takes cards online."""

import pytest

from tests.conftest import environment
from tests.stripe_server import KEY, SECRET, stripe


@pytest.fixture
def provider_server():
    with stripe() as server:
        yield server


@pytest.fixture
def taking_cards(any_place, provider_server):
    """A place on both databases that takes cards at the server."""
    keys = {"stripe_key": KEY, "stripe_webhook_secret": SECRET, "stripe_url": provider_server.address}
    with environment(**keys):
        yield provider_server
