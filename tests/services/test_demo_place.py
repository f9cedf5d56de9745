"""The demo place looks like one that has been open for weeks."""

from datetime import timedelta

import sqlalchemy as sa

from fablab import db, demonstration
from fablab.accounts.models import Person
from fablab.db import utcnow
from fablab.filament.models import SpoolMovement
from fablab.machines.models import Machine
from fablab.orders import timeline
from fablab.orders.models import Order, OrderState
from fablab.orders.thread_models import Thread


def test_the_past_of_the_demo_place_lies_in_the_past(place):
    demonstration.fill()
    now = utcnow()
    with db.reading() as session:
        assert session.scalar(sa.select(sa.func.count(Person.id))) == 20
        assert session.scalar(sa.select(sa.func.count(Machine.id))) == 6
        orders = session.scalars(sa.select(Order).where(Order.state == OrderState.COLLECTED)).all()
        days = set()
        for order in orders:
            moments = [step.at for step in timeline.of_order(session, order)]
            assert moments == sorted(moments), order.id
            assert order.created_at <= moments[0]
            assert moments[-1] < now
            days.add(moments[-1].date())
        assert len(orders) >= 15
        assert len(days) >= 8
        assert now - timedelta(days=24) < min(order.created_at for order in orders) < now - timedelta(days=14)
        moved = session.scalars(sa.select(SpoolMovement.at).order_by(SpoolMovement.id)).all()
        assert moved[0] < now - timedelta(days=40)
        subjects = session.execute(sa.select(Thread.subject, Person.language).join(Thread.person)).all()
        assert ("A foot for my loudspeaker", "en") in [tuple(row) for row in subjects]
