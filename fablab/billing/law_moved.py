"""The move of VAT from the CGI to the CIBS: since when invoices should name it, from when they must."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy.orm import Session

from fablab.billing import seller
from fablab.billing.mentions import MENTIONS
from fablab.billing.models import Regime
from fablab.words import Day, Sentence, say

ADMITTED_UNTIL = date(2027, 12, 31)
"""References to the CGI are admitted until this day (ordonnance n° 2025-1247 of 17 December 2025)."""
TOLD_BEFORE = timedelta(days=183)


def warning(session: Session, today: date) -> Sentence | None:
    """Say so when the mention that invoices carry still names the CGI and its last days have come."""
    regime = next((each for each in seller.regimes(session) if each.valid_from <= today), None)
    if regime is None or regime.regime == Regime.STANDARD or today < ADMITTED_UNTIL - TOLD_BEFORE:
        return None
    if "CGI" not in seller.mentions_on(session, today)[regime.regime]:
        return None
    name = Sentence(MENTIONS[regime.regime].label)
    if today > ADMITTED_UNTIL:
        return say(
            "“{mention}” names the CGI, which was admitted until {day}: change it now.",
            mention=name,
            day=Day(ADMITTED_UNTIL),
        )
    return say(
        "“{mention}” names the CGI, which is admitted until {day}: ask your accountant for the article of the CIBS.",
        mention=name,
        day=Day(ADMITTED_UNTIL),
    )
