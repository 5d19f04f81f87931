"""The conditions under which a trial ends before its duration is over."""

from __future__ import annotations

import enum


class StopWhen(enum.StrEnum):
    """The conditions that a scenario can name. They count only after every fault of the schedule is over."""

    LEADER_CLAIMED = "leader-claimed"  # There is a current leader, and it is not lost.
    LEADER_ANNOUNCED = "leader-announced"  # Every node that can hear of the current leader names it.
    LEADER_STABLE = "leader-stable"  # The current leader's claim has lasted for `stable_after`.
