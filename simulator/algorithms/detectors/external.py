"""An external monitor: a health checker outside the cluster asks every node, and tells all nodes which ones are down.

Load balancers and orchestrators work like this. The monitor asks by pings with retries (`ping.py`) over its own network
paths. It sends a report whenever its opinion of a node changes, and once every interval, since reports can be lost.
Nodes believe the newest report. So all nodes have the same opinion, up to a delay, but it depends on the monitor's
paths: a node that the other nodes cannot reach is trusted as long as the monitor reaches it, and a node that only the
monitor cannot reach is suspected by all. While the monitor is down, opinions do not change.

A crash is detected within the interval plus (retries + 1) timeouts and a message. Cost: two messages per node and
interval to ask, and one to report. If nodes watched each other, it would be n (n - 1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from simulator.algorithms.detectors.detector import Detector, DetectorListener
from simulator.algorithms.detectors.ping import (
    PollingDetector,
    check_polling,
    polling_delay_bound,
    polling_detection_bound,
)
from simulator.algorithms.registration import Group
from simulator.protocol import MILLISECOND, Algorithm, Duration, Host, Message, Nanoseconds, NodeId, message, option

MONITOR = "monitor"


@message
class HealthCheck:
    """The monitor asks whether the receiver is up."""

    number: int
    since: int = 0


@message
class HealthStatus:
    """The sender is up: the answer to the check with this number."""

    number: int
    since: int = 0


@message
class HealthReport:
    """The nodes that the monitor suspects. `number` and `since` mean what they mean in `Heartbeat`."""

    number: int
    down: tuple[NodeId, ...] = ()
    since: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalOptions:
    """A monitor outside the cluster that checks every node and reports which ones are down."""

    interval: Duration = option(100 * MILLISECOND, "How often the monitor checks each node, and sends a report.")
    timeout: Duration = option(50 * MILLISECOND, "How long it waits for each answer.")
    retries: int = option(2, "How many more checks a node gets that does not answer, before it is reported down.")

    def __post_init__(self) -> None:
        check_polling(self)

    def delay_bound(self) -> Nanoseconds:
        """A late report does no harm, since the newest one counts."""
        return polling_delay_bound(self)

    def detection_bound(self, delay: Nanoseconds) -> Nanoseconds:
        """The monitor's own bound, and the delay of its report."""
        return polling_detection_bound(self, delay) + delay


class ExternalDetector(Detector):
    """The part of a node: it answers the monitor's checks and believes its reports."""

    def __init__(self, host: Host, options: ExternalOptions, listener: DetectorListener) -> None:
        super().__init__(host, options, listener)
        if not host.groups.get(MONITOR):
            raise ValueError("an external detector needs a monitor: give the registration the group MONITOR_GROUP")
        self._newest: tuple[int, int] | None = None

    def on_timer(self, name: str) -> None:
        """Tell the listener the opinion that the monitor formed a notice time ago."""
        raise AssertionError(f"a node that is checked sets no timer, but {name} came due")

    def _on_check(self, sender: NodeId, message: HealthCheck) -> None:
        self.host.send(sender, HealthStatus(message.number, message.since), ordered=False)

    def _on_report(self, sender: NodeId, message: HealthReport) -> None:
        if self._newest is not None and (message.since, message.number) <= self._newest:
            return
        self._newest = message.since, message.number
        for node in self.watched:
            if node not in self.watched:
                continue  # The algorithm has stopped watching this node because of an earlier node in the report.
            if node in message.down:
                self._suspect(node)
            else:
                self._trust(node)

    receive: ClassVar = {HealthCheck: _on_check, HealthReport: _on_report}


class HealthChecks(PollingDetector):
    """The part of the monitor: it checks the nodes."""

    question = HealthCheck

    def _on_status(self, sender: NodeId, message: HealthStatus) -> None:
        self._on_answer(sender, message.number, message.since)

    receive: ClassVar = {HealthStatus: _on_status}


class Monitor(Algorithm):
    """The monitor. It checks the nodes of the first group."""

    def __init__(self, host: Host, config: Any, durable: Mapping[str, Any]) -> None:
        super().__init__(host, config, durable)
        self.options: ExternalOptions = config.detector
        self.checks = HealthChecks(host, self.options, self)
        self._since = host.now()
        self._reports = 0

    def on_start(self) -> None:
        self.checks.watch(next(iter(self.host.groups.values())))
        self.host.set_timer("report", self.options.interval)

    def on_timer(self, name: str) -> None:
        if self.checks.owns(name):
            self.checks.on_timer(name)
        else:
            self._report()
            self.host.set_timer("report", self.options.interval)

    def view(self) -> Mapping[str, object]:
        return {"reports": self._reports, "detector": self.checks.view()}

    def on_opinion(self, node: NodeId, down: bool) -> None:
        self._report()

    def _report(self) -> None:
        self._reports += 1
        report = HealthReport(self._reports, tuple(sorted(self.checks.suspected)), self._since)
        for node in self.checks.watched:
            self.host.send(node, report, ordered=False)

    def _on_status(self, sender: NodeId, message: Message) -> None:
        self.checks.on_message(sender, message)

    receive: ClassVar = {HealthStatus: _on_status}


def _monitors(config: Any) -> int:
    return int(isinstance(config.detector, ExternalOptions))


# For the registration of an algorithm with an option `detector`: a monitor, where one is asked for.
MONITOR_GROUP = Group(name=MONITOR, algorithm=Monitor, size=_monitors, quorum=False, single_point_of_failure=True)
