"""One question over HTTP without a thread: for those who talk with many printers in one loop.

As careful as the driver's session: the checked number is connected to, nothing is followed anywhere, what is read is
capped. HTTP/1.0 with one connection per question, so that the answer ends where the connection does.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from fablab.printers.addresses import Target
from fablab.printers.contract import NobodyKnows
from fablab.words import say

LARGEST_ANSWER = 200_000


async def post(target: Target, path: str, headers: Mapping[str, str], content: Any) -> tuple[int, Any]:
    """Send JSON to a printer's server and return the status and the JSON it answers (None if it is something else).

    Raises `OSError` for what the network does, `NobodyKnows` for an answer that is not HTTP or too large. The caller
    sets the time-out.
    """
    body = json.dumps(content).encode()
    lines = {"Host": target.host_header, "Content-Type": "application/json", "Content-Length": str(len(body))}
    head = f"POST {target.prefix}{path} HTTP/1.0\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in {**lines, **headers}.items())
    answer = await _exchange(target, f"{head}\r\n".encode() + body)
    first, _, rest = answer.partition(b"\r\n")
    words = first.split()
    if len(words) < 2 or not first.startswith(b"HTTP/1.") or not words[1].isdigit():
        raise NobodyKnows(say("The printer's answer was not one of OctoPrint."))
    return int(words[1]), _json(rest.partition(b"\r\n\r\n")[2])


async def _exchange(target: Target, request: bytes) -> bytes:
    parts = urlsplit(target.base_url)
    secure = True if parts.scheme == "https" else None
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port, ssl=secure)
    try:
        writer.write(request)
        answer = b""
        while chunk := await reader.read(65_536):
            answer += chunk
            if len(answer) > LARGEST_ANSWER:
                raise NobodyKnows(say("The printer's answer was not one of OctoPrint."))
    finally:
        writer.transport.abort()
    return answer


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
