"""Asking a printer's server where its camera is. It is asked again whenever the printer is back."""

from __future__ import annotations

import logging

from fablab import db
from fablab.errors import Problem
from fablab.machines import services as machines
from fablab.machines.models import Machine
from fablab.printers import open_printer
from fablab.settings import settings

log = logging.getLogger(__name__)


def find(machine_id: int) -> None:
    """Keep what a printer's server says of its camera; of one that does not answer, keep what is known."""
    with db.reading() as session:
        machine = session.get_one(Machine, machine_id)
        driver, address, key = machine.driver, machine.address, machines.key_of(machine)
    try:
        found = open_printer(driver, address, key, allowed_networks=settings().networks()).camera()
    except Problem as problem:
        log.info("The camera of printer %s is not known: %s", machine_id, problem)
        return
    with db.transaction() as session:
        machines.camera_found(session, machine_id, found)
