"""Who sells is told in time that the articles of the CGI are not admitted any more."""

from datetime import date

import pytest

from fablab.billing import law_moved, seller
from fablab.billing.models import Regime
from fablab.billing.seller import RegimeData
from tests.books import LONG_AGO

NEW = "TVA non applicable, art. L. 223-3 du CIBS"


@pytest.mark.parametrize(
    ("day", "said"),
    [(date(2027, 6, 30), None), (date(2027, 7, 1), "admitted until"), (date(2028, 1, 1), "change it now")],
)
@pytest.mark.parametrize("regime", [Regime.FRANCHISE, Regime.EXEMPT_261_7])
def test_the_old_article_is_warned_of_half_a_year_before_and_after(session, regime, day, said):
    seller.set_regime(session, RegimeData(LONG_AGO, regime), None)
    found = law_moved.warning(session, day)
    assert (found is None) if said is None else (said in str(found))


def test_the_new_article_a_regime_with_vat_and_no_regime_are_in_order(session):
    after = date(2028, 1, 1)
    assert law_moved.warning(session, after) is None
    seller.set_regime(session, RegimeData(LONG_AGO, Regime.FRANCHISE), None)
    seller.set_mention(session, "franchise", date(2027, 12, 1), NEW, None)
    assert law_moved.warning(session, after) is None
    assert law_moved.warning(session, date(2027, 11, 30)) is not None
    seller.set_regime(session, RegimeData(date(2027, 1, 1), Regime.STANDARD, 2000), None)
    assert law_moved.warning(session, date(2027, 11, 30)) is None
