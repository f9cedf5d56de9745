"""The table of mails that carry a document. It only grows."""

from __future__ import annotations

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fablab.accounts.models import Person
from fablab.db import Base
from fablab.invoicing.models import Document
from fablab.notices.models import Mail


class DocumentMail(Base):
    """That a mail carries the PDF of a document. `key` makes the same reason to write, given twice, one mail."""

    __tablename__ = "document_mail"

    mail_id: Mapped[int] = mapped_column(ForeignKey("mail.id"), primary_key=True, autoincrement=False)
    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), index=True)
    key: Mapped[str] = mapped_column(String(80), unique=True)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))

    mail: Mapped[Mail] = relationship(lazy="joined")
    document: Mapped[Document] = relationship()
    by: Mapped[Person | None] = relationship(lazy="joined", foreign_keys=[by_id])
