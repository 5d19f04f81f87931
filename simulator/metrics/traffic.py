"""What was sent during elections, and in the steady state between them. Definitions: docs/metrics.md."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from simulator.protocol import Nanoseconds
from simulator.trace.trace import Row, Trace


class Sent(NamedTuple):
    """What was sent before some instant, by type in the order of the trace's `message_types`."""

    messages: tuple[int, ...]
    # The bytes beyond those of the same number of messages of usual size (`Trace.usual_bytes`).
    extra_bytes: tuple[int, ...]

    @classmethod
    def by(cls, row: Row) -> Sent:
        """Before a row."""
        return cls(row.sent, row.extra_bytes)

    @classmethod
    def in_all(cls, trace: Trace) -> Sent:
        """By the end of the trial."""
        return cls(tuple(trace.sent), tuple(trace.extra_bytes))

    @classmethod
    def nothing(cls, trace: Trace) -> Sent:
        """At the start of the trial."""
        none = (0,) * len(trace.message_types)
        return cls(none, none)


@dataclass(frozen=True, slots=True)
class Traffic:
    """Messages and their bytes, by type, in the order of the trace's `message_types`."""

    messages: tuple[int, ...]
    bytes: tuple[int, ...]

    @classmethod
    def between(cls, trace: Trace, before: Sent, after: Sent) -> Traffic:
        """What was sent between two instants."""
        messages = _less(after.messages, before.messages)
        extra = _less(after.extra_bytes, before.extra_bytes)
        usual = zip(messages, trace.usual_bytes, extra, strict=True)
        return cls(messages, tuple(count * each + more for count, each, more in usual))

    def plus(self, other: Traffic) -> Traffic:
        """Both together."""
        return Traffic(_sum(self.messages, other.messages), _sum(self.bytes, other.bytes))


def _less(after: tuple[int, ...], before: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(later - earlier for later, earlier in zip(after, before, strict=True))


def _sum(counts: tuple[int, ...], more: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(count + added for count, added in zip(counts, more, strict=True))


class _Edge(NamedTuple):
    time_ns: Nanoseconds
    sent: Sent


@dataclass(slots=True)
class SteadyState:
    """The intervals with a current leader that a majority knows of, and without an open election."""

    intervals: list[tuple[_Edge, _Edge]] = field(default_factory=list)
    _begun: _Edge | None = None

    def update(self, steady: bool, time_ns: Nanoseconds, sent: Sent) -> None:
        """Note whether the state is steady from this instant on."""
        if steady and self._begun is None:
            self._begun = _Edge(time_ns, sent)
        elif not steady and self._begun is not None:
            self.intervals.append((self._begun, _Edge(time_ns, sent)))
            self._begun = None

    def end_at(self, time_ns: Nanoseconds, sent: Sent) -> None:
        """End the steady state at an earlier instant: a later row has shown that an election began there."""
        if self._begun is not None:
            self.intervals.append((self._begun, self._begun))
            self._begun = None
        edge = _Edge(time_ns, sent)
        while self.intervals and self.intervals[-1][0].time_ns >= time_ns:
            self.intervals.pop()
        if self.intervals and self.intervals[-1][1].time_ns > time_ns:
            self.intervals[-1] = self.intervals[-1][0], edge

    @property
    def lasted_ns(self) -> Nanoseconds:
        """The length of all intervals together."""
        return sum(end.time_ns - begin.time_ns for begin, end in self.intervals)

    def traffic(self, trace: Trace) -> Traffic:
        """What was sent in all of them."""
        total = Traffic.between(trace, Sent.nothing(trace), Sent.nothing(trace))
        for begin, end in self.intervals:
            total = total.plus(Traffic.between(trace, begin.sent, end.sent))
        return total
