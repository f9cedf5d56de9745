"""OctoRest with what it lacks: time-outs, its own errors, no redirects, uploads that say what they do.

OctoRest 0.4 drops the form fields of `upload` and answers 201, waits for ever, follows redirects with the key, and has
one error for everything (docs/octoprint.md). Everything of it that we use goes through this subclass.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import requests
from octorest import OctoRest
from requests.adapters import HTTPAdapter
from requests_toolbelt import MultipartEncoder
from urllib3.util.retry import Retry

from fablab.printers.addresses import Target
from fablab.printers.contract import Denied, NobodyKnows, NotSent, Refused
from fablab.words import say

CONNECT_S, READ_S = 3.05, 10.0
SLOWEST_UPLOAD_BYTES_PER_S = 100_000
LARGEST_ANSWER = 1_000_000


class BoundSession(requests.Session):
    """A session that talks to one server only, and never for long."""

    def __init__(self, target: Target, key: str | None) -> None:
        super().__init__()
        self.target = target
        self.trust_env = False
        self.read_s = READ_S
        self.headers.update({"Host": target.host_header, "Accept": "application/json"})
        if key:
            self.headers["X-Api-Key"] = key
        retry = Retry(
            total=2, connect=2, read=0, status=0, redirect=0, other=0, allowed_methods={"GET"}, backoff_factor=0.1
        )
        self.mount(target.base_url, HTTPAdapter(max_retries=retry, pool_maxsize=1))

    def request(self, method: str, url: str, **options: Any) -> requests.Response:  # type: ignore[override]
        """Send a request to our server; raises `NotSent` or `NobodyKnows` for what the network does."""
        if not url.startswith(f"{self.target.base_url}/"):
            raise NotSent(say("This is not an address of the printer."))
        path = self.target.prefix + url.removeprefix(self.target.base_url)
        options |= {"timeout": (CONNECT_S, self.read_s), "allow_redirects": False, "stream": True}
        try:
            response = super().request(method, self.target.base_url + path, **options)
            response._content = _read(response)  # noqa: SLF001 - the only way to cap what is read
        except requests.ConnectTimeout as error:
            raise NotSent(say("The printer does not answer at its address.")) from error
        except requests.ConnectionError as error:
            raise _connection_problem(error) from error
        except requests.RequestException as error:
            raise NobodyKnows(say("The connection to the printer broke before it answered.")) from error
        return response


def _read(response: requests.Response) -> bytes:
    content = b""
    for chunk in response.iter_content(65_536):
        content += chunk
        if len(content) > LARGEST_ANSWER:
            response.close()
            raise NobodyKnows(say("The printer's answer was not one of OctoPrint."))
    return content


def _connection_problem(error: requests.ConnectionError) -> NotSent | NobodyKnows:
    """Tell a connection that was never made (nothing was sent) from one that broke."""
    if "NewConnectionError" in repr(error) or "Failed to establish" in str(error):
        return NotSent(say("The printer does not answer at its address."))
    return NobodyKnows(say("The connection to the printer broke before it answered."))


class OctoClient(OctoRest):  # type: ignore[misc]
    """One OctoPrint server: OctoRest's calls, on a bound session, with our errors."""

    def __init__(self, target: Target, key: str | None) -> None:
        super().__init__(url=target.base_url, session=BoundSession(target, key))

    def _check_response(self, response: requests.Response) -> requests.Response:
        """Turn OctoPrint's answers into our errors. A wrong key on a changing request is a 400 about CSRF."""
        status, text = response.status_code, response.text[:300]
        if 200 <= status < 210:
            _check_json(response)
            return response
        if status in (401, 403) or (status == 400 and "CSRF" in text):
            raise Denied(say("OctoPrint does not accept the key, or the key may not do this."))
        if status == 404:
            raise Refused(say("The printer has no such file."))
        if status in (400, 409, 413, 415):
            raise Refused(say("The printer refused: {words}", words=_words(response)))
        raise NobodyKnows(say("The printer's server answered with an error ({status}).", status=status))

    def send_file(self, name: str, path: Path) -> None:
        """Upload a file as a stream; it replaces nothing and starts nothing."""
        session: BoundSession = self.session
        size = path.stat().st_size
        session.read_s = READ_S + size / SLOWEST_UPLOAD_BYTES_PER_S
        try:
            with path.open("rb") as stream:
                fields = {"noOverwrite": "true", "file": (name, stream, "application/octet-stream")}
                form = MultipartEncoder(fields=fields)
                url = f"{self.url}/api/files/local"
                self._check_response(session.post(url, data=form, headers={"Content-Type": form.content_type}))
        finally:
            session.read_s = READ_S

    def file_info(self, name: str) -> dict[str, Any] | None:
        """Return what OctoPrint knows of a file, or None when it has none of this name."""
        response = self.session.get(f"{self.url}/api/files/local/{quote(name)}")
        if response.status_code == 404:
            return None
        found = self._check_response(response).json()
        return dict(found)


def _check_json(response: requests.Response) -> None:
    """Raise `NobodyKnows` for an answer that is something else than JSON, or nothing."""
    try:
        if response.content:
            response.json()
    except ValueError as error:
        raise NobodyKnows(say("The printer's answer was not one of OctoPrint.")) from error


def _words(response: requests.Response) -> str:
    try:
        return str(response.json().get("error", ""))[:200]
    except (ValueError, AttributeError):
        return urlsplit(response.url).path
