"""When a trial may end before its time. Looked at only once every fault of the schedule has struck."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping

from simulator.protocol import NodeId


class StopWhen(enum.StrEnum):
    """The conditions that a scenario can name."""

    LEADER_CLAIMED = "leader-claimed"  # A node claims to lead.
    LEADER_ANNOUNCED = "leader-announced"  # Every running node names the same leader, which claims to lead.
    LEADER_STABLE = "leader-stable"  # A claim has lasted as long as the metrics ask of a stable leader.


def announced(leader: NodeId | None, running: Iterable[NodeId], named: Mapping[NodeId, NodeId | None]) -> bool:
    """Whether every running node names this leader."""
    return leader is not None and all(named.get(node) == leader for node in running)
