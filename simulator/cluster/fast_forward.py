"""Skips keep-alives of quiet periods, exactly: a trial with and without has the same rows, counts and random numbers.

Now and then, the kernel lets `FastForward.look` see whether the cluster is quiet: every running node describes its part
(`simulator.quiet`), the parts fit together, only keep-alives and their answers are in flight, and nothing but timers of
keep-alives is queued before an event from outside, such as a fault or the end of the trial. Then time moves forward by
whole periods. Timers and messages in flight move along, messages are counted, and each stream of random numbers moves
by what the skipped messages would have drawn.

Messages that are in flight at such a move arrive at other instants than they would have. So the move ends early enough
before the next event from outside for every node to receive a whole round of keep-alives that was really sent: they set
every timer, and nothing remembers the others (docs/fast-forward.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from heapq import heapify
from typing import Any, NamedTuple

from simpy.events import NORMAL

from simulator.cluster.kernel import Kernel
from simulator.cluster.memory import MemoryCheck
from simulator.cluster.network.bounds import longest
from simulator.cluster.network.loss import GilbertElliott
from simulator.cluster.network.network import Network, NetworkSpec, Transport
from simulator.cluster.node.node import Node
from simulator.cluster.node.quiet import forget_cancelled_timers, forget_draws, move_timer, timer_place
from simulator.cluster.node.timers import Timers
from simulator.cluster.quiet_period import MovedTimer, NotQuietError, QuietPeriod, Skipped
from simulator.cluster.spec import ClusterSpec
from simulator.protocol import MILLISECOND, Nanoseconds, NodeId
from simulator.trace.trace import Row

_WORTHWHILE = 90  # Events: to skip fewer takes longer than to handle them.
_BACKOFF_GROWS, _MOST_BACKOFF = 4, 256  # How much longer a cluster that is not quiet is left alone, each time.


_last: list[tuple[NetworkSpec, Nanoseconds | None]] = []  # What was asked last: trials of a run share a specification.


def longest_delay(spec: NetworkSpec) -> Nanoseconds | None:
    """The longest time that a message travels, but for a negligible share of messages; None if it is not known."""
    if not _last or _last[0][0] is not spec:
        latency = longest(spec.latency)
        base = 0 if spec.topology is None else max(max(row) for row in spec.topology.base)
        _last[:] = [(spec, None if latency is None else base + latency)]
    return _last[0][1]


_SHORT: list[
    tuple[NetworkSpec, Nanoseconds]
] = []  # The longest time, lately, in which too few events would be skipped.


def _worthwhile_ns(spec: NetworkSpec) -> Nanoseconds:
    """For which time until the next event from outside it is not worth it to look closer, as far as is known."""
    return _SHORT[0][1] if _SHORT and _SHORT[0][0] is spec else 0


def network_refusal(spec: NetworkSpec) -> str | None:
    """Why nothing can be skipped on such a network; None if something can."""
    if spec.transport is not Transport.DATAGRAM:
        return "messages travel over connections (network.transport: stream)"
    if spec.bandwidth:
        return "messages queue for links (network.bandwidth)"
    if isinstance(spec.loss, GilbertElliott):
        return "messages are lost in bursts (network.loss)"
    return "it is not known how long a message may take (network.latency)" if longest_delay(spec) is None else None


def refusal(spec: ClusterSpec) -> str | None:
    """Why nothing can be skipped in any trial of this specification; None if something can."""
    if spec.workload is not None:
        return "clients send commands at random instants (workload)"
    if spec.clients is not None:
        return "clients send requests at random instants (clients)"
    if spec.service is not None:
        return "nodes take time to handle messages (cluster.service)"
    registration = spec.registration
    if registration.never_quiet is None:
        return f"{registration.name} does not say when it is quiet (Registration.never_quiet)"
    return registration.never_quiet(spec.config) or network_refusal(spec.network)


class _Queue(NamedTuple):
    """What the kernel's queue holds: keep-alives in flight, and what comes from outside. Timers are left out."""

    in_flight: list[Any]
    outside: list[Any]


class FastForward:
    """Looks for quiet periods of one trial, and moves the trial through them. It calls `memory.check` in time, too."""

    def __init__(
        self, kernel: Kernel, network: Network, nodes: Mapping[NodeId, Node], rows: Sequence[Row], memory: MemoryCheck
    ) -> None:
        delay = longest_delay(network.spec)
        assert delay is not None
        self.skipped_ns: Nanoseconds = 0
        self.unsure_events = 0  # How many more the skipped events may have been than were counted.
        self.events_between = 2 * len(nodes) + 2  # About one round of keep-alives.
        self._kernel = kernel
        self._network = network
        self._nodes = nodes
        self._rows = rows
        self._memory = memory
        self._looks_between = self._looks_left = max(1, memory.events_between // self.events_between)
        self._delay_ns: Nanoseconds = delay
        self._irregular = bool(network.spec.loss or network.spec.duplication)
        self._not_before: Nanoseconds = 0
        self._backoff = 1
        self._skipped_meanwhile = 0
        self._looked_at: Nanoseconds = -1
        self._rows_before = 0

    def look(self) -> int:
        """Move forward if the cluster is quiet. Returns how many events were skipped, at least."""
        self._looks_left -= 1
        if not self._looks_left:
            self._looks_left = self._looks_between
            self._memory.check()
        if self._kernel._now < self._not_before and not self._skipped_meanwhile:
            return 0
        skipped, self._skipped_meanwhile = self._skipped_meanwhile, 0
        return skipped + self._look()

    def _look_at(self, at_ns: Nanoseconds) -> None:
        """Look again at that instant, after what is queued for it."""
        self._not_before = self._looked_at = at_ns
        self._kernel.push(at_ns, self._look_now)

    def _look_now(self, _: None, __: None) -> None:
        self._skipped_meanwhile += self._look()

    def _look(self) -> int:
        now, rows = self._kernel._now, self._rows
        # After a row, all that was in flight must arrive and be answered.
        settled_ns = rows[-1].time_ns + 2 * self._delay_ns + 1 if rows else now + 1
        if now < settled_ns or now < self._not_before:
            self._not_before = max(self._not_before, settled_ns)
            return 0
        if len(rows) != self._rows_before:
            self._rows_before, self._backoff = len(rows), max(1, self._backoff // _BACKOFF_GROWS)
        try:
            return self._move(now)
        except NotQuietError:
            self._not_before = now + self._backoff * max(2 * self._delay_ns, MILLISECOND)
            self._backoff = min(_BACKOFF_GROWS * self._backoff, _MOST_BACKOFF)
            return 0

    def _move(self, now: Nanoseconds) -> int:
        if self._kernel._queue[0][0] == now:  # Something else is due at this instant: the move would divide it.
            if self._looked_at == now:
                raise NotQuietError("more is due at this instant")
            self._look_at(now)
            return 0
        if self._network.rules.in_force:
            raise NotQuietError("a rule is in force on links")
        if (end := self._first_from_outside()) - now < _worthwhile_ns(self._network.spec):
            self._not_before = end
            return 0
        running = {me: node for me, node in self._nodes.items() if node.running}
        period = QuietPeriod(now, running, self._delay_ns)
        if (idle := period.idle_ns()) != now:
            if idle is None:
                raise NotQuietError("some node always waits for an answer")
            self._look_at(idle)
            return 0
        queue = self._sorted_queue(period)
        end = min([period.end_ns, *(entry[0] for entry in queue.outside)])
        elapsed = (end - period.rest_ns - now) // period.whole_ns * period.whole_ns
        self._not_before = end
        if elapsed > 0 and self._irregular:
            elapsed = self._regular(period, elapsed, len(queue.in_flight))
            self._not_before = min(end, now + max(elapsed, period.whole_ns) + period.rest_ns)
        skipped = period.skip(max(elapsed, 0))
        if skipped.events < _WORTHWHILE:
            if not self._irregular:
                _SHORT[:] = [(self._network.spec, end - now)]
            return 0
        self._apply(now, elapsed, skipped, queue)
        for node in running.values():
            node.algorithm.on_skipped(elapsed, frozenset(running))  # type: ignore[union-attr] # It runs.
        self.skipped_ns += elapsed
        self.unsure_events += skipped.unsure_events
        return skipped.events

    def _regular(self, period: QuietPeriod, elapsed: Nanoseconds, in_flight: int) -> Nanoseconds:
        """How much of a time no lost or duplicated packet disturbs, including the rest that is simulated after it."""
        whole, rest = period.whole_ns, period.rest_ns
        duplicates = bool(self._network.spec.duplication)
        for node, sends in period.heeded(all_nodes=duplicates).items():
            interface = self._network.interfaces[node]
            for flips in (interface.losses, interface.duplications):
                if flips is None or elapsed <= 0:
                    continue
                clear = flips.clear(_packets(sends, elapsed + rest) + in_flight) - in_flight
                low, high = -1, elapsed // whole  # In whole periods: the longest move that needs no more than these.
                while low < high:
                    middle = (low + high + 1) // 2
                    low, high = (middle, high) if _packets(sends, middle * whole + rest) <= clear else (low, middle - 1)
                elapsed = low * whole
        return elapsed

    def _first_from_outside(self) -> Nanoseconds:
        """When the first event is due that is neither a timer nor a message."""
        keepalives = (Timers._come_due, Node.on_delivery)
        others = (entry[0] for entry in self._kernel._queue if getattr(entry[3], "__func__", None) not in keepalives)
        return min(others, default=self._kernel._now)

    def _sorted_queue(self, period: QuietPeriod) -> _Queue:
        queue = _Queue([], [])
        for entry in self._kernel._queue:
            act = entry[3]
            called = getattr(act, "__func__", None)
            if called is Timers._come_due or act == self._look_now:
                continue
            if called is not Node.on_delivery:
                queue.outside.append(entry)
            elif (entry[4], act.__self__.me, type(entry[5])) in period.expected:
                queue.in_flight.append(entry)
            else:
                raise NotQuietError("a message is in flight that is no keep-alive")
        return queue

    def _apply(self, now: Nanoseconds, elapsed: Nanoseconds, skipped: Skipped, queue: _Queue) -> None:
        """Move time, messages in flight, timers, counts and random streams forward.

        What would have been scheduled anew gets a new place among things due at one instant: after all that was
        scheduled before the move, in the order in which it would have been scheduled.
        """
        kernel, network = self._kernel, self._network
        for (node, message), count in skipped.sent.items():
            network.skip(network.interfaces[node], message, count)
        for node, count in skipped.drawn.items():
            forget_draws(self._nodes[node].random, count)
        kernel._now = now + elapsed
        kernel._queue[:] = queue.outside
        places: list[tuple[Nanoseconds, Nanoseconds, int, Any]] = [
            (kernel._now, 0, entry[2], entry) for entry in queue.in_flight
        ]
        for timer in skipped.timers:
            at = timer_place(self._nodes[timer.node], timer.name)
            assert at is not None
            if timer.set_ns is None:
                self._move_timer(timer, at[1])
            else:
                places.append((timer.set_ns, -timer.period_ns, at[1], timer))
        places.sort(key=lambda place: place[:3])
        for each in self._nodes.values():
            forget_cancelled_timers(each)
        for _, _, _, moved in places:
            order = next(kernel._eid)
            if isinstance(moved, MovedTimer):
                self._move_timer(moved, order)
            else:
                kernel._queue.append((moved[0] + elapsed, NORMAL, order, *moved[3:]))
        heapify(kernel._queue)

    def _move_timer(self, timer: MovedTimer, order: int) -> None:
        move_timer(self._nodes[timer.node], timer.name, timer.deadline_ns, order)


def _packets(sends: Sequence[tuple[Nanoseconds, int]], span: Nanoseconds) -> int:
    """At most how many packets a node sends in that time, of its periods and the numbers sent in each."""
    return sum((span // period + 1) * number for period, number in sends)
