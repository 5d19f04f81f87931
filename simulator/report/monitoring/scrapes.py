"""What a monitoring system reads from the nodes of one trial, at regular instants of simulated time.

Each node counts in the memory of its process, as servers do: its counters begin at 0 again when it restarts. A node
that is down or paused answers no scrape. The monitoring system has a network of its own: no fault of the cluster's
network keeps it from a node.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from simulator.metrics.elections import elections
from simulator.protocol import CANDIDATE, LEADER, PRE_CANDIDATE, SECOND, Nanoseconds, NodeId, Role
from simulator.trace import event_types
from simulator.trace.trace import Row, Trace

# The most samples of one trial. Each array of numbers then takes 40 MB, and the text some 400 MB.
MOST_SAMPLES = 5_000_000
BUCKETS_S = tuple(0.001 * 2**power for power in range(17))  # Upper bounds; the largest is 65.5 s.


class Metric(NamedTuple):
    """What is exposed under one name. `unit` is its last word but `_total`, or empty."""

    name: str
    kind: str  # gauge, counter or histogram.
    help: str
    unit: str = ""


UP = Metric("up", "gauge", "1 if the node answered the scrape, else 0.")
HAS_LEADER = Metric("electsim_server_has_leader", "gauge", "1 if the node knows a leader, else 0.")
IS_LEADER = Metric("electsim_server_is_leader", "gauge", "1 if the node takes itself to be the leader, else 0.")
TERM = Metric("electsim_server_term", "gauge", "The node's term, epoch or round.")
LEADER_CHANGES = Metric(
    "electsim_server_leader_changes_seen_total",
    "counter",
    "How often the node has come to know a leader that it did not know just before.",
)
SUSPICIONS = Metric(
    "electsim_server_suspicions_total",
    "counter",
    "How often the node has suspected a leader or a node that it watches, or has begun a campaign.",
)
CAMPAIGNS = Metric(
    "electsim_server_campaigns_total", "counter", "How often the node has become a candidate, or asked for pre-votes."
)
DURATION = Metric(
    "electsim_election_duration_seconds",
    "histogram",
    "Elections that the node has won, from the first suspicion to its claim.",
    "seconds",
)
METRICS = (UP, HAS_LEADER, IS_LEADER, TERM, LEADER_CHANGES, SUSPICIONS, CAMPAIGNS, DURATION)
_NUMBERS = METRICS[1:-1]  # Metrics with one number, which the node itself exposes.


class TooManySamplesError(ValueError):
    """The trial is too long for its scrapes to be kept."""


@dataclass(frozen=True, slots=True)
class Scrapes:
    """All samples of one trial.

    `seconds` are the instants of the scrapes, shape (scrapes,). Each metric but the histogram has one array per node,
    of the same shape, NaN if the node did not answer. `durations` has, per node, the counts of the buckets
    (not cumulated, the last one without an upper bound) and the sum in seconds, shape (scrapes, buckets + 2).
    """

    seconds: np.ndarray
    nodes: Sequence[NodeId]
    values: Mapping[str, Mapping[NodeId, np.ndarray]]
    durations: Mapping[NodeId, np.ndarray]


def scrapes(trace: Trace, interval_ns: Nanoseconds) -> Scrapes:
    """The samples of the primary group at each multiple of `interval_ns`, from the first to the end of the trial.

    Raises TooManySamplesError, whose text names a remedy.
    """
    nodes = trace.groups[trace.primary_group]
    count = trace.end_ns // interval_ns
    samples = count * len(nodes) * (len(_NUMBERS) + 1 + len(BUCKETS_S) + 2)
    if samples > MOST_SAMPLES:
        raise TooManySamplesError(
            f"{count:,} scrapes of {len(nodes)} nodes are {samples:,} samples, more than {MOST_SAMPLES:,}; "
            "choose a longer --scrape"
        )
    seconds = interval_ns * np.arange(1, count + 1) / SECOND
    values = {metric.name: {node: np.full(count, np.nan) for node in nodes} for metric in (UP, *_NUMBERS)}
    durations = {node: np.full((count, len(BUCKETS_S) + 2), np.nan) for node in nodes}
    reader = _Reader(trace)
    for index, processes in enumerate(reader.at_each(interval_ns, count)):
        for node, process in processes.items():
            values[UP.name][node][index] = process.answers
            if process.answers:
                for metric, value in zip(_NUMBERS, process.numbers(), strict=True):
                    values[metric.name][node][index] = value
                durations[node][index] = [*process.buckets, process.sum_s]
    return Scrapes(seconds, nodes, values, durations)


@dataclass(slots=True)
class _Process:
    """A node's process, and what it has counted since it started."""

    running: bool = False
    paused: bool = False
    role: Role | None = None
    term: int = 0
    leader: NodeId | None = None
    leader_changes: int = 0
    suspicions: int = 0
    campaigns: int = 0
    buckets: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS_S) + 1))
    sum_s: float = 0.0

    @property
    def answers(self) -> bool:
        return self.running and not self.paused

    def numbers(self) -> tuple[float, ...]:
        """In the order of `_NUMBERS`."""
        leads, knows = self.role is LEADER, self.leader is not None
        return knows, leads, self.term, self.leader_changes, self.suspicions, self.campaigns

    def declares(self, row: Row) -> None:
        """A leader that is named anew counts even if it was the last one named: etcd counts so, too.

        Source: etcd, server/etcdserver/raft.go, `raftNode.start`.
        """
        assert row.term is not None
        if row.leader is not None and row.leader != self.leader:
            self.leader_changes += 1
        campaigns = (CANDIDATE, PRE_CANDIDATE)
        if row.role in campaigns and (row.role is not self.role or row.term != self.term):
            self.campaigns += 1
            self.suspicions += self.role not in campaigns
        self.role, self.term, self.leader = row.role, row.term, row.leader

    def won(self, seconds: float) -> None:
        self.buckets[bisect_left(BUCKETS_S, seconds)] += 1
        self.sum_s += seconds


class _Reader:
    """Reads a trace row by row, and knows what each node's process exposes."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._processes = {node: _Process() for node in trace.groups[trace.primary_group]}
        self._won_s = {
            (election.claimed_ns, election.winner): election.election_ns / SECOND
            for election in elections(trace)
            if election.election_ns is not None
        }

    def at_each(self, interval_ns: Nanoseconds, count: int) -> Iterator[Mapping[NodeId, _Process]]:
        """All processes at each of so many scrapes; what happens at the instant of a scrape is seen by it."""
        at = 0
        rows = self._trace.rows
        for scrape_ns in range(interval_ns, interval_ns * (count + 1), interval_ns):
            while at < len(rows) and rows[at].time_ns <= scrape_ns:
                self._apply(rows[at])
                at += 1
            yield self._processes

    def _apply(self, row: Row) -> None:
        process = None if row.node is None else self._processes.get(row.node)
        if process is None:
            return
        if row.kind == event_types.TRANSITION:
            if row.group == self._trace.primary_group:
                process.declares(row)
                won_s = self._won_s.pop((row.time_ns, row.node), None) if row.role is LEADER else None
                if won_s is not None:
                    process.won(won_s)
        elif row.kind == event_types.STARTED:
            assert row.node is not None
            self._processes[row.node] = _Process(running=True)
        elif row.kind == event_types.CRASHED:
            process.running = process.paused = False
        elif row.kind in (event_types.PAUSED, event_types.RESUMED):
            process.paused = row.kind == event_types.PAUSED
        elif row.kind in (event_types.SUSPECTED, event_types.SUSPECTS):
            process.suspicions += 1
