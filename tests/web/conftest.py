"""A client that looks at every page it fetches, and the people who use it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from html.parser import HTMLParser

import pytest

from fablab import db
from fablab.web import create_app
from tests.conftest import environment
from tests.people import PASSWORD, Cast, small_place

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
IN_SVG = {"path", "circle", "rect"}


class Page(HTMLParser):
    """What a page is made of, and what is wrong with it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: Counter[str] = Counter()
        self.labelled: set[str] = set()
        self.inputs: list[dict[str, str | None]] = []
        self.open: list[str] = []
        self.problems: list[str] = []
        self.title = self.h1 = ""
        self.forms: list[dict[str, str | None]] = []
        self.feed(html)
        self.close()
        self.problems += [f"<{tag}> is not closed" for tag in self.open]
        self.problems += [f"id {name} is there {count} times" for name, count in self.ids.items() if count > 1]
        for field in self.inputs:
            named = field.get("aria-label") or field.get("id") in self.labelled or field.get("in_label")
            if not named:
                self.problems.append(f"the field {field.get('name')} has no label")

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if "id" in values:
            self.ids[values["id"]] += 1
        if tag == "label" and values.get("for"):
            self.labelled.add(values["for"])
        if tag == "form":
            self.forms.append(values)
        if tag in ("input", "select", "textarea") and values.get("type") != "hidden":
            self.inputs.append({**values, "in_label": "yes" if "label" in self.open else None})
        if "style" in values or any(name.startswith("on") for name in values):
            self.problems.append(f"<{tag}> has a style or a script in it, which the policy forbids")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        if tag not in IN_SVG:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag):
        if tag in VOID or (tag in IN_SVG and tag not in self.open):
            return
        if not self.open or self.open[-1] != tag:
            self.problems.append(f"</{tag}> closes {self.open[-3:]}")
        if tag in self.open:
            while self.open.pop() != tag:
                pass

    def handle_data(self, data):
        if "title" in self.open:
            self.title += data
        if "h1" in self.open:
            self.h1 += data


class Browser:
    """A test client of one person; every HTML answer is checked."""

    def __init__(self, app, name: str | None = None) -> None:
        self.client = app.test_client()
        self.page: Page | None = None
        if name is not None:
            answer = self.post("/sign-in", email=f"{name}@example.org", password=PASSWORD)
            assert answer.status_code == 302, answer.text

    def get(self, path, **options):
        return self._look(self.client.get(path, **options))

    def post(self, path, /, headers=None, files=None, **fields):
        return self._look(self.client.post(path, data={**fields, **(files or {})}, headers=headers))

    def _look(self, answer):
        if answer.mimetype == "text/html" and answer.status_code not in (301, 302):
            self.page = Page(answer.text)
            assert not self.page.problems, f"{answer.request.path}: {self.page.problems}"
            if "<html" in answer.text:
                assert " ".join(self.page.title.split("·")[0].split()) == " ".join(self.page.h1.split())
        return answer


@dataclass
class Site:
    """The application with its cast."""

    app: object
    cast: Cast

    def as_(self, name: str | None) -> Browser:
        return Browser(self.app, name)


@pytest.fixture
def site(place):
    with environment(data_dir=str(place), sign_in_limit="1000 per minute", upload_limit="1000 per hour"):
        with db.transaction() as session:
            cast = small_place(session)
        yield Site(create_app(), cast)
