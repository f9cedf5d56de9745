"""Alice, who orders from the web: she uploads, looks at the price, confirms, sometimes twice, sometimes changes her mind.

Her wallet pays, or her company, for which she also asks for quotes and accepts them. Of what is made she complains.
"""

from __future__ import annotations

import random
import re
from collections import deque
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

from sqlalchemy import select

from fablab import db
from fablab.jobs.models import Job
from fablab.jobs.states import JobState
from fablab.orders.models import Order, OrderState
from fablab.quotes import issuing as quotes
from tests.chaos.visitor import Patience, Visitor

CHANGED_HER_MIND_SHARE = 0.08
WITHDREW_SHARE = 0.2
COMPLAINS_SHARE = 0.4
SEEN = re.compile(r'name="(seen_cents|seen_free_failures)" value="(\d+)"')


class Manner(Enum):
    """How Alice orders: her wallet pays, her company does, or her company by a quote."""

    WALLET = auto()
    COMPANY = auto()
    QUOTE = auto()


@dataclass
class Intent:
    """Something Alice wants printed, and the page of its order once there is one."""

    copies: int
    manner: Manner = Manner.WALLET
    page: str | None = None

    @property
    def public_id(self) -> str:
        """The id in the address of its page."""
        return self.page.rsplit("/", 1)[1] if self.page else ""


class Alice(Visitor):
    """A member with enough money, who may order for a company."""

    def __init__(self, url: str, part: Path, company: str, chance: random.Random) -> None:
        super().__init__(url, "Alice", chance)
        self.part, self.company = part, company
        self.intents: deque[Intent] = deque()
        self.confirmed: list[str] = []
        self.patience = Patience(chance)
        self._content: set[str] = set()
        self._accepted_one = False

    def wants(self, copies: int, manner: Manner = Manner.WALLET) -> None:
        """Let her order so many copies when she comes to it."""
        self.intents.append(Intent(copies, manner))

    def walk(self) -> None:
        """Bring the oldest intent a step further, and confirm again what became dearer."""
        for page in self._to_confirm_again():
            self.tried(partial(self._confirm_again, page))
        for public_id in self._received():
            self.tried(partial(self._look_at_parts, public_id))
        if self.intents:
            intent = self.intents[0]
            if intent.page is None:
                intent.page = self._upload()
            if self._ordered(intent):
                self.confirmed.append(intent.page)
                self.intents.popleft()
                if self.chance.random() < CHANGED_HER_MIND_SHARE:
                    self.tried(partial(self.post, f"{intent.page}/cancel"))

    def _upload(self) -> str:
        with self.part.open("rb") as stream:
            answer = self.post("/orders/", files={"file": (self.part.name, stream)})
        return answer.headers["Location"]

    def _ordered(self, intent: Intent) -> bool:
        """Press the button, or find that it was pressed: the answer may have been lost."""
        state = self._state(intent)
        if state == OrderState.OFFERED:
            self._answer_quote(intent)
        elif state == OrderState.DRAFT and intent.manner is Manner.QUOTE:
            self.pressed(f"/quotes/order/{intent.public_id}", **self._fields(intent))
        elif state == OrderState.DRAFT:
            self.pressed(f"{intent.page}/confirm", **self._fields(intent))
        return self._state(intent) not in (OrderState.DRAFT, OrderState.OFFERED)

    def _fields(self, intent: Intent) -> dict[str, object]:
        assert intent.page is not None
        fields: dict[str, object] = {
            "filament": "PLA|white",
            "quality": "normal",
            "infill": 20,
            "quantity": intent.copies,
        }
        if intent.manner is not Manner.WALLET:
            fields |= {"payer": self.company, "po_number": "BC 1", "seen_before_vat": "y"}
        page = self.get(f"{intent.page}?{urlencode(fields)}")
        return {**fields, **dict(SEEN.findall(page))}

    @staticmethod
    def _state(intent: Intent) -> OrderState:
        with db.reading() as session:
            return session.scalars(select(Order.state).where(Order.public_id == intent.public_id)).one()

    def _answer_quote(self, intent: Intent) -> None:
        """Accept it; or withdraw it, and order without one."""
        with db.reading() as session:
            order = session.scalars(select(Order).where(Order.public_id == intent.public_id)).one()
            quote = quotes.latest(session, order)
        assert quote is not None
        if self._accepted_one and self.chance.random() < WITHDREW_SHARE:
            self.post(f"/quotes/{quote.public_id}/change")
            intent.manner = Manner.COMPANY
        else:
            self.pressed(f"/quotes/{quote.public_id}/accept", name="Alice", po_number="BC 1", agreed="y")
            self._accepted_one = True

    def _received(self) -> list[str]:
        if not self.patience.over("look at my parts", least_s=0.5, most_s=2.0):
            return []
        with db.reading() as session:
            found = session.scalars(select(Order.public_id).where(Order.state == OrderState.READY))
            return [each for each in found if each not in self._content]

    def _look_at_parts(self, public_id: str) -> None:
        """Be content with what was made, or ask for money back."""
        if self.chance.random() < COMPLAINS_SHARE:
            self.pressed(f"/refunds/order/{public_id}", wish="refund", what="Rayé")
        self._content.add(public_id)

    def _confirm_again(self, page: str) -> None:
        self.post(f"{page}/confirm-again", **dict(SEEN.findall(self.get(page))))

    def _to_confirm_again(self) -> list[str]:
        if not self.patience.over("look at my orders", least_s=1.0, most_s=3.0):
            return []
        with db.reading() as session:
            waiting = select(Order.public_id).join(Job, Job.order_id == Order.id)
            found = session.scalars(waiting.where(Job.state == JobState.WAITING_CONFIRMATION))
            return [f"/orders/{public_id}" for public_id in found]
