"""Claims to lead: when there was none, and when there were two at once. Definitions: docs/metrics.md."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from simulator.protocol import LEADER, Nanoseconds, NodeId
from simulator.trace import event_types
from simulator.trace.replay import GroupState, intervals
from simulator.trace.trace import Trace


@dataclass(frozen=True, slots=True)
class Claim:
    """The interval in which a node's own state says that it leads: until it steps down or crashes, paused or not."""

    node: NodeId
    term: int
    start_ns: Nanoseconds
    end_ns: Nanoseconds


class OverlapKind(enum.StrEnum):
    """What two simultaneous claims mean."""

    SAME_TERM = "same_term"  # Two leaders of one term: a violation if the algorithm guarantees election safety.
    STALE_LEADER = "stale_leader"  # The terms differ: the old leader has not heard of the new one yet.
    NO_TERM = "no_term"  # The algorithm has no terms.


@dataclass(slots=True)
class Overlap:
    """A maximal interval with two or more simultaneous claims in one group: a split-brain incident."""

    start_ns: Nanoseconds
    end_ns: Nanoseconds
    kind: OverlapKind = OverlapKind.STALE_LEADER
    claimants: set[NodeId] = field(default_factory=set)
    most_at_once: int = 0
    effective: bool = False  # At one instant, two claimants were each named leader by some other running node.

    def observe(self, state: GroupState, end_ns: Nanoseconds) -> None:
        """Take in an interval of the incident, with the state of the group in it."""
        self.end_ns = end_ns
        self.claimants.update(state.terms)
        self.most_at_once = max(self.most_at_once, len(state.terms))
        self.effective |= state.followed_claimants() > 1
        if self.kind is OverlapKind.STALE_LEADER:
            self.kind = _kind(state.terms.values())


@dataclass(slots=True)
class Leadership:
    """How a group was led in one trial; times in nanoseconds, counted from the first claim on where so defined."""

    observed_ns: Nanoseconds = 0  # The observed time runs from the first claim to the end of the trial.
    leaderless_ns: Nanoseconds = 0  # No running, unpaused node claimed to lead.
    quorum_leaderless_ns: Nanoseconds = 0  # No claiming node had a two-way path to a majority.
    disagreement_ns: Nanoseconds = 0  # Two running nodes named different leaders.
    overlaps: list[Overlap] = field(default_factory=list)


def _kind(terms: Iterable[int]) -> OverlapKind:
    known = [term for term in terms if term > 0]
    if len(known) > len(set(known)):
        return OverlapKind.SAME_TERM
    return OverlapKind.STALE_LEADER if known else OverlapKind.NO_TERM


def leadership(trace: Trace) -> Leadership:
    """The leadership of the primary group over one trial."""
    found = Leadership()
    overlap: Overlap | None = None
    for state, start_ns, end_ns in intervals(trace, trace.primary_group):
        length_ns = end_ns - start_ns
        if state.led:
            found.observed_ns += length_ns
            if not state.terms.keys() - state.paused:
                found.leaderless_ns += length_ns
            if not state.quorum:
                found.quorum_leaderless_ns += length_ns
        if len(set(state.named.values())) > 1:
            found.disagreement_ns += length_ns
        if len(state.terms) < 2:
            overlap = None
            continue
        if overlap is None:
            overlap = Overlap(start_ns, end_ns)
            found.overlaps.append(overlap)
        overlap.observe(state, end_ns)
    return found


def claims(trace: Trace) -> list[Claim]:
    """Every claim of the primary group, in order of its start. A claim that is still held ends with the trace."""
    begun: dict[NodeId, tuple[int, Nanoseconds]] = {}
    found: list[Claim] = []

    def end(node: NodeId, time_ns: Nanoseconds) -> None:
        if node in begun:
            found.append(Claim(node, *begun.pop(node), time_ns))

    for row in trace.rows:
        if row.kind == event_types.TRANSITION and row.group == trace.primary_group:
            assert row.node is not None and row.term is not None
            end(row.node, row.time_ns)
            if row.role is LEADER:
                begun[row.node] = row.term, row.time_ns
        elif row.kind == event_types.CRASHED:
            assert row.node is not None
            end(row.node, row.time_ns)
    for node in sorted(begun):
        end(node, trace.end_ns)
    return sorted(found, key=lambda claim: (claim.start_ns, claim.node))


def leader_changes(found: Iterable[Claim]) -> int:
    """How often a claim was made by another node than the claim before; the first claim is no change."""
    nodes = [claim.node for claim in found]
    return sum(node != before for before, node in pairwise(nodes))


def first_stable_claim(found: Iterable[Claim], after_ns: Nanoseconds, lasting_ns: Nanoseconds) -> Claim | None:
    """The first of these claims, made at `after_ns` or later, that lasts at least `lasting_ns`."""
    for claim in found:
        if claim.start_ns >= after_ns and claim.end_ns - claim.start_ns >= lasting_ns:
            return claim
    return None
