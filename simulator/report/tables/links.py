"""A description of a link of a scenario's network, and the base latencies between its zones as a table."""

from __future__ import annotations

from math import isinf
from typing import TypeAlias

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from simulator.cluster.network.loss import Bernoulli, LossModel
from simulator.cluster.network.message_size import HEADER_BYTES
from simulator.cluster.network.network import NetworkSpec, StreamSpec, Transport
from simulator.cluster.network.topology import Topology
from simulator.protocol import MILLISECOND, SECOND, Nanoseconds, NodeId
from simulator.scenario import Scenario
from simulator.scenario.text.rates import format_rate
from simulator.scenario.text.targets import is_node, node_id
from simulator.scenario.text.units import format_duration

Link: TypeAlias = tuple[NodeId, NodeId]  # The key is (sender, receiver).

FIRST_LINK: Link = (1, 2)
_MOST_ZONES_SHOWN = 12  # A table with more columns does not fit on a screen.
_MOST_NODES_SHOWN = 3


def link_between(scenario: Scenario, sender: str, receiver: str | None) -> Link:
    """The link between two nodes by name; without a receiver, to n2, or from n2 to n1. Raises ValueError."""
    nodes = scenario.cluster.nodes
    if nodes == 1:
        raise ValueError("a cluster of one node has no links; set cluster.nodes")
    receiver = receiver or ("n1" if sender == "n2" else "n2")
    for option, name in (("--from", sender), ("--to", receiver)):
        if not is_node(name) or node_id(name) > nodes:
            raise ValueError(f"{option}: {name} is not a node; the nodes are n1 to n{nodes}")
    if sender == receiver:
        raise ValueError(f"--to: {receiver} is also --from; a link joins two nodes")
    return node_id(sender), node_id(receiver)


def base_ns(topology: Topology | None, sender: NodeId, receiver: NodeId) -> Nanoseconds:
    """The least latency of a link."""
    return 0 if topology is None else topology.bases_from(sender)[topology.placed[receiver - 1]]


def link_name(topology: Topology | None, sender: NodeId, receiver: NodeId) -> str:
    """`n1 (frankfurt) → n2 (tokyo)`."""
    ends = (f"n{node}" if topology is None else f"n{node} ({topology.zone_of(node)})" for node in (sender, receiver))
    return " → ".join(ends)


def packet_treatment(network: NetworkSpec) -> Table:
    """All but the latency, in words."""
    words = {
        "loss": _loss(network.loss),
        "duplication": _share(network.duplication),
        "bandwidth": _bandwidth(network.bandwidth),
        "transport": _transport(network.transport, network.stream),
    }
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, text in words.items():
        table.add_row(name, Text(text))
    return table


def _share(probability: float) -> str:
    return f"{100 * probability:.4g} %"


def _loss(loss: float | LossModel) -> str:
    model = Bernoulli(loss) if isinstance(loss, int | float) else loss
    if isinstance(model, Bernoulli):
        return _share(model.rate)
    burst = "one that never ends" if isinf(model.mean_burst) else f"{model.mean_burst:.4g} packets on average"
    states = f"a link turns bad with {_share(model.enter)} per packet, good again with {_share(model.leave)}"
    shares = f"loses {_share(model.loss_bad)} while bad, {_share(model.loss_good)} while good"
    return f"{_share(model.rate)}, in bursts of {burst} ({states}; it {shares})"


def _bandwidth(bandwidth: float | None) -> str:
    if bandwidth is None:
        return "no limit"
    header = format_duration(round(HEADER_BYTES * SECOND / bandwidth))
    return f"{format_rate(bandwidth)} each way; the {HEADER_BYTES} bytes of a header take {header}, not counted above"


def _transport(transport: Transport, stream: StreamSpec) -> str:
    if transport is Transport.DATAGRAM:
        return "datagram: a packet may overtake another, and what is lost stays lost"
    first, give_up = format_duration(stream.retransmit_after), format_duration(stream.give_up_after)
    return f"stream: in order; what is lost is sent again after {first}, doubling; given up after {give_up} of silence"


def base_table(topology: Topology) -> Group:
    """The base latency from each zone that holds a node (row) to each (column)."""
    held = [zone for zone in topology.zones if topology.nodes_in(zone)]
    shown = held[:_MOST_ZONES_SHOWN]
    more = f"; {len(held) - len(shown)} more zones are not shown" if len(held) > len(shown) else ""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column("", no_wrap=True)
    for zone in shown:
        table.add_column(zone, justify="right", overflow="fold", min_width=5)
    table.add_column("nodes")
    places = [topology.zones.index(zone) for zone in shown]
    rows = [[topology.base[place][other] / MILLISECOND for other in places] for place in places]
    decimals = max(len(f"{base:.3f}".rstrip("0").partition(".")[2]) for row in rows for base in row)
    for zone, row in zip(shown, rows, strict=True):
        table.add_row(zone, *(f"{base:,.{decimals}f}" for base in row), _nodes(topology.nodes_in(zone)))
    return Group(f"base latency from row to column, ms{more}", table)


def _nodes(nodes: tuple[NodeId, ...]) -> str:
    names = " ".join(f"n{node}" for node in nodes[:_MOST_NODES_SHOWN])
    return f"{names} …" if len(nodes) > _MOST_NODES_SHOWN else names
