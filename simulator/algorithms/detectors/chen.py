"""Chen, Toueg and Aguilera (2002): the next heartbeat's arrival is estimated from the last ones; a margin is added.

NFD-E, from On the Quality of Service of Failure Detectors, IEEE Transactions on Computers 51 (5), section 6. The
last n heartbeats have the numbers s_i and arrived at A_i, and the interval is η. The next heartbeat, number l + 1, is
estimated to arrive at

    EA(l + 1) = (1/n) Σ (A_i - η s_i) + (l + 1) η,

and its freshness point is EA(l + 1) + α. From then on the sender is suspected, unless a newer heartbeat has come. A
late heartbeat does not delay the next deadline, as it would with a timeout counted from its arrival. Detection takes at
most η + α and a mean delay, if the estimate is right. Clocks need not be synchronised, but their drift over the window
must be negligible. While there are fewer heartbeats than n, all are used. A heartbeat that arrives after a newer one
sets no deadline, but counts in the estimate: without late heartbeats, the estimate would be too early.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from simulator.algorithms.detectors.heartbeat import DeadlineRule, HeartbeatBasedDetector
from simulator.protocol import MILLISECOND, Duration, Nanoseconds, option


@dataclass(frozen=True, slots=True, kw_only=True)
class ChenOptions:
    """Heartbeats whose arrival is estimated from the last ones (Chen, Toueg and Aguilera 2002)."""

    interval: Duration = option(50 * MILLISECOND, "How often a node sends a heartbeat: η.")
    alpha: Duration = option(150 * MILLISECOND, "How long after its estimated arrival a heartbeat may come: α.")
    window: int = option(32, "How many of the last heartbeats the estimate uses. 32 in the paper.")

    def __post_init__(self) -> None:
        if self.interval < 1:
            raise ValueError("interval: must be above 0")
        if self.alpha < 0:
            raise ValueError("alpha: must not be negative")
        if self.window < 1:
            raise ValueError("window: must be at least 1")

    def delay_bound(self) -> Nanoseconds:
        """No heartbeat is estimated to arrive before it is sent, so α alone must cover the delay."""
        return self.alpha - 1

    def detection_bound(self, delay: Nanoseconds) -> Nanoseconds:
        """The next heartbeat would be sent an interval after the crash, and its arrival is estimated a delay later."""
        return self.interval + delay + self.alpha


class EstimatedArrival(DeadlineRule):
    """The deadline is the estimated arrival of the next heartbeat plus the margin."""

    def __init__(self, options: ChenOptions) -> None:
        self._options = options
        self._numbers: deque[int] = deque(maxlen=options.window)  # The s_i of the last heartbeats.
        self._shifts: deque[Nanoseconds] = deque(maxlen=options.window)  # A_i - η s_i of the same heartbeats.
        self._sum = 0

    def first_deadline(self, now: Nanoseconds) -> Nanoseconds:
        return now + self._options.interval + self._options.alpha

    def on_heartbeat(self, number: int, now: Nanoseconds) -> Nanoseconds:
        self._add(number, now)
        expected = self._sum // len(self._shifts) + self._options.interval * (number + 1)
        return expected + self._options.alpha

    def on_overtaken(self, number: int, now: Nanoseconds) -> None:
        if number not in self._numbers:  # Duplicates do not count.
            self._add(number, now)

    def _add(self, number: int, now: Nanoseconds) -> None:
        if len(self._shifts) == self._options.window:
            self._sum -= self._shifts[0]
        self._numbers.append(number)
        self._shifts.append(now - self._options.interval * number)
        self._sum += self._shifts[-1]


class ChenDetector(HeartbeatBasedDetector):
    """Suspects a node when a heartbeat is overdue by its estimated arrival."""

    rule = EstimatedArrival
