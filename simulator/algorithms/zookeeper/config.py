"""The options of an ensemble's servers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from simulator.protocol import (
    MICROSECOND,
    MILLISECOND,
    SECOND,
    Duration,
    DurationRange,
    DurationSpread,
    Nanoseconds,
    option,
)

Cold = Literal["after_kill", "always", "never"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnsembleConfig:
    """The options of a server, with ZooKeeper's own names and defaults, where it has them."""

    tick_time: Duration = option(2 * SECOND, "A tick, in which limits are counted (ZooKeeper's tickTime).")
    init_limit: int = option(10, "Ticks that a new leader has for each step until it serves a quorum (initLimit).")
    sync_limit: int = option(5, "Ticks of silence after which leader and follower leave each other (syncLimit).")
    finalize_wait: Duration = option(
        200 * MILLISECOND,
        "How long a server whose choice has a quorum listens for a better one; each vote that is no better begins it"
        " anew (FastLeaderElection.finalizeWait).",
    )
    notification_interval: DurationRange = option(
        (200 * MILLISECOND, 60 * SECOND),
        "After how much silence a server that looks for a leader repeats its vote: first, and at most; it doubles"
        " (minNotificationInterval, maxNotificationInterval).",
    )
    hand_over: Duration = option(
        40 * MICROSECOND,
        "What it takes to hand a vote from one thread to the next; between two servers it passes four. About as long as"
        " a message over loopback (half of a round trip of 80 us), most of which is the wake-up of a thread.",
    )
    notification_time: DurationSpread = option(
        (300 * MICROSECOND, 1600 * MICROSECOND, 6 * MILLISECOND),
        "What the thread that receives votes takes for one of them, one after another: least, median and p99. Measured"
        " with studies/zookeeper_elections.py on three servers, 1.9 ms on average.",
    )
    connect_delay: DurationSpread = option(
        (1 * MILLISECOND, 2 * MILLISECOND, 6 * MILLISECOND),
        "What a follower takes from its choice to its first attempt to connect to the leader (same study).",
    )
    connect_retry: Duration = option(
        100 * MILLISECOND,
        "How long a follower waits before it tries again to connect to a leader that has refused"
        " (leaderConnectDelayDuringRetryMs). After five attempts it looks for another.",
    )
    cold: Cold = option(
        "after_kill",
        "Which elections find cold servers: processes that do something for the first time since they started, so that"
        " their JVM has to load the classes for it. `after_kill`: those after a closed connection, as where killed"
        " servers are started again and lead next; after a leader's silence, servers are warm.",
    )
    listen_delay: Duration = option(
        5 * MILLISECOND,
        "How long an elected cold server takes to open the port for followers (same study). Followers that connect"
        " earlier are refused, as in ZooKeeper.",
    )
    warm_listen_delay: Duration = option(500 * MICROSECOND, "The same, of a warm server (same study).")
    leaving: Duration = option(
        14 * MILLISECOND,
        "How long a cold server takes, after it has left its leader or stopped leading, until it looks for a leader: it"
        " closes the connections of its clients first. From a measurement of ZooKeeper 3.8.0: elected 236 ms after a"
        " kill that was noticed after 17 ms (medians), less finalize_wait, less three times notification_time.",
    )
    warm_leaving: DurationSpread = option(
        (1 * MILLISECOND, 2300 * MICROSECOND, 7 * MILLISECOND),
        "The same, of a warm server: least, median and p99 (same study).",
    )
    synchronisation: DurationSpread = option(
        (25 * MILLISECOND, 42 * MILLISECOND, 114 * MILLISECOND),
        "What a cold follower takes to put the leader's history to use before it acknowledges it: least, median and"
        " p99. From the same measurement: 125 to 214 ms, median 142, from election to service, less the 100 ms of"
        " connect_retry.",
    )
    warm_synchronisation: DurationSpread = option(
        (2 * MILLISECOND, 5 * MILLISECOND, 11 * MILLISECOND), "The same, of a warm server (same study)."
    )
    observers: int = option(0, "How many of the servers, those of the highest ids, only observe: they have no vote.")
    diff_limit: int = option(500, "Transactions behind which a follower gets the whole state (commitLogCount).")

    def __post_init__(self) -> None:
        for name in ("tick_time", "finalize_wait", "connect_retry"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: must be above 0")
        if self.tick_time < 2:
            raise ValueError("tick_time: must be at least 2 ns, so that there is half a tick")
        for name in ("init_limit", "sync_limit", "diff_limit"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: must be at least 1")
        if self.notification_interval[0] < 1:
            raise ValueError("notification_interval: must be above 0")
        if self.observers < 0:
            raise ValueError("observers: must be at least 0")

    @property
    def init_timeout(self) -> Nanoseconds:
        """How long each step of a new leader may take until it serves a quorum."""
        return self.init_limit * self.tick_time

    @property
    def sync_timeout(self) -> Nanoseconds:
        """How long a leader and a follower may be silent to each other."""
        return self.sync_limit * self.tick_time
