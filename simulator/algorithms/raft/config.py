"""The options of Raft. The defaults are the paper's; `dialects` has the sets of options that others chose."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from simulator.protocol import MILLISECOND, Duration, DurationRange, DurationSpread, Nanoseconds, NodeNames, option

WhoResets = Literal["leader", "candidate", "anybody"]
Stickiness = Literal["off", "refuse", "ignore", "ignore_with_check_quorum"]
StickinessLasts = Literal["least_timeout", "own_timeout"]
Refusals = Literal["always", "not_stale", "never"]
BackoffMultiplies = Literal["range_end", "draw"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RaftConfig:
    """Options of Raft; the defaults are the paper's (5.6, 9.3)."""

    election_timeout: DurationRange = option(
        (150 * MILLISECOND, 300 * MILLISECOND),
        "The range from which each election timeout is drawn; each reset draws a new one (5.2).",
    )
    heartbeat_interval: Duration = option(50 * MILLISECOND, "How often a leader sends AppendEntries (5.2).")
    heartbeat_spread: Duration = option(
        0, "A random time up to this is added to each interval between heartbeats (hashicorp/raft: up to one interval)."
    )
    vote_retry_interval: Duration | None = option(
        None,
        "How often a candidate asks again those that have not replied (5.1). By default never, as in most systems.",
    )

    # What a server does when it steps down for a higher term, where the paper leaves a choice.
    step_down_resets_timer: WhoResets = option(
        "leader",
        "Which servers draw a new timeout when they learn of a higher term: only a leader, which had none (Figure 2 "
        "names two other reasons to reset); also a candidate (Raft Refloated); or any server (etcd).",
    )
    votes_after_stepping_down: bool = option(
        True,
        "Whether a candidate or leader that steps down for a vote request may grant it, or refuses it (Refloated).",
    )
    new_term_heartbeat_only_steps_down: bool = option(
        False,
        "AppendEntries of a higher term only ends the old role, and gets no reply (AvailSim; dissertation, 9.3).",
    )
    separate_writes: bool = option(
        False,
        "A voter writes its new term and its vote to disk one after the other. The paper needs only one write.",
    )

    refusals: Refusals = option(
        "always",
        "Which refusals are sent: all (Figure 2); all but those of requests of an earlier term (etcd); or none "
        "(PySyncObj). Refusals of pre-votes are always sent. Refusals of heartbeats are always sent if pre_vote or "
        "leader_stickiness is on, and under not_stale if check_quorum is: otherwise servers could be stuck (etcd).",
    )

    # What candidates do when they are not elected.
    candidate_timeout: DurationRange | None = option(
        None, "The range of a candidate's timeouts. By default that of election_timeout (Raft Refloated, 6)."
    )
    candidate_backoff: float = option(
        1.0, "A candidate's timeouts grow by this factor with each refused candidacy in a row (backoff_multiplies)."
    )
    backoff_multiplies: BackoffMultiplies = option(
        "range_end",
        "What candidate_backoff multiplies: the upper end of the range, after each candidacy that somebody refused, at "
        "most five times, until a leader is heard; or the drawn timeout itself, after each candidacy that half of the "
        "other voters refused, until the candidate steps down (Raft Refloated, expo).",
    )
    refusals_end_candidacy: bool = option(
        False,
        "If so many voters refuse that no majority is left, the candidate becomes a follower at once, and draws a new "
        "timeout. A pre-candidate then ignores refusals of an earlier term than its own (etcd).",
    )

    # Extensions of the dissertation.
    pre_vote: bool = option(
        False, "Before a server begins a new term, it asks whether a majority would vote for it (dissertation, 9.6)."
    )
    check_quorum: bool = option(
        False, "A leader steps down if no majority has answered it within its lease (dissertation, 6.2)."
    )
    leader_lease: Duration | None = option(
        None, "How long such a leader may go without a majority's answers. By default the least election timeout."
    )
    lease_slides: bool = option(
        False,
        "If set, such a leader steps down once its last answers from a majority are one lease old (hashicorp, "
        "PySyncObj). Otherwise it checks once in each lease which servers have answered since (etcd).",
    )
    leader_stickiness: Stickiness = option(
        "off",
        "What a server does with a vote request within the least election timeout after it heard a leader: it treats "
        "it like any other; or, whatever its term, it refuses it, or ignores it without reply (4.2.3), always or only "
        "if check_quorum is on (etcd).",
    )
    stickiness_lasts: StickinessLasts = option(
        "least_timeout",
        "For how long a heard leader makes a voter refuse under stickiness and PreVote: the least election timeout "
        "(4.2.3, 9.6), or until the voter's own timeout has passed (hashicorp: as long as it knows a leader).",
    )

    lease_reads: bool = option(
        False,
        "A leader keeps a lease for reads: once a majority has answered its heartbeats, no other leader can be elected "
        "for a while (dissertation, 6.4.1). Needs leader_stickiness. A restarted server votes for nobody at first.",
    )
    clock_drift_bound: float = option(
        1.1, "With lease_reads: how many times as fast as a leader's clock another server's clock may run (6.4.1)."
    )

    # The log.
    replication: bool = option(
        False, "Replicate clients' commands (5.3), so that logs differ by what happened. Otherwise logs stay as given."
    )
    no_op: bool = option(False, "A new leader begins with an entry of its own term (5.4.2; dissertation, 6.4).")
    first_entry: bool = option(
        False,
        "Without replication: a new leader appends an entry of its own term to its own log, and writes it to disk "
        "before its first heartbeat (LogCabin). The other logs stay as they are. With replication, use no_op.",
    )

    priorities: tuple[int, ...] = option(
        (),
        "The priority of each node, from n1 on. A voter refuses a candidate of lower priority than its own unless the "
        "candidate's log is more up-to-date, or the leader has asked it to campaign (tikv/raft-rs#68, "
        "etcd-io/etcd#10201). By default no node has priority.",
    )

    ineligible: NodeNames = option(
        (),
        "The servers that vote and campaign, but that no other server votes for, whatever their logs (Raft Refloated).",
    )

    # The members of the cluster at first.
    voters: NodeNames | None = option(
        None, "The servers that vote at first, unless a log says otherwise (4.1). By default all but the learners."
    )
    learners: NodeNames = option(
        (), "The servers that receive the log, but neither vote nor campaign (dissertation, 4.2.1)."
    )

    # How timeouts are kept.
    tick: Duration | None = option(
        None,
        "Servers count time in ticks of this length, each from a random phase on. Timeouts are whole ticks, and are "
        "drawn only when the role may change (etcd).",
    )
    least_silence: Duration | None = option(
        None,
        "A timeout starts over if the server has heard a leader or granted a vote within this time (hashicorp).",
    )
    poll_interval: Duration | None = option(
        None, "How often a server looks at its timeouts. It also looks whenever a message arrives (PySyncObj)."
    )
    poll_delay: DurationSpread | None = option(
        None,
        "How much longer than poll_interval a turn of such a loop takes: [minimum, median, p99], drawn for each turn. "
        "A wait never ends early, and what the loop does takes time, too. So the servers' loops drift apart.",
    )

    def __post_init__(self) -> None:
        for problem in _problems(self):
            raise ValueError(problem)

    @property
    def stickiness(self) -> Stickiness:
        """What `leader_stickiness` comes to: off, refuse or ignore."""
        if self.leader_stickiness == "ignore_with_check_quorum":
            return "ignore" if self.check_quorum else "off"
        return self.leader_stickiness

    @property
    def refuses_heartbeats(self) -> bool:
        """Whether a server answers the heartbeats of an earlier term.

        A server whose term is ahead of a leader that others hear would be stuck if its refusals did not tell the
        leader. etcd answers if PreVote or CheckQuorum is on: otherwise the server's vote requests tell the leader
        (etcd-io/raft, `Step`).
        """
        if self.pre_vote or self.stickiness != "off":
            return True
        return self.refusals == "always" or (self.refusals == "not_stale" and self.check_quorum)

    @property
    def lease_ns(self) -> Nanoseconds:
        """How long a leader may go without a majority's replies, in nanoseconds."""
        return self.election_timeout[0] if self.leader_lease is None else self.leader_lease

    @property
    def lease_span_ns(self) -> Nanoseconds:
        """For how long no other leader can be elected after heartbeats that a majority answers, in nanoseconds.

        A server that counts in ticks may hear a leader just before a tick, and `least_silence` may be the shorter time.
        """
        least = min(self.election_timeout[0], self.least_silence or self.election_timeout[0]) - (self.tick or 0)
        return int(least / self.clock_drift_bound)


def _lease_problems(config: RaftConfig) -> Iterator[str]:
    if not 1 <= config.clock_drift_bound <= 10:
        yield "clock_drift_bound: must be from 1 to 10"
    elif config.lease_reads and config.stickiness == "off":
        yield "lease_reads: needs leader_stickiness, or another leader could be elected during a lease"
    elif config.lease_reads and config.stickiness_lasts != "least_timeout":
        yield "lease_reads: needs stickiness_lasts: least_timeout, the default; leave stickiness_lasts out"
    elif config.lease_reads and config.lease_span_ns <= 0:
        yield "lease_reads: an election timeout of one tick leaves no time for a lease; raise election_timeout"


def _problems(config: RaftConfig) -> Iterator[str]:
    for name in ("election_timeout", "candidate_timeout"):
        low, high = getattr(config, name) or (1, 1)
        if not 0 < low <= high:
            yield f"{name}: the range must be positive, and its lower end must not be above its upper end"
    if config.poll_delay is not None and config.poll_interval is None:
        yield "poll_delay: needs poll_interval; give both, or leave poll_delay out"
    for name in ("heartbeat_interval", "vote_retry_interval", "leader_lease", "tick", "least_silence", "poll_interval"):
        value = getattr(config, name)
        if value is not None and value <= 0:
            yield f"{name}: must be positive"
    if config.no_op and not config.replication:
        yield "no_op: needs replication; give both, or leave no_op out"
    if config.first_entry and config.replication:
        yield "first_entry: is for logs that are not replicated; with replication, use no_op in its place"
    yield from _member_problems(config)
    yield from _lease_problems(config)
    if not 1 <= config.candidate_backoff <= 10:
        yield "candidate_backoff: must be from 1 to 10"
    if sum(way is not None for way in (config.tick, config.least_silence, config.poll_interval)) > 1:
        yield "tick: tick, least_silence and poll_interval exclude one another; give one of them"
    if config.tick is not None:
        yield from _tick_problems(config, config.tick)


def _member_problems(config: RaftConfig) -> Iterator[str]:
    if config.voters == ():
        yield "voters: no server could be elected; name at least one"
    lists = {"voters": config.voters or (), "learners": config.learners, "ineligible": config.ineligible}
    for name, nodes in lists.items():
        if len(set(nodes)) < len(nodes):
            yield f"{name}: a node is named twice"
    if both := set(config.voters or ()).intersection(config.learners):
        yield f"learners: n{min(both)} is a voter as well; name it in one list"
    if config.voters is not None and set(config.voters) <= set(config.ineligible):
        yield "ineligible: nobody could be elected; leave out at least one voter"


def _tick_problems(config: RaftConfig, tick: Nanoseconds) -> Iterator[str]:
    for name in ("election_timeout", "candidate_timeout", "heartbeat_interval", "leader_lease"):
        value = getattr(config, name)
        parts = value if isinstance(value, tuple) else (value,)
        if any(part is not None and part % tick for part in parts):
            yield f"{name}: must be a whole number of ticks, each of {tick / MILLISECOND:g}ms (tick)"
    if config.heartbeat_spread:
        yield "heartbeat_spread: must be 0 if tick is given"
