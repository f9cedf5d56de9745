"""What the watcher is compared with: a loop that asks each printer in turn, with OctoRest, once a second if it can.

It records in a database of its own (FABLAB_DATA_DIR), only what changed and with one statement: no lease, no attempt,
no evidence. So the watcher does everything that is asked of it, and more.
"""

from __future__ import annotations

import time

import requests
from octorest import OctoRest
from sqlalchemy import select, update

from fablab import db
from fablab.machines.models import Machine, Operation
from tests.watching.lookalike import KEY

ROUND_S = 1.0


def main() -> None:
    """Ask until killed; a printer that does not answer keeps all of it waiting, as OctoRest has no time-outs."""
    with db.reading() as session:
        machines = session.execute(select(Machine.id, Machine.address).where(Machine.driver == "octoprint")).all()
    clients = [(machine.id, OctoRest(url=machine.address, apikey=KEY)) for machine in machines]
    known: dict[int, tuple[str, int]] = {}
    while True:
        began = time.monotonic()
        for machine_id, client in clients:
            try:
                job = client.job_info()
                client.printer()
            except requests.ConnectionError:
                continue
            progress = (job["progress"]["completion"] or 0.0) / 100
            seen = (job["state"], int(progress * 100))
            if known.get(machine_id) != seen:
                known[machine_id] = seen
                _record(machine_id, job["state"], progress)
        time.sleep(max(0.0, ROUND_S - (time.monotonic() - began)))


def _record(machine_id: int, state: str, progress: float) -> None:
    operation = Operation.BUSY if state == "Printing" else Operation.READY
    with db.transaction() as session:
        session.execute(update(Machine).where(Machine.id == machine_id).values(operation=operation, progress=progress))


if __name__ == "__main__":
    main()
