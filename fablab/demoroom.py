"""The room of the demo place: who is there when, a printer in repair, the note between shifts, and what is asked."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.orm import Session

from fablab.accounts.models import Person
from fablab.machines import hand_over
from fablab.machines import services as machines
from fablab.machines.models import HouseRules, Service
from fablab.machines.services import MachineData
from fablab.orders import threads
from fablab.orders.models import Order

HOURS = "mar-ven 14:00-19:00\nsam 10:00-12:00, 14:00-18:00"
REPAIR = "Buse bouchée, la nouvelle arrive jeudi"
NOTE = "Le TPU rouge est à sécher avant usage. Samir est prévenu pour son équerre : il passe samedi."


def open_for(session: Session, volunteer: Person) -> None:
    """Say when somebody is there, and leave a note for the next shift."""
    rules = HouseRules(opening_hours=HOURS, quiet_hours="", heating_at_once=0, heating_minutes=5)
    machines.set_rules(session, rules, volunteer.id)
    hand_over.leave(session, NOTE, 0, volunteer.id)


def add_in_repair(session: Session, data: MachineData, volunteer: Person) -> None:
    """Add a machine that is out of service."""
    machine = machines.add(session, data, None)
    machines.set_service(session, machine, Service.OUT_OF_SERVICE, REPAIR, volunteer.id)


def talk(session: Session, people: Mapping[str, Person], order: Order) -> None:
    """Let a member ask for help, one who speaks English too, and another one get an answer about an order."""
    volunteer = people["bob@demo.example"]
    foot = threads.ask_for_help(
        session,
        people["olivia@demo.example"],
        "A foot for my loudspeaker",
        "Hello! One of four rubber feet is lost. I have measured the others: 22 mm wide, 9 mm high. Could it be soft?",
    )
    threads.write(session, foot, volunteer, "Yes, in TPU. Bring one of the others on Saturday and we draw it together.")
    threads.ask_for_help(
        session,
        people["rose@demo.example"],
        "Un bouton de four des années 60",
        "Bonjour ! Le mien est cassé en deux. Je peux l'apporter samedi : est-ce que vous sauriez le redessiner ?",
    )
    thread = threads.open_for(session, order)
    threads.write(session, thread, order.person, "Est-ce que le support tiendra un téléphone dans sa coque ?")
    threads.write(session, thread, volunteer, "Oui, jusqu'à 14 mm d'épaisseur. À samedi !")
