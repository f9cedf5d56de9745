"""Tables of people and their sign-ins."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fablab.accounts.permissions import RIGHTS, Permission, Role
from fablab.db import Base, new_public_id, utcnow
from fablab.words import N_

ERASED_DOMAIN = "erased.invalid"


class Person(Base):
    """Somebody with an account. The e-mail is kept in lower case; without a password nobody can sign in.

    Who came by without an e-mail has a `contact` instead, and an address that cannot exist.
    """

    __tablename__ = "person"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(20), unique=True, default=new_public_id)
    name: Mapped[str] = mapped_column(String(120))
    email: Mapped[str] = mapped_column(String(254), unique=True)
    password_hash: Mapped[str | None] = mapped_column(String(200))
    contact: Mapped[str | None] = mapped_column(String(200))
    role: Mapped[Role] = mapped_column(String(20), default=Role.MEMBER)
    language: Mapped[str | None] = mapped_column(String(2))
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)

    def may(self, permission: Permission) -> bool:
        """Tell whether this person is allowed to do something."""
        return self.active and permission in RIGHTS[Role(self.role)]

    @property
    def is_walk_in(self) -> bool:
        """Tell whether this person has no e-mail: volunteers act for them, and no mail reaches them."""
        return self.contact is not None

    @property
    def is_erased(self) -> bool:
        """Tell whether this account was erased: what it did still counts, for nobody in particular."""
        return self.email.endswith(f"@{ERASED_DOMAIN}")

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


class CompanyKind(StrEnum):
    """What a customer on invoice is: a business or public body, or an association, which may have an RNA number."""

    COMPANY = "company"
    ASSOCIATION = "association"


COMPANY_KIND_LABELS: dict[CompanyKind, str] = {
    CompanyKind.COMPANY: N_("A company or a public body"),
    CompanyKind.ASSOCIATION: N_("An association"),
}


_HAS_SIRET, _HAS_RNA = text("siret <> ''"), text("rna <> ''")


class Company(Base):
    """A business, an association or a town hall that orders and pays on invoice. Invoices keep copies of all of it.

    A SIRET and an RNA number belong to one of them alone.
    """

    __tablename__ = "company"
    __table_args__ = (
        Index("uq_company_siret", "siret", unique=True, sqlite_where=_HAS_SIRET, postgresql_where=_HAS_SIRET),
        Index("uq_company_rna", "rna", unique=True, sqlite_where=_HAS_RNA, postgresql_where=_HAS_RNA),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(20), unique=True, default=new_public_id)
    name: Mapped[str] = mapped_column(String(160))
    kind: Mapped[CompanyKind] = mapped_column(String(20), default=CompanyKind.COMPANY, server_default="company")
    rna: Mapped[str] = mapped_column(String(10), default="", server_default="")
    siren: Mapped[str] = mapped_column(String(9), default="", index=True)
    siret: Mapped[str] = mapped_column(String(14), default="")
    vat_number: Mapped[str] = mapped_column(String(20), default="")
    street: Mapped[str] = mapped_column(String(200))
    postcode: Mapped[str] = mapped_column(String(12))
    city: Mapped[str] = mapped_column(String(80))
    country: Mapped[str] = mapped_column(String(2), default="FR")
    contact_name: Mapped[str] = mapped_column(String(120), default="")
    contact_email: Mapped[str] = mapped_column(String(254))
    payment_days: Mapped[int] = mapped_column(default=30)
    language: Mapped[str] = mapped_column(String(2), default="fr")
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class CompanyRole(StrEnum):
    """What somebody does for a company."""

    BUYER = "buyer"
    ACCOUNTANT = "accountant"


COMPANY_ROLE_LABELS: dict[CompanyRole, str] = {
    CompanyRole.BUYER: N_("Buyer: orders for the company"),
    CompanyRole.ACCOUNTANT: N_("Accountant: sees orders and invoices"),
}


class CompanyMember(Base):
    """Somebody who acts for a company. All of them see its orders and invoices; buyers order."""

    __tablename__ = "company_member"
    __table_args__ = (UniqueConstraint("company_id", "person_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("company.id"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    role: Mapped[CompanyRole] = mapped_column(String(20))

    company: Mapped[Company] = relationship(lazy="joined")
    person: Mapped[Person] = relationship(lazy="joined")
