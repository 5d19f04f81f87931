"""Heartbeats with a fixed timeout: who has not been heard for so long is taken to be down.

The "common algorithm" with which Chen, Toueg and Aguilera begin (On the Quality of Service of Failure Detectors, 2002,
section 1). Its detection time is at most the timeout plus a delay; a heartbeat that is late by more is a mistake.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar

from simulator.algorithms.detectors.detector import Detector
from simulator.protocol import MILLISECOND, Duration, Host, NodeId, message, option


@message
class Heartbeat:
    """I am up. The number counts the heartbeats of this incarnation."""

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartbeatOptions:
    """Heartbeats with a fixed timeout."""

    interval: Duration = option(50 * MILLISECOND, "How often a node says that it is up.")
    timeout: Duration = option(200 * MILLISECOND, "How long a node may be silent until it is taken to be down.")

    def __post_init__(self) -> None:
        if self.interval < 1:
            raise ValueError("interval: must be above 0")


class HeartbeatDetector(Detector):
    """Sends heartbeats to those that watch it, and times those of the nodes that it watches."""

    def __init__(self, host: Host, options: HeartbeatOptions, changed: Callable[[NodeId, bool], None]) -> None:
        super().__init__(host, options, changed)
        self.shown_to: tuple[NodeId, ...] = ()
        self._beats = 0

    def watch(self, nodes: Iterable[NodeId]) -> None:
        before, self.watched = self.watched, tuple(nodes)
        for node in before:
            if node not in self.watched:
                self.host.cancel_timer(self._silence_of(node))
                self.suspected.discard(node)
        for node in self.watched:
            if node not in before:
                self._heard(node)

    def show(self, to: Iterable[NodeId]) -> None:
        silent, self.shown_to = not self.shown_to, tuple(to)
        if self.shown_to and silent:
            self._beat()
        elif not self.shown_to:
            self.host.cancel_timer(f"{self.timer} beat")

    def on_timer(self, name: str) -> None:
        if name == f"{self.timer} beat":
            self._beat()
        else:
            self._suspect(int(name.rpartition(" ")[2]))

    def _on_heartbeat(self, sender: NodeId, message: Heartbeat) -> None:
        if sender in self.watched:
            self._heard(sender)
            self._trust(sender)

    def _beat(self) -> None:
        self._beats += 1
        for node in self.shown_to:
            self.host.send(node, Heartbeat(self._beats), ordered=False)
        self.host.set_timer(f"{self.timer} beat", self.options.interval)

    def _heard(self, node: NodeId) -> None:
        self.host.set_timer(self._silence_of(node), self.options.timeout)

    def _silence_of(self, node: NodeId) -> str:
        return f"{self.timer} silence {node}"

    receive: ClassVar = {Heartbeat: _on_heartbeat}
