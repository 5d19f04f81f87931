"""The options of Corosync and Pacemaker. Sources: exec/totemconfig.c, votequorum(5), lib/cluster/election.c."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.protocol import MILLISECOND, SECOND, Duration, Nanoseconds, option

_PER_CLOCK_TICK = 10 * MILLISECOND  # Corosync takes 100 ticks a second for granted (HZ in exec/totemconfig.c).


@dataclass(frozen=True, slots=True, kw_only=True)
class PacemakerConfig:
    """The options under Corosync's names where it has them."""

    token: Duration = option(
        3 * SECOND, "How long a node waits for the token until it takes it to be lost, in a cluster of two."
    )
    token_coefficient: Duration = option(
        650 * MILLISECOND, "What each node beyond the second adds to `token` (corosync.conf, with a nodelist)."
    )
    token_retransmits_before_loss: int = option(
        4,
        "How often a node repeats the token, until it is lost; so a token is repeated, or held, for a part of `token`.",
    )
    consensus: Duration | None = option(
        None,
        "How long a node waits until all who answer agree on a new membership without the silent ones. By default 1.2"
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
        False, "Whether the half that has the lowest node of the last quorum is a quorum where votes are even."
    )
    last_man_standing: bool = option(
        False, "Whether the number of expected votes is lowered to those who are left, each time a quorum has lasted."
    )
    last_man_standing_window: Duration = option(10 * SECOND, "How long it must have lasted.")
    dc_deadtime: Duration = option(
        20 * SECOND, "How long a node that starts waits for a DC until it starts an election."
    )
    dc_election_timeout: Duration = option(
        120 * SECOND, "After what time an election is won in which nobody opposed, though somebody has not answered."
    )
    processor_time: Duration = option(
        SECOND,
        "The most processor time that a node's controller has used. Each draws its own when it starts; the election"
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
        """How long a consensus takes if anybody is silent."""
        return 12 * self.token_timeout(nodes) // 10 if self.consensus is None else self.consensus

    @property
    def waits_for_all(self) -> bool:
        """Whether a start needs all nodes."""
        return self.two_node if self.wait_for_all is None else self.wait_for_all
