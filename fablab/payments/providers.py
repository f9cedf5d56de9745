"""Who takes card payments online, by the settings: nobody, until both keys are there."""

from __future__ import annotations

from fablab.payments.port import CardPayments
from fablab.payments.stripe import Stripe
from fablab.settings import settings

KEYS = ("stripe_key", "stripe_webhook_secret")


def provider() -> CardPayments | None:
    """Return who takes card payments online, or None: then nothing of it is shown anywhere."""
    if len(missing_keys()) > 0:
        return None
    chosen = settings()
    return Stripe(chosen.stripe_key, chosen.stripe_webhook_secret, chosen.stripe_url.rstrip("/"))


def missing_keys() -> list[str]:
    """Return the environment variables of the keys that are not set."""
    return [f"FABLAB_{name.upper()}" for name in KEYS if not getattr(settings(), name)]


def is_half_set() -> bool:
    """Tell whether somebody has begun to set the keys and not ended."""
    return 0 < len(missing_keys()) < len(KEYS)
