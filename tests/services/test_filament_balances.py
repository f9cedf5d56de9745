"""Balances of spools equal the sum of their movements, whatever happens to them and however many do it at once."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from fablab import db
from fablab.errors import Problem
from fablab.filament import history, movements, queries
from fablab.filament import services as filament
from fablab.filament.models import Movement, Spool, SpoolMovement
from fablab.filament.movements import Why
from tests.people import add_spool, small_place

THREADS, TURNS = 6, 12
TARE_G = 200


class Shelf(RuleBasedStateMachine):
    """Three spools and, beside them, what a careful person would have written on paper, in milligrams."""

    numbers = st.integers(0, 2)
    grams = st.integers(-5, 700)

    def __init__(self):
        super().__init__()
        self.session = sa.orm.Session(db.engine(), expire_on_commit=False)
        self.bob = small_place(self.session).bob.id
        self.spools = [add_spool(self.session, mass_g=500, colour=name) for name in ("white", "blue", "green")]
        self.paper = [500_000] * 3
        self.ended = [False] * 3

    def why(self):
        return Why(self.bob, "because")

    def tried(self, act, *arguments):
        """Do it as a request would: all of it, or nothing when it is refused."""
        try:
            with self.session.begin_nested():
                act(self.session, *arguments)
        except Problem:
            return False
        return True

    @rule(at=numbers, g=st.integers(0, 900))
    def consume(self, at, g):
        movements.consume_by_hand(self.session, self.spools[at], g * 1000, self.why())
        self.paper[at] -= g * 1000

    @rule(at=numbers, g=st.integers(0, 900))
    def weigh(self, at, g):
        if self.tried(movements.weigh, self.spools[at], g, self.why()):
            assert g >= TARE_G
            assert not self.ended[at]
            self.paper[at] = (g - TARE_G) * 1000

    @rule(at=numbers, g=grams)
    def adjust(self, at, g):
        if self.tried(movements.adjust, self.spools[at], g, self.why()):
            self.paper[at] = g * 1000

    @rule(at=numbers, g=grams)
    def waste(self, at, g):
        if self.tried(movements.waste, self.spools[at], g, self.why()):
            self.paper[at] -= g * 1000
            assert self.paper[at] >= 0

    @rule(at=numbers, to=numbers, g=grams)
    def transfer(self, at, to, g):
        if self.tried(movements.transfer, self.spools[at], self.spools[to], g, self.why()):
            self.paper[at] -= g * 1000
            self.paper[to] += g * 1000
            assert self.paper[at] >= 0

    @rule(at=numbers, to=numbers, which=st.integers(0, 9))
    def move_a_use(self, at, to, which):
        uses = [each for each in queries.movements(self.session, self.spools[at].id) if movements.is_a_use(each)]
        if uses:
            use = uses[which % len(uses)]
            if self.tried(movements.move_use, use, self.spools[to], self.why()):
                self.paper[at] -= use.mass_mg
                self.paper[to] += use.mass_mg

    @rule(at=numbers)
    def empty(self, at):
        if self.tried(filament.empty, self.spools[at], self.bob):
            self.paper[at], self.ended[at] = 0, True

    @rule(at=numbers)
    def retire(self, at):
        self.ended[at] = self.tried(filament.retire, self.spools[at], self.why()) or self.ended[at]

    @precondition(lambda self: any(self.ended))
    @rule(at=numbers)
    def reopen(self, at):
        if self.tried(filament.reopen, self.spools[at], self.bob):
            self.ended[at] = False

    @invariant()
    def balances_are_sums_and_sums_are_right(self):
        for spool, expected in zip(self.spools, self.paper, strict=True):
            assert queries.balance_mg(self.session, spool.id) == expected
            lines = history.of_spool(self.session, spool, {})
            assert lines[0].left_g == expected / 1000

    @invariant()
    def what_is_wound_over_or_moved_is_neither_made_nor_lost(self):
        kinds = SpoolMovement.kind.in_((Movement.TRANSFERRED, Movement.CORRECTED))
        total = sa.select(sa.func.sum(SpoolMovement.mass_mg)).where(kinds)
        assert (self.session.scalar(total) or 0) == 0

    @invariant()
    def every_use_counts_on_one_spool(self):
        taken_back = sa.select(SpoolMovement.corrects_id).where(SpoolMovement.corrects_id.is_not(None))
        found = self.session.scalars(taken_back).all()
        assert len(found) == len(set(found))

    def teardown(self):
        self.session.rollback()
        self.session.close()


def test_balances_equal_their_movements_whatever_happens(any_place):
    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much]
    run_state_machine_as_test(
        Shelf, settings=settings(max_examples=20, stateful_step_count=25, deadline=None, suppress_health_check=checks)
    )


def busy(seed, spool_ids, bob):
    """Do many things to the same spools, and return what each did to which, as it was told it happened."""
    chance, done = random.Random(seed), []
    for turn in range(TURNS):
        at, to = chance.sample(spool_ids, 2)
        g = chance.randint(1, 40)
        try:
            with db.transaction() as session:
                spool, other = session.get_one(Spool, at), session.get_one(Spool, to)
                match chance.choice(["consume", "waste", "transfer"]):
                    case "consume":
                        movements.consume_by_hand(session, spool, g * 1000, Why(bob, f"{seed}-{turn}"))
                        change = [(at, -g)]
                    case "waste":
                        movements.waste(session, spool, g, Why(bob, "tangled"))
                        change = [(at, -g)]
                    case "transfer":
                        movements.transfer(session, spool, other, g, Why(bob, "two ends"))
                        change = [(at, -g), (to, g)]
        except Problem:
            continue
        done += change
    return done


def test_many_hands_at_once_lose_no_gram(any_place):
    with db.transaction() as session:
        bob = small_place(session).bob.id
        spool_ids = [add_spool(session, mass_g=400, colour=name).id for name in ("blue", "green", "red")]
    with ThreadPoolExecutor(THREADS) as pool:
        found = list(pool.map(lambda seed: busy(seed, spool_ids, bob), range(THREADS)))
    expected = dict.fromkeys(spool_ids, 400_000)
    for spool_id, grams in (change for done in found for change in done):
        expected[spool_id] += grams * 1000
    with db.reading() as session:
        assert queries.remaining_mg(session, spool_ids) == expected


@pytest.mark.parametrize("hands", [8])
def test_what_is_on_a_spool_is_thrown_away_once(any_place, hands):
    """The same amount by many people at once: no more goes than was there; each by the same form: once."""
    with db.transaction() as session:
        cast = small_place(session)
        low = add_spool(session, mass_g=100, colour="blue").id

    def throw(key):
        try:
            with db.transaction() as session:
                movements.waste(session, session.get_one(Spool, low), 60, Why(cast.bob.id, "wet", key))
        except Problem:
            return False
        return True

    with ThreadPoolExecutor(hands) as pool:
        assert sum(pool.map(throw, [None] * hands)) == 1
        movements_before = 2
        assert all(pool.map(lambda _: weigh_once(low, cast.bob.id), range(hands)))
    with db.reading() as session:
        assert queries.balance_mg(session, low) == 300_000
        assert len(queries.movements(session, low)) == movements_before + 1


def weigh_once(spool_id, bob):
    with db.transaction() as session:
        return movements.weigh(session, session.get_one(Spool, spool_id), 500, Why(bob, key="the same form"))


def test_a_use_is_moved_once_by_two_who_press_at_once(any_place):
    with db.transaction() as session:
        cast = small_place(session)
        blue = add_spool(session, colour="blue").id
        movements.consume_by_hand(session, cast.spool, 30_000, Why(cast.bob.id, "vase"))
        use = queries.movements(session, cast.spool.id)[0].id

    def move(_):
        try:
            with db.transaction() as session:
                wrong = session.get_one(SpoolMovement, use)
                movements.move_use(session, wrong, session.get_one(Spool, blue), Why(cast.bob.id, "wrong spool"))
        except Problem:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(move, range(4))) == 1
    with db.reading() as session:
        assert queries.remaining_mg(session, [cast.spool.id, blue]) == {cast.spool.id: 500_000, blue: 470_000}
