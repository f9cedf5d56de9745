"""Somebody with a browser: signed in over HTTP, and patient when the server is away."""

from __future__ import annotations

import logging
import random
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests
from sqlalchemy.exc import SQLAlchemyError

from fablab.errors import Problem
from fablab.words import say
from tests.people import PASSWORD

log = logging.getLogger(__name__)

ANSWER_WITHIN_S = 15.0
WALK_S = 0.2
DOUBLE_CLICK_SHARE = 0.3
SENTENCE = re.compile(r"<p[^>]*>([^<]+)</p>")


class Away(Problem):
    """The server did not answer, or said that it cannot now: somebody presses again in a moment."""


class Refused(Problem):
    """The server said no."""


class Visitor(threading.Thread):
    """A person who walks about until everybody goes home; each walk is one look at what there is to do."""

    def __init__(self, url: str, name: str, chance: random.Random) -> None:
        super().__init__(name=name, daemon=True)
        self.url, self.chance = url, chance
        self.browser = requests.Session()
        self.browser.trust_env = False
        self._home = threading.Event()

    def sign_in(self) -> None:
        """Sign in, once and for all."""
        self.post("/sign-in", email=f"{self.name.lower()}@example.org", password=PASSWORD)

    def run(self) -> None:
        """Walk until told to go home. What does not work is tried again, as people do."""
        while not self._home.wait(WALK_S):
            self.tried(self.walk)

    def walk(self) -> None:
        """Do what there is to do."""
        raise NotImplementedError

    def go_home(self) -> None:
        """Stop walking, after the walk that has begun."""
        self._home.set()
        self.join(60)

    def tried(self, act: Callable[[], Any]) -> bool:
        """Do something, and tell whether it worked."""
        try:
            act()
        except (Problem, SQLAlchemyError) as problem:
            log.info("%s: %s", self.name, problem)
            return False
        return True

    def get(self, path: str) -> str:
        """Return a page."""
        return self._asked("GET", path).text

    def post(self, path: str, /, files: Any = None, **fields: Any) -> requests.Response:
        """Press a button."""
        return self._asked("POST", path, data=fields, files=files)

    def pressed(self, path: str, /, **fields: Any) -> None:
        """Press a button, now and then twice at once; it worked when one of the clicks did."""
        clicks = 2 if self.chance.random() < DOUBLE_CLICK_SHARE else 1
        with ThreadPoolExecutor(clicks) as fingers:
            pressed = [fingers.submit(self.post, path, **fields) for _ in range(clicks)]
        problems = [finger.exception() for finger in pressed]
        if all(problems):
            away = [each for each in problems if isinstance(each, Away)]  # of two clicks one may have done it
            raise (away or problems)[0]  # type: ignore[misc]

    def _asked(self, method: str, path: str, **options: Any) -> requests.Response:
        try:
            answer = self.browser.request(
                method, self.url + path, timeout=ANSWER_WITHIN_S, allow_redirects=False, **options
            )
        except requests.RequestException as error:
            raise Away(say("{words}", words=str(error)[:200])) from error
        if answer.status_code >= 500:
            raise Away(say("{words}", words=f"{path}: {answer.status_code}"))
        if answer.status_code >= 400:
            told = SENTENCE.findall(answer.text)
            raise Refused(say("{words}", words=f"{path}: {answer.status_code} {told[:1]}"))
        return answer


class Patience:
    """Things that were seen before and wait for their moment."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self._due: dict[Any, float] = {}

    def over(self, *what: Any, least_s: float = 0.1, most_s: float = 1.0) -> bool:
        """Tell whether something has waited long enough since it was first seen, and forget it then."""
        now = time.monotonic()
        due = self._due.setdefault(what, now + self.chance.uniform(least_s, most_s))
        if now >= due:
            del self._due[what]
        return now >= due
