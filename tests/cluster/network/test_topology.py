"""Base latencies from a topology (issue 3: "Links have a direction. Base latency from a topology")."""

from __future__ import annotations

from simulator.cluster.distributions import Constant, Uniform
from simulator.cluster.network.network import NetworkSpec
from simulator.cluster.network.topology import Topology
from tests.cluster.network.wire import Wire
from tests.support.probe import MS

# From the zone of the row to that of the column, in ms: each way is different.
LOPSIDED = Topology(
    zones=("a", "b", "empty"),
    base=((1 * MS, 20 * MS, 0), (70 * MS, 2 * MS, 0), (0, 0, 0)),
    placed=(0, 1, 0, 1),
)


def test_each_direction_has_its_own_base() -> None:
    # "asymmetric allowed": all six ways between n1, n3 (zone a) and n2, n4 (zone b) that differ in kind.
    wire = Wire(NetworkSpec(latency=Constant(0), topology=LOPSIDED), nodes=4)
    for sender, to in ((1, 2), (2, 1), (1, 3), (2, 4), (3, 4), (4, 3)):
        wire.send(sender, to)
    assert [(a.at_ns // MS, a.sender, a.to) for a in wire.run()] == [
        (1, 1, 3),
        (2, 2, 4),
        (20, 1, 2),
        (20, 3, 4),
        (70, 2, 1),
        (70, 4, 3),
    ]


def test_the_latency_is_drawn_above_the_base() -> None:
    # "above that of the topology": the same draws as without one, 20 ms later.
    spec = {"latency": Uniform(5 * MS, 15 * MS), "loss": 0.1, "duplication": 0.1}
    plain, placed = (Wire(NetworkSpec(**spec, topology=topology)) for topology in (None, LOPSIDED))  # type: ignore[arg-type]
    for wire in (plain, placed):
        for number in range(500):
            wire.send(1, 2, str(number))
    later = [(arrival.at_ns - 20 * MS, arrival.text) for arrival in placed.run()]
    assert later == [(arrival.at_ns, arrival.text) for arrival in plain.run()]


def test_zones_know_their_nodes() -> None:
    # Targets of faults: "faults can address a zone".
    assert (LOPSIDED.nodes_in("a"), LOPSIDED.nodes_in("b"), LOPSIDED.nodes_in("empty")) == ((1, 3), (2, 4), ())
    assert LOPSIDED.nodes_in("nowhere") == ()
    assert [LOPSIDED.zone_of(node) for node in (1, 2, 3, 4)] == ["a", "b", "a", "b"]
