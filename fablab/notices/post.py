"""The mail server: one mail over SMTP, and what its answer means for the next step."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from fablab.errors import Problem
from fablab.words import say

PORTS = {"smtp": 587, "smtps": 465, "smtp+plain": 25}


class TryLater(Problem):
    """Nothing was handed over, and it may go better later."""


class Refused(Problem):
    """The server will never take this mail."""


class Unsure(Problem):
    """The line was cut while the mail was handed over: nobody knows whether it arrived."""


@dataclass(frozen=True)
class Letter:
    """A mail ready to leave: who sends, who receives, and its bytes."""

    sender: str
    to: str
    content: bytes


def deliver(letter: Letter, server: str, timeout_s: float, hand_over: Callable[[], bool]) -> bool:
    """Give a letter to the server; `hand_over` is asked just before its text leaves. False: it said no.

    Raises `TryLater`, `Refused` or `Unsure`.
    """
    try:
        with suppress_goodbye(_connect(server, timeout_s)) as line:
            _envelope(line, letter)
            if not hand_over():
                return False
            _hand(line, letter.content)
            return True
    except smtplib.SMTPAuthenticationError as error:
        raise TryLater(say("The mail server does not accept our name and password.")) from error
    except smtplib.SMTPResponseException as error:
        raise _answer(error.smtp_code, _words(error.smtp_error)) from error
    except (smtplib.SMTPException, OSError) as error:
        raise TryLater(say("The mail server cannot be reached: {reason}", reason=_words(str(error)))) from error


class suppress_goodbye:  # noqa: N801 - reads like contextlib.closing
    """Close a line at the end of the block; how the server says goodbye changes nothing."""

    def __init__(self, line: smtplib.SMTP) -> None:
        self.line = line

    def __enter__(self) -> smtplib.SMTP:
        return self.line

    def __exit__(self, *_: object) -> None:
        with suppress(smtplib.SMTPException, OSError):
            self.line.quit()
        self.line.close()


def _connect(server: str, timeout_s: float) -> smtplib.SMTP:
    address = urlsplit(server)
    host, port = address.hostname or "", address.port or PORTS[address.scheme]
    if address.scheme == "smtps":
        line: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=timeout_s, context=ssl.create_default_context())
    else:
        line = smtplib.SMTP(host, port, timeout=timeout_s)
    try:
        if address.scheme == "smtp":
            line.starttls(context=ssl.create_default_context())
        if address.username:
            line.login(unquote(address.username), unquote(address.password or ""))
        line.ehlo_or_helo_if_needed()
    except BaseException:
        line.close()
        raise
    return line


def _envelope(line: smtplib.SMTP, letter: Letter) -> None:
    for code, answer in (line.mail(letter.sender), line.rcpt(letter.to)):
        if code not in (250, 251):
            raise _answer(code, _words(answer))


def _hand(line: smtplib.SMTP, content: bytes) -> None:
    try:
        code, answer = line.data(content)
    except (smtplib.SMTPServerDisconnected, OSError) as error:
        raise Unsure(say("The line was cut while the mail was handed over.")) from error
    if code != 250:
        raise _answer(code, _words(answer))


def _answer(code: int, words: str) -> Problem:
    if 500 <= code < 600:
        return Refused(say("The mail server refused it: {answer}", answer=f"{code} {words}"))
    return TryLater(say("The mail server asks to try later: {answer}", answer=f"{code} {words}"))


def _words(answer: bytes | str) -> str:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())[:200]
