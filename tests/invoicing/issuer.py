"""Issues invoices one after the other until it is killed: `python -m tests.invoicing.issuer NAME [--notes]`."""

from __future__ import annotations

import itertools
import sys

from sqlalchemy.exc import OperationalError

from fablab import bus, db
from fablab.invoicing import crediting, issuing
from fablab.invoicing.crediting import Credit
from tests.books import command, draft_of


def main(name: str, *, notes: bool) -> None:
    """Issue invoices, and with `notes` a credit note for every tenth."""
    with bus.using(bus.SilentTransport()):
        for number in itertools.count():
            try:
                with db.transaction() as session:
                    made = issuing.issue(session, draft_of(1000 + number, 250), command(f"{name}-{number}"))
                    if notes and number % 10 == 9:
                        crediting.issue(session, made, Credit(100, "Rayure"), command(f"{name}-{number}-note"))
            except OperationalError:
                continue  # the database was busy for too long; nothing was issued


if __name__ == "__main__":
    main(sys.argv[1], notes="--notes" in sys.argv)
