"""Which driver is followed how. A driver without a follower is looked at by the ticker all the same."""

from __future__ import annotations

from collections.abc import Mapping

from fablab.printers import octoprint_push, simulated_following
from fablab.printers.contract import Follower

FOLLOWERS: Mapping[str, Follower] = {
    "octoprint": octoprint_push.follow,
    "simulated": simulated_following.follow,
}
