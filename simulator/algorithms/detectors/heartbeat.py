"""Heartbeats: who has not been heard by a deadline is taken to be down. How late that is says a rule.

A node sends its heartbeat number i at the instant (i - 1) * interval after it began to, whatever befalls it meanwhile:
what a pause has made it miss is never sent, and its number is left out, so that numbers tell when a heartbeat was due.
Only a heartbeat newer than all before counts (Chen, Toueg and Aguilera, On the Quality of Service of Failure Detectors,
2002), since a late one only says that its sender was up before.

The rule here is the "common algorithm" with which that paper begins: a fixed timeout, counted from each new heartbeat.
Its detection time is at most the timeout plus a delay; a heartbeat that is late by more is a mistake.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from simulator.algorithms.detectors.detector import Detector, DetectorListener
from simulator.protocol import MILLISECOND, Duration, Host, Nanoseconds, NodeId, message, option


@message
class Heartbeat:
    """I am up. Numbers begin anew with every start of the sender: `since` tells by its wall clock when it began."""

    number: int
    since: int = 0


class Rule:
    """Until when a node is trusted. One object for each node that is watched, and anew when its numbers begin anew.

    All instants are of the watcher's monotonic clock.
    """

    def __init__(self, options: Any) -> None:
        """`options` are those of the detector."""

    def begun(self, now: Nanoseconds) -> Nanoseconds:
        """The deadline of a node of which no heartbeat has come yet, from this instant on."""
        raise NotImplementedError

    def heard(self, number: int, now: Nanoseconds) -> Nanoseconds:
        """The deadline after a new heartbeat of that number."""
        raise NotImplementedError

    def overtaken(self, number: int, now: Nanoseconds) -> None:
        """A heartbeat has come after a newer one, perhaps not for the first time. It changes no deadline."""


class RuledDetector(Detector):
    """Sends heartbeats to those that watch it, and holds those of the nodes that it watches to deadlines."""

    rule: ClassVar[type[Rule]]

    def __init__(self, host: Host, options: Any, listener: DetectorListener) -> None:
        super().__init__(host, options, listener)
        self.shown_to: tuple[NodeId, ...] = ()
        self._rules: dict[NodeId, Rule] = {}
        self._newest: dict[NodeId, tuple[int, int]] = {}  # Of the heartbeats of each: since when, and the number.
        self._beats = 0
        self._since = 0  # When this node began to send its own, by its wall clock and by its monotonic one.
        self._began: Nanoseconds = 0

    def show(self, to: Iterable[NodeId]) -> None:
        silent, self.shown_to = not self.shown_to, tuple(to)
        if self.shown_to and silent:
            self._beats, self._since, self._began = 0, self.host.now(), self.host.monotonic()
            self._beat()
        elif not self.shown_to:
            self.host.cancel_timer(f"{self.timer} beat")

    def on_timer(self, name: str) -> None:
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
        self.host.set_timer(self._silence_of(node), max(0, self._rules[node].begun(now) - now))

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
                self._rules[sender].overtaken(message.number, self.host.monotonic())
            return
        if newest is not None and newest[0] != message.since:
            self._rules[sender] = self.rule(self.options)
        self._newest[sender] = message.since, message.number
        now = self.host.monotonic()
        left = self._rules[sender].heard(message.number, now) - now
        if left > 0:
            self.host.set_timer(self._silence_of(sender), left)
            self._trust(sender)
        else:  # It came after its successor's deadline.
            self.host.cancel_timer(self._silence_of(sender))
            self._suspect(sender)

    def _is_news(self, sender: NodeId, message: Heartbeat) -> bool:
        """Whether it was sent after all before. A sender whose clock has gone back is believed once it is suspected."""
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

    interval: Duration = option(50 * MILLISECOND, "How often a node says that it is up.")
    timeout: Duration = option(200 * MILLISECOND, "How long a node may be silent until it is taken to be down.")

    def __post_init__(self) -> None:
        if self.interval < 1:
            raise ValueError("interval: must be above 0")
        if self.timeout < 1:
            raise ValueError("timeout: must be above 0")

    def tolerates(self) -> Nanoseconds:
        """Two heartbeats arrive an interval and a delay apart, at most."""
        return self.timeout - self.interval - 1

    def detects_within(self, delay: Nanoseconds) -> Nanoseconds:
        """The last heartbeat arrives a delay after the death."""
        return delay + self.timeout


class FixedTimeout(Rule):
    """The same time after every heartbeat."""

    def __init__(self, options: HeartbeatOptions) -> None:
        self._timeout = options.timeout

    def begun(self, now: Nanoseconds) -> Nanoseconds:
        return now + self._timeout

    def heard(self, number: int, now: Nanoseconds) -> Nanoseconds:
        return now + self._timeout


class HeartbeatDetector(RuledDetector):
    """Heartbeats with a fixed timeout."""

    rule = FixedTimeout
