"""Projects and their people: what can be done, and who may see and use what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fablab.accounts import queries
from fablab.accounts.models import Person
from fablab.accounts.permissions import Permission
from fablab.accounts.project_models import Project, ProjectMember
from fablab.errors import Conflict, Invalid, NotFound
from fablab.words import say

LONGEST_NAME = 120


@dataclass(frozen=True)
class ProjectData:
    """What the treasurer enters for a project, besides its budget."""

    name: str
    first_on: date
    last_on: date | None = None
    active: bool = True


def add(session: Session, data: ProjectData, by_id: int | None, key: str | None = None) -> Project:
    """Open a project, with nothing in its budget yet; the same key twice is one. Raises `Invalid` naming the field."""
    session.execute(select(Person.id).where(Person.id == by_id).with_for_update())  # nobody presses twice at a time
    kept = f"{by_id}-{key}" if key else None
    found = session.scalar(select(Project).where(Project.form_key == kept)) if kept else None
    if found is not None:
        return found
    project = Project(created_by_id=by_id, form_key=kept)
    change(project, data)
    session.add(project)
    session.flush()
    return project


def change(project: Project, data: ProjectData) -> None:
    """Change a project's name and days. Raises `Invalid` naming the field."""
    name = " ".join(data.name.split())
    if not 1 <= len(name) <= LONGEST_NAME:
        raise Invalid(say("Please give a name of at most {most} letters.", most=LONGEST_NAME), field="name")
    if data.last_on is not None and data.last_on < data.first_on:
        raise Invalid(say("A project ends after it begins."), field="last_on")
    project.name, project.first_on, project.last_on, project.active = name, data.first_on, data.last_on, data.active


def join(session: Session, project: Project, email: str) -> None:
    """Let a person with an account order on a project. Raises `Invalid` when there is no such account."""
    person = queries.by_email(session, email)
    if person is None:
        raise Invalid(say("Nobody has an account with this e-mail address: make one first."), field="email")
    if not _is_in(session, person, project.id):
        session.add(ProjectMember(project_id=project.id, person_id=person.id))
        session.flush()


def leave(session: Session, project: Project, person: Person) -> None:
    """Let somebody no longer order on a project; what they ordered stays paid from it."""
    found = select(ProjectMember).where(ProjectMember.project_id == project.id, ProjectMember.person_id == person.id)
    for member in session.scalars(found):
        session.delete(member)
    session.flush()


def _is_in(session: Session, person: Person, project_id: int) -> bool:
    query = select(ProjectMember.id).where(ProjectMember.project_id == project_id, ProjectMember.person_id == person.id)
    return session.scalar(query) is not None


def of_person(session: Session, person: Person) -> list[Project]:
    """Return the projects a person is in, by name."""
    query = select(ProjectMember).where(ProjectMember.person_id == person.id)
    return sorted((each.project for each in session.scalars(query)), key=lambda each: each.name.lower())


def listed(session: Session, person: Person) -> Sequence[Project]:
    """Return the projects a person may see, by name."""
    if not person.may(Permission.KEEP_BOOKS):
        return of_person(session, person)
    return session.scalars(select(Project).order_by(func.lower(Project.name), Project.id)).all()


def seen_by(session: Session, person: Person, public_id: str) -> Project:
    """Return a project this person may see: one they are in, or any for bookkeepers. Raises `NotFound`."""
    found = session.scalar(select(Project).where(Project.public_id == public_id))
    if found is None or not (person.may(Permission.KEEP_BOOKS) or _is_in(session, person, found.id)):
        raise NotFound
    return found


def ordered_on(session: Session, person: Person, public_id: str, day: date) -> Project:
    """Return the project a person orders on. Raises `Conflict` in words when they may not, or not on this day."""
    found = session.scalar(select(Project).where(Project.public_id == public_id))
    if found is None or not _is_in(session, person, found.id):
        raise Conflict(say("You cannot order on this project: the treasurer has to put you into it first."))
    must_run(found, day)
    return found


def must_run(project: Project, day: date) -> None:
    """Raise `Conflict` when a project cannot pay on a day."""
    if not project.runs_on(day):
        raise Conflict(say("The project “{project}” is not running today: it cannot pay.", project=project.name))


def people_of(session: Session, project_id: int) -> list[Person]:
    """Return who is in a project, by name."""
    query = select(ProjectMember).where(ProjectMember.project_id == project_id)
    return sorted((each.person for each in session.scalars(query)), key=lambda each: each.name.lower())
