"""An algorithm that does what a test says and notes all that reaches it: for tests of the host."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from simulator.algorithms.registration import Registration
from simulator.cluster.cluster import run_trial
from simulator.cluster.distributions import Constant
from simulator.cluster.faults.record import Fault
from simulator.cluster.faults.schedule import Scheduled
from simulator.cluster.network.network import NetworkSpec
from simulator.cluster.spec import ClusterSpec, DiskSpec
from simulator.protocol import MILLISECOND, Algorithm, Host, Nanoseconds, NodeId, message
from simulator.trace.trace import Trace

MS = MILLISECOND
LATENCY_MS = 2


@message
class Letter:
    text: str


Deed = Callable[[Host], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What each node does when it starts, and what any node does when an event reaches it: `timer x`, `letter x`,
    `saved x`, `connect n1` or `disconnect n1 closed`.
    """

    start: Mapping[NodeId, Deed] = field(default_factory=dict)
    on: Mapping[str, Deed] = field(default_factory=dict)


class Probe(Algorithm):
    def __init__(self, host: Host, config: Script, durable: Mapping[str, Any]) -> None:
        super().__init__(host, config, durable)
        host.note("built", text=dict(durable))

    def on_start(self) -> None:
        self.config.start.get(self.host.me, lambda host: None)(self.host)

    def on_timer(self, name: str) -> None:
        self._reached(f"timer {name}")

    def on_saved(self, name: str) -> None:
        self._reached(f"saved {name}")

    def on_connect(self, peer: NodeId) -> None:
        self._reached(f"connect n{peer}")

    def on_disconnect(self, peer: NodeId, reason: str) -> None:
        self._reached(f"disconnect n{peer} {reason}")

    def _on_letter(self, sender: NodeId, message: Letter) -> None:
        self._reached(f"letter {message.text}")

    def _reached(self, event: str) -> None:
        self.host.note("reached", text=event)
        self.config.on.get(event, lambda host: None)(self.host)

    receive: ClassVar = {Letter: _on_letter}


PROBE = Registration(name="probe", algorithm=Probe, config=Script)


def at(instant_ms: float, fault: Fault, **others: Any) -> Scheduled:
    return Scheduled(at=Constant(round(instant_ms * MS)), fault=fault, **others)


def lasting(instant_ms: float, lasts_ms: float, fault: Fault) -> Scheduled:
    return Scheduled(at=Constant(round(instant_ms * MS)), fault=fault, lasts=Constant(round(lasts_ms * MS)))


def play(
    script: Script,
    *faults: Scheduled,
    nodes: int = 2,
    write_ms: int | None = None,
    blocking: bool = True,
    network: NetworkSpec | None = None,
    duration: Nanoseconds = 100 * MS,
    journal: bool = False,
    registration: Registration = PROBE,
    **others: Any,
) -> Trace:
    """Run one trial, of 100 ms unless said otherwise, on links with a constant latency of 2 ms unless given."""
    spec = ClusterSpec(
        registration=registration,
        config=script,
        nodes=nodes,
        duration=duration,
        disk=DiskSpec(write=None if write_ms is None else Constant(write_ms * MS), blocking=blocking),
        network=network or NetworkSpec(latency=Constant(LATENCY_MS * MS)),
        faults=faults,
        **others,
    )
    return run_trial(spec, seed=1, trial=0, journal=journal)


def reached(trace: Trace, node: NodeId) -> list[tuple[float, str]]:
    """What has reached a node's algorithm: (instant in ms, event)."""
    return [(row.time_ns / MS, row.field("text")) for row in trace.of_type("reached") if row.node == node]


def built_from(trace: Trace, node: NodeId) -> list[Mapping[str, object]]:
    """What was on disk at each of a node's starts."""
    return [row.field("text") for row in trace.of_type("built") if row.node == node]


def send(to: NodeId, text: str, *, ordered: bool = True) -> Deed:
    return lambda host: host.send(to, Letter(text), ordered=ordered)


def save(then: str | None = None, **durable: object) -> Deed:
    return lambda host: host.save(then, **durable)


def timer(name: str, delay_ms: float) -> Deed:
    return lambda host: host.set_timer(name, round(delay_ms * MS))


def every(*deeds: Deed) -> Deed:
    """One deed after the other."""

    def do(host: Host) -> None:
        for deed in deeds:
            deed(host)

    return do
