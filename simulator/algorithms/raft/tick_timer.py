"""etcd's way to keep a Raft server's timeouts: it counts ticks."""

from __future__ import annotations

from simulator.algorithms.raft.config import RaftConfig
from simulator.algorithms.raft.election_timer import ELECTION, HEARTBEAT, QUORUM, TICK, ElectionTimer
from simulator.protocol import CANDIDATE, FOLLOWER, LEADER, Host, Nanoseconds, Role, uniform


class TickTimer(ElectionTimer):
    """etcd's way: resets clear a counter of ticks. The timeout is a whole number of ticks, and is drawn only when the
    server becomes a follower, candidate or leader (etcd-io/raft, `reset`, `tickElection`, `tickHeartbeat`).
    """

    def __init__(self, host: Host, config: RaftConfig) -> None:
        super().__init__(host, config)
        assert config.tick is not None
        self._tick: Nanoseconds = config.tick
        self._elapsed = 0  # Ticks since the last reset. A leader counts them since its last check of the quorum.
        self._since_heartbeat = 0
        self._timeout = 0

    def start(self) -> None:
        self._draw(self._election_timeout)
        self.host.set_timer(TICK, uniform(self.host.random, (1, self._tick)))  # The phase of this server's ticks.

    def assume_heartbeat(self) -> None:
        self.leader_was_heard = True

    def on_heartbeat(self) -> None:
        self._elapsed = 0
        self.leader_was_heard = True

    def on_vote(self) -> None:
        self._elapsed = 0

    def fire(self, name: str, role: Role) -> tuple[str, ...]:
        if name != TICK:
            return super().fire(name, role)
        self.host.set_timer(TICK, self._tick)
        self._elapsed += 1
        if role is LEADER:
            return self._due_for_leader()
        if self._elapsed * self._tick >= self._timeout:
            self._elapsed = 0
            return (ELECTION,)
        if self._elapsed * self._tick >= self._election_timeout[0]:
            self.leader_was_heard = False
        return ()

    def restart_heartbeat(self) -> None:
        self._since_heartbeat = 0

    @property
    def left_ns(self) -> Nanoseconds:
        """How long this follower still waits at least before it forgets that it has heard the leader, or campaigns."""
        return min(self._election_timeout[0], self._timeout) - (self._elapsed + 1) * self._tick

    def skip(self, elapsed_ns: Nanoseconds) -> None:
        """Ticks of a leader were skipped: it has checked the quorum several times since (`simulator.quiet`)."""
        self._elapsed = (self._elapsed + elapsed_ns // self._tick) % -(-self.config.lease_ns // self._tick)

    def _due_for_leader(self) -> tuple[str, ...]:
        due: list[str] = []
        self._since_heartbeat += 1
        if self._elapsed * self._tick >= self.config.lease_ns:
            self._elapsed = 0
            if self.config.check_quorum and not self.config.lease_slides:
                due.append(QUORUM)
        if self._since_heartbeat * self._tick >= self.config.heartbeat_interval:
            due.append(HEARTBEAT)
        return tuple(due)

    def _stop(self) -> None:
        self._draw(self._election_timeout)
        self._since_heartbeat = 0

    def _follow(self, was: Role, new_term: bool, gave_up: bool) -> None:
        self._forget_leader()
        if new_term or was is not FOLLOWER:
            self._draw(self._election_timeout)

    def _campaign(self, role: Role, refused: int) -> None:
        self._forget_leader()
        if role is CANDIDATE:
            self._draw(self._candidate_timeout(refused))
            self._timeout = self._backed_off(self._timeout, refused)
        else:
            self._elapsed = 0

    def _draw(self, bounds: tuple[Nanoseconds, Nanoseconds]) -> None:
        low, high = (bound // self._tick for bound in bounds)
        self._timeout = uniform(self.host.random, (low, high)) * self._tick
        self._elapsed = 0
