"""Pings with retries: a node that answers none of several pings in a row is suspected.

The usual health check. A round begins every interval with a ping. Each time the timeout passes without an answer,
another ping follows, up to the number of retries. An answer to any ping of the present round counts. If it comes after
the node was suspected, the suspicion ends. A node that crashes right after an answer is suspected within the interval
plus (retries + 1) timeouts. A mistake takes (retries + 1) lost or late answers in a row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from simulator.algorithms.detectors.detector import Detector, DetectorListener
from simulator.protocol import MILLISECOND, Duration, Host, Message, Nanoseconds, NodeId, message, option
from simulator.quiet import Beat, Watch


@message
class Ping:
    """Asks whether the receiver is up. Numbers start again when the sender restarts; `since` is its start time."""

    number: int
    since: int = 0


@message
class Pong:
    """The sender is up: the answer to the ping with this number."""

    number: int
    since: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PingOptions:
    """Pings with retries."""

    interval: Duration = option(100 * MILLISECOND, "How often a round of pings begins.")
    timeout: Duration = option(50 * MILLISECOND, "How long to wait for the answer to each ping.")
    retries: int = option(2, "How many more pings a node gets that does not answer, before it is suspected.")

    def __post_init__(self) -> None:
        check_polling(self)

    def delay_bound(self) -> Nanoseconds:
        return polling_delay_bound(self)

    def detection_bound(self, delay: Nanoseconds) -> Nanoseconds:
        return polling_detection_bound(self, delay)


class PollingOptions(Protocol):
    """The options that every polling detector has."""

    @property
    def interval(self) -> Nanoseconds:
        """How often a round of questions begins."""
        ...

    @property
    def timeout(self) -> Nanoseconds:
        """How long to wait for the answer to each question."""
        ...

    @property
    def retries(self) -> int:
        """How many more questions a node gets before it is suspected."""
        ...


def check_polling(options: PollingOptions) -> None:
    """Raises ValueError for values with which no node could be asked."""
    if options.interval < 1:
        raise ValueError("interval: must be above 0")
    if options.timeout < 1:
        raise ValueError("timeout: must be above 0")
    if options.retries < 0:
        raise ValueError("retries: must not be negative")


def polling_delay_bound(options: PollingOptions) -> Nanoseconds:
    """The first question of a round is answered before the timeout of the last one has passed."""
    return ((options.retries + 1) * options.timeout - 1) // 2


def polling_detection_bound(options: PollingOptions, delay: Nanoseconds) -> Nanoseconds:
    """The last answered round began before the crash. The next begins when it is due and the last one is answered."""
    return max(options.interval, delay) + (options.retries + 1) * options.timeout


@dataclass(slots=True)
class _Round:
    """The questions to one node since it was last due to be asked."""

    began: Nanoseconds  # On the monotonic clock.
    first: int  # The number of the round's first question.
    attempts: int = 0
    is_answered: bool = False  # Or no answer is awaited any more.


class PollingDetector(Detector):
    """Asks the nodes that it watches whether they are up, in rounds."""

    question: ClassVar[Callable[[int, int], Message]]

    def __init__(self, host: Host, options: Any, listener: DetectorListener) -> None:
        super().__init__(host, options, listener)
        self.options: PollingOptions = options
        self._since = host.now()
        self._asked = 0
        self._rounds: dict[NodeId, _Round] = {}

    def on_timer(self, name: str) -> None:
        """Begin a round of questions, ask again, or suspect a node that has answered no question of a round."""
        _, what, text = name.rsplit(" ", 2)
        node = int(text)
        if what == "round":
            self._begin(node)
        elif self._rounds[node].attempts <= self.options.retries:
            self._try(node)
        else:
            self._await_next_round(node)
            self._suspect(node)

    def _begin(self, node: NodeId) -> None:
        self._rounds[node] = _Round(self.host.monotonic(), self._asked + 1)
        self._try(node)

    def _try(self, node: NodeId) -> None:
        self._asked += 1
        self._rounds[node].attempts += 1
        self.host.send(node, type(self).question(self._asked, self._since), ordered=False)
        self.host.set_timer(f"{self.timer} try {node}", self.options.timeout)

    def _end(self, node: NodeId) -> None:
        del self._rounds[node]
        self.host.cancel_timer(f"{self.timer} try {node}")
        self.host.cancel_timer(f"{self.timer} round {node}")

    def _on_answer(self, node: NodeId, number: int, since: int) -> None:
        if node not in self._rounds or since != self._since or number < self._rounds[node].first:
            return
        self.host.cancel_timer(f"{self.timer} try {node}")
        self._await_next_round(node)
        self._trust(node)

    def on_skipped(self, elapsed: Nanoseconds) -> None:
        for asked in self._rounds.values():
            asked.began += elapsed

    def _await_next_round(self, node: NodeId) -> None:
        self._rounds[node].is_answered = True
        left = self._rounds[node].began + self.options.interval - self.host.monotonic()
        self.host.set_timer(f"{self.timer} round {node}", max(0, left))


class PingDetector(PollingDetector):
    """Pings the nodes that it watches, and answers every ping."""

    question = Ping

    def _on_ping(self, sender: NodeId, message: Ping) -> None:
        self.host.send(sender, Pong(message.number, message.since), ordered=False)

    def _on_pong(self, sender: NodeId, message: Pong) -> None:
        self._on_answer(sender, message.number, message.since)

    def quiet(self) -> Watch:
        """Return the rounds of pings. A round to a node that is suspected is never answered."""
        options, beats = self.options, []
        for node in self.watched:
            trying = not self._rounds[node].is_answered
            period_ns, pings = options.interval, 1
            if node in self.suspected:
                pings = options.retries + 1
                period_ns = max(period_ns, pings * options.timeout)
            beats.append(
                Beat(
                    timer=f"{self.timer} {'try' if trying else 'round'} {node}",
                    period_ns=period_ns,
                    message=Ping,
                    to=(node,) * pings,
                    answer=None if node in self.suspected else Pong,
                    answered_within_ns=None if node in self.suspected else min(options.timeout, options.interval),
                    sent_before_ns=options.timeout if trying else None,
                    keeps_phase=True,
                )
            )
        return Watch(beats=beats, suspected=frozenset(self.suspected))

    receive: ClassVar = {Ping: _on_ping, Pong: _on_pong}
