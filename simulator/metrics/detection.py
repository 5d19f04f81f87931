"""The quality of service of failure detectors (Chen, Toueg and Aguilera 2002), from a trace. See docs/metrics.md.

It is read from the notes `watches`, `suspects` and `trusts`, for each pair of a watching and a watched node.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from simulator.protocol import Nanoseconds, NodeId
from simulator.trace import event_types
from simulator.trace.trace import Row, Trace

Pair = tuple[NodeId, NodeId]  # The watching node, and the watched node.


@dataclass(slots=True)
class Quality:
    """The quality of the detector of one node about another, or the sum over several pairs; times in nanoseconds.

    `detections` are the times from each crash until the suspicion that lasted until the node was up again. `undetected`
    counts the crashes without such a suspicion until the node was up again, was not watched any more, or the trial
    ended.
    """

    watched_ns: Nanoseconds = 0  # Neither node was paused.
    mistakes: int = 0  # Suspicions of a node that was awake, and reachable both ways.
    mistaken_ns: Nanoseconds = 0  # The part of `watched_ns` with such a suspicion.
    detections: list[Nanoseconds] = field(default_factory=list)
    undetected: int = 0

    def add(self, other: Quality) -> None:
        """Add the counts and times of other pairs."""
        self.watched_ns += other.watched_ns
        self.mistakes += other.mistakes
        self.mistaken_ns += other.mistaken_ns
        self.detections.extend(other.detections)
        self.undetected += other.undetected


def detection_quality(trace: Trace) -> Quality:
    """The sum over all pairs whose watching node is in the primary group."""
    found = Quality()
    for quality in by_pair(trace).values():
        found.add(quality)
    return found


def by_pair(trace: Trace) -> Mapping[Pair, Quality]:
    """Each pair whose watching node is in the primary group, in the order in which watching began."""
    reader = _Reader(frozenset(trace.groups[trace.primary_group]))
    for row in trace.rows:
        reader.apply(row)
    for pair in list(reader.watches):
        reader.end(pair, trace.end_ns)
    return reader.found


def false_suspicions(trace: Trace) -> int:
    """How often a node of the primary group suspected a leader that was awake and reachable both ways."""
    members = frozenset(trace.groups[trace.primary_group])
    awake: set[NodeId | None] = set()
    count = 0
    for row in trace.rows:
        if row.kind in (event_types.STARTED, event_types.RESUMED):
            awake.add(row.node)
        elif row.kind in (event_types.CRASHED, event_types.PAUSED):
            awake.discard(row.node)
        elif row.kind == event_types.SUSPECTED and row.node in members:
            count += row.field("leader") in awake and not _cut_off(row)
    return count


def _cut_off(row: Row) -> bool:
    return bool(dict(row.detail).get("cut_off", False))


@dataclass(slots=True)
class _Watch:
    """A pair of nodes, since one began to watch the other."""

    quality: Quality
    since_ns: Nanoseconds  # Times are counted up to this instant.
    suspected: bool = False
    mistaken: bool = False
    crashed_ns: Nanoseconds | None = None  # When the node that is watched crashed, if it is down.
    detected_ns: Nanoseconds | None = None  # When the present suspicion began, if it began since then.

    def advance_to(self, time_ns: Nanoseconds, awake: bool) -> None:
        """Add the time since the last row to the watched time if the watching node was awake, and to the time of
        mistakes if the suspicion was wrong.
        """
        if awake:
            self.quality.watched_ns += time_ns - self.since_ns
            if self.mistaken:
                self.quality.mistaken_ns += time_ns - self.since_ns
        self.since_ns = time_ns

    def crashed(self, time_ns: Nanoseconds) -> None:
        """The watched node has crashed. If it is suspected, it is detected at once."""
        self.crashed_ns = time_ns
        self.detected_ns = time_ns if self.suspected else None

    def end_crash(self) -> None:
        """A crash is over, or cannot be seen any more: count its detection."""
        if self.crashed_ns is None:
            return
        if self.detected_ns is None:
            self.quality.undetected += 1
        else:
            self.quality.detections.append(self.detected_ns - self.crashed_ns)
        self.crashed_ns = self.detected_ns = None


class _Reader:
    def __init__(self, members: frozenset[NodeId]) -> None:
        self.members = members
        self.found: dict[Pair, Quality] = {}
        self.watches: dict[Pair, _Watch] = {}
        self.running: set[NodeId] = set()
        self.paused: set[NodeId] = set()

    def apply(self, row: Row) -> None:
        """Take in the next row of the trace."""
        node = row.node
        if node is None:
            return
        if row.kind == event_types.WATCHES and node in self.members:
            self._watch(node, row.field("nodes"), row.time_ns)
        elif row.kind in (event_types.SUSPECTS, event_types.TRUSTS) and node in self.members:
            self._opinion((node, row.field("node")), row)
        elif row.kind in (event_types.STARTED, event_types.CRASHED, event_types.PAUSED, event_types.RESUMED):
            self._apply_lifecycle_event(node, row)

    def end(self, pair: Pair, time_ns: Nanoseconds) -> None:
        """The first node of the pair does not watch the second any more."""
        watch = self.watches.pop(pair)
        watch.advance_to(time_ns, self._awake(pair))
        watch.end_crash()

    def _watch(self, node: NodeId, nodes: tuple[NodeId, ...], time_ns: Nanoseconds) -> None:
        for pair in [pair for pair in self.watches if pair[0] == node and pair[1] not in nodes]:
            self.end(pair, time_ns)
        for other in nodes:
            if (node, other) not in self.watches:
                quality = self.found.setdefault((node, other), Quality())
                self.watches[node, other] = _Watch(quality, time_ns)

    def _opinion(self, pair: Pair, row: Row) -> None:
        watch = self.watches[pair]
        watch.advance_to(row.time_ns, self._awake(pair))
        watch.suspected = row.kind == event_types.SUSPECTS
        watch.mistaken = watch.suspected and self._is_awake(pair[1]) and not _cut_off(row)
        watch.quality.mistakes += watch.mistaken
        if watch.crashed_ns is not None:
            watch.detected_ns = row.time_ns if watch.suspected else None

    def _apply_lifecycle_event(self, node: NodeId, row: Row) -> None:
        for pair, watch in self._pairs_of(node):
            watch.advance_to(row.time_ns, self._awake(pair))
            if pair[1] == node:
                watch.mistaken = False  # The suspicion has become right, or was right already.
                if row.kind == event_types.CRASHED:
                    watch.crashed(row.time_ns)
                elif row.kind == event_types.STARTED:
                    watch.end_crash()
            elif row.kind == event_types.CRASHED:
                self.end(pair, row.time_ns)
        self.running.add(node) if row.kind != event_types.CRASHED else self.running.discard(node)
        self.paused.add(node) if row.kind == event_types.PAUSED else self.paused.discard(node)

    def _pairs_of(self, node: NodeId) -> Iterator[tuple[Pair, _Watch]]:
        return iter([(pair, watch) for pair, watch in self.watches.items() if node in pair])

    def _is_awake(self, node: NodeId) -> bool:
        return node in self.running and node not in self.paused

    def _awake(self, pair: Pair) -> bool:
        return self._is_awake(pair[0]) and self._is_awake(pair[1])
