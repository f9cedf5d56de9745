"""Alice and Charlie are members, Bob a volunteer, Carole the administrator; Ada prints white PLA."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from sqlalchemy.orm import Session

from fablab import files
from fablab.accounts import services as accounts
from fablab.accounts.models import Person
from fablab.accounts.permissions import Role
from fablab.billing import ledger, offering, tariffs
from fablab.billing import services as billing
from fablab.billing.models import Account, TariffVersion
from fablab.db import utcnow
from fablab.filament import products
from fablab.filament import services as filament
from fablab.filament.models import Spool
from fablab.filament.movements import Why
from fablab.filament.products import FilamentData
from fablab.filament.services import SpoolData
from fablab.jobs import queries as jobs
from fablab.jobs import services as job_services
from fablab.jobs import slices
from fablab.jobs.models import Job, Slice, SliceRequest
from fablab.machines import services as machines
from fablab.machines.models import Machine, Operation, Plate
from fablab.machines.services import MachineData
from fablab.orders import review
from fablab.orders import services as orders
from fablab.orders.intake import Part
from fablab.orders.models import Order
from fablab.orders.review_models import ReviewRules
from fablab.orders.services import Wanted
from fablab.settings import settings
from fablab.slicing.choices import Choices, Quality
from fablab.slicing.examine import examine
from fablab.slicing.samples import write_samples

PASSWORD = "correct horse battery"
NO_RULE = {
    "size_mm": 0,
    "price_cents": 0,
    "warnings": False,
    "first_order": False,
    "company": False,
    "attestation": False,
}
GCODE = "G1 Z0.2\n" + "G28\nG1 X50 Y50 E5\n" * 20 + "; estimated printing time (normal mode) = 0h 0m 30s\n"


@cache
def _password_hash() -> str:
    return accounts.hasher().hash(PASSWORD)


def add_person(session: Session, name: str, role: Role = Role.MEMBER, cents: int = 2000) -> Person:
    """Add somebody with money in the wallet, who signs in with PASSWORD."""
    person = accounts.register(session, name, f"{name.lower()}@example.org", None, role, "en")
    person.password_hash = _password_hash()
    if cents:
        paid = ledger.IN_CASH if cents <= ledger.MOST_CASH_CENTS else ledger.Paid(Account.BANK)
        ledger.top_up(session, person, cents, person.id, f"start-{person.id}", paid)
    return person


@dataclass
class Cast:
    """Everybody and everything of a small place."""

    alice: Person
    bob: Person
    carole: Person
    charlie: Person
    ada: Machine
    spool: Spool
    tariff: TariffVersion


def small_place(session: Session, *, cents: int = 2000) -> Cast:
    """Fill an empty place."""
    people = [
        add_person(session, "Alice", cents=cents),
        add_person(session, "Bob", Role.VOLUNTEER),
        add_person(session, "Carole", Role.ADMINISTRATOR),
        add_person(session, "Charlie"),
    ]
    filament.add_material(session, "PLA", "PLA")
    tariff = tariffs.set_tariff(
        session, tariffs.TariffData("Standard", 100, 80, 200, {"PLA": 4000}), None, utcnow().replace(year=2025)
    )
    review.set_rules(session, ReviewRules(**NO_RULE))
    ada = add_machine(session, "Ada")
    return Cast(*people, ada, add_spool(session, ada), tariff)


def add_machine(session: Session, name: str, *, ready: bool = True) -> Machine:
    """Add a simulated printer that prints in less than a second."""
    address = f"{settings().data_dir}/simulated/{name}?speed=1000&least=0.4&most=0.4"
    machine = machines.add(session, MachineData(name, "simulated", address, "mk3"), None)
    if ready:
        machine.plate, machine.operation = Plate.CLEAR, Operation.READY
    session.flush()
    return machine


def add_spool(session: Session, machine: Machine | None = None, mass_g: float = 500, colour: str = "white") -> Spool:
    """Add a spool of PLA, on a machine if one is given."""
    kind = products.find_or_add(session, FilamentData("PLA", "", colour, "#ffffff", tare_g=200.0))
    spool = filament.receive(session, kind, mass_g, SpoolData(), Why(None))
    if machine is not None:
        filament.load(session, spool, machine.id)
    session.flush()
    session.refresh(spool)
    return spool


@cache
def _measured_cube():
    folder = Path(mkdtemp(prefix="fablab-test-"))
    cube = write_samples(folder)[0]
    seen = examine(cube, cube.name)
    seen.features.save(folder / "cube.npz")
    (folder / "cube.png").write_bytes(seen.look.picture())
    return cube, seen.report, folder


def draft_cube(session: Session, person: Person) -> Order:
    """Upload the sample cube as `person`."""
    cube, report, measured = _measured_cube()
    with cube.open("rb") as stream, files.receiving(stream, 10_000_000) as incoming:
        part = Part(incoming.sha256, incoming.size, report, [])
        order = orders.start(session, person.id, incoming, part, "cube.stl")
        for ending in ("npz", "png"):
            shutil.copy(measured / f"cube.{ending}", files.beside(incoming.sha256, ending))
    return order


def wanted(quantity: int = 1, colour: str | None = None) -> Wanted:
    return Wanted(Choices("PLA", Quality.NORMAL, 20, supports=False), colour, quantity)


def order_cube(session: Session, person: Person, quantity: int = 1) -> Order:
    """Order cubes as `person`, at the price that is shown."""
    order = draft_cube(session, person)
    made = offering.quote_for(session, order.line.model_file, wanted(quantity))
    billing.confirm(session, order, {order.line.id: wanted(quantity)}, made.price.total_cents, person)
    return order


def made_slice(key: str, mass_g: float, time_s: float, gcode: str = GCODE) -> Slice:
    """A slice as a worker would make it, with a G-code of our own."""
    path = settings().data_dir / "plate.gcode"
    path.write_text(f"; {key} {mass_g}\n{gcode}")
    return Slice(
        key=key,
        gcode_sha1=files.sha1_of(path),
        gcode_sha256=files.keep_file(path),
        time_s=time_s,
        mass_g=mass_g,
        filament_mm=mass_g * 335,
        layers=100,
        curve=[0.0, 0.25, 0.5, 0.75, 1.0],
        slicer_version="test",
    )


def slice_next_preview(session: Session, *, mass_g: float = 4.0, time_s: float = 1500.0) -> SliceRequest:
    """Slice what a draft has waited for longest, as a worker would."""
    request = slices.take_next(session, utcnow())
    assert request is not None
    slices.made(session, request.id, request.token, slices.keep(session, made_slice(request.key, mass_g, time_s)))
    return request


def slice_job(
    session: Session, job: Job, *, mass_g: float = 4.0, time_s: float = 1500.0, gcode: str = GCODE
) -> Job | None:
    """Slice a job as a worker would, with a G-code of our own."""
    taken = job_services.take_for_slicing(session, job.id, utcnow())
    assert taken is not None
    made = made_slice(f"test-{job.id}-{taken.token}", mass_g, time_s, gcode)
    done = job_services.sliced(session, job.id, taken.token, slices.keep(session, made))
    if done is not None:
        billing.slice_arrived(session, done)
        session.refresh(done)
    return done


def queued_order(session: Session, person: Person, quantity: int = 1, *, gcode: str = GCODE) -> tuple[Order, Job]:
    """Order cubes, sliced and in the queue."""
    order = order_cube(session, person, quantity)
    job = jobs.of_order(session, order.id)[0]
    slice_job(session, job, gcode=gcode)
    return order, job
