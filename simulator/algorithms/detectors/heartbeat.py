"""Heartbeats: a node is suspected if no heartbeat of it arrives before a deadline. A `DeadlineRule` sets the deadline.

A node sends heartbeat number i at (i - 1) * interval after its first. A heartbeat that it misses during a pause is
never sent, and its number is left out, so the number always tells when a heartbeat was due. A heartbeat counts only if
it is newer than all before (Chen, Toueg and Aguilera, On the Quality of Service of Failure Detectors, 2002), since an
older one says only that its sender was up earlier.

The rule in this module is the "common algorithm" with which that paper begins: a fixed timeout, counted from each new
heartbeat. A crash is detected within the timeout plus a delay. If a heartbeat is late by more, the node is suspected by
mistake.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from simulator.algorithms.detectors.detector import Detector, DetectorListener
from simulator.protocol import MILLISECOND, Duration, Host, Nanoseconds, NodeId, message, option
from simulator.quiet import Awaited, Beat, Watch


@message
class Heartbeat:
    """The sender is up. Numbers start again when the sender restarts; `since` is the wall-clock time of its start."""

    number: int
    since: int = 0


class DeadlineRule:
    """Decides until when one watched node is trusted. A new object is made when the node restarts.

    All instants are read from the watching node's monotonic clock.
    """

    def __init__(self, options: Any) -> None:
        """`options` are the options of the detector."""

    def first_deadline(self, now: Nanoseconds) -> Nanoseconds:
        """The deadline of a node that is watched from now on. It holds until the first heartbeat of the node."""
        raise NotImplementedError

    def on_heartbeat(self, number: int, now: Nanoseconds) -> Nanoseconds:
        """The deadline after a new heartbeat with this number, which arrives now."""
        raise NotImplementedError

    def on_overtaken(self, number: int, now: Nanoseconds) -> None:
        """A heartbeat arrives after a newer one; it may be a duplicate. It changes no deadline."""


class HeartbeatBasedDetector(Detector):
    """Sends heartbeats to the nodes that watch it, and expects those of the nodes that it watches before deadlines."""

    rule: ClassVar[type[DeadlineRule]]

    def __init__(self, host: Host, options: Any, listener: DetectorListener) -> None:
        super().__init__(host, options, listener)
        self.shown_to: tuple[NodeId, ...] = ()
        self._rules: dict[NodeId, DeadlineRule] = {}
        self._newest: dict[NodeId, tuple[int, int]] = {}  # `since` and number of each node's newest heartbeat.
        self._beats = 0
        self._since = 0  # When this node sent its first heartbeat, by the wall clock.
        self._began: Nanoseconds = 0  # The same instant by the monotonic clock.

    def show(self, to: Iterable[NodeId]) -> None:
        silent, self.shown_to = not self.shown_to, tuple(to)
        if self.shown_to and silent:
            self._beats, self._since, self._began = 0, self.host.now(), self.host.monotonic()
            self._beat()
        elif not self.shown_to:
            self.host.cancel_timer(f"{self.timer} beat")

    def on_timer(self, name: str) -> None:
        """Send the heartbeats that are due, or suspect the node whose heartbeat has not come."""
        if name == f"{self.timer} beat":
            self._beat()
        else:
            self._suspect(int(name.rpartition(" ")[2]))

    def _beat(self) -> None:
        interval, elapsed = self.options.interval, self.host.monotonic() - self._began
        self._beats = max(self._beats + 1, elapsed // interval + 1)
        for node in self.shown_to:
            self.host.send(node, Heartbeat(self._beats, self._since), ordered=False)
        self.host.set_timer(f"{self.timer} beat", max(0, self._beats * interval - elapsed))

    def _begin(self, node: NodeId) -> None:
        self._rules[node] = self.rule(self.options)
        now = self.host.monotonic()
        self.host.set_timer(self._silence_of(node), max(0, self._rules[node].first_deadline(now) - now))

    def _end(self, node: NodeId) -> None:
        del self._rules[node]
        self._newest.pop(node, None)
        self.host.cancel_timer(self._silence_of(node))

    def _on_heartbeat(self, sender: NodeId, message: Heartbeat) -> None:
        if sender not in self._rules:
            return
        newest = self._newest.get(sender)
        if not self._is_news(sender, message):
            if newest is not None and message.since == newest[0] and message.number != newest[1]:
                self._rules[sender].on_overtaken(message.number, self.host.monotonic())
            return
        if newest is not None and newest[0] != message.since:
            self._rules[sender] = self.rule(self.options)
        self._newest[sender] = message.since, message.number
        now = self.host.monotonic()
        left = self._rules[sender].on_heartbeat(message.number, now) - now
        if left > 0:
            self.host.set_timer(self._silence_of(sender), left)
            self._trust(sender)
        else:  # The heartbeat came so late that the next one's deadline has passed.
            self.host.cancel_timer(self._silence_of(sender))
            self._suspect(sender)

    def _is_news(self, sender: NodeId, message: Heartbeat) -> bool:
        """Whether a heartbeat is newer than all before.

        If the sender's clock has gone back, a heartbeat is news only once the sender is suspected.
        """
        newest = self._newest.get(sender)
        if newest is None or (message.since, message.number) > newest:
            return True
        return message.since != newest[0] and sender in self.suspected

    def _silence_of(self, node: NodeId) -> str:
        return f"{self.timer} silence {node}"

    receive: ClassVar = {Heartbeat: _on_heartbeat}


# --- The fixed timeout


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartbeatOptions:
    """Heartbeats with a fixed timeout."""

    interval: Duration = option(50 * MILLISECOND, "How often a node sends a heartbeat.")
    timeout: Duration = option(200 * MILLISECOND, "How long a node may be silent before it is suspected.")

    def __post_init__(self) -> None:
        if self.interval < 1:
            raise ValueError("interval: must be above 0")
        if self.timeout < 1:
            raise ValueError("timeout: must be above 0")

    def delay_bound(self) -> Nanoseconds:
        """Two heartbeats arrive at most an interval and a delay apart."""
        return self.timeout - self.interval - 1

    def detection_bound(self, delay: Nanoseconds) -> Nanoseconds:
        """The last heartbeat arrives at most a delay after the crash."""
        return delay + self.timeout


class FixedTimeout(DeadlineRule):
    """The deadline is a fixed time after each heartbeat."""

    def __init__(self, options: HeartbeatOptions) -> None:
        self._timeout = options.timeout

    def first_deadline(self, now: Nanoseconds) -> Nanoseconds:
        return now + self._timeout

    def on_heartbeat(self, number: int, now: Nanoseconds) -> Nanoseconds:
        return now + self._timeout


class HeartbeatDetector(HeartbeatBasedDetector):
    """Suspects a node a fixed time after its last heartbeat."""

    rule = FixedTimeout

    def quiet(self) -> Watch:
        """Return the heartbeats that are sent, and those that are awaited."""
        options: HeartbeatOptions = self.options
        beat = Beat(timer=f"{self.timer} beat", period_ns=options.interval, message=Heartbeat, to=self.shown_to)
        awaits = [
            Awaited(of=node, message=Heartbeat, timer=self._silence_of(node), bears_ns=options.timeout)
            for node in self.watched
            if node not in self.suspected
        ]
        return Watch(beats=[beat] if self.shown_to else [], awaits=awaits, suspected=frozenset(self.suspected))

    def on_skipped(self, elapsed: Nanoseconds) -> None:
        self._beats += elapsed // self.options.interval
