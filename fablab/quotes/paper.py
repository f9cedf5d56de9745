"""A quote on paper: the PDF a client keeps, signs, or shows to whoever decides."""

from __future__ import annotations

from fablab import press
from fablab.invoicing import paper
from fablab.invoicing.content import Content
from fablab.quotes.content import Offered, from_text
from fablab.quotes.models import Quote


def pdf_of(quote: Quote) -> bytes:
    """Return a quote as PDF. Raises `PressMissing`."""
    return press.printed(html_of(from_text(quote.payload)))


def html_of(offered: Offered) -> str:
    """Return the page a PDF is printed from."""
    content: Content = offered.content
    facts = {"offered": offered, "content": content, "has_vat": content.regime == "standard"}
    return paper.written("quote.html", content.language, facts)
