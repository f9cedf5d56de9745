"""Questions about people."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fablab.accounts.models import ERASED_DOMAIN, Person
from fablab.accounts.permissions import Role
from fablab.errors import NotFound


def by_email(session: Session, email: str) -> Person | None:
    """Return the active person with this e-mail address."""
    return session.scalar(select(Person).where(Person.email == email.strip().lower(), Person.active))


def by_public_id(session: Session, public_id: str) -> Person:
    """Return a person; raises `NotFound`."""
    person = session.scalar(select(Person).where(Person.public_id == public_id))
    if person is None:
        raise NotFound
    return person


def everybody(session: Session) -> Sequence[Person]:
    """Return all people by name, without accounts that were erased."""
    there = Person.email.not_like(f"%@{ERASED_DOMAIN}")
    return session.scalars(select(Person).where(there).order_by(func.lower(Person.name), Person.id)).all()


def has_administrator(session: Session) -> bool:
    """Tell whether somebody can set this place up."""
    return (
        session.scalar(select(Person.id).where(Person.role == Role.ADMINISTRATOR, Person.active).limit(1)) is not None
    )
