"""When a trial may end before its time. Looked at only once every fault of the schedule has struck."""

from __future__ import annotations

import enum


class StopWhen(enum.StrEnum):
    """The conditions that a scenario can name."""

    LEADER_CLAIMED = "leader-claimed"  # A leader reigns, and is not lost.
    LEADER_ANNOUNCED = "leader-announced"  # Everybody who can hear of the reigning leader names it.
    LEADER_STABLE = "leader-stable"  # The reigning leader's claim has lasted as long as stabilisation asks.
