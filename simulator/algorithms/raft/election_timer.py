"""When a Raft server campaigns: the paper's election timeout, and how real systems keep time instead.

The server tells its timer what happens (`reset`, `on_heartbeat`, `on_vote`). When one of the host's timers comes due,
`fire` returns the names of what the server has to do now. The paper leaves open how timeouts are kept; each class below
is one way to keep them; etcd's ticks are in `tick_timer`, and `timers.new_timer` chooses by the options.
"""

from __future__ import annotations

from collections.abc import Callable

from simulator.algorithms.raft.config import RaftConfig
from simulator.algorithms.raft.polled_timers import PolledTimers, TimerHost
from simulator.protocol import CANDIDATE, FOLLOWER, LEADER, PRE_CANDIDATE, Host, Nanoseconds, Role, spread, uniform

ELECTION = "election"  # No leader was heard for an election timeout.
HEARTBEAT = "heartbeat"  # A leader has to send heartbeats.
QUORUM = "quorum"  # A leader has to see whether a majority still answers.
TOUCH = "touch "  # The name is followed by a peer, whose last answer is as old as the leader's lease.
LED = "led"  # The last heartbeat is as old as the least election timeout.
TICK, CONTACT, POLL = "tick", "silence", "poll"

_MOST_BACKOFFS = 5  # The end of a candidate's range grows no further after so many refusals in a row.
_MOST_DOUBLINGS = 30  # The growth is bounded, because a longer timeout exceeds every trial.


class ElectionTimer:
    """The paper's way: each reset draws a new timeout for a timer of the host."""

    def __init__(self, host: Host, config: RaftConfig, timers: TimerHost | None = None) -> None:
        self.host = host
        self.config = config
        self.timers: TimerHost = host if timers is None else timers
        # Whether a leader was heard within the least election timeout. Kept only if an option needs this flag.
        self.leader_was_heard = False
        self._election_timeout = config.election_timeout
        asks = config.pre_vote or config.stickiness != "off"
        self.keeps_led = asks and config.stickiness_lasts == "least_timeout"

    def start(self) -> None:
        """The server has started: draw the first timeout."""
        self._restart()

    def assume_heartbeat(self) -> None:
        """Count a leader as heard just now: a restarted server may have forgotten the leader that it has heard."""
        self.leader_was_heard = True
        self.host.set_timer(LED, self._election_timeout[0])

    def reset(
        self, role: Role, was: Role = FOLLOWER, *, new_term: bool = False, gave_up: bool = False, refused: int = 0
    ) -> None:
        """The server has entered `role`. A follower's timeout is drawn anew only where the rules say so.

        For a follower, `was` is its role before, `new_term` says whether it has adopted a higher term, and `gave_up`
        says whether it was a candidate that too many voters refused. For a candidate, `refused` is the number of its
        last candidacies in a row that were refused.
        """
        if role is LEADER:
            self._stop()
        elif role is FOLLOWER:
            self._follow(was, new_term, gave_up)
        else:
            self._campaign(role, refused)

    def on_heartbeat(self) -> None:
        """AppendEntries of this term's leader has arrived. This is the hot path."""
        self.timers.set_timer(ELECTION, uniform(self.host.random, self._election_timeout))
        if self.keeps_led:
            self.leader_was_heard = True
            self.host.set_timer(LED, self._election_timeout[0])

    def on_vote(self) -> None:
        """The server has granted a vote: "or granting vote to candidate" (Figure 2, rules for followers)."""
        self._restart()

    def fire(self, name: str, role: Role) -> tuple[str, ...]:
        """A timer of the host has come due: return the names of what the server has to do now, in order."""
        if name == LED:
            self.leader_was_heard = False
            return ()
        return (name,)

    def wake(self, handle: Callable[[str], None]) -> None:
        """Something has reached the server. A poll loop, if the server has one, calls `handle` with what came due."""

    def restart_heartbeat(self) -> None:
        """The leader has sent heartbeats: the next ones are due after the heartbeat interval."""
        delay = self.config.heartbeat_interval
        if self.config.heartbeat_spread:
            delay += uniform(self.host.random, (0, self.config.heartbeat_spread))
        self.timers.set_timer(HEARTBEAT, delay)

    # --- Inside

    def _stop(self) -> None:
        self.timers.cancel_timer(ELECTION)
        self._forget_leader()

    def _follow(self, was: Role, new_term: bool, gave_up: bool) -> None:
        """A follower that meets the leader of its term needs no reset here: `on_heartbeat` follows."""
        if new_term:
            self._forget_leader()
        if was is LEADER:
            self.timers.cancel_timer(HEARTBEAT)
        if was is LEADER or gave_up or (new_term and self._resets(was)):
            self._restart()

    def _campaign(self, role: Role, refused: int) -> None:
        drawn = uniform(self.host.random, self._candidate_timeout(refused))
        self.timers.set_timer(ELECTION, self._backed_off(drawn, refused))

    def _candidate_timeout(self, refused: int) -> tuple[Nanoseconds, Nanoseconds]:
        low, high = self.config.candidate_timeout or self._election_timeout
        if self.config.backoff_multiplies == "draw":
            return low, high
        return low, round(high * self.config.candidate_backoff ** min(refused, _MOST_BACKOFFS))

    def _backed_off(self, drawn: Nanoseconds, refused: int) -> Nanoseconds:
        if self.config.backoff_multiplies == "draw":
            return round(drawn * self.config.candidate_backoff ** min(refused, _MOST_DOUBLINGS))
        return drawn

    def _forget_leader(self) -> None:
        """The leader of an earlier term does not count as heard, unless leases for reads rely on it (`lease`)."""
        if self.config.lease_reads:
            return
        self.leader_was_heard = False
        if self.keeps_led:
            self.host.cancel_timer(LED)

    def _resets(self, was: Role) -> bool:
        """Whether a higher term alone resets the timeout (option `step_down_resets_timer`)."""
        who = self.config.step_down_resets_timer
        return who == "anybody" or (who == "candidate" and was in (CANDIDATE, PRE_CANDIDATE))

    def _restart(self) -> None:
        self.timers.set_timer(ELECTION, uniform(self.host.random, self._election_timeout))


class LastContactTimer(ElectionTimer):
    """hashicorp's way: heartbeats do not touch a follower's running timer. When it fires, the follower campaigns if its
    last contact is older than the heartbeat timeout (option `least_silence`); otherwise the timer is drawn anew
    (hashicorp/raft, `runFollower`, `HeartbeatTimeout`).
    """

    def __init__(self, host: Host, config: RaftConfig) -> None:
        super().__init__(host, config)
        assert config.least_silence is not None
        self._heartbeat_timeout: Nanoseconds = config.least_silence
        self._had_contact = False  # Within the heartbeat timeout.

    def on_heartbeat(self) -> None:
        self._note_contact()
        if self.keeps_led:
            self.leader_was_heard = True
            self.host.set_timer(LED, self._election_timeout[0])

    def on_vote(self) -> None:
        self._note_contact()

    def fire(self, name: str, role: Role) -> tuple[str, ...]:
        if name == CONTACT:
            self._had_contact = False
            return ()
        if name == ELECTION and self._had_contact and role is FOLLOWER:
            self._restart()
            return ()
        return super().fire(name, role)

    def _follow(self, was: Role, new_term: bool, gave_up: bool) -> None:
        super()._follow(was, new_term, gave_up)
        if was is not FOLLOWER:
            self._restart()  # `runFollower` begins with a timer of its own.

    def _note_contact(self) -> None:
        self._had_contact = True
        self.host.set_timer(CONTACT, self._heartbeat_timeout)


class PollingTimer(ElectionTimer):
    """PySyncObj's way: a loop looks at what came due. It runs at an interval, and after each message and each opened or
    closed connection (bakwc/PySyncObj, `_onTick` and its poller).
    """

    def __init__(self, host: Host, config: RaftConfig) -> None:
        self.polled = PolledTimers(host)
        super().__init__(host, config, self.polled)
        assert config.poll_interval is not None
        self._poll_interval: Nanoseconds = config.poll_interval
        self._poll_delay = config.poll_delay

    def start(self) -> None:
        super().start()
        self._wait()

    def fire(self, name: str, role: Role) -> tuple[str, ...]:
        if name in (ELECTION, HEARTBEAT, QUORUM) or name.startswith(TOUCH):
            self.polled.due[name] = None
            return ()
        return super().fire(name, role)

    def wake(self, handle: Callable[[str], None]) -> None:
        """The loop looks now. It takes one at a time, since handling what came due may call off the next."""
        self._wait()
        while (name := next(iter(self.polled.due), None)) is not None:
            del self.polled.due[name]
            handle(name)

    def _wait(self) -> None:
        """The loop looks again after an interval, and what its turn takes besides (`poll_delay`)."""
        delay = 0 if self._poll_delay is None else spread(self.host.random, self._poll_delay)
        self.host.set_timer(POLL, self._poll_interval + delay)
