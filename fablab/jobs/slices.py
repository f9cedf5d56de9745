"""Slices and who wants them: a draft that shows its price, or a job. The same plate is sliced once, whoever asks.

A request is a row with the plate's key. A draft that wants a plate has a row beside it, and only wanted plates are
sliced; a job that is to be sliced takes the request itself, before all drafts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from fablab import bus, files, leases
from fablab.db import after_commit, utcnow
from fablab.jobs.models import Attempt, Job, Slice, SliceRequest, SliceWanted
from fablab.jobs.moves import move_request
from fablab.jobs.states import JobState, SliceState
from fablab.slicing.choices import Choices, Quality
from fablab.slicing.dialect import Fault
from fablab.slicing.profiles import Settings
from fablab.slicing.profiles import settings as profile_settings
from fablab.slicing.slicer import Slicer
from fablab.words import Sentence, say

MOST_WAITING_PER_PERSON = 6
MOST_TRIES = 3
TRY_AGAIN_AFTER = timedelta(minutes=10)


@dataclass(frozen=True)
class PlateToSlice:
    """What is on one plate and how it is printed."""

    model_sha256: str
    machine_profile: str
    choices: Choices
    copies: int

    def settings(self) -> Settings:
        """Return the settings; raises `Invalid` when one of the profiles is gone."""
        return profile_settings(self.machine_profile, self.choices)

    def key(self, slicer: Slicer) -> str:
        """Return what the slice is kept under; another slicer, or another version of it, slices again.

        Raises a `Problem` when the slicer lacks settings for this plate.
        """
        text = f"{self.model_sha256} {self.copies} {slicer.identity(self.settings())}"
        return hashlib.sha256(text.encode()).hexdigest()


def plate_of(wanted: Job | SliceRequest) -> PlateToSlice:
    """Return what is on the plate of a job (the copies that are missing) or of a request."""
    copies = wanted.missing_copies if isinstance(wanted, Job) else wanted.copies
    choices = Choices(wanted.material_code, Quality(wanted.quality), wanted.infill_percent, wanted.supports)
    return PlateToSlice(wanted.model_sha256, wanted.machine_profile, choices, copies)


def find(session: Session, key: str) -> Slice | None:
    """Return the slice of a plate if it was made and its file is there: by this slicer, or by a worker's newer one."""
    made = session.scalar(select(Slice).where(Slice.key == key))
    if made is None:
        asked = request_of(session, key)
        made = asked.slice if asked is not None else None
    return made if made is not None and files.path_of(made.gcode_sha256).exists() else None


def request_of(session: Session, key: str) -> SliceRequest | None:
    """Return the request for a plate, if anybody has asked."""
    return session.scalar(select(SliceRequest).where(SliceRequest.key == key))


def wanted_by(session: Session, order_id: int) -> frozenset[int]:
    """Return the ids of the requests a draft wants now."""
    return frozenset(session.scalars(select(SliceWanted.request_id).where(SliceWanted.order_id == order_id)))


def keep(session: Session, made: Slice) -> Slice:
    """Keep a new slice. A row that is there already stays; when its file is lost it takes the new one."""
    found = session.scalar(select(Slice).where(Slice.key == made.key))
    if found is None:
        try:
            with session.begin_nested():
                session.add(made)
        except IntegrityError:  # a worker whose lease was over was faster
            return session.scalars(select(Slice).where(Slice.key == made.key)).one()
        return made
    if not files.path_of(found.gcode_sha256).exists():
        for name in ("gcode_sha256", "gcode_sha1", "time_s", "mass_g", "filament_mm", "layers", "curve"):
            setattr(found, name, getattr(made, name))
        session.flush()
    return found


def want(
    session: Session, order_id: int, person_id: int, plates: Sequence[PlateToSlice], slicer: Slicer, now: datetime
) -> bool:
    """Let a draft want these plates, and no others any more; tell whether all of them are (being) sliced.

    False when its person has enough plates waiting: the rest is not asked for then, and later may be better.
    """
    by_key = {plate.key(slicer): plate for plate in plates if find(session, plate.key(slicer)) is None}
    _want_only(session, order_id, by_key)
    room = MOST_WAITING_PER_PERSON - _waiting_of(session, person_id, order_id)
    asked = sorted(by_key)[: max(room, 0)]  # in one order, so that two drafts never wait for each other
    for key in asked:
        request = _request_for(session, by_key[key], key, now)
        _revive(session, request, now)
        if session.get(SliceWanted, (order_id, request.id)) is None:
            session.add(SliceWanted(order_id=order_id, request_id=request.id, person_id=person_id))
    session.flush()
    if asked:
        bus.ask(session, "preview")
    return len(asked) == len(by_key)


def no_longer_wanted(session: Session, order_id: int) -> None:
    """Forget what a draft wanted, because it is one no longer."""
    _want_only(session, order_id, ())


def _want_only(session: Session, order_id: int, keys: Iterable[str]) -> None:
    """Give up what a draft wanted with the choices it showed before."""
    kept = select(SliceRequest.id).where(SliceRequest.key.in_(list(keys)))
    session.execute(delete(SliceWanted).where(SliceWanted.order_id == order_id, SliceWanted.request_id.not_in(kept)))


def _waiting_of(session: Session, person_id: int, but_for_order_id: int) -> int:
    waiting = (
        select(func.count())
        .select_from(SliceWanted)
        .join(SliceRequest, SliceWanted.request_id == SliceRequest.id)
        .where(
            SliceWanted.person_id == person_id,
            SliceWanted.order_id != but_for_order_id,
            SliceRequest.state == SliceState.WAITING,
        )
    )
    return session.scalar(waiting) or 0


def _request_for(session: Session, plate: PlateToSlice, key: str, now: datetime) -> SliceRequest:
    """Return the request for a plate, new or old; two that ask at once get the same one."""
    found = request_of(session, key)
    if found is None:
        choices = plate.choices
        made = SliceRequest(
            key=key,
            model_sha256=plate.model_sha256,
            machine_profile=plate.machine_profile,
            material_code=choices.material,
            quality=choices.quality,
            infill_percent=choices.infill_percent,
            supports=choices.supports,
            copies=plate.copies,
        )
        try:
            with session.begin_nested():
                session.add(made)
        except IntegrityError:
            found = request_of(session, key)
        else:
            found = made
    assert found is not None
    found.wanted_at = now
    return found


def _revive(session: Session, request: SliceRequest, now: datetime) -> None:
    """Let a plate wait again whose slice is lost, or which failed by our fault a while ago."""
    lost = request.state == SliceState.MADE and find(session, request.key) is None
    ours = request.state == SliceState.FAILED and request.fault == Fault.PLACE
    if lost or (ours and request.ended_at is not None and request.ended_at < now - TRY_AGAIN_AFTER):
        move_request(session, request, SliceState.WAITING, tries=0, slice_id=None, **_NOT_ENDED)


_NOT_ENDED: dict[str, None] = {"problem": None, "fault": None, "ended_at": None}
_WAITING_FOR_A_DRAFT = (
    SliceRequest.state == SliceState.WAITING,
    exists().where(SliceWanted.request_id == SliceRequest.id),
)


def take_next(session: Session, now: datetime) -> SliceRequest | None:
    """Take the plate a draft has waited for longest, unless a job waits: what is to be printed goes first."""
    if session.scalar(select(Job.id).where(Job.state == JobState.TO_SLICE).limit(1)) is not None:
        return None
    waiting = select(SliceRequest).where(*_WAITING_FOR_A_DRAFT).order_by(SliceRequest.id).limit(1)
    request = session.scalars(waiting).first()
    return request if request is not None and _take(session, request, now) else None


def take_for_job(session: Session, plate: PlateToSlice, key: str, now: datetime) -> SliceRequest | None:
    """Take a plate that is to be printed; None while another worker slices the same one."""
    request = _request_for(session, plate, key, now)
    if request.state == SliceState.SLICING and not leases.is_over(request.lease_until, now):
        return None
    return request if _take(session, request, now) else None


def _take(session: Session, request: SliceRequest, now: datetime) -> bool:
    return move_request(
        session,
        request,
        SliceState.SLICING,
        token=SliceRequest.token + 1,
        tries=SliceRequest.tries + 1,
        lease_until=now + leases.LEASE,
        **_NOT_ENDED,
    )


def renew(session: Session, now: datetime, request_id: int, token: int) -> bool:
    """Lengthen the lease of a worker that still slices a plate; tell whether it was still its own."""
    mine = (SliceRequest.id == request_id, SliceRequest.token == token, SliceRequest.state == SliceState.SLICING)
    held = ~leases.over(SliceRequest.lease_until, now)
    changed = session.execute(update(SliceRequest).where(*mine, held).values(lease_until=now + leases.LEASE))
    return bool(changed.rowcount)  # type: ignore[attr-defined]


def _still_mine(session: Session, request_id: int, token: int) -> SliceRequest | None:
    request = session.get(SliceRequest, request_id)
    mine = request is not None and request.state == SliceState.SLICING and request.token == token
    return request if mine else None


def made(session: Session, request_id: int, token: int, result: Slice) -> None:
    """Note that a plate was sliced, and let everybody know who waited for it."""
    _end(session, request_id, token, SliceState.MADE, slice_id=result.id, tries=0)


def failed(session: Session, request_id: int, token: int, problem: Sentence, fault: Fault) -> None:
    """Note why a plate cannot be sliced, and whose matter that is."""
    _end(session, request_id, token, SliceState.FAILED, problem=problem, fault=fault)


def _end(session: Session, request_id: int, token: int, to: SliceState, **values: Any) -> None:
    request = _still_mine(session, request_id, token)
    if request is not None and move_request(session, request, to, ended_at=utcnow(), lease_until=None, **values):
        _spread(session, request)


def give_back(session: Session, request_id: int, token: int) -> None:
    """Let another worker slice this plate, because this one has to stop; after a few tries nobody does."""
    request = _still_mine(session, request_id, token)
    if request is not None:
        _put_back(session, request)


def give_up_stale(session: Session, now: datetime) -> None:
    """Put plates back whose worker has not been heard of within its lease."""
    over = leases.over(SliceRequest.lease_until, now)
    stale = select(SliceRequest).where(SliceRequest.state == SliceState.SLICING, over)
    for request in session.scalars(stale).all():
        _put_back(session, request)


def _put_back(session: Session, request: SliceRequest) -> None:
    if request.tries >= MOST_TRIES:
        problem = say("Checking this print was interrupted several times.")
        _end(session, request.id, request.token, SliceState.FAILED, problem=problem, fault=Fault.PLACE)
    elif move_request(session, request, SliceState.WAITING, lease_until=None):
        _spread(session, request)


def _spread(session: Session, request: SliceRequest) -> None:
    """Tell the drafts that show this plate, and ask for the jobs and drafts that waited meanwhile."""
    drafts = session.scalars(select(SliceWanted.order_id).where(SliceWanted.request_id == request.id))
    bus.tell(session, *(f"order-{order_id}" for order_id in drafts))
    same = select(Job.id).where(Job.state == JobState.TO_SLICE, Job.model_sha256 == request.model_sha256)
    for job_id in session.scalars(same):
        bus.ask(session, "slice", job_id)
    ask_for_waiting(session)


def ask_for_waiting(session: Session) -> None:
    """Ask a worker to go on with what drafts wait for, if anything."""
    if session.scalar(select(SliceRequest.id).where(*_WAITING_FOR_A_DRAFT).limit(1)) is not None:
        bus.ask(session, "preview")


def tidy(session: Session, before: datetime) -> int:
    """Clear away the requests nobody has made since `before`, and the slices that nothing uses; return how many.

    A slice is in use while a job, an attempt or a request has it. Its file goes after the commit, unless another
    slice has the same bytes.
    """
    old = (SliceRequest.wanted_at < before, SliceRequest.state != SliceState.SLICING)
    session.execute(delete(SliceWanted).where(SliceWanted.request_id.in_(select(SliceRequest.id).where(*old))))
    session.execute(delete(SliceRequest).where(*old))
    used = [exists().where(user.slice_id == Slice.id) for user in (Job, Attempt, SliceRequest)]
    unused = session.scalars(select(Slice).where(Slice.created_at < before, *(~each for each in used))).all()
    for each in unused:
        session.delete(each)
    session.flush()
    _remove_files(session, {each.gcode_sha256 for each in unused})
    return len(unused)


def _remove_files(session: Session, hashes: Iterable[str]) -> None:
    for gcode_sha256 in hashes:
        if session.scalar(select(Slice.id).where(Slice.gcode_sha256 == gcode_sha256).limit(1)) is None:
            after_commit(session, partial(files.path_of(gcode_sha256).unlink, missing_ok=True))
