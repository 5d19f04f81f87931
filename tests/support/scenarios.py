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
nemesis:
  mix: [{weight: 3, crash: random}, {isolate: leader}, {degrade: random, latency: 50ms}, {amnesia: n2}]
  time_to_failure: 500ms
  time_to_repair: 200ms
  start: 100ms
  quiet: 1s
  at_most: 1
  swarm: true
liveness: {within: 1s}
waive: [one-vote, election-safety]
"""

# Every part of the network that RICH leaves out.
WIDE = """\
version: 1
name: wide
algorithm: {name: raft}
cluster:
  nodes: 5
  service: {exponential: 20us}
network:
  topology:
    matrix:
      berlin: {berlin: 0.2ms, oslo: 20ms}
      oslo: {berlin: 24.000001ms}
    measured: round-trip
    within: 0.4ms
    placement: {berlin: [n1, n4], oslo: [n2, n3, n5]}
    file: pings.csv
  latency: {exponential: 1ms}
  loss: {bursts: {rate: 0.05, mean_length: 4}}
  duplication: 0.01
  bandwidth: 100Mbit/s
  transport: stream
  stream:
    retransmit_after: 100ms
    give_up_after: 10s
    notice: {uniform: [1ms, 2ms]}
    open_at_start: true
    idle_timeout: 3.5s
    reopen_after: 5s
faults:
  - {at: 1s, crash: "zone:oslo"}
duration: 4s
"""

# A scenario whose only fault is put in place of FAULT, on a line of its own.
ONE_FAULT = """\
version: 1
name: one
algorithm: {name: raft, replication: true, no_op: true}
cluster: {nodes: 5, absent: [n5]}
duration: 4s
faults:
  - FAULT
"""
