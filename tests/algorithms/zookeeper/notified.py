"""A leader of the recipe that is cut off just after it was notified: how soon it stops."""

from __future__ import annotations

from simulator.cluster.cluster import run_trial
from simulator.protocol import LEADER, MILLISECOND, SECOND, NodeId
from simulator.scenario import loads
from simulator.trace import event_types
from simulator.trace.trace import Trace

SCENARIO = """
version: 1
name: notified
algorithm: {name: zookeeper, tick_time: 500ms, session_timeout: 6s, watch: parent, stop_leading: expiry}
cluster: {nodes: 5, start: {spread: 1s}}
network: {latency: {uniform: [1ms, 3ms]}}
faults:
  - {at: {uniform: [20s, 21s]}, crash: follower}
  - {at: 39s, isolate: n1}
duration: 40s
"""
_BEFORE_ARRIVAL = MILLISECOND // 10  # The notification is under way then, and arrives; what it sets off is lost.


def margin(trial: int, *overrides: str) -> float:
    """From the stop of the leader to the next claim, in seconds; negative: so long do two lead.

    In a herd, the end of a follower's session notifies the leader, too. A first run finds that instant. In the second,
    the leader is cut off for good while its notification travels.
    """
    leader, notified_ns = _notified(
        run_trial(loads(SCENARIO, overrides=overrides).cluster_spec(), 1, trial, journal=True)
    )
    cut_off = (f"faults.1.at={notified_ns - _BEFORE_ARRIVAL}ns", f"faults.1.isolate=n{leader}")
    trace = run_trial(loads(SCENARIO, overrides=(*overrides, *cut_off)).cluster_spec(), 1, trial)
    told = trace.of_group(trace.primary_group).of_type(event_types.TRANSITION)
    rows = [row for row in told if row.time_ns > notified_ns]
    stopped = next(row.time_ns for row in rows if row.node == leader)
    claimed = next(row.time_ns for row in rows if row.node != leader and row.role is LEADER)
    return (claimed - stopped) / SECOND


def _notified(trace: Trace) -> tuple[NodeId, int]:
    """The leader, and when its first notification after the crash arrives."""
    told = trace.of_group(trace.primary_group).of_type(event_types.TRANSITION)
    leader = next(row.node for row in reversed(told) if row.role is LEADER)
    crashed_ns = trace.of_type(event_types.CRASHED)[0].time_ns
    arrivals = (row.arrives_ns for row in trace.messages if row.type == "WatcherEvent" and row.to == leader)
    assert leader is not None
    return leader, next(instant for instant in arrivals if instant is not None and instant > crashed_ns)
