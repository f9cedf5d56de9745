"""Threads on both databases: who reads what, what is unread for whom, and one thread whoever writes first."""

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fablab import db
from fablab.accounts.models import Person
from fablab.errors import Conflict, Invalid, NotFound
from fablab.notices import queries as notices
from fablab.notices.kinds import Kind
from fablab.orders import threads
from fablab.orders.models import Order
from fablab.orders.thread_models import Message, Thread
from tests.books import add_company, open_books
from tests.people import add_person, draft_cube, order_cube, small_place
from tests.services.test_claims import race


def about(session, order, person, text="Hello"):
    thread = threads.open_for(session, order)
    threads.write(session, thread, person, text)
    return thread


def test_what_one_side_writes_is_unread_for_the_other_until_it_is_read(session):
    cast = small_place(session)
    thread = about(session, order_cube(session, cast.alice), cast.alice)
    assert threads.unread(session, cast.bob) == {thread.id: 1}
    assert threads.unread(session, cast.alice) == {}
    threads.write(session, thread, cast.bob, "Good morning")
    assert threads.unread(session, cast.bob) == {}
    assert threads.unread(session, cast.alice) == {thread.id: 1}
    threads.mark_read(session, thread, cast.alice)
    assert threads.unread(session, cast.alice) == {}


def test_a_stranger_neither_reads_nor_is_told(session):
    cast = small_place(session)
    thread = about(session, order_cube(session, cast.alice), cast.bob)
    assert threads.unread(session, cast.charlie) == {}
    assert threads.talks(session, cast.charlie) == []
    with pytest.raises(NotFound):
        threads.seen_by(session, cast.charlie, thread.public_id)


def test_the_people_of_a_company_share_the_thread_of_its_order(session):
    cast = small_place(session)
    open_books(session)
    company = add_company(session, buyer=cast.alice, accountant=cast.charlie)
    order = order_cube(session, cast.alice)
    order.company_id = company.id
    session.flush()
    thread = about(session, order, cast.bob)
    assert threads.seen_by(session, cast.charlie, thread.public_id) is thread
    assert threads.unread(session, cast.charlie) == {thread.id: 1}
    threads.write(session, thread, cast.charlie, "Thank you")
    assert threads.unread(session, cast.alice) == {}
    assert threads.unread(session, cast.carole) == {thread.id: 1}


@pytest.mark.parametrize("text", ["", " \n\t ", "\x00\x07"])
def test_an_empty_message_is_none(session, text):
    cast = small_place(session)
    with pytest.raises(Invalid, match="write something"):
        about(session, draft_cube(session, cast.alice), cast.alice, text)


def test_a_message_has_an_end(session):
    cast = small_place(session)
    with pytest.raises(Invalid, match="at most 2000"):
        about(session, draft_cube(session, cast.alice), cast.alice, "x" * 2001)


def test_a_request_for_help_becomes_an_order_with_its_thread(session):
    cast = small_place(session)
    thread = threads.ask_for_help(session, cast.alice, "  A   knob ", "For an old oven.")
    assert (thread.subject, threads.needs_help(thread)) == ("A knob", True)
    order = draft_cube(session, cast.alice)
    threads.become(session, thread, order)
    assert threads.of_order(session, order.id) is thread
    assert threads.open_for(session, order) is thread
    with pytest.raises(Conflict, match="has become an order"):
        threads.close(session, thread)
    with pytest.raises(Conflict, match="has become an order"):
        threads.become(session, thread, draft_cube(session, cast.alice))


def test_a_closed_request_takes_no_more_messages(session):
    cast = small_place(session)
    thread = threads.ask_for_help(session, cast.alice, "A knob", "For an old oven.")
    threads.close(session, thread)
    with pytest.raises(Conflict, match="was closed"):
        threads.write(session, thread, cast.alice, "Still there?")


def first_word(order_id, person_id):
    with db.transaction() as session:
        order, person = session.get_one(Order, order_id), session.get_one(Person, person_id)
        return about(session, order, person).id


def test_four_who_write_first_at_once_write_in_one_thread(any_place):
    with db.transaction() as session:
        cast = small_place(session)
        order = order_cube(session, cast.alice)
    assert len(set(race(first_word, order.id, cast.bob.id))) == 1
    with db.reading() as session:
        assert session.scalar(sa.select(sa.func.count(Thread.id))) == 1
        assert session.scalar(sa.select(sa.func.count(Message.id))) == 4


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    acts=st.lists(
        st.tuples(st.sampled_from(["alice", "charlie", "dora", "bob"]), st.sampled_from(["write", "read"])), max_size=12
    )
)
def test_whatever_is_written_and_read_nobody_is_told_of_what_they_may_not_read(place, acts):
    with db.transaction() as session:
        if session.scalar(sa.select(sa.func.count(Person.id))) == 0:
            cast = small_place(session)
            open_books(session)
            dora = add_person(session, "Dora")
            add_company(session, buyer=cast.alice, accountant=dora)
    with db.transaction() as session:
        people = {each.first_name.lower(): each for each in session.scalars(sa.select(Person))}
        ours = draft_cube(session, people["alice"])
        thread = threads.open_for(session, ours)
        written = {"alice": 0, "bob": 0}
        for name, act in acts:
            try:
                threads.seen_by(session, people[name], thread.public_id)
            except NotFound:
                assert name in ("charlie", "dora")
                continue
            if act == "write":
                threads.write(session, thread, people[name], "Hello")
                other = "bob" if name == "alice" else "alice"
                written[other] += 1
            else:
                threads.mark_read(session, thread, people[name])
            written[name] = 0
        for name, person in people.items():
            expected = written["bob"] if name in ("bob", "carole") else written.get(name, 0)
            assert threads.unread(session, person).get(thread.id, 0) == expected


def test_a_member_is_told_once_of_what_the_place_writes_until_they_read_it(session):
    cast = small_place(session)
    order = order_cube(session, cast.alice)
    thread = about(session, order, cast.alice)
    threads.write(session, thread, cast.bob, "Good morning")
    threads.write(session, thread, cast.bob, "One more thing")
    told = [each for each in notices.newest(session, cast.alice.id) if each.kind == Kind.MESSAGE]
    assert [(str(each.title), str(each.text), each.path) for each in told] == [
        ("Bob wrote to you about “cube.stl”", "“Good morning”", f"/messages/{thread.public_id}")
    ]
    threads.mark_read(session, thread, cast.alice)
    threads.write(session, thread, cast.bob, "word " * 200)
    newest = notices.newest(session, cast.alice.id)[0]
    assert (newest.kind, len(str(newest.text)) < 310) == (Kind.MESSAGE, True)
    assert [each for each in notices.newest(session, cast.bob.id) if each.kind == Kind.MESSAGE] == []
