"""When a Raft server acts of its own accord: its election timeout, heartbeats, and a leader's lease.

The server tells its pace what has happened, and the pace tells the server when to stand, to send heartbeats, and to see
whether a majority still answers. The paper leaves open how timeouts are kept; `ways` has what systems do instead.
"""

from __future__ import annotations

from typing import Protocol

from simulator.algorithms.raft.config import RaftConfig
from simulator.protocol import CANDIDATE, LEADER, PRE_CANDIDATE, Host, Nanoseconds, NodeId, Role, uniform

ELECTION, HEARTBEAT, QUORUM, LED = "election", "heartbeat", "quorum", "led"
TOUCH = "touch "  # Followed by the peer whose last answer it dates.

_MOST_BACKOFFS = 5  # As far as a candidate's timeouts grow.


class Server(Protocol):
    """What a pace tells its server to do."""

    role: Role

    def stand(self) -> None: ...
    def send_heartbeats(self) -> None: ...
    def check_quorum(self) -> None: ...
    def lose_touch(self, peer: NodeId) -> None: ...


class Timeouts:
    """As in the paper: a timeout drawn anew at each reset, on the host's timer."""

    def __init__(self, host: Host, config: RaftConfig, server: Server) -> None:
        self.host = host
        self.config = config
        self.server = server
        self.leader_was_heard = False  # Within the least election timeout; kept only where an option asks.
        self._election_timeout = config.election_timeout
        self._slides = config.check_quorum and config.lease_slides
        asks = config.pre_vote or config.leader_stickiness != "off"
        self._keeps_led = asks and config.stickiness_lasts == "least_timeout"

    # --- What has happened

    def start(self) -> None:
        self._reset()

    def hears_at_first(self) -> None:
        """The server has just started, and may have forgotten a leader that relies on having been heard."""
        self.leader_was_heard = True
        self.host.set_timer(LED, self._election_timeout[0])

    def heard(self) -> None:
        """AppendEntries of the leader of this term has come: the hot path."""
        self.host.set_timer(ELECTION, uniform(self.host.random, self._election_timeout))
        if self._keeps_led:
            self.leader_was_heard = True
            self.host.set_timer(LED, self._election_timeout[0])

    def voted(self) -> None:
        """A vote was granted: "or granting vote to candidate" (Figure 2, rules for followers)."""
        self._reset()

    def stood(self, refused: int) -> None:
        """A candidacy, or the wish for one, begins, after so many in a row that were refused."""
        self.host.set_timer(ELECTION, uniform(self.host.random, self._candidate_timeout(refused)))

    def stepped_down(self, was: Role, higher_term: bool) -> None:
        """The server is a follower. Otherwise than for a higher term, what made it one resets the timer itself."""
        if higher_term:
            self._forget_leader()  # Not one of this term.
        if was is LEADER:
            self.host.cancel_timer(HEARTBEAT)
            self._end_lease()
        if was is LEADER or (higher_term and self._resets(was)):
            self._reset()

    def gave_up(self) -> None:
        """A majority has refused this candidate, which is a follower."""
        self._reset()

    def leads(self) -> None:
        self.host.cancel_timer(ELECTION)
        self._forget_leader()
        self._begin_lease()

    def sent_heartbeats(self) -> None:
        config = self.config
        delay = config.heartbeat_interval
        if config.heartbeat_spread:
            delay += uniform(self.host.random, (0, config.heartbeat_spread))
        self.host.set_timer(HEARTBEAT, delay)

    def answered(self, peer: NodeId) -> None:
        """A peer has answered this leader with CheckQuorum."""
        if self._slides:
            self.host.set_timer(f"{TOUCH}{peer}", self.config.lease_ns)

    def woken(self) -> None:
        """A message has been handled: only who polls looks at the time then."""

    # --- What comes due

    def ring(self, name: str) -> None:
        if name == HEARTBEAT:
            self.server.send_heartbeats()
        elif name == ELECTION:
            self.server.stand()
        elif name == QUORUM:
            self.server.check_quorum()
            if self.server.role is LEADER:
                self.host.set_timer(QUORUM, self.config.lease_ns)
        elif name == LED:
            self.leader_was_heard = False
        elif name.startswith(TOUCH):
            self.server.lose_touch(int(name.removeprefix(TOUCH)))

    # --- Inside

    def _candidate_timeout(self, refused: int) -> tuple[Nanoseconds, Nanoseconds]:
        low, high = self.config.candidate_timeout or self._election_timeout
        return low, round(high * self.config.candidate_backoff ** min(refused, _MOST_BACKOFFS))

    def _forget_leader(self) -> None:
        """In a new term, a leader of the last one was not heard; but who has promised it a lease keeps it (`lease`)."""
        if self.config.lease_reads:
            return
        self.leader_was_heard = False
        if self._keeps_led:
            self.host.cancel_timer(LED)

    def _begin_lease(self) -> None:
        if self._slides:
            for peer in self.host.peers:
                self.answered(peer)
        elif self.config.check_quorum:
            self.host.set_timer(QUORUM, self.config.lease_ns)

    def _end_lease(self) -> None:
        self.host.cancel_timer(QUORUM)
        if self._slides:
            for peer in self.host.peers:
                self.host.cancel_timer(f"{TOUCH}{peer}")

    def _resets(self, was: Role) -> bool:
        who = self.config.step_down_resets_timer
        return who == "anybody" or (who == "candidate" and was in (CANDIDATE, PRE_CANDIDATE))

    def _reset(self) -> None:
        self.host.set_timer(ELECTION, uniform(self.host.random, self._election_timeout))
