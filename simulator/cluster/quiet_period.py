"""A quiet period put together from what the running nodes say (`simulator.quiet`), and what happens in a part of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import gcd, lcm
from typing import NamedTuple

from simulator.cluster.node.node import Node
from simulator.cluster.node.quiet import is_settled, timer_place
from simulator.protocol import Nanoseconds, NodeId
from simulator.quiet import Awaited, Beat, Quiet

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
    """A awaited of a node, the beat that ends it, and the longest time from that beat's firing to the end."""

    node: NodeId
    awaited: Awaited
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
        self._kept: list[MovedTimer] = []  # Timers of waits for nodes that are down.
        self._waits = list(self._find_waits())
        self._check_timers()
        self._check_quorums()
        self._check_answers()
        timed = {(wait.ended_by.node, wait.ended_by.beat.timer) for wait in self._waits}
        self._whole = {
            beat.period_ns
            for beat in self._beats
            if beat.beat.answer is not None
            or beat.beat.every > 1
            or beat.beat.keeps_phase
            or (beat.node, beat.beat.timer) in timed
        }
        # A move covers a multiple of this. All messages that a node waits for keep their phases.
        self.whole_ns: Nanoseconds = lcm(*self._whole)
        # The last part of the period, to be simulated: what was in flight at the move arrives, and a round of messages
        # that were sent after it.
        self.rest_ns: Nanoseconds = 1 + max(
            (wait.ended_by.period_ns + 2 * wait.trip_ns for wait in self._waits), default=2 * delay_ns
        )

    def heeded(self, *, all_nodes: bool) -> Mapping[NodeId, Sequence[tuple[Nanoseconds, int]]]:
        """The running nodes of whose packets none may be lost: what each sends is (period, number) of packets.

        The answers to a leader that does not look at them may be lost, unless `all_nodes`.
        """
        sends: dict[NodeId, list[tuple[Nanoseconds, int]]] = {me: [] for me in self._running}
        for beat in self._beats:
            if beat.beat.message is not None:
                sends[beat.node].append((beat.period_ns, len(beat.beat.to)))
            if beat.beat.answer is not None:
                for to in beat.beat.to:
                    if to in self._running:
                        sends[to].append((beat.period_ns, 1))
        if all_nodes:
            return sends
        heeded = {beat.node for beat in self._beats if beat.beat.message is not None}
        heeded |= {wait.awaited.of for wait in self._waits}
        if any(quiet.quorum for quiet in self._quiets.values()):
            heeded |= self._running.keys()
        return {me: sent for me, sent in sends.items() if me in heeded}

    def skip(self, elapsed_ns: Nanoseconds) -> Skipped:
        """Return what happens in the next part of the period. The length of this part is a multiple of `whole_ns`."""
        until = self.now_ns + elapsed_ns
        sent: Counter[tuple[NodeId, type]] = Counter()
        timers = [*self._kept]
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
        for me, awaited, ended_by, _ in self._waits:
            count = rounds[ended_by.node, ended_by.beat.timer]
            drawn[me] += count * awaited.draws
            arrived += count
            if awaited.timer is not None:
                deadline = self._deadline(me, awaited.timer) + elapsed_ns
                timers.append(MovedTimer(me, awaited.timer, deadline, until, 0))
        events = firings + sum(sent.values())
        asks = any(beat.beat.keeps_phase for beat in self._beats)  # With timers that wait for answers.
        return Skipped(sent, drawn, timers, events, 2 * arrived + (4 * events if asks else 0))

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
            for awaited in quiet.awaits:
                if awaited.timer is not None:
                    until = self._deadline(me, awaited.timer)
                else:
                    until = self.now_ns + (awaited.left_ns or 0)
                if awaited.of not in self._running:
                    self.end_ns = min(self.end_ns, until)
                    if awaited.timer is not None:
                        self._kept.append(MovedTimer(me, awaited.timer, until, None, 0))
                    continue
                beat, trip = self._senders.get((awaited.of, me, awaited.message), (None, 0))
                if beat is None:
                    raise NotQuietError(f"n{me} waits for n{awaited.of} in vain")
                latest = beat.due_ns + beat.period_ns - beat.beat.period_ns + trip
                if latest >= until or beat.period_ns + trip >= awaited.bears_ns:
                    raise NotQuietError(f"messages to n{me} may come too late for its timeouts")
                yield Wait(me, awaited, beat, trip)

    def _check_timers(self) -> None:
        known: set[tuple[NodeId, str | None]] = {(beat.node, beat.beat.timer) for beat in self._beats}
        known |= {(me, awaited.timer) for me, quiet in self._quiets.items() for awaited in quiet.awaits}
        for me, node in self._running.items():
            for timer in node.timers:
                if (me, timer) not in known:
                    raise NotQuietError(f"n{me} has set a timer of another kind: {timer}")

    def _check_answers(self) -> None:
        """Raises NotQuietError where an answer may come too late, or not at all; or where a suspected node runs."""
        for me, beat, _ in self._beats:
            if beat.answered_within_ns is None:
                continue
            if 2 * self._delay_ns >= beat.answered_within_ns or not set(beat.to) <= self._running.keys():
                raise NotQuietError(f"n{me} may not be answered in time")
        for me, quiet in self._quiets.items():
            if quiet.suspected & self._running.keys():
                raise NotQuietError(f"n{me} suspects a node that runs")

    def idle_ns(self) -> Nanoseconds | None:
        """The first instant from now on at which no answer is awaited, if there is one.

        Only then is a move exact where a node both answers others and sends messages of its own: they draw from one
        stream, in the order in which they are sent. The same holds where a node asks again if no answer comes. Where
        neither is so, this is now. Raises NotQuietError where an answer that should have come has not come.
        """
        answered = [beat for beat in self._beats if beat.beat.answer is not None]
        senders = {beat.node for beat in self._beats if beat.beat.message is not None}
        asks = any(beat.beat.answered_within_ns is not None for beat in answered)
        if not asks and not any(to in senders for beat in answered for to in beat.beat.to):
            return self.now_ns
        self._check_coincidences()
        span = 2 * self._delay_ns + 1
        sent = [
            (due - (beat.period_ns if beat.sent_before_ns is None else beat.sent_before_ns), beat.period_ns)
            for _, beat, due in answered
        ]
        found = [
            self.now_ns,
            *(first + -(-(self.now_ns - first - span) // period) * period + span for first, period in sent),
        ]
        idle = (at for at in sorted(found) if all((at - first) % period >= span for first, period in sent))
        found_ns = next(idle, None)
        if found_ns == self.now_ns and any(beat.beat.sent_before_ns is not None for beat in answered):
            raise NotQuietError("a message, or the answer to it, was lost")
        return found_ns

    def _check_coincidences(self) -> None:
        """Raises NotQuietError where two ask at one instant: their order depends on when answers came before."""
        asking = [(due, beat.period_ns) for _, beat, due in self._beats if beat.keeps_phase]
        for number, (due_a, period_a) in enumerate(asking):
            for due_b, period_b in asking[:number]:
                if (due_a - due_b) % gcd(period_a, period_b) == 0:
                    raise NotQuietError("two questions are asked at one instant")

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
