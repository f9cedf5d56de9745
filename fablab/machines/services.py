"""What can be done with machines: add and change them, lease them, note what they report, clear their plate."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from fablab import bus, leases, vault
from fablab.errors import Invalid, Problem
from fablab.machines.hours import parse_hours, parse_quiet
from fablab.machines.models import HouseRules, Machine, MachineEvent, Operation, Plate, Service
from fablab.printers import DRIVERS
from fablab.printers.cameras import check_camera
from fablab.settings import settings
from fablab.words import Sentence, say

ABSENCE = timedelta(minutes=3)
"""Nothing worth the name is printed in less, so that a short gap in a weak connection holds no plate."""
WAS_AWAY = "was_away"
"""The kind of event that is written when a machine is back after such an absence."""


@dataclass(frozen=True)
class MachineData:
    """What an administrator enters for a machine; an empty key keeps the one that is stored."""

    name: str
    driver: str
    address: str
    profile: str
    key: str = ""
    circuit: str = ""
    attended: bool = False
    snapshot: str = ""


def add(session: Session, data: MachineData, by_id: int | None) -> Machine:
    """Add a machine. Its plate is held until a person has looked at it."""
    _check(session, data)
    machine = Machine(
        name=data.name.strip(),
        driver=data.driver,
        address=data.address.strip(),
        profile=data.profile,
        circuit=data.circuit.strip(),
        attended=data.attended,
        snapshot=data.snapshot.strip(),
    )
    session.add(machine)
    session.flush()
    if data.key:
        machine.key_sealed = vault.seal(data.key, f"printer:{machine.id}")
    note(session, machine.id, "added", by_id)
    bus.ask(session, "watch", machine.id)
    bus.tell(session, "board")
    return machine


def change(session: Session, machine: Machine, data: MachineData, by_id: int) -> None:
    """Change how a machine is reached. Its plate is held again: it may be another machine now."""
    _check(session, data, machine)
    moved = (machine.driver, machine.address) != (data.driver, data.address.strip())
    machine.name, machine.driver = data.name.strip(), data.driver
    machine.address, machine.profile = data.address.strip(), data.profile
    machine.circuit, machine.attended = data.circuit.strip(), data.attended
    machine.snapshot = data.snapshot.strip()
    if data.key:
        machine.key_sealed = vault.seal(data.key, f"printer:{machine.id}")
    if moved:
        machine.plate, machine.operation = Plate.HELD, Operation.UNSEEN
        machine.found_snapshot = ""
    note(session, machine.id, "changed", by_id)
    bus.ask(session, "watch", machine.id)
    _ask_for_camera(session, machine)
    bus.tell(session, "board")


def _ask_for_camera(session: Session, machine: Machine) -> None:
    if not machine.draws_itself:
        bus.ask(session, "find_camera", machine.id)


def camera_found(session: Session, machine_id: int, address: str) -> None:
    """Keep where the picture of a machine's camera is, as its server says; empty for none."""
    machine = session.get_one(Machine, machine_id)
    if machine.found_snapshot != address:
        machine.found_snapshot = address
        bus.tell(session, "board")


def _check(session: Session, data: MachineData, machine: Machine | None = None) -> None:
    name = data.name.strip()
    if not 1 <= len(name) <= 60:
        raise Invalid(say("Please give the printer a name of at most 60 letters."), field="name")
    if data.driver not in DRIVERS:
        raise Invalid(say("There is no driver called “{driver}”.", driver=data.driver), field="driver")
    other = session.scalar(select(Machine.id).where(Machine.name == name))
    if other is not None and (machine is None or other != machine.id):
        raise Invalid(say("Another printer is already called “{name}”.", name=name), field="name")
    if data.snapshot.strip():
        try:
            check_camera(data.snapshot, settings().networks())
        except Problem as problem:
            raise Invalid(problem.sentence, field="snapshot") from problem


def set_rules(session: Session, rules: HouseRules, by_id: int | None) -> None:
    """Let new rules hold for all machines from now on. Raises `Invalid` for hours that cannot be read."""
    parse_hours(rules.opening_hours)
    parse_quiet(rules.quiet_hours)
    rules.set_by_id = by_id
    session.add(rules)
    bus.ask(session, "schedule")
    bus.tell(session, "board")


def ask_to_connect(session: Session, machine: Machine, by_id: int) -> None:
    """Let the printer's server connect to its machine again, after an error or when it was switched off."""
    note(session, machine.id, "connect_asked", by_id)
    bus.ask(session, "connect", machine.id)


def set_service(session: Session, machine: Machine, service: Service, reason: str, by_id: int) -> None:
    """Take a machine into or out of service, or retire it. Back in service its plate is held."""
    if service == Service.OUT_OF_SERVICE and not reason.strip():
        raise Invalid(say("Please say why the printer is out of service."), field="reason")
    machine.service, machine.service_reason = service, reason.strip()[:300] or None
    machine.plate = Plate.HELD
    note(session, machine.id, f"service_{service}", by_id, {"reason": reason.strip()[:300]})
    bus.tell(session, "board")


def lock(session: Session, machine_id: int) -> None:
    """Keep everybody else from changing a machine until this transaction ends."""
    session.execute(select(Machine.id).where(Machine.id == machine_id).with_for_update()).one()


def clear_plate(session: Session, machine_id: int, by_id: int) -> None:
    """Note that a person has seen the plate empty; only now may something be printed on it."""
    changed = session.execute(
        update(Machine).where(Machine.id == machine_id, Machine.plate == Plate.HELD).values(plate=Plate.CLEAR)
    ).rowcount  # type: ignore[attr-defined]
    if changed:
        note(session, machine_id, "plate_cleared", by_id)
    bus.ask(session, "schedule")
    bus.tell(session, "board")


def hold_plate(session: Session, machine_id: int, by_id: int | None = None) -> None:
    """Let a machine wait for a person to look at its plate."""
    changed = session.execute(
        update(Machine).where(Machine.id == machine_id, Machine.plate == Plate.CLEAR).values(plate=Plate.HELD)
    ).rowcount  # type: ignore[attr-defined]
    if changed and by_id is not None:
        note(session, machine_id, "plate_held", by_id)
    bus.tell(session, "board")


@dataclass(frozen=True)
class Lease:
    """The right of one worker to talk to one printer for a while. A newer lease makes an older one worthless."""

    machine_id: int
    token: int


def lease(session: Session, machine_id: int, now: datetime) -> Lease | None:
    """Take a machine's lease by compare-and-swap, or return None when somebody else holds it."""
    token = session.scalar(
        update(Machine)
        .where(Machine.id == machine_id, leases.over(Machine.lease_until, now))
        .values(lease_token=Machine.lease_token + 1, lease_until=now + leases.LEASE)
        .returning(Machine.lease_token)
    )
    return Lease(machine_id, token) if token is not None else None


def renew(session: Session, now: datetime, held: Lease) -> bool:
    """Lengthen a lease that is still held and not over; tell whether it was."""
    mine = (Machine.id == held.machine_id, Machine.lease_token == held.token, ~leases.over(Machine.lease_until, now))
    return bool(session.execute(update(Machine).where(*mine).values(lease_until=now + leases.LEASE)).rowcount)  # type: ignore[attr-defined]


def lease_holds(session: Session, held: Lease, now: datetime) -> bool:
    """Tell whether a lease is still the newest and not over; locks the machine's row for this transaction."""
    row = session.execute(
        select(Machine.lease_token, Machine.lease_until).where(Machine.id == held.machine_id).with_for_update()
    ).one()
    return row.lease_token == held.token and not leases.is_over(row.lease_until, now)


def release(session: Session, held: Lease) -> None:
    """Give a lease back; an older lease gives nothing back."""
    session.execute(
        update(Machine).where(Machine.id == held.machine_id, Machine.lease_token == held.token).values(lease_until=None)
    )


@dataclass(frozen=True)
class Report:
    """What one look at a machine showed, in the words of this subject."""

    operation: Operation
    note: Sentence | None = None
    progress: float | None = None
    time_left_s: float | None = None
    foreign_file: str | None = None


def record_report(session: Session, machine: Machine, report: Report, now: datetime) -> None:
    """Keep what a machine reports. Printing somebody else's file holds the plate, and so does a long absence.

    What was not seen for longer than `ABSENCE` may have printed something meanwhile that nobody told us of.
    """
    before = (machine.operation, machine.operation_note, machine.foreign_file, _percent(machine.progress))
    here = report.operation != Operation.OFFLINE
    was_away = here and machine.seen_at is not None and now - machine.seen_at > ABSENCE
    if was_away:
        note(session, machine.id, WAS_AWAY, None)
    if was_away or report.foreign_file is not None:
        machine.plate = Plate.HELD
    machine.operation, machine.operation_note = report.operation, report.note
    machine.progress, machine.time_left_s = report.progress, report.time_left_s
    machine.foreign_file = report.foreign_file
    machine.looked_at = now
    if here:
        machine.seen_at = now
    if before != (machine.operation, machine.operation_note, machine.foreign_file, _percent(machine.progress)):
        bus.tell(session, "board")
    if here and before[0] in (Operation.UNSEEN, Operation.OFFLINE):
        _ask_for_camera(session, machine)
    if before[0] != Operation.READY and machine.operation == Operation.READY:
        bus.ask(session, "schedule")


def _percent(progress: float | None) -> int | None:
    return None if progress is None else int(progress * 100)


def note(
    session: Session, machine_id: int, kind: str, by_id: int | None, details: dict[str, Any] | None = None
) -> None:
    """Write down what happened to a machine."""
    session.add(MachineEvent(machine_id=machine_id, kind=kind, person_id=by_id, details=details))


def key_of(machine: Machine) -> str | None:
    """Return the key the printer's server wants, decrypted."""
    return vault.unseal(machine.key_sealed, f"printer:{machine.id}") if machine.key_sealed else None
