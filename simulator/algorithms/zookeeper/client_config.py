"""The options of the whole: the ensemble's, those of its clients' sessions, and those of the recipe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from simulator.algorithms.zookeeper.config import EnsembleConfig
from simulator.protocol import SECOND, Duration, DurationRange, option

Watch = Literal["predecessor", "parent"]
StopLeading = Literal["disconnect", "expiry"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ZooKeeperConfig(EnsembleConfig):
    """The options of an ensemble and of the candidates that are its clients."""

    servers: int = option(3, "The ensemble's servers, observers included. They come after the candidates, by number.")
    session_timeout: Duration = option(
        6 * SECOND,
        "After how much silence a client's session ends: what it asks for. It gets at least 2 ticks, and at most 20.",
    )
    ping_jitter: DurationRange = option(
        (0, 0),
        "How much earlier than a third of the session's timeout a client pings, drawn each time; kazoo: 10 to 400 ms.",
    )
    reconnect_delay: DurationRange = option(
        (0, SECOND),
        "How long a client waits before it asks the next server, drawn each time (ZooKeeper's client: 1 s).",
    )
    watch: Watch = option(
        "predecessor",
        "What a candidate watches: the next lower znode, so that a leader's end wakes one of them; or the parent, so"
        " that it wakes all, who all read again (the herd).",
    )
    announce: bool = option(
        True,
        "Whether a leader says so in a znode that all watch, as the recipe suggests. Else a candidate knows only whom"
        " it saw lowest when it last read.",
    )
    stop_leading: StopLeading = option(
        "disconnect",
        "When a leader stops that is cut off: as soon as it is disconnected, or only when its session has expired, of"
        " which a server tells it, or else its own clock.",
    )

    def __post_init__(self) -> None:
        EnsembleConfig.__post_init__(self)  # With slots, super() without arguments would look at another class.
        if self.servers < 1:
            raise ValueError("servers: must be at least 1")
        if self.observers >= self.servers:
            raise ValueError("observers: must be fewer than servers, of which some have to vote")
        if self.session_timeout < 1:
            raise ValueError("session_timeout: must be above 0")
        for name in ("ping_jitter", "reconnect_delay"):
            low, high = getattr(self, name)
            if not 0 <= low <= high:
                raise ValueError(f"{name}: must be two durations of at least 0, the shorter one first")
