"""One handler shows every problem: as a page, as a fragment's sentence, or as JSON, in the reader's language."""

from __future__ import annotations

import logging
from typing import Any

from flask import Flask, jsonify, render_template
from werkzeug.exceptions import HTTPException

from fablab.errors import Problem
from fablab.web.language import tr
from fablab.web.reply import wants_json
from fablab.words import Sentence, say

log = logging.getLogger(__name__)

SENTENCES = {
    400: say("The server did not understand this request."),
    404: say("This page does not exist, or it is not yours to see."),
    405: say("This page cannot be used like that."),
    413: say("This file is too large."),
    429: say("Too many tries in a short time: please wait a minute."),
    503: say("Too many pages are open at once: this one asks again by itself."),
}

TITLES = {401: say("Please sign in"), 403: say("Not allowed"), 404: say("Not found"), 409: say("Not possible now")}


def install(app: Flask) -> None:
    """Show the problems of `app`."""
    app.register_error_handler(Problem, show_problem)
    app.register_error_handler(HTTPException, show_http)
    app.register_error_handler(Exception, show_crash)


def show_problem(problem: Problem) -> Any:
    """Show one of our own problems."""
    return reply(problem.sentence, problem.status)


def show_http(error: HTTPException) -> Any:
    """Show a problem that Flask found."""
    status = error.code or 500
    if status < 400:
        return error
    answer, status = reply(SENTENCES.get(status, say("Something did not work.")), status)
    return answer, status, {"Retry-After": "5"} if status in (429, 503) else {}


def show_crash(error: Exception) -> Any:
    """Show a mistake of ours, without its insides; they are in the log."""
    log.error("a request failed", exc_info=error)
    return reply(say("Something went wrong on our side. Nothing was lost; please try again."), 500)


def reply(sentence: Sentence, status: int) -> tuple[Any, int]:
    """Answer with a sentence, in the form the request wants."""
    if wants_json():
        return jsonify(error=tr(sentence)), status
    title = TITLES.get(status, say("That did not work"))
    return render_template("problem.html", title=tr(title), sentence=sentence, status=status), status
