"""The menu: where one is, and the pages of money for those who have them."""

from __future__ import annotations

import re

import pytest

from fablab.web import PAGES
from fablab.web.menu import SECTIONS
from fablab.web.pages import health, home, joining, notices, place

ELSEWHERE = {each.blueprint.name for each in (health, home, joining, notices, place)}
"""Reached from the corner of a page, or without signing in."""


def tabs(page: str) -> list[str]:
    found = re.search(r'<nav class="tabs".*?</nav>', page, re.DOTALL)
    return re.findall(r">([^<>]+)</a>", found.group()) if found else []


def test_every_page_belongs_to_one_entry_of_the_menu():
    named = [name for names in SECTIONS.values() for name in names]
    assert sorted(named) == sorted({each.blueprint.name for each in PAGES} - ELSEWHERE)


@pytest.mark.parametrize("path", ["/invoices/", "/invoices/deposits/", "/books/cash", "/books/month", "/quotes/"])
def test_a_page_of_money_is_named_once_in_the_menu_and_once_in_its_tabs(site, path):
    page = site.as_("carole").get(path).text
    shown = re.findall(r'<a href="([^"]+)" aria-current="page">', re.search(r'<nav class="tabs".*?</nav>', page)[0])
    assert shown == [path]
    assert re.search(r'<a href="/invoices/" aria-current="page">Invoices', page)


def test_a_member_has_the_pages_that_are_theirs(site):
    assert tabs(site.as_("alice").get("/invoices/").text) == ["Invoices", "Quotes"]
    assert "Archives" in tabs(site.as_("carole").get("/invoices/").text)
    assert tabs(site.as_("carole").get("/orders/").text) == []
