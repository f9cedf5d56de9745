"""Talking to printers: one worker at a time per printer, no transaction open meanwhile, and what was seen recorded."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from fablab import db, files
from fablab.billing import services as billing
from fablab.db import utcnow
from fablab.errors import Conflict, Problem
from fablab.jobs import dispatch as dispatching
from fablab.jobs import handprints
from fablab.jobs import queries as job_queries
from fablab.jobs.dispatch import Then
from fablab.jobs.judging import Judgement, Seen, judge
from fablab.jobs.models import Attempt, Wish
from fablab.jobs.states import ON_THE_PRINTER, AttemptState, JobState
from fablab.machines import services as machines
from fablab.machines.models import Machine, Operation, Service
from fablab.machines.services import Lease, Report
from fablab.orders import services as orders
from fablab.orders.holding import hold
from fablab.orders.models import Order
from fablab.printers import BUSY, FileHistory, NobodyKnows, Printer, PrinterState, Reading, open_printer
from fablab.printers.contract import Failure
from fablab.settings import settings
from fablab.slicing import gcode
from fablab.slicing.gcode import BadGcode
from fablab.slicing.profiles import filament_profiles, machine_profiles
from fablab.words import Sentence, say
from workers.keeping import kept

log = logging.getLogger(__name__)

LAST_MOMENT = timedelta(seconds=20)  # a start takes at most this long; a lease that ends sooner is not enough
UPLOAD_TRIES_FOR = timedelta(minutes=5)

OPERATIONS = {
    PrinterState.OFFLINE: Operation.OFFLINE,
    PrinterState.ERROR: Operation.ERROR,
    PrinterState.READY: Operation.READY,
    PrinterState.PAUSED: Operation.PAUSED,
    PrinterState.PAUSING: Operation.PAUSED,
}


class Outcome(Enum):
    """How a visit went: the printer was seen, or not, or it was somebody else's turn and nothing was done."""

    SEEN = auto()
    NOT_SEEN = auto()
    NOT_OURS = auto()


@dataclass(frozen=True)
class Visit:
    """One worker's turn at one printer: its lease, the open driver, and the attempt that has the printer.

    `failure` is why a print failed, if that was heard.
    """

    lease: Lease
    printer: Printer
    attempt: Attempt | None
    idle_before: bool
    failure: Failure | None = None


@contextmanager
def leased(machine_id: int) -> Iterator[Lease | None]:
    """Hold a machine's lease for the block, or give None when another worker holds it."""
    with db.transaction() as session:
        lease = machines.lease(session, machine_id, utcnow())
    if lease is None:
        yield None
        return
    try:
        with kept(partial(machines.renew, held=lease)):
            yield lease
    finally:
        with db.transaction() as session:
            machines.release(session, lease)


def _visit(lease: Lease, failure: Failure | None = None) -> Visit | None:
    """Read what is needed to talk to a printer; None when it is retired."""
    with db.reading() as session:
        machine = session.get_one(Machine, lease.machine_id)
        if machine.service == Service.RETIRED:
            return None
        attempt = job_queries.live_attempt_on(session, machine.id)
        key, idle = machines.key_of(machine), machine.operation == Operation.READY
        driver, address = machine.driver, machine.address
    printer = open_printer(driver, address, key, allowed_networks=settings().networks())
    return Visit(lease, printer, attempt, idle, failure)


def watch(machine_id: int, failure: Failure | None = None) -> Outcome:
    """Look at a printer, pass on what people wish, and record what became of the attempt on it.

    `failure` is evidence that was heard elsewhere: why a print failed.
    """
    return _turn(machine_id, failure)


def connect(machine_id: int) -> Outcome:
    """Let a printer's server connect to its machine again, unless it prints, and record what is seen then."""
    return _turn(machine_id, first=_connect_if_away)


def _connect_if_away(printer: Printer) -> None:
    if printer.look().state in (PrinterState.OFFLINE, PrinterState.ERROR):
        printer.connect()


def _turn(machine_id: int, failure: Failure | None = None, first: Callable[[Printer], None] | None = None) -> Outcome:
    """Look at a printer under its lease, after what is to be done `first`."""
    with leased(machine_id) as lease:
        if lease is None:
            return Outcome.NOT_OURS
        try:
            visit = _visit(lease, failure)
            if visit is not None and first is not None:
                first(visit.printer)
        except Problem as problem:
            _record_absence(lease, problem.sentence)
            return Outcome.NOT_SEEN
        return _look_and_record(visit) if visit is not None else Outcome.NOT_SEEN


def _look_and_record(visit: Visit, *, start_refused: bool = False) -> Outcome:
    """Look at a printer and record what was seen, or that nothing could be seen."""
    try:
        _look(visit, start_refused=start_refused)
    except Problem as problem:
        _record_absence(visit.lease, problem.sentence)
        return Outcome.NOT_SEEN
    return Outcome.SEEN


def _look(visit: Visit, *, start_refused: bool = False) -> None:
    reading, attempt = visit.printer.look(), visit.attempt
    if attempt is not None and attempt.wish is not None and _pass_on(visit.printer, attempt, reading):
        reading = visit.printer.look()
    judgement, history, fenced = Judgement.WAIT, None, False
    if attempt is not None and attempt.state in ON_THE_PRINTER | {AttemptState.UNKNOWN}:
        history = visit.printer.history(attempt.file_name)
        seen = Seen(reading, history, visit.idle_before)
        judgement = judge(AttemptState(attempt.state), attempt.file_name, attempt.asked_at, seen, utcnow())
        if start_refused and judgement in (Judgement.WAIT, Judgement.UNKNOWN):
            judgement = Judgement.NEVER_STARTED
        if judgement == Judgement.NEVER_STARTED and not _fenced(visit.printer, attempt.file_name):
            judgement = Judgement.WAIT
        elif _nobody_will_know(attempt, judgement, reading):
            fenced = history is None or _fenced(visit.printer, attempt.file_name)
    if _record(visit, reading, history, judgement, fenced=fenced) and attempt is not None:
        _tidy(visit.printer, attempt.file_name, judgement)


def _pass_on(printer: Printer, attempt: Attempt, reading: Reading) -> bool:
    """Send what people wish to a printer that is printing our file; tell whether something was sent."""
    if reading.file_name != attempt.file_name or reading.state not in BUSY:
        return False
    try:
        if attempt.wish == Wish.PAUSE and reading.state == PrinterState.PRINTING:
            printer.pause()
        elif attempt.wish == Wish.RESUME and reading.state == PrinterState.PAUSED:
            printer.resume()
        elif attempt.wish == Wish.CANCEL and reading.state in (PrinterState.PRINTING, PrinterState.PAUSED):
            printer.cancel()
        else:
            return False
    except Problem as problem:
        log.warning("%s on %s was not taken: %s", attempt.wish, attempt.file_name, problem)
        return False
    return True


def _nobody_will_know(attempt: Attempt, judgement: Judgement, reading: Reading) -> bool:
    """Tell whether a person decides about an attempt whose start may still be on its way from a frozen worker.

    Its file has no history, so nothing is lost with it; left there, it could be started after the plate was checked.
    """
    waits = attempt.state == AttemptState.UNKNOWN and judgement == Judgement.WAIT
    return judgement == Judgement.UNKNOWN or (waits and reading.state == PrinterState.READY)


def _fenced(printer: Printer, file_name: str) -> bool:
    """Delete a file that was never printed, so that a late start finds nothing; tell whether that is proved."""
    try:
        printer.delete(file_name)
    except Problem as problem:
        log.info("%s could not be fenced: %s", file_name, problem)
        return False
    reading = printer.look()
    return printer.history(file_name) is None and not (reading.file_name == file_name and reading.state in BUSY)


def _record(visit: Visit, reading: Reading, history: FileHistory | None, judgement: Judgement, *, fenced: bool) -> bool:
    """Write down what a look showed; tell whether this worker was still the one to do so."""
    now = utcnow()
    with db.transaction() as session:
        if not machines.lease_holds(session, visit.lease, now):
            log.warning("a late look at machine %s was refused", visit.lease.machine_id)
            return False
        machine = session.get_one(Machine, visit.lease.machine_id)
        attempt = session.get(Attempt, visit.attempt.id) if visit.attempt is not None else None
        report = _report(reading, attempt)
        machines.record_report(session, machine, report, now)
        if reading.state != PrinterState.OFFLINE:
            handprints.follow(session, machine.id, report.foreign_file, reading.user, reading.progress, now)
        if attempt is None or visit.attempt is None or attempt.state != visit.attempt.state:
            return False
        if judgement == Judgement.NEVER_STARTED:
            _put_back(session, attempt, say("The printer did not start it."), now)
            return True
        dispatching.count_from_now(session, attempt, now)
        dispatching.follow_progress(session, attempt, reading.progress, reading.time_left_s)
        dispatching.record(session, attempt, judgement, _evidence(visit, reading, history), now)
        if fenced and attempt.fenced_at is None:
            attempt.fenced_at = now
        _order_follows(session, attempt)
    return True


def _order_follows(session: Session, attempt: Attempt) -> None:
    if attempt.state not in (AttemptState.CLAIMED, AttemptState.UPLOADING, AttemptState.STARTING):
        orders.in_production(session, session.get_one(Order, attempt.job.order_id))


def _report(reading: Reading, attempt: Attempt | None) -> Report:
    busy = reading.state in BUSY
    ours = attempt is not None and reading.file_name == attempt.file_name
    return Report(
        operation=OPERATIONS.get(reading.state, Operation.BUSY),
        note=say("{words}", words=reading.error) if reading.error else None,
        progress=reading.progress if busy else None,
        time_left_s=reading.time_left_s if busy else None,
        foreign_file=(reading.file_name or "?") if busy and not ours else None,
    )


def _evidence(visit: Visit, reading: Reading, history: FileHistory | None) -> dict[str, Any]:
    """Return what speaks for a judgement. What was heard about another file says nothing about this one."""
    heard, attempt = visit.failure, visit.attempt
    ours = heard is not None and attempt is not None and heard.file_name == attempt.file_name
    return {
        "reading": asdict(reading),
        "history": asdict(history) if history is not None else None,
        "error": reading.error or (heard.words if heard is not None and ours else None),
    }


def _tidy(printer: Printer, file_name: str, judgement: Judgement) -> None:
    """Delete an ended attempt's file, only now that its outcome is committed: the file was the evidence."""
    if judgement not in (Judgement.FINISHED, Judgement.STOPPED, Judgement.LOST):
        return
    try:
        printer.delete(file_name)
    except Problem as problem:
        log.info("%s stays on the printer for now: %s", file_name, problem)


def _record_absence(lease: Lease, sentence: Sentence) -> None:
    """Note that a printer cannot be reached, and why; what is printing on it goes on without us."""
    now = utcnow()
    with db.transaction() as session:
        if machines.lease_holds(session, lease, now):
            machine = session.get_one(Machine, lease.machine_id)
            report = Report(Operation.OFFLINE, sentence, machine.progress, machine.time_left_s, machine.foreign_file)
            machines.record_report(session, machine, report, now)


def dispatch(attempt_id: int) -> None:
    """Send a claimed attempt to its printer and start it: at most one start is ever sent for an attempt."""
    with db.reading() as session:
        attempt = session.get(Attempt, attempt_id)
    if attempt is None or attempt.state not in (AttemptState.CLAIMED, AttemptState.UPLOADING):
        return
    with leased(attempt.machine_id) as lease:
        if lease is not None:
            _dispatch(lease, attempt_id)


def _dispatch(lease: Lease, attempt_id: int) -> None:
    visit = None
    try:
        visit = _visit(lease)
        if visit is None or visit.attempt is None or visit.attempt.id != attempt_id:
            return
        started = _send(visit, visit.attempt)
    except NobodyKnows as problem:
        log.warning("attempt %s: %s; the upload will be looked at again", attempt_id, problem)
        _give_up_after_a_while(lease, attempt_id, problem.sentence)
    except Conflict as conflict:
        log.info("attempt %s: %s", attempt_id, conflict)
    except Damaged as damaged:
        _never_started(lease, attempt_id, damaged.sentence, Then.SLICE_AGAIN)
    except BadGcode as bad:
        _never_started(lease, attempt_id, bad.sentence, Then.ASK_A_PERSON)
    except Problem as problem:
        _never_started(lease, attempt_id, problem.sentence)
    else:
        if started is not None:
            seen_next = Visit(lease, visit.printer, started.attempt, idle_before=False)
            _look_and_record(seen_next, start_refused=started.refused)


@dataclass(frozen=True)
class Started:
    """A start that was sent, and whether the printer answered no."""

    attempt: Attempt
    refused: bool


def _send(visit: Visit, attempt: Attempt) -> Started | None:
    """Upload, select, write down that the start follows, start. A problem before the start proves nothing happened."""
    if attempt.state not in (AttemptState.CLAIMED, AttemptState.UPLOADING):
        return None
    if attempt.wish == Wish.CANCEL:
        raise Problem(say("It was cancelled before it started."))
    reading = visit.printer.look()
    if reading.state != PrinterState.READY:
        raise Problem(say("{machine} was not ready any more.", machine=attempt.machine.name))
    with db.transaction() as session:
        dispatching.sending(session, session.get_one(Attempt, attempt.id))
        before = job_queries.file_asked_before(session, attempt)
    if before is not None:
        visit.printer.delete(before)  # a start of it that is still on its way must find nothing
    visit.printer.upload(attempt.file_name, _checked_gcode(attempt))
    visit.printer.select(attempt.file_name)
    now = utcnow()
    with db.transaction() as session:
        current = session.get_one(Attempt, attempt.id)
        if not machines.lease_holds(session, visit.lease, now + LAST_MOMENT):
            log.warning("attempt %s: the lease is (nearly) over, nothing is started", attempt.id)
            return None
        if current.wish == Wish.CANCEL:
            raise Problem(say("It was cancelled before it started."))
        dispatching.about_to_start(session, current, now)
    return Started(current, refused=_start(visit.printer, attempt.file_name))


def _start(printer: Printer, file_name: str) -> bool:
    """Send the start, once. Whatever is answered is a hint: the printer is looked at afterwards."""
    try:
        printer.start(file_name)
    except NobodyKnows as problem:
        log.warning("the start of %s was not answered: %s", file_name, problem)
        return False
    except Problem as problem:
        log.warning("the start of %s was refused: %s", file_name, problem)
        return True
    return False


class Damaged(Problem):
    """The file that was sliced is not what it was, or gone."""


def _checked_gcode(attempt: Attempt) -> Path:
    """Return the file to send: what was sliced, for this kind of printer, and within what it and the material bear."""
    path = files.path_of(attempt.slice.gcode_sha256)
    if not path.exists() or files.sha1_of(path) != attempt.slice.gcode_sha1:
        path.unlink(missing_ok=True)  # so that nobody takes it for the slice any more
        raise Damaged(say("The prepared file was damaged or gone: it is being prepared again."))
    machine = machine_profiles().get(attempt.machine.profile)
    if machine is None or attempt.machine.profile != attempt.job.machine_profile:
        raise BadGcode(say("It was prepared for another kind of printer than {machine}.", machine=attempt.machine.name))
    gcode.check_printable(path, machine, filament_profiles().get(attempt.job.material_code))
    return path


def _never_started(lease: Lease, attempt_id: int, sentence: Sentence, then: Then = Then.TRY_AGAIN) -> None:
    now = utcnow()
    with db.transaction() as session:
        attempt = session.get_one(Attempt, attempt_id)
        before_start = attempt.state in (AttemptState.CLAIMED, AttemptState.UPLOADING)
        if machines.lease_holds(session, lease, now) and before_start:
            _put_back(session, attempt, sentence, now, then)


def _put_back(
    session: Session, attempt: Attempt, sentence: Sentence, now: datetime, then: Then = Then.TRY_AGAIN
) -> None:
    """Record that an attempt was never started; one that was to be stopped ends its job instead."""
    hold(session, session.get_one(Order, attempt.job.order_id))
    dispatching.never_started(session, attempt, sentence, now, then)
    if attempt.job.state == JobState.CANCELLED:
        billing.plate_ended(session, attempt.job, attempt.wish_by_id)


def _give_up_after_a_while(lease: Lease, attempt_id: int, sentence: Sentence) -> None:
    with db.reading() as session:
        claimed_at = session.get_one(Attempt, attempt_id).claimed_at
    if utcnow() - claimed_at > UPLOAD_TRIES_FOR:
        _never_started(lease, attempt_id, sentence)
