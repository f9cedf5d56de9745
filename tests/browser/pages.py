"""Every page of the place: who looks at it in the tests, and why the other addresses that can be read are no page."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import urlsplit

import requests
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter

from tests.browser.somebody import PASSWORD

SIGNED_OUT, MEMBER, BUYER, VOLUNTEER, ADMINISTRATOR = "", "alice", "emilie", "bob", "carole"

SEEN_BY = {
    SIGNED_OUT: "home.sign_in joining.form mails.ask_stop place.show place.wall",
    MEMBER: """
        invoices.ask notices.choices notices.mine orders.mine orders.show threads.listed threads.new wallet.receipt
        wallet.address wallet.show""",
    BUYER: """
        companies.all_of_them companies.change companies.show invoices.listed invoices.show orders.show
        owed.statement_of quotes.listed quotes.show""",
    VOLUNTEER: """
        board.check board.hand_print board.show exchange.show filament.all_products filament.new_product
        filament.product filament.receive filament.shelf filament.shopping hand_over.show hand_prices.show jobs.show labels.choose
        labels.scanned loading.choose loading.confirm orders.show pickups.scanned pickups.waiting refunds.desk
        review.show spools.show spools.use threads.show walk_in.new""",
    ADMINISTRATOR: """
        archives.show books.show books.digests companies.new deposits.listed companies.show invoices.credit invoices.listed invoices.preview
        invoices.show mails.listed mails.show owed.show people.everybody people.show pickups.rules
        projects.change projects.listed projects.new projects.show reporting.show review.rules
        seller.identity seller.mention seller.regime seller.show setup.machine setup.new_machine setup.new_material
        setup.rules setup.show tariffs.new tariffs.person tariffs.show treasury.attestation treasury.drawer
        treasury.month wallet_rules.show wallets.everybody wallets.show""",
}
"""Who looks at which pages; those that say something else to somebody else are looked at by both."""

NO_PAGE = {
    "home.index": "sends people on to their page",
    "events": "the stream of changes",
    "static": "files of the browser",
    **dict.fromkeys(("health.alive", "health.ready"), "for machines that watch the place"),
    **dict.fromkeys(
        ("board.consequence", "board.machine_cards", "board.queue", "filament.live_shelf", "notices.bell",
         "notices.listed", "orders.live", "orders.price", "pickups.listed", "place.now", "place.wall_now",
         "review.listed", "hand_prices.total", "tariffs.example", "threads.live", "threads.live_about", "threads.live_list"),
        "a part of a page that is walked, fetched again when something changes",
    ),
    **dict.fromkeys(("cameras.show", "jobs.picture", "labels.picture", "parts.picture"), "a picture"),
    **dict.fromkeys(("orders.model", "orders.sample", "parts.sent_file"), "a 3D file"),
    **dict.fromkeys(("invoices.pdf", "labels.sheet", "owed.statement_pdf", "pickups.label", "quotes.pdf", "quotes.pdf_by_link"), "a PDF"),
    **dict.fromkeys(("books.fec_of", "books.journal", "archives.download", "exchange.table", "reporting.sheet", "treasury.aid", "treasury.reporting", "treasury.vat"), "a table as a file"),
    "mails.as_sent": "what a mail program shows, without the frame of the place: with axe in test_pick_up",
    **dict.fromkeys(("payments.show", "payments.listed"), "with a provider of card payments: with axe in test_card_payments"),
    "deposits.ask": "of an order under way, which the demo has not: with axe in test_deposits",
    "joining.by_link": "where mail leaves, which it does not in the demo: in tests/web/test_joining",
    "quotes.by_link": "for somebody who got a link: with axe in test_billing",
    "books.closing": "of a month that is over, which the demo has not: with axe in test_books",
}  # fmt: skip

LINK = re.compile(r'<a\s[^>]*?href="([^"#]+)')
MOST_OF_ONE = 4


class Crawler:
    """Somebody who follows every link, as far as it leads to another kind of page, to learn where all of them are."""

    def __init__(self, url: str, routes: MapAdapter, who: str) -> None:
        self.url, self.routes, self.who = url, routes, who
        self.found: dict[str, list[str]] = {}

    def crawl(self) -> dict[str, list[str]]:
        """Return some addresses of each page that was found."""
        to_read = ["/place", "/wall", "/sign-in"]
        with requests.Session() as session:
            if self.who:
                form = {"email": f"{self.who}@demo.example", "password": PASSWORD}
                to_read += self._links(session.post(f"{self.url}/sign-in", data=form, timeout=30).text)
            while to_read:
                address = to_read.pop(0)
                if self._is_new(address):
                    to_read += self._links(session.get(self.url + address, timeout=30).text)
        return self.found

    def _is_new(self, address: str) -> bool:
        try:
            endpoint, _ = self.routes.match(urlsplit(address).path, method="GET")
        except HTTPException:
            return False
        known = self.found.setdefault(endpoint, [])
        if address in known or len(known) == MOST_OF_ONE:
            return False
        known.append(address)
        return endpoint not in NO_PAGE or endpoint == "mails.as_sent"  # mails have links of their own

    @staticmethod
    def _links(html: str) -> list[str]:
        parts = [urlsplit(unescape(found)) for found in LINK.findall(html)]
        return [each.path + (f"?{each.query}" if each.query else "") for each in parts]
