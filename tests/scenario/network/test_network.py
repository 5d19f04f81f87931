"""How scenarios write the network, and the errors for mistakes in it (issue 3, "Network")."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from simulator.cluster.distributions import Constant, Exponential, Uniform
from simulator.cluster.network.loss import GilbertElliott
from simulator.cluster.network.network import NetworkSpec, StreamSpec, Transport
from simulator.cluster.network.topology import Topology
from simulator.protocol import MICROSECOND, MILLISECOND, SECOND
from simulator.scenario import Scenario, ScenarioError, loads, resolved, resolved_text
from simulator.scenario.text.rates import format_rate, parse_rate
from tests.support.prometheus import RTT, Server
from tests.support.scenarios import ROOT, SMALL, WIDE

MS, US = MILLISECOND, MICROSECOND
MATRIX = "{a: {b: 10ms, c: 20ms}, b: {a: 11ms, c: 30ms}, c: {a: 21ms, b: 31ms}}"


def with_network(written: str, *overrides: str, folder: Path | None = None) -> Scenario:
    return loads(f"{SMALL}network: {written}\n", "x.yaml", overrides, folder=folder)


def spec(written: str, *overrides: str) -> NetworkSpec:
    return with_network(written, *overrides).cluster_spec().network


def topology(written: str, *overrides: str) -> Topology:
    built = spec(f"{{topology: {written}}}", *overrides).topology
    assert built is not None
    return built


def complaints(written: str, *overrides: str) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        with_network(written, *overrides)
    return str(caught.value).splitlines()


def test_every_part_arrives_in_the_cluster() -> None:
    """One scenario with every part in it, worked out by hand. Half of 24.000001 ms is 12.0000005, rounded up."""
    built = loads(WIDE).cluster_spec()
    assert built.service == Exponential(20 * US)
    assert built.network == NetworkSpec(
        latency=Exponential(MS),
        loss=GilbertElliott(enter=0.05 * 0.25 / 0.95, leave=0.25, loss_bad=1.0, loss_good=0.0),
        duplication=0.01,
        topology=Topology(
            zones=("berlin", "oslo"), base=((100 * US, 10 * MS), (12_000_001, 200 * US)), placed=(0, 1, 1, 0, 1)
        ),
        bandwidth=12_500_000.0,
        transport=Transport.STREAM,
        stream=StreamSpec(
            retransmit_after=100 * MS,
            give_up_after=10 * SECOND,
            notice=Uniform(MS, 2 * MS),
            open_at_start=True,
            idle_timeout=3500 * MS,
            reopen_after=5 * SECOND,
        ),
    )


@pytest.mark.parametrize(
    ("written", "latency"),
    [
        ("{}", 5 * MS),
        ("{topology: full-mesh}", 5 * MS),
        ("{topology: world}", 0),
        ("{topology: lan, latency: 1ms}", MS),
    ],
)
def test_the_usual_latency_depends_on_the_topology(written: str, latency: int) -> None:
    """The latency is added to the base of the topology: a default of 5 ms would falsify measured figures."""
    assert spec(written).latency == Constant(latency)


# --- Topologies


def one_way(built: Topology, sender: str, receiver: str) -> float:
    """The base latency in ms."""
    return built.base[built.zones.index(sender)][built.zones.index(receiver)] / MS


def test_the_world_is_as_published() -> None:
    """IBM Cloud VPC documentation, 27 Jul to 25 Aug 2024: round trips between ten regions, the row pinging the column.
    Copied by hand: a symmetric pair, each end of every asymmetric kind, both corners; and the sum of all ninety."""
    built = topology("world")
    assert " ".join(built.zones) == "dallas toronto washington frankfurt london madrid osaka sydney tokyo sao_paulo"
    round_trips = {
        ("dallas", "toronto"): 34,
        ("dallas", "madrid"): 119,
        ("madrid", "dallas"): 122,
        ("toronto", "sydney"): 215,
        ("sydney", "toronto"): 214,
        ("frankfurt", "tokyo"): 233,
        ("osaka", "tokyo"): 9,
        ("sydney", "sao_paulo"): 328,
        ("dallas", "sao_paulo"): 146,
        ("sao_paulo", "dallas"): 144,
        ("sao_paulo", "tokyo"): 283,
    }
    assert {pair: 2 * one_way(built, *pair) for pair in round_trips} == round_trips
    within = {built.base[place][place] for place in range(10)}
    assert within == {1090 * US}  # The median between the zones of one region, 2.18 ms, halved.
    assert 2 * (sum(map(sum, built.base)) - 10 * 1090 * US) == 14_012 * MS


def test_three_zones_are_as_published() -> None:
    """The same source: round trips between the zones of Dallas, in ms, with those within a zone on the diagonal."""
    built = topology("three-zones")
    assert [[2 * base / MS for base in row] for row in built.base] == [
        [0.09, 2.03, 2.2],
        [2.03, 0.09, 2.18],
        [2.2, 2.18, 0.08],
    ]
    assert built.placed == (0, 1, 2, 0, 1)


def test_a_lan_is_one_of_these_zones() -> None:
    """The same source: the figure within one zone of Dallas, 0.09 ms, halved."""
    assert topology("lan") == Topology(zones=("lan",), base=((45 * US,),), placed=(0,) * 5)


def test_the_figures_are_round_trips_or_ways() -> None:
    """A matrix does not say what was measured: docs/network.md makes `measured` say it, so none is halved twice."""
    built = topology(f"{{matrix: {MATRIX}, measured: round-trip}}")
    assert (one_way(built, "a", "b"), one_way(built, "b", "a"), one_way(built, "a", "a")) == (5, 5.5, 0)
    built = topology(f"{{matrix: {MATRIX}, measured: one-way, within: 2ms}}")
    assert (one_way(built, "a", "b"), one_way(built, "b", "a"), one_way(built, "a", "a")) == (10, 11, 2)


@pytest.mark.parametrize(
    ("placement", "nodes", "zones"),
    [
        ("", 7, "abcabca"),
        ("placement: [c, a]", 5, "cacac"),
        ("placement: [a, a, a, b, c]", 5, "aaabc"),
        ("placement: {c: [n2, n1], a: [n3], b: []}", 3, "cca"),
    ],
)
def test_nodes_are_placed(placement: str, nodes: int, zones: str) -> None:
    """ "one per node from n1 on, repeated cyclically when shorter"; or by name. By default, all zones in their
    order."""
    built = topology(f"{{matrix: {MATRIX}, measured: one-way, {placement}}}", f"cluster.nodes={nodes}")
    assert "".join(built.zone_of(node) for node in range(1, nodes + 1)) == zones


def csv_topology(directory: Path, content: str, measured: str = "one-way") -> Scenario:
    (directory / "pings.csv").write_text(content, encoding="utf-8")
    return with_network(f"{{topology: {{matrix: pings.csv, measured: {measured}}}}}", folder=directory)


def test_a_csv_becomes_part_of_the_scenario(tmp_path: Path) -> None:
    """The resolved scenario must mean the same without the file (design.md, section 2). Rows may have another order
    than columns. Spreadsheets write byte order marks, CRLF, blanks and blank lines."""
    scenario = csv_topology(tmp_path, "\ufeffregion,a, b\r\n\r\nb,2.5,\r\na,0.1,1e1\r\n")
    (tmp_path / "pings.csv").unlink()
    again = loads(resolved_text(scenario))
    assert again == scenario
    built = again.cluster_spec().network.topology
    assert built == Topology(zones=("a", "b"), base=((100 * US, 10 * MS), (2500 * US, 0)), placed=(0, 1, 0, 1, 0))
    assert resolved(again)["network"]["topology"] == {
        "matrix": {"a": {"a": "100us", "b": "10ms"}, "b": {"a": "2.5ms"}},
        "measured": "one-way",
        "within": "0s",
        "file": "pings.csv",
        "placement": None,
    }


@pytest.mark.parametrize(("heading", "base"), [("region", MS), ("from_us", US), ("zone_s", SECOND), ("ns", 1)])
def test_the_first_heading_may_say_the_unit(tmp_path: Path, heading: str, base: int) -> None:
    """docs/network.md: the heading of the first column may end in a unit. Without one, figures are milliseconds."""
    built = csv_topology(tmp_path, f"{heading},a,b\na,,1\nb,1,\n").cluster_spec().network.topology
    assert built is not None
    assert built.base == ((0, base), (base, 0))


def test_the_most_zones_are_kept_and_load_again(tmp_path: Path) -> None:
    """A scenario is bounded in bytes and values (tree.py): the largest matrix must fit into a resolved one."""
    names = [f"zone-{number:035d}" for number in range(101)]

    def content(zones: list[str]) -> str:
        rows = (",".join([zone, *["123.456789"] * len(zones)]) for zone in zones)
        return "\n".join([",".join(["ms", *zones]), *rows])

    scenario = csv_topology(tmp_path, content(names[:100]))
    assert loads(resolved_text(scenario)) == scenario
    with pytest.raises(ScenarioError, match=r"pings.csv:1: names more than 100 zones; merge some"):
        csv_topology(tmp_path, content(names))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "pings.csv is empty; head it region_ms,zone1,zone2, say"),
        ("region\na\n", "pings.csv:1: names no zones; head the columns region_ms,zone1,zone2, say"),
        ("region,a,a\n", "pings.csv:1: column 3 names a zone a second time; give one column for each zone"),
        (
            "region,a,b c\n",
            "pings.csv:1: column 3 names no zone; write letters, digits, hyphens and underscores, 40 at most",
        ),
        ("region,oslo,b\nolso,1,1\n", "pings.csv:2: the zone of this row has no column; give both for each zone"),
        ("region,a,b\na,,1\na,,1\n", "pings.csv:3: the zone of this row has a row already; give one for each zone"),
        ("region,a,b\na,1\n", "pings.csv:2: 1 figures for 2 zones; give one for each"),
        (
            "region,a,b\na,1,\n",
            "pings.csv:2: column 3 is empty; only the latency within a zone may be left out",
        ),
        ("region,a,b\n\na,,-1\n", "pings.csv:3: column 3: not a number of 0 or more"),
        ("region,a,b\na,,1\n", "pings.csv: the zone of column 3 has no row; give both for each zone"),
    ],
)
def test_a_bad_file_is_explained(tmp_path: Path, content: str, says: str) -> None:
    """File, line, value: the scenario's line first, then the file's own."""
    with pytest.raises(ScenarioError) as caught:
        csv_topology(tmp_path, content)
    assert str(caught.value) == f"x.yaml:6: network.topology.matrix: {says}"


@pytest.mark.parametrize(
    ("written", "means"),
    [("5%", 0.05), ("0.1%", 0.001), ("100%", 1.0), ("0%", 0.0), ("12.5 %", 0.125), (".5%", 0.005), ("1e-3", 0.001)],
)
def test_a_probability_may_be_a_percentage(written: str, means: float) -> None:
    """ "`loss: 5%` is understood" (issue 12, C8), exactly, and wherever a probability stands."""
    network = spec(f"{{loss: {written}, duplication: {written}}}")
    assert (network.loss, network.duplication) == (means, means)
    assert spec(f"{{loss: {{gilbert_elliott: {{enter: {written}, leave: 0.5}}}}}}") == spec(
        f"{{loss: {{gilbert_elliott: {{enter: {means!r}, leave: 0.5}}}}}}"
    )


MISTAKES = [
    ("{topology: wrld}", "topology: wrld is not a topology; did you mean world?"),
    ("{topology: 3}", "topology: 3 is not a topology; known: full-mesh, preset, matrix"),
    ("{topology: {preset: wrld}}", "topology.preset: wrld is not known here; did you mean world?"),
    ("{topology: {preset: lan, matrix: x.csv}}", "topology: preset and matrix cannot stand together; give one of them"),
    ("{topology: {preset: lan, within: 1ms}}", "topology.within: unknown key; known: placement, preset"),
    (
        "{topology: {matrix: nowhere.csv, measured: one-way}}",
        "topology.matrix: nowhere.csv is a file, and a scenario that is given as a text reads none; write the values "
        "into the scenario, or call loads(…, folder=DIR)",
    ),
    (f"{{topology: {{matrix: {MATRIX}}}}}", "topology.measured: is missing"),
    (
        "{topology: {matrix: {a: {b: 1ms}}, measured: one-way}}",
        "topology.matrix.a.b: b is a column without a row; known: a",
    ),
    (
        "{topology: {matrix: {a: {b: 1ms}, b: {}}, measured: one-way}}",
        "topology.matrix.b: gives no latency from b to a; only that within a zone may be left out",
    ),
    (
        "{topology: {matrix: {a: {b: 1}, b: {a: 1ms}}, measured: one-way}}",
        "topology.matrix.a.b: 1 has no unit; write 1ms or 1s, for example",
    ),
    (
        "{topology: {matrix: {a: 1ms}, measured: one-way}}",
        "topology.matrix.a: 1ms is not a row; write the latency to each zone, {a: 10ms}",
    ),
    (
        "{topology: {matrix: {a b: {}}, measured: one-way}}",
        "topology.matrix.a b: a b is not a zone's name; write letters, digits, hyphens and underscores, 40 at most",
    ),
    (
        "{topology: {matrix: {}, measured: one-way}}",
        "topology.matrix: {} is no matrix; name a CSV file, or write {a: {b: 10ms}, b: {a: 10ms}}",
    ),
    (
        "{topology: {preset: world, placement: [tokyo, frankfut]}}",
        "topology.placement.1: frankfut is not a zone; did you mean frankfurt?",
    ),
    (
        "{topology: {preset: world, placement: {tokio: [n1, n2, n3, n4, n5]}}}",
        "topology.placement.tokio: tokio is not a zone; did you mean tokyo?",
    ),
    (
        "{topology: {preset: world, placement: tokyo}}",
        "topology.placement: tokyo is no placement; write [frankfurt, tokyo], or {frankfurt: [n1, n2], tokyo: [n3]}",
    ),
    (
        "{topology: {preset: lan, placement: [lan, lan, lan, lan, lan, lan]}}",
        "topology.placement: places 6 nodes, but the cluster has 5; leave out the last zones",
    ),
    (
        "{topology: {preset: world, placement: {tokyo: [n1, n2, n6], osaka: [n2, n3, n4, n5]}}}",
        "topology.placement.tokyo.2: n6 is not a node; the last node is n5",
    ),
    (
        "{topology: {preset: world, placement: {tokyo: [n1, n2], osaka: [n2, n3, n4, n5]}}}",
        "topology.placement.osaka.0: n2 is placed twice",
    ),
    (
        "{topology: {preset: world, placement: {tokyo: [n1, n2]}}}",
        "topology.placement: n3 and 2 more are in no zone; place every node",
    ),
    (
        "{topology: {preset: world, placement: {tokyo: [n1, leader]}}}",
        "topology.placement.tokyo.1: leader is not a node; nodes are called n1, n2, and so on",
    ),
    (
        "{topology: {preset: world, placement: {tokyo: n1}}}",
        "topology.placement.tokyo: n1 is not a list of nodes; write [n1, n2]",
    ),
    ("{loss: 2}", "loss: 2 is not a probability between 0 and 1; write 1 or less; 2 percent is 2% or 0.02"),
    ("{loss: {burst: {rate: 0.1, mean_length: 4}}}", "loss.burst: is not a loss; did you mean bursts?"),
    ("{loss: {bursts: {rate: 0.1}}}", "loss.bursts.mean_length: is missing"),
    ("{loss: {bursts: {rate: 0.1, mean_length: 0.5}}}", "loss.bursts.mean_length: 0.5 is below 1, the least allowed"),
    # A burst of 4 is followed by at least one packet that arrives: at most 4 of 5 are lost.
    ("{loss: {bursts: {rate: 0.81, mean_length: 4}}}", "loss.bursts.rate: 0.81 needs longer bursts; of 4, at most 0.8"),
    (
        "{loss: {gilbert_elliott: {enter: 0, leave: 0}}}",
        "loss.gilbert_elliott: has enter and leave 0: the state never changes; give a plain probability instead",
    ),
    (
        "{loss: {gilbert_elliott: {enter: 0.1, leave: 1.5}}}",
        "loss.gilbert_elliott.leave: 1.5 is not a probability between 0 and 1; "
        "write 1 or less; 1.5 percent is 1.5% or 0.015",
    ),
    (
        "{bandwidth: 100Mbps}",
        "bandwidth: 100Mbps is not a bandwidth; write a number and a unit (bit/s, kbit/s, Mbit/s, Gbit/s, B/s, kB/s, "
        "MB/s, GB/s)",
    ),
    ("{bandwidth: 0}", "bandwidth: 0 is not between 1 and 1e+15 bytes per second"),
    ("{transport: tcp}", "transport: tcp is not known here; known: datagram, stream"),
    (
        "{stream: {give_up_after: 1s}}",
        "stream: is for the transport stream only; write transport: stream, or leave this out",
    ),
    (
        "{transport: stream, stream: {retransmit_after: 3m}}",
        "stream.retransmit_after: 3m is above 2m, at which the timeout no longer doubles",
    ),
    ("{transport: stream, stream: {notice: -1ms}}", "stream.notice: -1ms is negative; a duration is 0 or more"),
]


@pytest.mark.parametrize(("written", "says"), MISTAKES, ids=[says[:70] for _, says in MISTAKES])
def test_a_mistake_is_explained_in_one_line(written: str, says: str) -> None:
    """Exact messages: file, line, field, value and remedy (issue 2, part 5)."""
    assert complaints(written)[0] == f"x.yaml:6: network.{says}"


def test_faults_address_zones_that_hold_somebody() -> None:
    """ "faults can address a zone" (issue 3); a fault of an empty zone would wait until the end, unnoticed."""
    crash = "faults=[{at: 1s, crash: zone:tokyo}]"
    with_network("{topology: {preset: world, placement: [tokyo]}}", crash)
    assert complaints("{topology: world}", crash) == [
        f"override {crash}: faults.0.crash: no node is in tokyo; place one there (network.topology.placement), "
        "or name another zone"
    ]
    assert complaints("{topology: lan}", crash)[0].endswith("tokyo is not a zone; known: lan")


# --- Loss and bandwidth


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("0.25", 0.25),
        ("{probability: 0.25}", 0.25),
        ("{bursts: {rate: 0.2, mean_length: 4}}", GilbertElliott(enter=0.0625, leave=0.25)),
        ("{bursts: {rate: 0.8, mean_length: 4}}", GilbertElliott(enter=1.0, leave=0.25)),  # Just possible.
        ("{bursts: {rate: 0, mean_length: 1}}", GilbertElliott(enter=0.0, leave=1.0)),
        ("{gilbert_elliott: {enter: 0.01, leave: 1}}", GilbertElliott(enter=0.01, leave=1.0)),
        (
            "{gilbert_elliott: {enter: 0.01, leave: 0.1, loss_bad: 0.5, loss_good: 0.001}}",
            GilbertElliott(enter=0.01, leave=0.1, loss_bad=0.5, loss_good=0.001),
        ),
    ],
)
def test_every_loss_can_be_written(written: str, means: object) -> None:
    """leave = 1 / mean_length; enter so that enter / (enter + leave) is the rate: 0.0625 / 0.3125 = 0.2."""
    scenario = with_network(f"{{loss: {written}}}")
    assert scenario.cluster_spec().network.loss == means
    assert loads(resolved_text(scenario)) == scenario


@pytest.mark.parametrize(
    ("written", "rate"),
    [
        (1000, 1000),
        (1.5, 1.5),
        ("8bit/s", 1),
        ("100Mbit/s", 12_500_000),
        ("0.5Gbit/s", 62_500_000),
        ("10MB/s", 10_000_000),
        ("1.5kB/s", 1500),
        ("7B/s", 7),
    ],
)
def test_bandwidths_have_units(written: Any, rate: float) -> None:
    """A byte is 8 bits; k, M and G are powers of 1000, as networks are sold."""
    assert parse_rate(written) == rate
    scenario = with_network(f"{{bandwidth: {written}}}")
    assert loads(resolved_text(scenario)) == scenario


@pytest.mark.parametrize(
    ("rate", "text"), [(1, "1 B/s"), (12_500_000, "12.5 MB/s"), (999, "999 B/s"), (2e12, "2000 GB/s")]
)
def test_bandwidths_are_shown_in_bytes(rate: float, text: str) -> None:
    """A report shows the bandwidth that the network really uses, which is in bytes per second."""
    assert format_rate(rate) == text


def test_the_resolved_network_holds_what_applies() -> None:
    """A later version with other defaults must repeat the result. Options of the other transport are left out."""
    stream: Mapping[str, Any] = resolved(with_network("{transport: stream}"))["network"]["stream"]
    usual = {"retransmit_after": "200ms", "give_up_after": "15m", "notice": "0s", "open_at_start": False}
    assert stream == usual | {"idle_timeout": None, "reopen_after": None}
    assert "stream" not in resolved(with_network("{}"))["network"]
    assert resolved(with_network("{topology: three-zones}"))["network"]["topology"] == {
        "preset": "three-zones",
        "placement": None,
    }


# --- The manual

PAGE = (ROOT / "docs" / "network.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("example", re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))
def test_every_example_of_the_manual_loads(example: str, tmp_path: Path) -> None:
    """ "docs examples that are executed" (design.md, section 7). The page shows pings.csv, and names two scrapes."""
    server = Server(RTT, (0.0001, 0.0002, 0.0004))
    server.observe("a", {0.00015: 5})
    for name in ("before", "after"):
        scrape = server.scrape().replace("To=", 'instance="n1",To=')
        (tmp_path / f"etcd-quiet-{name}.prom").write_text(scrape)
        server.observe("a", {0.0005: 2, 0.00005: 10})
    (csv,) = re.findall(r"((?: {4}[^\n]*,[^\n]*,[^\n]*\n){3})", PAGE)
    (tmp_path / "pings.csv").write_text(textwrap.dedent(csv))
    tree = yaml.safe_load(SMALL) | yaml.safe_load(example)
    tree["cluster"] = {"nodes": 5} | tree["cluster"]
    scenario = loads(yaml.safe_dump(tree), folder=tmp_path)
    assert loads(resolved_text(scenario)) == scenario


def test_the_example_of_the_transport_page_loads() -> None:
    """ "docs examples that are executed" (design.md, section 7)."""
    page = (ROOT / "docs" / "transport.md").read_text(encoding="utf-8")
    example, kept = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    network = loads(yaml.safe_dump(yaml.safe_load(SMALL) | yaml.safe_load(example))).cluster_spec().network
    assert network.transport is Transport.STREAM
    assert network.stream == StreamSpec(
        give_up_after=900 * SECOND, notice=Constant(17 * MILLISECOND), open_at_start=True
    )
    network = loads(yaml.safe_dump(yaml.safe_load(SMALL) | yaml.safe_load(kept))).cluster_spec().network
    assert network.stream == StreamSpec(open_at_start=True, idle_timeout=3500 * MILLISECOND, reopen_after=5 * SECOND)


def test_no_options_of_streams_are_the_usual_ones() -> None:
    """A bug that fuzzing found: null was read as null, and written as nothing, which means the defaults."""
    scenario = with_network("{transport: stream, stream: null}")
    assert scenario == with_network("{transport: stream}") == loads(resolved_text(scenario))
    assert with_network("{stream: null}") == with_network("{}")


def test_an_algorithm_that_needs_connections_gets_them() -> None:
    """Issue 5: leader-crash.yaml, which names no transport, "runs with each of them (--algorithm NAME)"."""
    swapped = loads(SMALL, "x.yaml", algorithm="zookeeper")
    assert swapped.cluster_spec().network.transport is Transport.STREAM
    assert loads(resolved_text(swapped)) == swapped  # What it resolves to says so.
    assert loads(SMALL, "x.yaml").cluster_spec().network.transport is Transport.DATAGRAM
    tuned = loads(f"{SMALL}network: {{transport: stream, stream: {{notice: 17ms}}}}\n", "x.yaml", algorithm="zookeeper")
    assert tuned.cluster_spec().network.stream == StreamSpec(notice=Constant(17 * MS))
    with pytest.raises(ScenarioError, match="zookeeper needs connections; write stream, or leave this out"):
        loads(f"{SMALL}network: {{transport: datagram}}\n", "x.yaml", algorithm="zookeeper")
