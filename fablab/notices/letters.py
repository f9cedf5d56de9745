"""A mail's content: text and HTML from one template, headers that nobody can add to, links that work from anywhere."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from fablab import vault
from fablab.languages import Language
from fablab.notices.kinds import ALWAYS, Group
from fablab.notices.models import Mail
from fablab.notices.post import Letter, Refused
from fablab.settings import settings
from fablab.words import say

TEMPLATES = Path(__file__).parent / "templates"
POLICY = SMTP.clone(cte_type="7bit")


@dataclass(frozen=True)
class Attachment:
    """A PDF that goes with a mail."""

    name: str
    content: bytes


def compose(mail: Mail, attachments: Sequence[Attachment] = ()) -> Letter:
    """Return the mail as it leaves. Raises `Refused` when its address cannot be written to."""
    message = EmailMessage(POLICY)
    try:
        name = one_line(mail.addressee)
        message["From"] = Address(one_line(settings().place_name), addr_spec=sender())
        message["To"] = Address(name, addr_spec=mail.address.encode("ascii").decode())
    except (ValueError, MessageError, IndexError) as error:
        raise Refused(say("This e-mail address cannot be written to.")) from error
    message["Subject"] = subject_of(mail)
    message["Date"] = format_datetime(mail.created_at)
    message["Message-ID"] = f"<{mail.public_id}@{urlsplit(settings().public_url).hostname or 'fablab'}>"
    message["Auto-Submitted"] = "auto-generated"
    if (address := unsubscribe_address(mail)) is not None:
        message["List-Unsubscribe"] = f"<{address}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(as_text(mail))
    message.add_alternative(as_html(mail), subtype="html")
    for each in attachments:
        message.add_attachment(each.content, maintype="application", subtype="pdf", filename=each.name)
    return Letter(sender(), mail.address, message.as_bytes())


def sender() -> str:
    """Return the address mails come from."""
    return settings().mail_from or f"fablab@{urlsplit(settings().public_url).hostname or 'localhost'}"


def one_line(text: str) -> str:
    """Return a text as it may stand in a header: printable, on one line, not too long."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())[:150]


def subject_of(mail: Mail) -> str:
    """Return the subject: the notice's title, or the news of the day."""
    if mail.subject is not None:
        return one_line(mail.subject)
    language = language_of(mail)
    if len(mail.notices) == 1:
        return one_line(language.text(mail.notices[0].title))
    return one_line(language.text(say("News of the day from {place}", place=settings().place_name)))


def language_of(mail: Mail) -> Language:
    """Return the language a mail's reader reads."""
    known = mail.person.language if mail.person else mail.language
    return Language(known or settings().language)


def as_text(mail: Mail) -> str:
    """Return the plain text."""
    lines = [line.strip() for line in _render(mail, "text").strip().splitlines()]
    return "\n".join(line for at, line in enumerate(lines) if line or (at and lines[at - 1])) + "\n"


def as_html(mail: Mail) -> str:
    """Return the HTML."""
    return _render(mail, "html")


def _render(mail: Mail, form: str) -> str:
    language = language_of(mail)
    environment = _environment(language.code, form)
    return environment.get_template("mail.html").render(
        form=f"as_{form}.html",
        language=language,
        mail=mail,
        subject=subject_of(mail),
        place_name=settings().place_name,
        home=settings().public_url.rstrip("/"),
        unsubscribe=unsubscribe_address(mail),
    )


@cache
def _environment(code: str, form: str) -> Environment:
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=form == "html",  # noqa: S701 - plain text has nothing to escape
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.install_gettext_translations(Language(code).catalogue, newstyle=True)  # type: ignore[attr-defined]
    return made


def unsubscribe_address(mail: Mail) -> str | None:
    """Return where one click ends mails like this one, or None for those that always come."""
    if mail.person is None:
        return None
    if mail.group is None:  # a day's news: each of its groups was chosen, so they end together
        word = "daily"
    elif mail.group in ALWAYS:
        return None
    else:
        word = str(Group(mail.group))
    home = settings().public_url.rstrip("/")
    return f"{home}/mail/stop/{mail.person.public_id}/{word}/{signature(mail.person.public_id, word)}"


def signature(person_public_id: str, word: str) -> str:
    """Return what proves that an address to end mails was written by us."""
    told = f"{person_public_id}\0{word}".encode()
    return hmac.new(vault.derived("unsubscribe"), told, hashlib.sha256).hexdigest()[:32]
