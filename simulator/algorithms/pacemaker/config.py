"""The options of Corosync and Pacemaker. Sources: exec/totemconfig.c, votequorum(5), lib/cluster/election.c."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.protocol import MILLISECOND, SECOND, Duration, Nanoseconds, option

_PER_CLOCK_TICK = 10 * MILLISECOND  # Corosync assumes 100 clock ticks a second (HZ in exec/totemconfig.c).


@dataclass(frozen=True, slots=True, kw_only=True)
class PacemakerConfig:
    """The options. Those of Corosync have Corosync's names."""

    token: Duration = option(
        3 * SECOND, "How long a node of a cluster of two waits for the token until the token counts as lost."
    )
    token_coefficient: Duration = option(
        650 * MILLISECOND, "What each node beyond the second adds to `token` (corosync.conf, with a nodelist)."
    )
    token_retransmits_before_loss: int = option(
        4,
        "How many times a node may repeat a token until the token counts as lost.",
    )
    consensus: Duration | None = option(
        None,
        "How long nodes that form a new membership wait for a silent node until they leave it out. By default 1.2"
        " times the whole token timeout.",
    )
    join: Duration = option(50 * MILLISECOND, "How often a node that forms a new membership repeats its join message.")
    merge: Duration = option(
        200 * MILLISECOND, "How often the representative of a ring without traffic says that the ring exists."
    )
    unchanged_passes: int = option(
        30, "After how many passes without a message the representative holds the token for a while (seqno_unchanged)."
    )
    misses: int = option(
        5, "How many passes a node waits for a message before it asks for it again (miss_count_const)."
    )
    max_messages: int = option(17, "How many messages a node may send each time that it has the token.")
    two_node: bool = option(False, "Whether one of two nodes alone is a quorum. It makes `wait_for_all` the default.")
    wait_for_all: bool | None = option(
        None,
        "Whether a cluster that starts has no quorum until each node has been seen once. By default as `two_node`.",
    )
    auto_tie_breaker: bool = option(
        False, "Whether half of the votes are a quorum, if the lowest node of the last quorum is among them."
    )
    last_man_standing: bool = option(
        False,
        "Whether the expected votes become those of the remaining nodes after a quorum has lasted for the window.",
    )
    last_man_standing_window: Duration = option(10 * SECOND, "The window: how long a smaller quorum must have lasted.")
    dc_deadtime: Duration = option(
        20 * SECOND, "How long a node that starts waits for a DC until it starts an election."
    )
    dc_election_timeout: Duration = option(
        120 * SECOND, "How long a candidate waits for missing answers until it wins, if no node has opposed."
    )
    processor_time: Duration = option(
        SECOND,
        "The most processor time that a controller has used. Each controller draws its own at its start; the election"
        " prefers the node that has used most, as Pacemaker does.",
    )

    def __post_init__(self) -> None:
        for name in ("token", "join", "merge", "dc_deadtime", "dc_election_timeout", "last_man_standing_window"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: must be above 0")
        if self.consensus is not None and self.consensus < self.token * 12 // 10:
            raise ValueError("consensus: must be at least 1.2 times the token timeout, as Corosync demands")
        for name in ("token_retransmits_before_loss", "unchanged_passes", "max_messages"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: must be at least 1")
        if self.misses < 0:
            raise ValueError("misses: must be at least 0")
        if self.hold_timeout(2) < 1:
            raise ValueError("token: is too short for the number of retransmissions; Corosync demands 30 ms for each")

    def token_timeout(self, nodes: int) -> Nanoseconds:
        """The whole token timeout in a cluster of so many nodes (corosync.conf: token and token_coefficient)."""
        return self.token + max(0, nodes - 2) * self.token_coefficient

    def retransmit_timeout(self, nodes: int) -> Nanoseconds:
        """When a token is repeated: in whole milliseconds, `token / (retransmits + 0.2)` (totemconfig.c)."""
        parts = 10 * self.token_retransmits_before_loss + 2
        return 10 * self.token_timeout(nodes) // parts // MILLISECOND * MILLISECOND

    def hold_timeout(self, nodes: int) -> Nanoseconds:
        """How long a token is held: 0.8 of that, less one clock tick, in whole milliseconds (totemconfig.c)."""
        return (8 * self.retransmit_timeout(nodes) // 10 - _PER_CLOCK_TICK) // MILLISECOND * MILLISECOND

    def consensus_timeout(self, nodes: int) -> Nanoseconds:
        """How long a consensus takes if a node is silent."""
        return 12 * self.token_timeout(nodes) // 10 if self.consensus is None else self.consensus

    @property
    def waits_for_all(self) -> bool:
        """Whether a cluster that starts has no quorum until all nodes have been seen."""
        return self.two_node if self.wait_for_all is None else self.wait_for_all
