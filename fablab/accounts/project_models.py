"""Tables of projects: budgets inside the place, and the people who order on them."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fablab.accounts.models import Person
from fablab.db import Base, new_public_id, utcnow


class Project(Base):
    """A budget inside the place, with a name and days; how much there is of it stands in the ledger.

    `form_key` makes the form that opened it, sent twice, one project.
    """

    __tablename__ = "project"
    __table_args__ = (
        CheckConstraint("last_on is null or last_on >= first_on", name="days_in_order"),
        Index("uq_project_form_key", "form_key", unique=True),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(20), unique=True, default=new_public_id)
    name: Mapped[str] = mapped_column(String(120))
    first_on: Mapped[date]
    last_on: Mapped[date | None]
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    form_key: Mapped[str | None] = mapped_column(String(80))

    def runs_on(self, day: date) -> bool:
        """Tell whether orders can be paid from it on a day."""
        return self.active and self.first_on <= day and (self.last_on is None or day <= self.last_on)


class ProjectMember(Base):
    """Somebody who may order on a project and see its statement."""

    __tablename__ = "project_member"
    __table_args__ = (UniqueConstraint("project_id", "person_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)

    project: Mapped[Project] = relationship(lazy="joined")
    person: Mapped[Person] = relationship(lazy="joined")
