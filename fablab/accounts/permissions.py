"""Who may do what: roles are words on a person, permissions are what routes and services ask for."""

from __future__ import annotations

from enum import StrEnum

from fablab.words import N_


class Role(StrEnum):
    """What somebody is in the place."""

    MEMBER = "member"
    VOLUNTEER = "volunteer"
    TREASURER = "treasurer"
    ADMINISTRATOR = "administrator"


class Permission(StrEnum):
    """What can be allowed."""

    ORDER = "order"
    RUN_BOARD = "run_board"
    KEEP_BOOKS = "keep_books"
    SET_UP = "set_up"


RIGHTS: dict[Role, frozenset[Permission]] = {
    Role.MEMBER: frozenset({Permission.ORDER}),
    Role.VOLUNTEER: frozenset({Permission.ORDER, Permission.RUN_BOARD}),
    Role.TREASURER: frozenset({Permission.ORDER, Permission.KEEP_BOOKS}),
    Role.ADMINISTRATOR: frozenset(Permission),
}

ROLE_LABELS: dict[Role, str] = {
    Role.MEMBER: N_("Member"),
    Role.VOLUNTEER: N_("Volunteer"),
    Role.TREASURER: N_("Treasurer"),
    Role.ADMINISTRATOR: N_("Administrator"),
}
