"""Scenarios for the tests."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "scenarios").glob("*.yaml"))

SMALL = """\
version: 1
name: small
algorithm: {name: raft}
cluster: {nodes: 5}
duration: 4s
"""

# Every part of the schema at once.
RICH = """\
version: 1
name: rich
about: Every part of the schema, once.
algorithm:
  name: raft
  election_timeout: [150ms, 300ms]
  heartbeat_interval: 50ms
  vote_retry_interval: 20ms
  new_term_heartbeat_only_steps_down: true
cluster:
  nodes: 5
  absent: [n5]
  start: {spread: 100ms}
  logs: {permutation: [1, 2, 3, 4, 5]}
  disk: {write: {lognormal: {median: 1ms, sigma: 0.5}}, blocking: false}
network:
  latency: {normal: {mean: 5ms, sd: 3ms}}
  loss: 0.001
  duplication: 1e-3
faults:
  - {at: {uniform: [1s, 1050ms]}, crash: leader}
  - {at: 1500ms, partition: [[n1, leader], [n3]]}
  - {at: {exponential: {mean: 100ms, floor: 1s}}, pause: n2}
  - {at: {exponential: 1s}, resume: all}
  - {at: 2s, heal: all}
  - {at: 2500ms, restart: all}
duration: 4s
trials: 10
seed: 7
stop_when: leader-stable
stable_after: 1s
limits: {events: 1000000}
published:
  metric: failover
  source: Nobody
  quantiles: [[0.1, 150ms], [0.5, 250ms]]
  mean: 260ms
"""

# A scenario whose only fault is put in place of FAULT, on a line of its own.
ONE_FAULT = """\
version: 1
name: one
algorithm: {name: raft}
cluster: {nodes: 5, absent: [n5]}
duration: 4s
faults:
  - FAULT
"""
