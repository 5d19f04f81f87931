"""Which assumptions about nodes and network a trial broke. An algorithm's guarantees hold only if its assumptions do.

The network and the cluster of a scenario break some in every trial (loss, latency). A fault breaks those of its record
(`Fault.breaks`) in the trials in which it was injected.
"""

from __future__ import annotations

from collections.abc import Iterator

from simulator.cluster.distributions import Constant
from simulator.cluster.faults.registry import FAULTS
from simulator.cluster.network.network import Transport
from simulator.cluster.spec import ClusterSpec
from simulator.protocol import Assumption
from simulator.trace import event_types
from simulator.trace.trace import Trace


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
    for row in trace.rows:
        if row.kind == event_types.CRASHED or (row.kind == event_types.STARTED and row.time_ns > 0):
            yield Assumption.NO_CRASH
            if row.kind == event_types.CRASHED and row.node in monitors:
                yield Assumption.MONITOR_RUNS
        elif row.kind == event_types.PAUSED:
            yield Assumption.NO_PAUSE
        elif row.kind == event_types.FAULT:
            yield from FAULTS[row.field("fault")].breaks
