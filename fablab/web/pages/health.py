"""For those who watch the server: is it alive, is it ready."""

from __future__ import annotations

from typing import Any

import redis
import sqlalchemy as sa
from flask import Blueprint, jsonify
from sqlalchemy.exc import SQLAlchemyError

from fablab import bus, db
from fablab.web.auth import open_to_all

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@open_to_all
def alive() -> Any:
    """Answer as long as the process does."""
    return jsonify(status="alive")


@blueprint.get("/readyz")
@open_to_all
def ready() -> Any:
    """Answer 200 when the database and the broker answer, 503 and what is missing otherwise."""
    missing = [name for name, answers in (("database", _database), ("broker", _broker)) if not answers()]
    return (jsonify(status="ready"), 200) if not missing else (jsonify(status="not ready", missing=missing), 503)


def _database() -> bool:
    try:
        with db.reading() as session:
            return session.scalar(sa.text("select count(*) from person")) is not None
    except SQLAlchemyError:
        return False


def _broker() -> bool:
    try:
        return bool(bus.connection().ping())
    except redis.RedisError:
        return False
