"""The options of all rings, and the bounds on time that follow from them."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.algorithms.detectors import DetectorOptions, PingOptions
from simulator.protocol import MILLISECOND, SECOND, Assumption, Duration, Nanoseconds, NodeNames, option


@dataclass(frozen=True, slots=True, kw_only=True)
class RingConfig:
    """The options of a ring."""

    order: NodeNames = option(
        (), "All nodes in the order in which messages pass them. By default the order of their ids."
    )
    initiators: NodeNames = option(
        (), "The nodes that hold an election when they start; by default all. Other nodes wait for an election first."
    )
    maintenance: bool = option(
        True,
        "The ring is maintained: crashed nodes are skipped, restarted nodes are taken in, and an election that "
        "does not finish is repeated. The papers assume that no node crashes, and have none of this.",
    )
    acknowledgement_timeout: Duration = option(
        50 * MILLISECOND,
        "How long a node waits for an acknowledgement before the next node gets the message. At least a round trip.",
    )
    check_interval: Duration = option(
        1 * SECOND,
        "How often a node tells its successor which leader it follows. If the successor follows another, it holds an "
        "election.",
    )
    detector: DetectorOptions = option(PingOptions(), "The failure detector by which a node suspects its neighbour.")

    def __post_init__(self) -> None:
        if self.acknowledgement_timeout < 1:
            raise ValueError("acknowledgement_timeout: must be above 0")
        if self.check_interval < 1:
            raise ValueError("check_interval: must be above 0")
        for name in ("order", "initiators"):
            if len(set(getattr(self, name))) != len(getattr(self, name)):
                raise ValueError(f"{name}: must name each node once")


def delay_bound(config: RingConfig) -> Nanoseconds:
    """The longest time D that a message may take so that no running node is skipped or suspected."""
    bound: Nanoseconds = min((config.acknowledgement_timeout - 1) // 2, config.detector.delay_bound())
    return bound


def election_time(config: RingConfig, nodes: int, rounds: int) -> Nanoseconds:
    """How long it takes to go round so many times, at most: each node takes a message or, if it is down, a timeout."""
    return rounds * nodes * config.acknowledgement_timeout


def stabilization_bound(config: RingConfig, nodes: int, rounds: int) -> Nanoseconds:
    """How long it takes without faults, at most, until all nodes follow the highest running node.

    Crashed neighbours are detected one after another, and a crashed leader may be trusted once more. A node that is
    back answers within the time in which its crash would be detected. Three elections may follow each other: one whose
    messages were lost with a node, one held on outdated beliefs, whose wrong outcome is found at the next check, and
    the last, which counts.
    """
    detection: Nanoseconds = (nodes + 1) * config.detector.detection_bound(max(0, delay_bound(config)))
    return detection + config.check_interval + 3 * election_time(config, nodes, rounds)


def assumes_besides(config: RingConfig) -> frozenset[Assumption]:
    """What a ring without maintenance assumes in addition, as the papers do: no node crashes, and links are FIFO."""
    return frozenset() if config.maintenance else frozenset({Assumption.NO_CRASH, Assumption.FIFO})
