"""What can be done with accounts: register, sign in and out, change role, language and password."""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import datetime, timedelta
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from fablab.accounts.models import Person, SignIn
from fablab.accounts.permissions import Role
from fablab.db import utcnow
from fablab.errors import Conflict, Invalid
from fablab.words import say

SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 200
LONGEST_SIGN_IN = timedelta(days=14)
IDLE_SIGN_IN = timedelta(hours=12)
LANGUAGES = ("fr", "en")
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


@cache
def hasher() -> PasswordHasher:
    """Return the Argon2id hasher: 46 MiB and 2 passes, the middle of OWASP's recommendations."""
    return PasswordHasher(time_cost=2, memory_cost=46 * 1024, parallelism=1)


def register(
    session: Session, name: str, email: str, password: str | None, role: Role = Role.MEMBER, language: str | None = None
) -> Person:
    """Make an account. Raises `Invalid` naming the field, or `Conflict` when the e-mail is taken."""
    name, email = " ".join(name.split()), email.strip().lower()
    if not 1 <= len(name) <= 120:
        raise Invalid(say("Please give a name of at most 120 letters."), field="name")
    if not EMAIL.fullmatch(email) or len(email) > 254:
        raise Invalid(say("“{email}” is not an e-mail address.", email=email[:80]), field="email")
    if session.scalar(select(Person.id).where(Person.email == email)) is not None:
        raise Conflict(say("There is already an account with this e-mail address."))
    person = Person(name=name, email=email, role=role, language=language)
    if password is not None:
        set_password(person, password)
    session.add(person)
    session.flush()
    return person


def receive(session: Session, name: str, contact: str) -> Person:
    """Make an account for somebody without an e-mail, who cannot sign in. Raises `Invalid` naming the field."""
    contact = " ".join(contact.split())
    if not 1 <= len(contact) <= 200:
        raise Invalid(say("Please write how to reach the person, such as a telephone number."), field="contact")
    person = register(session, name, f"{secrets.token_hex(8)}@walk-in.invalid", None)
    person.contact = contact
    session.flush()
    return person


def hash_of_password(password: str) -> str:
    """Return what is kept of a password. Raises `Invalid` when it is too short or too long."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        sentence = say(
            "A password has between {least} and {most} signs.", least=SHORTEST_PASSWORD, most=LONGEST_PASSWORD
        )
        raise Invalid(sentence, field="password")
    return hasher().hash(password)


def set_password(person: Person, password: str) -> None:
    """Give a person a new password. Raises `Invalid` when it is too short or too long."""
    person.password_hash = hash_of_password(password)


def change_password(session: Session, person: Person, password: str) -> None:
    """Set a new password and end every sign-in of this person."""
    set_password(person, password)
    session.execute(
        update(SignIn).where(SignIn.person_id == person.id, SignIn.revoked_at.is_(None)).values(revoked_at=utcnow())
    )


def password_is_right(password_hash: str | None, password: str) -> bool:
    """Check a password; it takes as long for an unknown person as for a known one."""
    try:
        return hasher().verify(password_hash or _nobodys_hash(), password) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobodys_hash() -> str:
    return hasher().hash(secrets.token_hex(16))


def sign_in(session: Session, person: Person) -> str:
    """Start a sign-in for a person whose password was checked; return its token (256 bits)."""
    token = secrets.token_urlsafe(32)
    session.add(SignIn(token_hash=_hash(token), person_id=person.id))
    return token


def sign_out(session: Session, token: str) -> None:
    """End a sign-in; the token opens nothing any more."""
    session.execute(
        update(SignIn).where(SignIn.token_hash == _hash(token), SignIn.revoked_at.is_(None)).values(revoked_at=utcnow())
    )


def find_sign_in(session: Session, token: str, now: datetime) -> SignIn | None:
    """Return the live sign-in of a token, or None when it is unknown, revoked, too old, idle or its person inactive."""
    found = session.scalar(select(SignIn).where(SignIn.token_hash == _hash(token), SignIn.revoked_at.is_(None)))
    if found is None or not found.person.active:
        return None
    if now - found.created_at > LONGEST_SIGN_IN or now - found.seen_at > IDLE_SIGN_IN:
        return None
    return found


def seen(session: Session, sign_in_id: int, now: datetime) -> None:
    """Note that a sign-in was used."""
    session.execute(update(SignIn).where(SignIn.id == sign_in_id).values(seen_at=now))


def choose_language(session: Session, person_id: int, language: str) -> None:
    """Remember in which language a person reads."""
    if language not in LANGUAGES:
        raise Invalid(say("We speak French and English."), field="language")
    session.execute(update(Person).where(Person.id == person_id).values(language=language))


def change(session: Session, person: Person, *, role: Role, active: bool, by: Person) -> None:
    """Change what a person may do. Nobody can take their own keys away: somebody must remain who can give them back."""
    if person.id == by.id and (role != Role.ADMINISTRATOR or not active):
        raise Conflict(say("You cannot take away your own rights: ask another administrator."))
    person.role, person.active = role, active
    if not active:
        session.execute(update(SignIn).where(SignIn.person_id == person.id).values(revoked_at=utcnow()))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
