"""When a Raft server acts of its own accord: its election timeout, heartbeats, and a leader's lease.

The paper leaves open how timeouts are kept, and what systems do instead shows in their failover times. Each way is a
class here; the server tells it what has happened, and it tells the server when to stand, to send heartbeats, and to
see whether a majority still answers.
"""

from __future__ import annotations

from typing import Protocol

from simulator.algorithms.raft.config import RaftConfig
from simulator.protocol import CANDIDATE, FOLLOWER, LEADER, PRE_CANDIDATE, Host, Nanoseconds, Role, uniform

ELECTION, HEARTBEAT, QUORUM, LED = "election", "heartbeat", "quorum", "led"
SILENCE, TICK, POLL = "silence", "tick", "poll"

_MOST_BACKOFFS = 5  # As far as a candidate's timeouts grow.


class Server(Protocol):
    """What a pace tells its server to do."""

    role: Role

    def stand(self) -> None: ...
    def send_heartbeats(self) -> None: ...
    def check_quorum(self) -> None: ...


class Timeouts:
    """As in the paper: a timeout drawn anew at each reset, on the host's timer."""

    def __init__(self, host: Host, config: RaftConfig, server: Server) -> None:
        self.host = host
        self.config = config
        self.server = server
        self.leader_was_heard = False  # Within the least election timeout; kept only where an option asks.
        self._election_timeout = config.election_timeout
        self._keeps_led = config.pre_vote or config.leader_stickiness != "off"

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
        low, high = self.config.candidate_timeout or self._election_timeout
        factor = self.config.candidate_backoff ** min(refused, _MOST_BACKOFFS)
        self.host.set_timer(ELECTION, uniform(self.host.random, (low, round(high * factor))))

    def stepped_down(self, was: Role, higher_term: bool) -> None:
        """The server is a follower. Otherwise than for a higher term, what made it one resets the timer itself."""
        if was is LEADER:
            self.host.cancel_timer(HEARTBEAT)
            self.host.cancel_timer(QUORUM)
        if was is LEADER or (higher_term and self._resets(was)):
            self._reset()

    def gave_up(self) -> None:
        """A majority has refused this candidate, which is a follower."""
        self._reset()

    def leads(self) -> None:
        self.host.cancel_timer(ELECTION)
        self.leader_was_heard = False
        if self.config.check_quorum:
            self.host.set_timer(QUORUM, self.config.lease_ns)

    def sent_heartbeats(self) -> None:
        config = self.config
        delay = config.heartbeat_interval
        if config.heartbeat_spread:
            delay += uniform(self.host.random, (0, config.heartbeat_spread))
        self.host.set_timer(HEARTBEAT, delay)

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

    # --- Inside

    def _resets(self, was: Role) -> bool:
        who = self.config.step_down_resets_timer
        return who == "anybody" or (who == "candidate" and was in (CANDIDATE, PRE_CANDIDATE))

    def _reset(self) -> None:
        self.host.set_timer(ELECTION, uniform(self.host.random, self._election_timeout))


class Ticks(Timeouts):
    """As in etcd: a counter of ticks is cleared by what resets a timeout, and the timeout, in whole ticks, is drawn
    only where the server becomes a follower, candidate or leader (etcd-io/raft, `reset` and `tickElection`).
    """

    def __init__(self, host: Host, config: RaftConfig, server: Server) -> None:
        super().__init__(host, config, server)
        assert config.tick is not None
        self._tick: Nanoseconds = config.tick
        self._elapsed = 0  # Ticks since the last reset; of a leader, since it last saw to its quorum.
        self._since_heartbeat = 0
        self._timeout = 0

    def start(self) -> None:
        self._redraw(self._election_timeout)
        self.host.set_timer(TICK, uniform(self.host.random, (1, self._tick)))  # The phase of this server's ticks.

    def heard(self) -> None:
        self._elapsed = 0
        self.leader_was_heard = True

    def hears_at_first(self) -> None:
        self.leader_was_heard = True

    def voted(self) -> None:
        self._elapsed = 0
        self._forget()  # For this term, no leader is known.

    def stood(self, refused: int) -> None:
        self._forget()
        if self.server.role is CANDIDATE:
            self._redraw(self.config.candidate_timeout or self._election_timeout)
        else:
            self._elapsed = 0

    def stepped_down(self, was: Role, higher_term: bool) -> None:
        self._forget()
        if higher_term or was is not FOLLOWER:
            self._redraw(self._election_timeout)

    def gave_up(self) -> None:
        """Done already: to become a follower is to draw."""

    def leads(self) -> None:
        self._redraw(self._election_timeout)
        self._since_heartbeat = 0

    def sent_heartbeats(self) -> None:
        self._since_heartbeat = 0

    def ring(self, name: str) -> None:
        assert name == TICK
        self.host.set_timer(TICK, self._tick)
        self._elapsed += 1
        if self.server.role is LEADER:
            self._lead()
        elif self._elapsed * self._tick >= self._timeout:
            self._elapsed = 0
            self.server.stand()
        elif self._elapsed * self._tick >= self._election_timeout[0]:
            self.leader_was_heard = False

    def _lead(self) -> None:
        self._since_heartbeat += 1
        if self._elapsed * self._tick >= self.config.lease_ns:
            self._elapsed = 0
            if self.config.check_quorum:
                self.server.check_quorum()
        if self.server.role is LEADER and self._since_heartbeat * self._tick >= self.config.heartbeat_interval:
            self.server.send_heartbeats()

    def _forget(self) -> None:
        """In a new term, a leader of the last one was not heard (etcd); but who has promised it a lease keeps it."""
        if not self.config.lease_reads:
            self.leader_was_heard = False

    def _redraw(self, bounds: tuple[Nanoseconds, Nanoseconds]) -> None:
        low, high = (bound // self._tick for bound in bounds)
        self._timeout = uniform(self.host.random, (low, high)) * self._tick
        self._elapsed = 0


class Silence(Timeouts):
    """As in hashicorp/raft: a follower's timer runs on whatever is heard, and when it rings, the follower stands only
    if the last contact is older than `least_silence`; else the timer is drawn anew (hashicorp/raft, `runFollower`).
    """

    def __init__(self, host: Host, config: RaftConfig, server: Server) -> None:
        super().__init__(host, config, server)
        assert config.least_silence is not None
        self._least_silence: Nanoseconds = config.least_silence
        self._contact = False

    def heard(self) -> None:
        self._touch()
        if self._keeps_led:
            self.leader_was_heard = True
            self.host.set_timer(LED, self._election_timeout[0])

    def voted(self) -> None:
        self._touch()

    def stepped_down(self, was: Role, higher_term: bool) -> None:
        super().stepped_down(was, higher_term)
        if was is not FOLLOWER:
            self._reset()  # `runFollower` begins with a timer of its own.

    def ring(self, name: str) -> None:
        if name == SILENCE:
            self._contact = False
        elif name == ELECTION and self._contact and self.server.role is FOLLOWER:
            self._reset()
        else:
            super().ring(name)

    def _touch(self) -> None:
        self._contact = True
        self.host.set_timer(SILENCE, self._least_silence)


class Polls(Timeouts):
    """As in PySyncObj: what comes due is seen when the loop next looks, which it does at an interval and whenever a
    message arrives (bakwc/PySyncObj, `_onTick` and its poller).
    """

    def __init__(self, host: Host, config: RaftConfig, server: Server) -> None:
        super().__init__(host, config, server)
        assert config.poll_interval is not None
        self._poll_interval: Nanoseconds = config.poll_interval
        self._due: dict[str, None] = {}  # In the order in which they came due.

    def start(self) -> None:
        super().start()
        self.host.set_timer(POLL, self._poll_interval)

    def woken(self) -> None:
        self.host.set_timer(POLL, self._poll_interval)
        while self._due:  # One by one: what one leads to may call off the next.
            name = next(iter(self._due))
            del self._due[name]
            super().ring(name)

    def ring(self, name: str) -> None:
        if name == POLL:
            self.woken()
        else:
            self._due[name] = None

    def stepped_down(self, was: Role, higher_term: bool) -> None:
        if was is LEADER:
            self._due.clear()
        super().stepped_down(was, higher_term)

    def leads(self) -> None:
        self._due.clear()
        super().leads()

    def _reset(self) -> None:
        self._due.pop(ELECTION, None)
        super()._reset()


def pace(host: Host, config: RaftConfig, server: Server) -> Timeouts:
    """The way to keep timeouts that the options name."""
    if config.tick is not None:
        return Ticks(host, config, server)
    if config.least_silence is not None:
        return Silence(host, config, server)
    if config.poll_interval is not None:
        return Polls(host, config, server)
    return Timeouts(host, config, server)
