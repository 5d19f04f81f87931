"""The options of Raft. Their defaults are the paper's; `dialects` has the sets of them that others chose."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from simulator.protocol import MILLISECOND, Duration, DurationRange, Nanoseconds, NodeNames, option

WhoResets = Literal["leader", "candidate", "anybody"]
Stickiness = Literal["off", "refuse", "ignore"]
StickinessLasts = Literal["least_timeout", "own_timeout"]
Refusals = Literal["always", "not_stale", "never"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RaftConfig:
    """Options of Raft; the defaults are the paper's (5.6, 9.3)."""

    election_timeout: DurationRange = option(
        (150 * MILLISECOND, 300 * MILLISECOND),
        "The range that each election timeout is drawn from, anew at each reset (5.2).",
    )
    heartbeat_interval: Duration = option(50 * MILLISECOND, "How often a leader sends AppendEntries (5.2).")
    heartbeat_spread: Duration = option(
        0, "Each interval between heartbeats is longer by a draw from 0 to this (hashicorp/raft: as much again)."
    )
    vote_retry_interval: Duration | None = option(
        None, "A candidate asks those who have not replied again this often (5.1); none by default, as most systems do."
    )

    # What stepping down for a higher term means, where the paper leaves a choice.
    step_down_resets_timer: WhoResets = option(
        "leader",
        "Who draws a new timeout on hearing of a higher term: only a leader, which had none (Figure 2 names two other "
        "reasons to reset); also a candidate (Raft Refloated); or anybody (etcd).",
    )
    votes_after_stepping_down: bool = option(
        True,
        "Whether a request that makes a candidate or leader step down may get its vote, or is refused (Refloated).",
    )
    new_term_heartbeat_only_steps_down: bool = option(
        False, "AppendEntries of a higher term does no more than end the old role, as in AvailSim (dissertation, 9.3)."
    )
    separate_writes: bool = option(
        False,
        "A voter writes its new term and then its vote, one after the other; the paper asks for no more than one.",
    )

    refusals: Refusals = option(
        "always",
        "Which requests are refused by a reply: all that are (Figure 2); no vote request of an earlier term (etcd); or "
        "none at all (PySyncObj). The others go unanswered. Pre-votes are always refused aloud, and so are heartbeats "
        "under pre_vote or leader_stickiness, or servers could be stuck (etcd).",
    )

    # How candidates go on.
    candidate_timeout: DurationRange | None = option(
        None, "The range of a candidate's timeouts; that of election_timeout unless given (Raft Refloated, 6)."
    )
    candidate_backoff: float = option(
        1.0, "After each candidacy in a row that was refused, the next one's range ends so many times as late."
    )
    refusals_end_candidacy: bool = option(
        False,
        "A candidate that can reach no majority any more, so many have refused, is a follower again at once, and "
        "draws a new timeout (etcd).",
    )

    # Extensions of the dissertation.
    pre_vote: bool = option(
        False, "Ask a majority whether it would vote, before a term is spent on it (dissertation, 9.6)."
    )
    check_quorum: bool = option(
        False, "A leader that has heard from no majority within its lease steps down (dissertation, 6.2)."
    )
    leader_lease: Duration | None = option(
        None, "How long such a leader may hear from no majority; the least election timeout unless given."
    )
    lease_slides: bool = option(
        False,
        "Such a leader steps down once its last answers from a majority are a lease old (hashicorp, PySyncObj); else "
        "it looks once in each lease at who has answered since (etcd).",
    )
    leader_stickiness: Stickiness = option(
        "off",
        "What becomes of a vote request within the least election timeout after a leader was heard (dissertation, "
        "4.2.3): it is like any other; or, whatever its term, it is refused, or ignored without a reply (etcd).",
    )
    stickiness_lasts: StickinessLasts = option(
        "least_timeout",
        "How long a heard leader keeps stickiness and PreVote from granting: the least election timeout (4.2.3, 9.6), "
        "or until the voter's own timeout finds it silent (hashicorp: as long as it knows of a leader).",
    )

    lease_reads: bool = option(
        False,
        "A leader keeps a lease for reads: a majority's answers to heartbeats hold off its successor for a while from "
        "their sending on (dissertation, 6.4.1). Needs leader_stickiness; a restarted server hears a leader at first.",
    )
    clock_drift_bound: float = option(
        1.1, "How many times as fast as a leader's clock another server's may run, where leases are kept (6.4.1)."
    )

    # The log.
    replication: bool = option(
        False, "Clients' commands are replicated (5.3), so that logs differ by what happened; else logs stay as given."
    )
    no_op: bool = option(False, "A new leader begins with an entry of its own term (5.4.2; dissertation, 6.4).")

    priorities: tuple[int, ...] = option(
        (),
        "Of each node, from n1 on: a voter refuses a candidate of lower priority than its own whose log is not more "
        "up-to-date, unless the leader has asked it to stand (tikv/raft-rs#68, etcd-io/etcd#10201); none at all by "
        "default.",
    )

    # Who belongs to the cluster at first.
    voters: NodeNames | None = option(
        None, "Who votes at first, as far as logs do not say otherwise; everybody but the learners unless given (4.1)."
    )
    learners: NodeNames = option((), "Who receives the log, and neither votes nor stands (dissertation, 4.2.1).")

    # How timeouts are kept.
    tick: Duration | None = option(
        None,
        "Time is counted in ticks of this length, from a random phase on; timeouts are whole ticks, and are redrawn "
        "only where the role may change (etcd).",
    )
    least_silence: Duration | None = option(
        None,
        "A timeout that finds that a leader was heard, or a vote granted, within this time starts over (hashicorp).",
    )
    poll_interval: Duration | None = option(
        None, "Timeouts are looked at this often, and whenever a message arrives (PySyncObj)."
    )

    def __post_init__(self) -> None:
        for problem in _problems(self):
            raise ValueError(problem)

    @property
    def refuses_heartbeats(self) -> bool:
        """Whether a server answers the heartbeats of an earlier term.

        A server whose term is ahead of a leader that others hear would be stuck if its refusals did not tell the leader
        (etcd-io/raft, `Step`).
        """
        return self.refusals != "never" or self.pre_vote or self.leader_stickiness != "off"

    @property
    def lease_ns(self) -> Nanoseconds:
        """How long a leader may be without a majority's replies."""
        return self.election_timeout[0] if self.leader_lease is None else self.leader_lease

    @property
    def lease_span_ns(self) -> Nanoseconds:
        """How long a round of heartbeats that a majority has answered holds off every other leader.

        Whoever counts in ticks may hear a leader just before one; and some stand after a lesser silence.
        """
        least = min(self.election_timeout[0], self.least_silence or self.election_timeout[0]) - (self.tick or 0)
        return int(least / self.clock_drift_bound)


def _lease_problems(config: RaftConfig) -> Iterator[str]:
    if not 1 <= config.clock_drift_bound <= 10:
        yield "clock_drift_bound: must be from 1 to 10"
    elif config.lease_reads and config.leader_stickiness == "off":
        yield "lease_reads: nobody would hold off a successor; give leader_stickiness, too"
    elif config.lease_reads and config.stickiness_lasts != "least_timeout":
        yield "lease_reads: relies on the least election timeout; leave stickiness_lasts out"
    elif config.lease_reads and config.lease_span_ns <= 0:
        yield "lease_reads: an election timeout of one tick leaves no lease"


def _problems(config: RaftConfig) -> Iterator[str]:
    for name in ("election_timeout", "candidate_timeout"):
        low, high = getattr(config, name) or (1, 1)
        if not 0 < low <= high:
            yield f"{name}: the range must be positive and its first end not above its second"
    for name in ("heartbeat_interval", "vote_retry_interval", "leader_lease", "tick", "least_silence", "poll_interval"):
        value = getattr(config, name)
        if value is not None and value <= 0:
            yield f"{name}: must be positive"
    if config.no_op and not config.replication:
        yield "no_op: stands without replication; give both"
    yield from _member_problems(config)
    yield from _lease_problems(config)
    if not 1 <= config.candidate_backoff <= 10:
        yield "candidate_backoff: must be from 1 to 10"
    if sum(way is not None for way in (config.tick, config.least_silence, config.poll_interval)) > 1:
        yield "tick: cannot stand with least_silence or poll_interval, nor these together; give one of them"
    if config.tick is not None:
        yield from _tick_problems(config, config.tick)


def _member_problems(config: RaftConfig) -> Iterator[str]:
    if config.voters == ():
        yield "voters: nobody could be elected; name at least one"
    for name, nodes in (("voters", config.voters or ()), ("learners", config.learners)):
        if len(set(nodes)) < len(nodes):
            yield f"{name}: somebody is named twice"
    if both := set(config.voters or ()).intersection(config.learners):
        yield f"learners: n{min(both)} is a voter, too"


def _tick_problems(config: RaftConfig, tick: Nanoseconds) -> Iterator[str]:
    for name in ("election_timeout", "candidate_timeout", "heartbeat_interval", "leader_lease"):
        value = getattr(config, name)
        parts = value if isinstance(value, tuple) else (value,)
        if any(part is not None and part % tick for part in parts):
            yield f"{name}: must be a whole number of ticks, each of {tick / MILLISECOND:g}ms (tick)"
    if config.heartbeat_spread:
        yield "heartbeat_spread: ticks leave no room for it; give 0"
