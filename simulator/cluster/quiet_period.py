"""A quiet period put together from what the running nodes say (`simulator.quiet`), and what happens in a part of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from math import lcm
from typing import NamedTuple

from simulator.cluster.node.node import Node
from simulator.cluster.node.quiet import is_settled, timer_place
from simulator.protocol import Nanoseconds, NodeId
from simulator.quiet import Beat, Quiet, Silence

_NEVER = 1 << 62  # An instant later than any other.


class NotQuietError(Exception):
    """Something else than keep-alives goes on, or might; the text says what."""


class NodeBeat(NamedTuple):
    """A beat of a node, and when its timer is due."""

    node: NodeId
    beat: Beat
    due_ns: Nanoseconds

    @property
    def period_ns(self) -> Nanoseconds:
        """From one message to the next to the same receiver."""
        return self.beat.period_ns * self.beat.every


class Wait(NamedTuple):
    """A silence of a node, the beat that ends it, and the longest time from that beat's firing to the end."""

    node: NodeId
    silence: Silence
    ended_by: NodeBeat
    trip_ns: Nanoseconds


class MovedTimer(NamedTuple):
    """A timer after a move. `set_ns`: when it was set, if the move includes that instant; None: it stays as it was."""

    node: NodeId
    name: str
    deadline_ns: Nanoseconds
    set_ns: Nanoseconds | None
    period_ns: Nanoseconds


class Skipped(NamedTuple):
    """What happens in a part of a quiet period that is skipped."""

    sent: Mapping[tuple[NodeId, type], int]  # Messages by sender and type.
    drawn: Mapping[NodeId, int]  # Calls of `uniform` by node.
    timers: list[MovedTimer]
    events: int  # At least.
    unsure_events: int  # How many more there may be: timers that are queued again.


class QuietPeriod:
    """A quiet period of these running nodes, seen at an instant. No message travels for longer than `delay_ns`.

    `end_ns` is when a node stops waiting for a node that is down. `expected` holds sender, receiver and type of all
    keep-alives and answers. Raises NotQuietError.
    """

    def __init__(self, now_ns: Nanoseconds, running: Mapping[NodeId, Node], delay_ns: Nanoseconds) -> None:
        self.now_ns = now_ns
        self._running = running
        self._delay_ns = delay_ns
        self._quiets = dict(_parts(running))
        self._beats = [
            NodeBeat(me, beat, self._deadline(me, beat.timer))
            for me, quiet in self._quiets.items()
            for beat in quiet.beats
        ]
        self._senders = self._all_senders()
        self.expected = self._senders.keys()
        self.end_ns: Nanoseconds = _NEVER
        self._waits = list(self._find_waits())
        self._check_timers()
        self._check_quorums()
        relevant = {wait.ended_by.beat.timer for wait in self._waits}
        self._whole = {
            beat.period_ns
            for beat in self._beats
            if beat.beat.answer is not None or beat.beat.every > 1 or beat.beat.timer in relevant
        }
        # A move covers a multiple of this. All messages that a node waits for keep their phases.
        self.whole_ns: Nanoseconds = lcm(*self._whole)
        # The last part of the period, to be simulated: what was in flight at the move arrives, and a round of messages
        # that were sent after it.
        self.rest_ns: Nanoseconds = 1 + max(
            (wait.ended_by.period_ns + 2 * wait.trip_ns for wait in self._waits), default=2 * delay_ns
        )

    def skip(self, elapsed_ns: Nanoseconds) -> Skipped:
        """Return what happens in the next part of the period. The length of this part is a multiple of `whole_ns`."""
        until = self.now_ns + elapsed_ns
        sent: Counter[tuple[NodeId, type]] = Counter()
        timers: list[MovedTimer] = []
        rounds: dict[tuple[NodeId, str], int] = {}
        firings = 0
        for me, beat, due in self._beats:
            if elapsed_ns % (beat.period_ns * beat.every) == 0:
                fired = elapsed_ns // beat.period_ns
            else:
                fired = max(0, -(-(until - due) // beat.period_ns))
            deadline = due + fired * beat.period_ns
            timers.append(
                MovedTimer(me, beat.timer, deadline, deadline - beat.period_ns if fired else None, beat.period_ns)
            )
            firings += fired
            rounds[me, beat.timer] = sends = fired // beat.every
            if beat.message is not None:
                sent[me, beat.message] += sends * len(beat.to)
            if beat.answer is not None:
                for to in beat.to:
                    if to in self._running:
                        sent[to, beat.answer] += sends
        drawn: Counter[NodeId] = Counter()
        arrived = 0
        for me, silence, ended_by, _ in self._waits:
            count = rounds[ended_by.node, ended_by.beat.timer]
            drawn[me] += count * silence.draws
            arrived += count
            if silence.timer is not None:
                deadline = self._deadline(me, silence.timer) + elapsed_ns
                timers.append(MovedTimer(me, silence.timer, deadline, until, 0))
        return Skipped(sent, drawn, timers, firings + sum(sent.values()), 2 * arrived)

    def _deadline(self, me: NodeId, timer: str) -> Nanoseconds:
        place = timer_place(self._running[me], timer)
        if place is None:
            raise NotQuietError(f"timer {timer} of n{me} is not set")
        return place[0]

    def _all_senders(self) -> dict[tuple[NodeId, NodeId, type | None], tuple[NodeBeat, Nanoseconds]]:
        """By sender, receiver and type of each message: the beat that causes it, and its longest trip from there."""
        found: dict[tuple[NodeId, NodeId, type | None], tuple[NodeBeat, Nanoseconds]] = {}
        for beat in self._beats:
            for to in beat.beat.to:
                found[beat.node, to, beat.beat.message] = beat, self._delay_ns
                if beat.beat.answer is not None and to in self._running:
                    found[to, beat.node, beat.beat.answer] = beat, 2 * self._delay_ns
        return found

    def _find_waits(self) -> Iterator[Wait]:
        for me, quiet in self._quiets.items():
            for silence in quiet.silences:
                if silence.timer is not None:
                    until = self._deadline(me, silence.timer)
                else:
                    until = self.now_ns + (silence.left_ns or 0)
                if silence.of not in self._running:
                    self.end_ns = min(self.end_ns, until)
                    continue
                beat, trip = self._senders.get((silence.of, me, silence.message), (None, 0))
                if beat is None:
                    raise NotQuietError(f"n{me} waits for n{silence.of} in vain")
                latest = beat.due_ns + beat.period_ns - beat.beat.period_ns + trip
                if latest >= until or beat.period_ns + trip >= silence.bears_ns:
                    raise NotQuietError(f"messages to n{me} may come too late for its timeouts")
                yield Wait(me, silence, beat, trip)

    def _check_timers(self) -> None:
        known: set[tuple[NodeId, str | None]] = {(beat.node, beat.beat.timer) for beat in self._beats}
        known |= {(me, silence.timer) for me, quiet in self._quiets.items() for silence in quiet.silences}
        for me, node in self._running.items():
            for timer in node.timers:
                if (me, timer) not in known:
                    raise NotQuietError(f"n{me} has set a timer of another kind: {timer}")

    def _check_quorums(self) -> None:
        for me, quiet in self._quiets.items():
            if not quiet.quorum:
                continue
            periods = [
                beat.period_ns * beat.every
                for beat in quiet.beats
                if beat.answer is not None
                for to in beat.to
                if to in self._running
            ]
            slowest = max(periods, default=0) + 2 * self._delay_ns
            if len(periods) < quiet.quorum or slowest >= quiet.quorum_ns or not quiet.answered <= self._running.keys():
                raise NotQuietError(f"n{me} may not be answered by a quorum in time")


def _parts(running: Mapping[NodeId, Node]) -> Iterable[tuple[NodeId, Quiet]]:
    """What each running node says of the period. All speak of one leader, which runs, and of one term."""
    agreed: tuple[NodeId, int] | None = None
    for me, node in running.items():
        quiet = node.algorithm.quiet() if node.algorithm is not None and is_settled(node) else None
        if quiet is None:
            raise NotQuietError(f"n{me} is busy with something else than keep-alives")
        if agreed is None:
            agreed = quiet.leader, quiet.term
        if agreed != (quiet.leader, quiet.term) or quiet.leader not in running:
            raise NotQuietError("not all nodes follow one leader")
        yield me, quiet
