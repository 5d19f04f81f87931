"""Random faults that end, for whatever algorithm is registered; then all nodes must name one leader.

Issue 13: "let the liveness demand be able to ask that *all* name one leader …, and hold every algorithm to it once
faults are over; those that cannot are listed with the reason". The mix has every fault that a nemesis can inject, among
them packets that wait on one direction of one link, by which rings could be made to disagree for ever.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import simulator
from simulator.algorithms.registry import REGISTRY
from simulator.protocol import SECOND
from simulator.scenario.text.units import format_duration
from tests.support.algorithm_schedules import ELECTS_WITHIN, LONG_ENOUGH

CANNOT: Mapping[str, str] = {}  # Algorithms that cannot, and why: none at present (docs/nemesis.md, All nodes).

NODES = 5
ACTIVE = 8 * SECOND

MIX: tuple[Mapping[str, Any], ...] = (
    {"crash": "leader"},
    {"crash": "random"},
    {"kill": "random"},
    {"bounce": "random"},
    {"pause": "leader"},
    {"pause": "random"},
    {"slow_node": "random", "service": "10ms"},
    {"slow_disk": "random", "write": "50ms"},
    {"stall_disk": "random"},
    {"skew_clock": "random", "drift_ppm": 50_000, "jump": "-2s"},
    {"partition": [["leader-and-minority"]]},
    {"partition_oneway": {"senders": "leader"}},
    {"partition_oneway": {"senders": ["random", "random"], "receivers": "leader"}},
    {"cut_link": ["leader", "follower"]},
    {"isolate": "random"},
    {"bridge": "random"},
    {"majorities_ring": "all"},
    {"degrade": {"senders": "random"}, "latency": {"exponential": "100ms"}, "loss": 0.3, "duplication": 0.3},
    {"flap": "random", "down": "100ms", "up": "200ms"},
    {"hold": "random"},
    {"hold": {"senders": "random", "receivers": "random"}},
    {"hold": {"senders": "random"}},
)


# Options for where the defaults need minutes: quick sessions, and at most a second between the servers' questions.
OPTIONS: Mapping[str, str] = {
    "zookeeper": "tick_time: 200ms, session_timeout: 600ms, reconnect_delay: [0s, 100ms], "
    "notification_interval: [200ms, 1s]",
    "etcd-election": "session_ttl: 1s, heartbeat_interval: 50ms, election_timeout: 500ms, keepalive_time: 500ms, "
    "keepalive_timeout: 500ms, connect_timeout: 1s, reconnect_delay: [100ms, 500ms], restart_delay: [0s, 100ms]",
}
# Faults of the servers whose clients elect, where there are some. A ring of majorities would be one of clients alone.
OF_SERVERS = ("kill", "crash", "pause", "isolate")


def disturbed(name: str, transport: str, *overrides: str, active_ns: int = ACTIVE) -> simulator.Scenario:
    """A scenario in which faults strike at random, end together, and leave the algorithm as long as it needs."""
    registration = REGISTRY[name]
    bound = registration.stabilization_bound
    needs = ELECTS_WITHIN.get(name, LONG_ENOUGH) if bound is None else bound(registration.config(), NODES)
    if transport == "stream":  # A connection that was cut goes on after up to as long again (docs/transport.md, Loss).
        needs += active_ns + SECOND
    mix = MIX
    if registration.coordination_group is not None:
        mix = (
            *(entry for entry in MIX if "majorities_ring" not in entry),
            *({fault: f"leader-of:{registration.coordination_group}"} for fault in OF_SERVERS),
        )
    text = f"""
version: 1
name: disturbed
algorithm: {{name: {name}, {OPTIONS.get(name, "")}}}
cluster: {{nodes: {NODES}}}
network: {{latency: {{uniform: [1ms, 10ms]}}, transport: {transport}}}
nemesis:
  mix: {[*mix]}
  time_to_failure: 400ms
  time_to_repair: 2s
  at_most: all
  quiet: {format_duration(needs)}
  swarm: true
liveness: {{within: {format_duration(needs)}, who: all}}
duration: {format_duration(active_ns + needs)}
seed: 13
"""
    return simulator.loads(text, "disturbed.yaml", [*overrides])


def transports(name: str) -> tuple[str, ...]:
    """The transports over which an algorithm runs."""
    return ("stream",) if REGISTRY[name].requires_connections else ("datagram", "stream")
