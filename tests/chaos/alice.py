"""Alice, who orders from the web: she uploads, looks at the price, confirms, sometimes twice, sometimes changes her mind."""

from __future__ import annotations

import random
import re
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import select

from fablab import db
from fablab.jobs.models import Job
from fablab.jobs.states import JobState
from fablab.orders.models import Order
from tests.chaos.visitor import Patience, Refused, Visitor

DOUBLE_CLICK_SHARE = 0.3
CHANGED_HER_MIND_SHARE = 0.08
SEEN = re.compile(r'name="seen_cents" value="(\d+)"')


@dataclass
class Intent:
    """Something Alice wants printed, and the page of its order once there is one."""

    copies: int
    page: str | None = None


class Alice(Visitor):
    """A member with enough money."""

    def __init__(self, url: str, part: Path, chance: random.Random) -> None:
        super().__init__(url, "Alice", chance)
        self.part = part
        self.intents: deque[Intent] = deque()
        self.confirmed: list[str] = []
        self.patience = Patience(chance)

    def wants(self, copies: int) -> None:
        """Let her order so many copies when she comes to it."""
        self.intents.append(Intent(copies))

    def walk(self) -> None:
        """Bring the oldest intent a step further, and confirm again what became dearer."""
        for page in self._to_confirm_again():
            self.tried(partial(self._confirm_again, page))
        if self.intents:
            intent = self.intents[0]
            if intent.page is None:
                intent.page = self._upload()
            if self._confirm(intent.page, intent.copies):
                self.confirmed.append(intent.page)
                self.intents.popleft()
                if self.chance.random() < CHANGED_HER_MIND_SHARE:
                    self.tried(partial(self.post, f"{intent.page}/cancel"))

    def _upload(self) -> str:
        with self.part.open("rb") as stream:
            answer = self.post("/orders/", files={"file": (self.part.name, stream)})
        return answer.headers["Location"]

    def _confirm(self, page: str, copies: int) -> bool:
        """Press the button, or find that it was pressed: the answer may have been lost."""
        seen = self._price(page)
        if seen is None:
            return True
        fields = {"filament": "PLA|white", "quality": "normal", "infill": 20, "quantity": copies, "seen_cents": seen}
        clicks = 2 if self.chance.random() < DOUBLE_CLICK_SHARE else 1
        with ThreadPoolExecutor(clicks) as fingers:
            pressed = [fingers.submit(self.post, f"{page}/confirm", **fields) for _ in range(clicks)]
        worked = [finger.exception() is None for finger in pressed]
        if not any(worked):
            problem = pressed[0].exception()
            assert problem is not None
            if isinstance(problem, Refused):
                return self._price(page) is None
            raise problem
        return True

    def _price(self, page: str) -> str | None:
        found = SEEN.search(self.get(page))
        return found[1] if found else None

    def _confirm_again(self, page: str) -> None:
        self.post(f"{page}/confirm-again", seen_cents=self._price(page))

    def _to_confirm_again(self) -> list[str]:
        if not self.patience.over("look at my orders", least_s=1.0, most_s=3.0):
            return []
        with db.reading() as session:
            waiting = select(Order.public_id).join(Job, Job.order_id == Order.id)
            found = session.scalars(waiting.where(Job.state == JobState.WAITING_CONFIRMATION))
            return [f"/orders/{public_id}" for public_id in found]
