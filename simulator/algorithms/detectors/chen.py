"""Chen, Toueg and Aguilera (2002): a heartbeat is expected when the last ones say that it is due, and a margin later.

NFD-E, from On the Quality of Service of Failure Detectors, IEEE Transactions on Computers 51 (5), section 6. With the
last n heartbeats of number s_i, which arrived at A_i, and interval η, the next one, of number l + 1, is estimated to
arrive at

    EA(l + 1) = (1/n) Σ (A_i - η s_i) + (l + 1) η,

and its freshness point is EA(l + 1) + α: from then on the sender is suspected, unless a newer heartbeat has come. How
late the last heartbeat was does not put off the deadline, as a timeout that is counted from it would. Detection takes
η + α and a mean delay, at most, as far as the estimate is right. It needs no synchronised clocks, but drifts that are
negligible over the window. For fewer heartbeats than n it takes all that there are. One that was overtaken brings no
new deadline, but counts in the estimate: without the late ones, that would be too early.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from simulator.algorithms.detectors.heartbeat import Rule, RuledDetector
from simulator.protocol import MILLISECOND, Duration, Nanoseconds, option


@dataclass(frozen=True, slots=True, kw_only=True)
class ChenOptions:
    """Heartbeats that are expected when the last ones say that they are due (Chen, Toueg and Aguilera 2002)."""

    interval: Duration = option(50 * MILLISECOND, "How often a node says that it is up: η.")
    alpha: Duration = option(150 * MILLISECOND, "How long after its estimated arrival a heartbeat is waited for: α.")
    window: int = option(32, "From how many of the last heartbeats arrivals are estimated; 32 in the paper.")

    def __post_init__(self) -> None:
        if self.interval < 1:
            raise ValueError("interval: must be above 0")
        if self.alpha < 0:
            raise ValueError("alpha: must not be negative")
        if self.window < 1:
            raise ValueError("window: must hold a heartbeat")

    def tolerates(self) -> Nanoseconds:
        """A heartbeat is estimated to arrive no sooner than it is sent."""
        return self.alpha - 1

    def detects_within(self, delay: Nanoseconds) -> Nanoseconds:
        """The next heartbeat would have been sent an interval after the death, and is estimated a delay later."""
        return self.interval + delay + self.alpha


class EstimatedArrival(Rule):
    """The next heartbeat's estimated arrival, plus the margin."""

    def __init__(self, options: ChenOptions) -> None:
        self._options = options
        self._numbers: deque[int] = deque(maxlen=options.window)  # s_i of the last heartbeats, and A_i - η s_i.
        self._shifts: deque[Nanoseconds] = deque(maxlen=options.window)
        self._sum = 0

    def begun(self, now: Nanoseconds) -> Nanoseconds:
        return now + self._options.interval + self._options.alpha

    def heard(self, number: int, now: Nanoseconds) -> Nanoseconds:
        self._add(number, now)
        expected = self._sum // len(self._shifts) + self._options.interval * (number + 1)
        return expected + self._options.alpha

    def overtaken(self, number: int, now: Nanoseconds) -> None:
        if number not in self._numbers:  # It is no duplicate.
            self._add(number, now)

    def _add(self, number: int, now: Nanoseconds) -> None:
        if len(self._shifts) == self._options.window:
            self._sum -= self._shifts[0]
        self._numbers.append(number)
        self._shifts.append(now - self._options.interval * number)
        self._sum += self._shifts[-1]


class ChenDetector(RuledDetector):
    """Heartbeats, and a deadline by their estimated arrival."""

    rule = EstimatedArrival
