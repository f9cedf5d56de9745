"""Keeping a lease while its work goes on: a worker that dies stops renewing, and soon another may take over."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from fablab import db
from fablab.db import utcnow

log = logging.getLogger(__name__)

RENEW_EVERY_S = 10.0  # a fraction of the shortest lease, so that one missed renewal loses nothing

Renew = Callable[[Session, datetime], bool]


@contextmanager
def kept(renew: Renew) -> Iterator[None]:
    """Call `renew` every few seconds until the block ends, or until it says that the lease is lost."""
    done = threading.Event()
    keeper = threading.Thread(target=_keep, args=(renew, done), name="keeper", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        done.set()
        keeper.join()


def _keep(renew: Renew, done: threading.Event) -> None:
    while not done.wait(RENEW_EVERY_S):
        try:
            with db.transaction() as session:
                held = renew(session, utcnow())
        except SQLAlchemyError:
            log.exception("a lease could not be renewed; tried again in %.0f s", RENEW_EVERY_S)
            continue
        if not held:
            log.warning("a lease was lost while its work went on")
            return
