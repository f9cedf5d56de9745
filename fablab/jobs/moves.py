"""The one way a job or an attempt changes its state: allowed by the table, compared and swapped, written down."""

from __future__ import annotations

from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from fablab import bus
from fablab.errors import Conflict
from fablab.jobs.models import Attempt, Job, JobEvent, SliceRequest
from fablab.jobs.states import ATTEMPT_NEXT, JOB_NEXT, SLICE_NEXT, AttemptState, JobState, SliceState
from fablab.words import say


def move_job(
    session: Session,
    job: Job,
    to: JobState,
    *,
    by_id: int | None = None,
    details: dict[str, Any] | None = None,
    **values: Any,
) -> None:
    """Move a job from the state it was seen in. Raises `Conflict` when it has left that state or may not go there."""
    seen = JobState(job.state)
    if to not in JOB_NEXT[seen]:
        raise Conflict(say("This is not possible any more: the print has moved on."))
    _swap(session, Job, job.id, seen, {"state": to, **values})
    session.refresh(job)
    write(session, job, f"job_{to}", by_id=by_id, details=details)


def move_attempt(
    session: Session,
    attempt: Attempt,
    to: AttemptState,
    *,
    by_id: int | None = None,
    details: dict[str, Any] | None = None,
    **values: Any,
) -> None:
    """Move an attempt from the state it was seen in. Raises `Conflict` like `move_job`."""
    seen = AttemptState(attempt.state)
    if to not in ATTEMPT_NEXT[seen]:
        raise Conflict(say("This is not possible any more: the print has moved on."))
    _swap(session, Attempt, attempt.id, seen, {"state": to, **values})
    session.refresh(attempt)
    write(session, attempt.job, f"attempt_{to}", attempt=attempt, by_id=by_id, details=details)


def move_request(session: Session, request: SliceRequest, to: SliceState, **values: Any) -> bool:
    """Move a request for a slice from where it was seen; tell whether nobody was faster. Raises no `Conflict`."""
    seen = SliceState(request.state)
    assert to in SLICE_NEXT[seen], f"{seen} → {to}"
    session.flush()
    changed = session.execute(
        update(SliceRequest)
        .where(SliceRequest.id == request.id, SliceRequest.state == seen, SliceRequest.token == request.token)
        .values(state=to, **values)
        .execution_options(synchronize_session=False)
    )
    session.refresh(request)
    return bool(changed.rowcount)  # type: ignore[attr-defined]


def _swap(session: Session, table: type[Job | Attempt], row_id: int, seen: str, values: dict[str, Any]) -> None:
    session.flush()
    changed = session.execute(
        update(table)
        .where(table.id == row_id, table.state == seen)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    if changed.rowcount != 1:  # type: ignore[attr-defined]
        raise Conflict(say("Somebody else was faster: please look again."))


def write(
    session: Session,
    job: Job,
    kind: str,
    *,
    attempt: Attempt | None = None,
    by_id: int | None = None,
    details: dict[str, Any] | None = None,
) -> None:
    """Write down what happened to a job and let the open pages know."""
    session.add(
        JobEvent(
            job_id=job.id,
            attempt_id=attempt.id if attempt else None,
            person_id=by_id,
            kind=kind,
            details=details,
        )
    )
    bus.tell(session, "board", f"order-{job.order_id}")
