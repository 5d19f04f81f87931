"""The options that all rings share, and what they mean in time."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.algorithms.detectors import DetectorOptions, PingOptions
from simulator.protocol import MILLISECOND, Assumption, Duration, Nanoseconds, NodeNames, option


@dataclass(frozen=True, slots=True, kw_only=True)
class RingConfig:
    """The options of a ring."""

    order: NodeNames = option((), "All nodes in the order in which messages pass them; by default that of their ids.")
    initiators: NodeNames = option(
        (), "Who holds an election as soon as it starts; everybody by default. Others wait for one first."
    )
    maintenance: bool = option(
        True,
        "The ring is kept whole: dead successors are passed by, a node that is back is taken in, and an election that "
        "does not finish is held again. The papers assume that nobody crashes, and have none of this.",
    )
    acknowledgement_timeout: Duration = option(
        50 * MILLISECOND, "How long a message waits for its acknowledgement until the next node gets it: a round trip."
    )
    detector: DetectorOptions = option(PingOptions(), "How a node learns that its neighbour is down, or back.")

    def __post_init__(self) -> None:
        if self.acknowledgement_timeout < 1:
            raise ValueError("acknowledgement_timeout: must be above 0")
        for name in ("order", "initiators"):
            if len(set(getattr(self, name))) != len(getattr(self, name)):
                raise ValueError(f"{name}: must name each node once")


def delay_bound(config: RingConfig) -> Nanoseconds:
    """The longest that a message may take, D, if nobody who is up is to be passed by, or suspected."""
    bound: Nanoseconds = min((config.acknowledgement_timeout - 1) // 2, config.detector.tolerates())
    return bound


def election_time(config: RingConfig, nodes: int, rounds: int) -> Nanoseconds:
    """How long it takes to go round so many times, at most: each place costs a message or, if dead, a timeout."""
    return rounds * nodes * config.acknowledgement_timeout


def stabilization_bound(config: RingConfig, nodes: int, rounds: int) -> Nanoseconds:
    """How long it takes in peace, at most, until all follow the highest node that runs.

    The dead are found one after another, as far as they were neighbours, and a leader among them is given a second
    chance; whoever is back is asked, and answers, within the time in which it would be found dead. Whoever waits for an
    election that was lost waits once, another may be held meanwhile on what was believed before, and the last counts.
    """
    detection: Nanoseconds = (nodes + 1) * config.detector.detects_within(max(0, delay_bound(config)))
    return detection + 3 * election_time(config, nodes, rounds)


def assumes_besides(config: RingConfig) -> frozenset[Assumption]:
    """Without maintenance a ring is what the papers assume: nobody crashes, and links keep the order."""
    return frozenset() if config.maintenance else frozenset({Assumption.NO_CRASH, Assumption.FIFO})
