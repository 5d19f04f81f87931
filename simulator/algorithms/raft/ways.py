"""Other ways to keep a Raft server's timeouts: what systems do shows in their failover times."""

from __future__ import annotations

from simulator.algorithms.raft.config import RaftConfig
from simulator.algorithms.raft.pace import ELECTION, LED, TOUCH, Server, Timeouts
from simulator.protocol import CANDIDATE, FOLLOWER, LEADER, Host, Nanoseconds, NodeId, Role, uniform

SILENCE, TICK, POLL = "silence", "tick", "poll"


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

    def voted(self) -> None:
        self._elapsed = 0

    def hears_at_first(self) -> None:
        self.leader_was_heard = True

    def stood(self, refused: int) -> None:
        self._forget_leader()
        if self.server.role is CANDIDATE:
            self._redraw(self._candidate_timeout(refused))
        else:
            self._elapsed = 0

    def stepped_down(self, was: Role, higher_term: bool) -> None:
        self._forget_leader()
        if was is LEADER:
            self._end_lease()
        if higher_term or was is not FOLLOWER:
            self._redraw(self._election_timeout)

    def gave_up(self) -> None:
        """Done already: to become a follower is to draw."""

    def leads(self) -> None:
        self._redraw(self._election_timeout)
        self._since_heartbeat = 0
        if self._slides:
            self._begin_lease()

    def sent_heartbeats(self) -> None:
        self._since_heartbeat = 0

    def ring(self, name: str) -> None:
        if name != TICK:
            super().ring(name)
            return
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
            if self.config.check_quorum and not self._slides:
                self.server.check_quorum()
        if self.server.role is LEADER and self._since_heartbeat * self._tick >= self.config.heartbeat_interval:
            self.server.send_heartbeats()

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

    def heard(self) -> None:
        self._due.pop(ELECTION, None)  # Messages come before timeouts in the loop: this one is called off.
        super().heard()

    def stood(self, refused: int) -> None:
        self._due.pop(ELECTION, None)
        super().stood(refused)

    def answered(self, peer: NodeId) -> None:
        self._due.pop(f"{TOUCH}{peer}", None)
        super().answered(peer)

    def woken(self) -> None:
        self.host.set_timer(POLL, self._poll_interval)
        while self._due:  # One by one: what one leads to may call off the next.
            name = next(iter(self._due))
            del self._due[name]
            super().ring(name)

    def ring(self, name: str) -> None:
        if name == POLL:
            self.woken()
        elif name == LED:  # Nothing to do but to remember.
            super().ring(name)
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
