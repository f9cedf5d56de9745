"""HTML into PDF, for every paper there is: documents, quotes, statements, labels. Pages load nothing from anywhere."""

from __future__ import annotations

from typing import Any

from fablab.errors import Problem
from fablab.words import say

PACKAGES = "libpango-1.0-0, libpangoft2-1.0-0, libharfbuzz-subset0"


class PressMissing(Problem):
    """The libraries PDFs are made with are not on this computer; everything else can be done all the same."""

    status = 503


def check() -> None:
    """Raise `PressMissing` in words where the libraries are not there."""
    _weasyprint()


def printed(html: str, **options: Any) -> bytes:
    """Return HTML as a PDF; `options` are WeasyPrint's, such as the variant. Raises `PressMissing`."""
    weasyprint = _weasyprint()
    only_data = weasyprint.urls.URLFetcher(allowed_protocols=["data"])  # pictures are in the page itself
    made: bytes = weasyprint.HTML(string=html, base_url=None, url_fetcher=only_data).write_pdf(**options)
    return made


def _weasyprint() -> Any:
    try:
        import weasyprint  # takes a third of a second, and most processes never print
    except (ImportError, OSError) as error:  # the Python package is there, a library of the system is not
        sentence = say(
            "PDFs cannot be made on this computer: install the packages {packages}, then start again ({error}).",
            packages=PACKAGES,
            error=str(error).splitlines()[0],
        )
        raise PressMissing(sentence) from error
    return weasyprint
