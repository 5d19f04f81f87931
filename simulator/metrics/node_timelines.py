"""The timeline of each node, for drawing: a trace cut into segments of equal role, term and condition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from simulator.metrics.elections import Cause, Election, elections
from simulator.protocol import MILLISECOND, Nanoseconds, NodeId, Role
from simulator.trace import event_types
from simulator.trace.trace import Row, Trace

Window = tuple[Nanoseconds, Nanoseconds]
# The rows about a fault, and the word that its mark adds.
_OUTCOMES = {
    event_types.FAULT: "",
    event_types.REPAIRED: "repaired",
    event_types.SKIPPED: "skipped",
    event_types.NOT_INJECTED: "not injected",
}
FAULT_ROWS = frozenset(_OUTCOMES)
_MARGIN = 0.12  # The part of an election that is shown before and after it.
_LEAST_SHOWN_NS = 10 * MILLISECOND


@dataclass(frozen=True, slots=True)
class Segment:
    """One node between two of its rows."""

    start_ns: Nanoseconds
    end_ns: Nanoseconds
    running: bool = False
    paused: bool = False
    role: Role | None = None  # None until the node declares a role.
    term: int | None = None


def node_timelines(trace: Trace) -> Mapping[NodeId, Sequence[Segment]]:
    """The segments of each member of the primary group, from the start of the trial to its end, without gaps."""
    found: dict[NodeId, list[Segment]] = {node: [Segment(0, 0)] for node in trace.groups[trace.primary_group]}
    for row in trace.rows:
        if row.node in found:
            current = found[row.node][-1]
            following = _after(row, current, trace.primary_group)
            if following != current:
                found[row.node][-1] = replace(current, end_ns=row.time_ns)
                found[row.node].append(replace(following, start_ns=row.time_ns))
    for segments in found.values():
        segments[-1] = replace(segments[-1], end_ns=trace.end_ns)
    return {node: [s for s in segments if s.end_ns > s.start_ns] for node, segments in found.items()}


def _after(row: Row, current: Segment, group: str) -> Segment:
    if row.kind == event_types.STARTED:
        return Segment(0, 0, running=True)
    if row.kind == event_types.CRASHED:
        return Segment(0, 0)
    if row.kind == event_types.PAUSED:
        return replace(current, paused=True)
    if row.kind == event_types.RESUMED:
        return replace(current, paused=False)
    if row.kind == event_types.TRANSITION and row.group == group:
        return replace(current, role=row.role, term=row.term)
    return current


def primary_election(trace: Trace) -> Election | None:
    """The first election after a loss; the first of all if no leader was lost."""
    found = elections(trace)
    return next((election for election in found if election.cause is Cause.LOSS), found[0] if found else None)


def election_window(trace: Trace, election: Election | None) -> Window:
    """From shortly before an election until shortly after its announcement; all of the trial where there is none."""
    if election is None:
        return 0, trace.end_ns
    end_ns = max(election.followed_until_ns, election.announced_majority_ns or 0, election.announced_all_ns or 0)
    margin_ns = round(_MARGIN * max(end_ns - election.start_ns, _LEAST_SHOWN_NS))  # An election may have length zero.
    return max(0, election.start_ns - margin_ns), min(trace.end_ns, end_ns + margin_ns)


def fault_label(row: Row) -> str:
    """A fault as its mark says it: `crash n5`, `partition n1 n2 | n3 n4 n5`, `heal`; `crash n5 repaired`."""
    parts = [row.field("fault"), _nodes(dict(row.detail).get("nodes")), _OUTCOMES[row.kind]]
    return " ".join(part for part in parts if part)


def _nodes(nodes: object) -> str:
    if isinstance(nodes, int):
        return f"n{nodes}"
    if not isinstance(nodes, tuple | list):
        return ""
    if any(isinstance(node, tuple | list) for node in nodes):
        return " | ".join(_nodes(group) for group in nodes)
    return " ".join(f"n{node}" for node in nodes) if len(nodes) <= 5 else f"{len(nodes)} nodes"
