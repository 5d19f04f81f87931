"""Scripts for tests of the stream transport, on links that take 2 ms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from simulator.cluster.distributions import Constant
from simulator.cluster.faults.link_degradation import Degrade, Heal
from simulator.cluster.faults.link_faults import LinkTargets
from simulator.cluster.faults.partitions import CutLink
from simulator.cluster.faults.schedule import Scheduled
from simulator.cluster.network.network import NetworkSpec, StreamSpec, Transport
from simulator.protocol import NodeId
from simulator.trace.trace import Trace
from tests.support.probe import MS, Deed, Script, at, every, reached, send, timer

LATENCY = 2


def stream(loss: float = 0, duplication: float = 0, **options: Any) -> NetworkSpec:
    return NetworkSpec(
        latency=Constant(LATENCY * MS),
        loss=loss,
        duplication=duplication,
        transport=Transport.STREAM,
        stream=StreamSpec(**options),
    )


CONNECTED = stream(open_at_start=True)


def at_instants(node: NodeId, **deeds: Deed) -> dict[str, Any]:
    """A script in which a node does things at instants, named `t12` or `t12_5` (12.5 ms)."""
    instants = {name: float(name.removeprefix("t").replace("_", ".")) for name in deeds}
    start = every(*(timer(name, instant) for name, instant in instants.items()))
    return {"start": {node: start}, "on": {f"timer {name}": deed for name, deed in deeds.items()}}


def cut(begin_ms: float, end_ms: float) -> Sequence[Scheduled]:
    label = f"{begin_ms}"
    return at(begin_ms, CutLink((1, 2), label=label)), at(end_ms, Heal(label))


def slow(begin_ms: float, end_ms: float, later_ms: float) -> Sequence[Scheduled]:
    """What n1 sends n2 meanwhile takes so much longer."""
    reach = LinkTargets(senders=(1,), receivers=(2,))
    degrade = Degrade(links=reach, latency=Constant(round(later_ms * MS)), label="slow")
    return at(begin_ms, degrade), at(end_ms, Heal("slow"))


def events(trace: Trace, node: NodeId) -> list[tuple[float, str]]:
    """What has reached a node, but for its timers."""
    return [(instant, event) for instant, event in reached(trace, node) if not event.startswith("timer")]


def later(trace: Trace, node: NodeId, than_ms: float = 4) -> list[tuple[float, str]]:
    """What has reached a node since it was connected at its start."""
    return [(instant, event) for instant, event in events(trace, node) if instant > than_ms]


SENDS = Script(**at_instants(1, t12=send(2, "a"), t20=send(2, "b"), t300=send(2, "c")))
