"""A short run of `make chaos`: real workers, web and Redis, faults of every kind, and no broken promise, of money neither."""

import pytest

from tests.chaos.place import Options
from tests.chaos.run import run, table

pytestmark = [pytest.mark.xdist_group("processes"), pytest.mark.timeout(300)]


def test_whatever_is_killed_frozen_or_cut_nothing_is_printed_twice_or_on_top_and_nothing_is_lost(tmp_path):
    outcome = run(tmp_path, Options(seed=7, orders=6, faults=12, seconds=12))
    assert not any(outcome.wrong.values()), f"{outcome.wrong}\n{table(outcome.episodes)}"
    assert (outcome.orders, len(outcome.episodes)) == (6, 12)
    assert outcome.starts >= 4
    assert min(outcome.money[each] for each in ("documents", "payments", "credit_notes", "quotes", "months")) > 0
