"""What can go wrong, told to a person: every error of ours carries a translatable sentence and an HTTP status."""

from __future__ import annotations

from typing import Any

from fablab.words import Sentence, say


class Problem(Exception):  # noqa: N818 - it is shown to people under this name
    """Something a person can understand and mostly mend. Subclasses set `status`; one handler shows all of them."""

    status = 400

    def __init__(self, msgid: str | Sentence, /, **params: Any) -> None:
        self.sentence = msgid if isinstance(msgid, Sentence) else Sentence(msgid, params)
        super().__init__(str(self.sentence))


class Invalid(Problem):
    """What was sent cannot be used as it is. `field` names the form field it belongs to, if there is one."""

    status = 422

    def __init__(self, msgid: str | Sentence, /, *, field: str | None = None, **params: Any) -> None:
        super().__init__(msgid, **params)
        self.field = field


class NotFound(Problem):
    """It does not exist, or not for this person: the two are not told apart."""

    status = 404

    def __init__(self, msgid: str | Sentence | None = None, /, **params: Any) -> None:
        super().__init__(msgid or say("This page does not exist, or it is not yours to see."), **params)


class Forbidden(Problem):
    """The person is known and may not do this."""

    status = 403

    def __init__(self, msgid: str | Sentence | None = None, /, **params: Any) -> None:
        super().__init__(msgid or say("Your account is not allowed to do this."), **params)


class Conflict(Problem):
    """Somebody else, or a machine, was faster: the thing is no longer in the state the person saw."""

    status = 409


class SentBefore(Conflict):
    """The key of a form did something else already: a key that was made up takes nobody's place."""

    def __init__(self) -> None:
        super().__init__(say("This form was sent for something else already: open its page again."))
