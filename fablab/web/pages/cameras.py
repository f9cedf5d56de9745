"""The picture of a printer's camera for the volunteers; fetched once for all who look, every few seconds at most."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from flask import Blueprint, Response

from fablab import db
from fablab.accounts.permissions import Permission
from fablab.errors import NotFound, Problem
from fablab.jobs import queries as jobs
from fablab.machines import queries as machines
from fablab.machines.models import Machine
from fablab.printers import cameras
from fablab.printers.cameras import Picture
from fablab.settings import settings
from fablab.web.auth import needs

blueprint = Blueprint("cameras", __name__, url_prefix="/board")

KEPT_S = 4.0


@dataclass
class _Kept:
    """The last picture of one address, or None when there was none, and until when it is good."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    picture: Picture | None = None
    until: float = 0.0


_kept: dict[str, _Kept] = {}


@blueprint.get("/printers/<public_id>/camera")
@needs(Permission.RUN_BOARD)
def show(public_id: str) -> Response:
    """Send what the camera shows, or nothing."""
    with db.reading() as session:
        machine = machines.by_public_id(session, public_id)
        ours = [each.progress for each in jobs.live_attempts(session) if each.machine_id == machine.id]
    drawn = machine.draws_itself and not machine.picture_address
    picture = cameras.drawn(ours[0] if ours else machine.progress) if drawn else _picture(machine)
    if picture is None:
        raise NotFound
    answer = Response(picture.content, mimetype=picture.mime_type)
    answer.cache_control.private = True
    answer.cache_control.max_age = int(KEPT_S)
    return answer


def _picture(machine: Machine) -> Picture | None:
    """Return a picture that is a few seconds old at most; who comes while it is fetched gets the one before."""
    address = machine.picture_address
    if not address:
        return None
    kept = _kept.setdefault(address, _Kept())
    if time.monotonic() < kept.until or not kept.lock.acquire(blocking=False):
        return kept.picture
    try:
        kept.picture = cameras.fetch(address, settings().networks())
    except Problem:
        kept.picture = None
    finally:
        kept.until = time.monotonic() + KEPT_S
        kept.lock.release()
    return kept.picture
