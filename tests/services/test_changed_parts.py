"""Changing a draft's part: only a draft's, only once at a time, and what was confirmed is what is printed."""

from dataclasses import replace

import pytest

from fablab import db
from fablab.billing import services as billing
from fablab.errors import Conflict
from fablab.jobs import queries as jobs
from fablab.orders import queries, services
from fablab.orders.intake import Part
from fablab.orders.models import ModelFile
from fablab.slicing.changes import AS_SENT, Change
from fablab.slicing.report import MeshReport
from fablab.words import say
from tests.people import draft_cube, order_cube, small_place, wanted

HALF = Change(scale=0.5)


def a_part(order, *, sha256="ab" * 32) -> Part:
    """A part as if it had been made of the order's by a change."""
    report = MeshReport.from_json(order.line.model_file.report)
    return Part(sha256, 684, replace(report, size_mm=(10.0, 10.0, 10.0)), [say("Scaled.")])


def test_a_changed_draft_remembers_what_was_sent_and_what_was_done(any_place):
    with db.transaction() as session:
        cast = small_place(session)
        order = draft_cube(session, cast.alice)
        sent = order.line.model_sha256
        services.reshape(session, order, order.line, HALF, a_part(order), cast.alice.id)
    with db.reading() as session:
        line = queries.owned_by(session, cast.alice, order.public_id).line
        assert (line.sent_sha256, line.model_sha256) == (sent, "ab" * 32)
        assert line.made_change == HALF
        assert [str(each) for each in line.done] == ["Scaled."]
        assert "part_changed" in [event.kind for event in queries.events_of(session, order.id)]


def test_the_way_back_leaves_nothing_of_the_change(any_place):
    with db.transaction() as session:
        cast = small_place(session)
        order = draft_cube(session, cast.alice)
        sent, as_sent = order.line.model_sha256, a_part(order, sha256=order.line.model_sha256)
        services.reshape(session, order, order.line, HALF, a_part(order), cast.alice.id)
        services.reshape(session, order, order.line, AS_SENT, as_sent, cast.alice.id)
        assert (order.line.model_sha256, order.line.source_sha256, order.line.change) == (sent, None, None)
        assert session.get(ModelFile, sent) is not None


def test_a_confirmed_order_keeps_its_part(any_place):
    with db.transaction() as session:
        cast = small_place(session)
        order = order_cube(session, cast.alice)
        before = order.line.model_sha256
        for act in (
            lambda: services.reshape(session, order, order.line, HALF, a_part(order), cast.alice.id),
            lambda: services.want_supports(session, order, order.line),
        ):
            with pytest.raises(Conflict, match="confirmed already"):
                act()
        assert order.line.model_sha256 == before
        assert jobs.of_order(session, order.id)[0].model_sha256 == before


def test_an_order_is_confirmed_once(any_place):
    with db.transaction() as session:
        cast = small_place(session)
        order = order_cube(session, cast.alice)
        with pytest.raises(Conflict, match="confirmed already"):
            billing.confirm(session, order, {order.line.id: wanted()}, order.price_cents, cast.alice)
