"""Pings with retries: who answers none of several tries in a row is taken to be down.

The usual health check. A round begins every interval: a ping, and, each time its timeout passes without an answer,
another, as often as there are retries. An answer to any try of the present round will do, also a late one, which ends
a suspicion. A node that dies right after it has answered is detected within the interval plus (retries + 1) timeouts;
a mistake takes as many lost or late pairs of messages in a row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from simulator.algorithms.detectors.detector import Detector, DetectorListener
from simulator.protocol import MILLISECOND, Duration, Host, Message, Nanoseconds, NodeId, message, option


@message
class Ping:
    """Are you up? Numbers begin anew with every start of who asks: `since` tells by its wall clock when that was."""

    number: int
    since: int = 0


@message
class Pong:
    """I am up: the answer to the ping of that number."""

    number: int
    since: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PingOptions:
    """Pings with retries."""

    interval: Duration = option(100 * MILLISECOND, "How often a node is asked whether it is up.")
    timeout: Duration = option(50 * MILLISECOND, "How long an answer is waited for, each time.")
    retries: int = option(2, "How often a node that does not answer is asked again until it is taken to be down.")

    def __post_init__(self) -> None:
        check_asking(self)

    def tolerates(self) -> Nanoseconds:
        return asking_tolerates(self)

    def detects_within(self, delay: Nanoseconds) -> Nanoseconds:
        return asking_detects_within(self, delay)


class Asking(Protocol):
    """The options that asking takes, whoever asks."""

    @property
    def interval(self) -> Nanoseconds: ...
    @property
    def timeout(self) -> Nanoseconds: ...
    @property
    def retries(self) -> int: ...


def check_asking(options: Asking) -> None:
    """Raises ValueError where nobody could be asked like that."""
    if options.interval < 1:
        raise ValueError("interval: must be above 0")
    if options.timeout < 1:
        raise ValueError("timeout: must be above 0")
    if options.retries < 0:
        raise ValueError("retries: must not be negative")


def asking_tolerates(options: Asking) -> Nanoseconds:
    """The first question of a round, and its answer, come before the last try is given up."""
    return ((options.retries + 1) * options.timeout - 1) // 2


def asking_detects_within(options: Asking, delay: Nanoseconds) -> Nanoseconds:
    """The last round that is answered began before the death; the next begins once it is due and answered."""
    return max(options.interval, delay) + (options.retries + 1) * options.timeout


@dataclass(slots=True)
class _Round:
    """The tries since a node was last due to be asked."""

    began: Nanoseconds  # By the monotonic clock.
    first: int  # The number of its first try.
    tries: int = 0


class AskingDetector(Detector):
    """Asks the nodes that it watches, in rounds."""

    question: ClassVar[Callable[[int, int], Message]]

    def __init__(self, host: Host, options: Any, listener: DetectorListener) -> None:
        super().__init__(host, options, listener)
        self.options: Asking = options
        self._since = host.now()
        self._asked = 0
        self._rounds: dict[NodeId, _Round] = {}

    def on_timer(self, name: str) -> None:
        _, what, text = name.rsplit(" ", 2)
        node = int(text)
        if what == "round":
            self._begin(node)
        elif self._rounds[node].tries <= self.options.retries:
            self._try(node)
        else:
            self._await_next_round(node)
            self._suspect(node)

    def _begin(self, node: NodeId) -> None:
        self._rounds[node] = _Round(self.host.monotonic(), self._asked + 1)
        self._try(node)

    def _try(self, node: NodeId) -> None:
        self._asked += 1
        self._rounds[node].tries += 1
        self.host.send(node, type(self).question(self._asked, self._since), ordered=False)
        self.host.set_timer(f"{self.timer} try {node}", self.options.timeout)

    def _end(self, node: NodeId) -> None:
        del self._rounds[node]
        self.host.cancel_timer(f"{self.timer} try {node}")
        self.host.cancel_timer(f"{self.timer} round {node}")

    def _answered(self, node: NodeId, number: int, since: int) -> None:
        if node not in self._rounds or since != self._since or number < self._rounds[node].first:
            return
        self.host.cancel_timer(f"{self.timer} try {node}")
        self._await_next_round(node)
        self._trust(node)

    def _await_next_round(self, node: NodeId) -> None:
        left = self._rounds[node].began + self.options.interval - self.host.monotonic()
        self.host.set_timer(f"{self.timer} round {node}", max(0, left))


class PingDetector(AskingDetector):
    """Pings those that it watches, and answers whoever pings it."""

    question = Ping

    def _on_ping(self, sender: NodeId, message: Ping) -> None:
        self.host.send(sender, Pong(message.number, message.since), ordered=False)

    def _on_pong(self, sender: NodeId, message: Pong) -> None:
        self._answered(sender, message.number, message.since)

    receive: ClassVar = {Ping: _on_ping, Pong: _on_pong}
