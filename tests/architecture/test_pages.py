"""No page is forgotten: axe looks at each of them, or it is said why an address is no page."""

from fablab.web import create_app
from tests.browser.pages import NO_PAGE, SEEN_BY


def test_every_address_that_can_be_read_is_walked_or_said_to_be_no_page(place):
    readable = {rule.endpoint for rule in create_app().url_map.iter_rules() if "GET" in rule.methods}
    walked = {endpoint for seen in SEEN_BY.values() for endpoint in seen.split()}
    assert readable - walked - set(NO_PAGE) == set(), "add it to tests/browser/pages.py"
    assert (walked | set(NO_PAGE)) - readable == set(), "there is no such address"
    assert walked & set(NO_PAGE) == set()
