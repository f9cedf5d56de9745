"""A small real mail server on a socket, in the moods mail servers have."""

from __future__ import annotations

import email
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import default


class MailServer(socketserver.ThreadingTCPServer):
    """Keeps what it takes; `mood` says how it behaves."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, mood: str) -> None:
        super().__init__(("127.0.0.1", 0), _Talk)
        self.mood = mood
        self.taken: list[tuple[str, EmailMessage]] = []
        self.reached_text = threading.Event()
        self.end = threading.Event()

    @property
    def address(self) -> str:
        return f"smtp+plain://127.0.0.1:{self.server_address[1]}"


class _Talk(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        mood = self.server.mood
        if mood == "slow":
            self.server.end.wait(30)
            return
        self._say("220 test")
        to = ""
        while line := self.rfile.readline():
            word = line.decode().strip()
            verb = word.split(" ")[0].upper()
            if verb in ("EHLO", "HELO"):
                self._say("250 test")
            elif verb == "RCPT":
                to = word.partition("<")[2].rstrip(">")
                self._say({"refuses": "550 5.1.1 nobody of that name", "busy": "451 later please"}.get(mood, "250 ok"))
            elif verb == "DATA":
                if not self._text(to):
                    return
            elif verb == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 ok")

    def _text(self, to: str) -> bool:
        self._say("354 go on")
        self.server.reached_text.set()
        if self.server.mood == "hangs":
            self.server.end.wait(60)
            return False
        text = b""
        while (line := self.rfile.readline()) != b".\r\n":
            if self.server.mood == "drops" or not line:
                return False
            text += line.removeprefix(b".") if line.startswith(b"..") else line
        if self.server.mood == "full":
            self._say("552 too full")
            return True
        self.server.taken.append((to, email.message_from_bytes(text, policy=default)))
        if self.server.mood == "takes and drops":
            return False
        self._say("250 taken")
        return True

    def _say(self, words: str) -> None:
        self.wfile.write(words.encode() + b"\r\n")


@contextmanager
def mail_server(mood: str = "well") -> Iterator[MailServer]:
    """Run a mail server for the block."""
    with MailServer(mood) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.end.set()
            server.shutdown()
            thread.join()
