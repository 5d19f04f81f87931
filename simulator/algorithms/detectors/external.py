"""An external monitor: a health checker outside the cluster asks every node, and tells all of them who is down.

What load balancers and orchestrators do. The monitor asks as pings with retries do (`ping.py`), over network paths of
its own, and reports whenever its opinion of a node changes, and once every interval, since reports can be lost. Nodes
believe the newest report. So all nodes have one opinion, up to a delay, but it is of the monitor's paths: a node that
the others cannot reach is up as long as the monitor reaches it, and one that only the monitor cannot reach is down to
everybody. While the monitor is down, opinions stay what they were.

It detects as a ping does, and a delay later: within the interval plus (retries + 1) timeouts and a message. It costs
two messages per node and interval to ask, and one to report, where watching each other takes n (n - 1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from simulator.algorithms.detectors.detector import Detector, DetectorListener
from simulator.algorithms.detectors.ping import AskingDetector, asking_detects_within, asking_tolerates, check_asking
from simulator.algorithms.registration import Group
from simulator.protocol import MILLISECOND, Algorithm, Duration, Host, Message, Nanoseconds, NodeId, message, option

MONITOR = "monitor"


@message
class HealthCheck:
    """The monitor asks: are you up?"""

    number: int
    since: int = 0


@message
class HealthStatus:
    """I am up: the answer to the check of that number."""

    number: int
    since: int = 0


@message
class HealthReport:
    """Who is down, in the monitor's eyes. Everybody else is up. Numbers and `since` are as those of a heartbeat."""

    number: int
    down: tuple[NodeId, ...] = ()
    since: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalOptions:
    """A monitor outside the cluster, which checks every node and reports who is down."""

    interval: Duration = option(100 * MILLISECOND, "How often the monitor checks each node, and reports.")
    timeout: Duration = option(50 * MILLISECOND, "How long it waits for an answer, each time.")
    retries: int = option(2, "How often it checks a node again that does not answer until it takes it to be down.")

    def __post_init__(self) -> None:
        check_asking(self)

    def tolerates(self) -> Nanoseconds:
        """Reports may be late: they are believed in the order in which they were sent."""
        return asking_tolerates(self)

    def detects_within(self, delay: Nanoseconds) -> Nanoseconds:
        """As the monitor does, while it runs, and a report later."""
        return asking_detects_within(self, delay) + delay


class ExternalDetector(Detector):
    """A node's part: it answers the monitor, and believes its reports."""

    def __init__(self, host: Host, options: ExternalOptions, listener: DetectorListener) -> None:
        super().__init__(host, options, listener)
        if not host.groups.get(MONITOR):
            raise ValueError("an external detector needs a monitor: give the registration the group MONITOR_GROUP")
        self._newest: tuple[int, int] | None = None

    def on_timer(self, name: str) -> None:
        raise AssertionError(f"a node that is checked sets no timer, yet {name} came due")

    def _on_check(self, sender: NodeId, message: HealthCheck) -> None:
        self.host.send(sender, HealthStatus(message.number, message.since), ordered=False)

    def _on_report(self, sender: NodeId, message: HealthReport) -> None:
        if self._newest is not None and (message.since, message.number) <= self._newest:
            return
        self._newest = message.since, message.number
        for node in self.watched:
            if node not in self.watched:
                continue  # What the report said of another has ended this watch.
            if node in message.down:
                self._suspect(node)
            else:
                self._trust(node)

    receive: ClassVar = {HealthCheck: _on_check, HealthReport: _on_report}


class HealthChecks(AskingDetector):
    """The monitor's checks."""

    question = HealthCheck

    def _on_status(self, sender: NodeId, message: HealthStatus) -> None:
        self._answered(sender, message.number, message.since)

    receive: ClassVar = {HealthStatus: _on_status}


class Monitor(Algorithm):
    """The health checker. It checks the nodes of the first group, the electorate."""

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
