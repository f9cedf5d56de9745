"""Name and address a person wants on invoices of what they pay themselves. It goes with the account."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, Session, mapped_column

from fablab.db import Base
from fablab.errors import Invalid
from fablab.words import say


class InvoiceAddress(Base):
    """How a person is named and addressed on their next invoices; issued ones keep their own copies."""

    __tablename__ = "invoice_address"

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    name: Mapped[str] = mapped_column(String(160))
    street: Mapped[str] = mapped_column(String(200))
    postcode: Mapped[str] = mapped_column(String(12))
    city: Mapped[str] = mapped_column(String(80))


@dataclass(frozen=True)
class AddressData:
    """Name and address, as a person enters them."""

    name: str
    street: str
    postcode: str
    city: str


def keep(session: Session, person_id: int, data: AddressData) -> InvoiceAddress:
    """Keep what a person's next invoices say of them. Raises `Invalid` naming the field."""
    cleaned = {name: " ".join(value.split()) for name, value in asdict(data).items()}
    for field, value in cleaned.items():
        if not value:
            raise Invalid(say("An invoice has to name this."), field=field)
    row = session.merge(InvoiceAddress(person_id=person_id, **cleaned))
    session.flush()
    return row
