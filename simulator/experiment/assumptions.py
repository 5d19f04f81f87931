"""Which assumptions about nodes and network a trial broke. An algorithm's guarantees hold only if its assumptions do.

The network and the cluster of a scenario break some in every trial (loss, latency). A fault breaks those of its record
(`Fault.breaks`) in the trials in which it was injected.
"""

from __future__ import annotations

from collections.abc import Container, Iterator

from simulator.cluster.distributions import Constant
from simulator.cluster.faults.registry import FAULTS
from simulator.cluster.network.network import Transport
from simulator.cluster.spec import ClusterSpec
from simulator.protocol import Assumption, NodeId
from simulator.trace import event_types
from simulator.trace.trace import Row, Trace


def broken_assumptions(spec: ClusterSpec, trace: Trace) -> frozenset[Assumption]:
    """What did not hold in this trial, of all that an algorithm may assume."""
    return frozenset((*_by_the_network(spec), *_by_what_happened(spec, trace)))


def _by_the_network(spec: ClusterSpec) -> Iterator[Assumption]:
    network = spec.network
    streams = network.transport is Transport.STREAM
    lossy = network.loss != 0.0
    if not streams and (lossy or network.duplication > 0):
        yield Assumption.NO_LOSS
    if not streams and (not isinstance(network.latency, Constant) or network.duplication > 0):
        yield Assumption.FIFO
    bound = spec.registration.delay_bound
    # Over streams, a lost packet is sent again and arrives later.
    unbounded = spec.longest_delay_ns is None or (streams and lossy)
    if bound is not None and (unbounded or (spec.longest_delay_ns or 0) > bound(spec.config)):
        yield Assumption.BOUNDED_DELAY


def _by_what_happened(spec: ClusterSpec, trace: Trace) -> Iterator[Assumption]:
    if spec.absent:
        yield Assumption.NO_CRASH
    monitors = {
        node
        for group in spec.registration.groups
        if group.single_point_of_failure
        for node in trace.groups.get(group.name, ())
    }
    inside = frozenset(node for members in trace.groups.values() for node in members)
    for row in trace.rows:
        if row.kind == event_types.CRASHED or (row.kind == event_types.STARTED and row.time_ns > 0):
            yield Assumption.NO_CRASH
            if row.kind == event_types.CRASHED and row.node in monitors:
                yield Assumption.MONITOR_RUNS
        elif row.kind == event_types.PAUSED:
            yield Assumption.NO_PAUSE
        elif row.kind == event_types.FAULT and not (trace.clients and _concerns_clients_only(row, inside)):
            yield from FAULTS[row.field("fault")].breaks


def _concerns_clients_only(row: Row, inside: Container[NodeId]) -> bool:
    """Whether a fault is one of clients or the resource, or of their links with the cluster."""
    sides = row.field("nodes") or ((),)
    sides = sides if isinstance(sides[0], tuple) else (sides,)
    outer = [bool(side) and not any(node in inside for node in side) for side in sides]
    return all(outer) or (row.field("fault") in ("cut_link", "partition_oneway") and any(outer))
