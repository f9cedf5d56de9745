"""Tables of people and their sign-ins."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fablab.accounts.permissions import RIGHTS, Permission, Role
from fablab.db import Base, new_public_id, utcnow


class Person(Base):
    """Somebody with an account. The e-mail is kept in lower case; without a password nobody can sign in."""

    __tablename__ = "person"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(20), unique=True, default=new_public_id)
    name: Mapped[str] = mapped_column(String(120))
    email: Mapped[str] = mapped_column(String(254), unique=True)
    password_hash: Mapped[str | None] = mapped_column(String(200))
    role: Mapped[Role] = mapped_column(String(20), default=Role.MEMBER)
    language: Mapped[str | None] = mapped_column(String(2))
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)

    def may(self, permission: Permission) -> bool:
        """Tell whether this person is allowed to do something."""
        return self.active and permission in RIGHTS[Role(self.role)]

    @property
    def first_name(self) -> str:
        """The name volunteers call out in the room."""
        return self.name.split()[0] if self.name.split() else self.name


class SignIn(Base):
    """One signed-in browser. Only a hash of its token is kept; a row can be revoked at any time."""

    __tablename__ = "sign_in"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    seen_at: Mapped[datetime] = mapped_column(default=utcnow)
    revoked_at: Mapped[datetime | None]

    person: Mapped[Person] = relationship(lazy="joined")
