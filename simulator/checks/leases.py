"""The leases of leaders for reads, as intervals of a trial's time."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.protocol import LEADER, Nanoseconds, NodeId
from simulator.trace import event_types
from simulator.trace.trace import Trace


@dataclass(slots=True)
class Lease:
    """From the first grant until it ran out, or was given up: in true time, whatever the leader's clock says."""

    node: NodeId
    term: int
    start_ns: Nanoseconds
    end_ns: Nanoseconds  # First the end by the leader's clock, as if this clock were right.


def leases(trace: Trace) -> list[Lease]:
    """Every lease that a leader has held, in order of the grants.

    A paused leader that learns of a grant when it resumes, and at once of its end, has held none.
    """
    found: list[Lease] = []
    held: dict[NodeId, Lease] = {}
    for row in trace.rows:
        node = row.node
        if row.kind == event_types.LEASE:
            assert node is not None
            if node not in held:
                held[node] = Lease(node, row.field("term"), row.time_ns, row.time_ns)
                found.append(held[node])
            held[node].end_ns = row.time_ns + row.field("lasts_ns")
        elif node in held:
            assert node is not None
            if row.kind == event_types.LEASE_ENDED:
                held.pop(node).end_ns = row.time_ns - row.field("late_ns")
            elif row.kind == event_types.CRASHED or (row.kind == event_types.TRANSITION and row.role is not LEADER):
                lease = held.pop(node)
                lease.end_ns = min(lease.end_ns, row.time_ns)
    return [lease for lease in found if lease.end_ns > lease.start_ns]
