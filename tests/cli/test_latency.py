"""`electsim latency` as its user meets it: what it prints and draws, and that it never overwrites (issue 3)."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from simulator.cli import main
from simulator.cluster.cluster import Cluster
from simulator.protocol import SECOND
from simulator.report.figures.latency import latencies, latency_figure, name_of
from simulator.scenario import loads, resolved
from tests.support.scenarios import SMALL

LONG = "{mixture: [{weight: 0.99, of: {normal: {mean: 5ms, sd: 1ms}}}, {weight: 0.01, of: 250ms}], at_least: 4ms}"


@pytest.fixture(autouse=True)
def scenario(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "small.yaml"
    path.write_text(SMALL + "network: {latency: {uniform: [5ms, 15ms]}, loss: 0.001, duplication: 0.02}\n")
    return path


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["latency", *map(str, arguments)])


def test_it_prints_what_a_link_will_see(scenario: Path) -> None:
    # The quantiles of a uniform distribution on 5 to 15 ms, within what 10,000 samples may miss.
    outcome = invoke(scenario, "--samples", 10_000)
    assert outcome.exit_code == 0, outcome.output
    found = {words[0]: words[1:] for line in outcome.stdout.splitlines() if (words := line.split())}
    expected = {"min": 5.0, "median": 10.0, "mean": 10.0, "p95": 14.5, "p99": 14.9, "p99.9": 14.99, "max": 15.0}
    for name, value in expected.items():
        assert float(found[name][0]) == pytest.approx(value, abs=0.15), name
    assert "uniform(5ms to 15ms)" in outcome.stdout
    assert found["loss"] == ["0.1", "%"]
    assert found["duplication"] == ["2", "%"]


def test_the_latencies_are_those_of_the_first_trial() -> None:
    # --help says so; a port of the network is what draws them there.
    made = loads(SMALL, "x.yaml", [f"network.latency={LONG}"])
    interface = Cluster(made.cluster_spec(), made.seed, trial=0).network.interfaces[1]
    assert np.rint(latencies(made, 2000) * SECOND).astype(int).tolist() == list(islice(interface.latencies, 2000))


def test_it_shows_a_link_of_a_topology(scenario: Path) -> None:
    # Frankfurt to Tokyo takes 233 ms there and back (docs/network.md), so 116.5 one way; 1.5 ms more here.
    loss = "{bursts: {rate: 0.05, mean_length: 4}}"
    network = f"network={{topology: world, latency: 1500us, loss: {loss}, bandwidth: 1MB/s}}"
    options = ("--samples", 100, "--set", network, "--set", "cluster.nodes=11", "--from", "n4", "--to", "n9")
    outcome = invoke(scenario, *options)
    assert outcome.exit_code == 0, outcome.output
    assert "n4 (frankfurt) → n9 (tokyo)" in outcome.stdout
    assert "116.5ms + constant(1.5ms)" in outcome.stdout
    found = {words[0]: words[1:] for line in outcome.stdout.splitlines() if (words := line.split())}
    assert found["min"] == found["max"] == ["118.000"]
    assert " ".join(found["loss"]).startswith("5 %, in bursts of 4 packets on average (")
    assert found["bandwidth"][:2] == ["1", "MB/s"]
    row = "61.50 46.50 45.50 1.09 6.50 14.50 116.00 125.00 116.50 99.00 n4"
    assert " ".join(found["frankfurt"]) == row
    assert found["dallas"][-2:] == ["n1", "n11"]


def test_a_link_draws_from_the_stream_of_its_sender() -> None:
    # --help says so: n2's ports draw what is shown for a link from n2, and its base is added to each.
    made = loads(SMALL, "x.yaml", ["network={topology: three-zones, latency: {uniform: [5ms, 15ms]}}"])
    interface = Cluster(made.cluster_spec(), made.seed, trial=0).network.interfaces[2]
    expected = [1_090_000 + drawn for drawn in islice(interface.latencies, 500)]  # From dallas_2 to dallas_3.
    assert np.rint(latencies(made, 500, (2, 3)) * SECOND).astype(int).tolist() == expected


def test_a_matrix_that_fits_no_screen_is_cut(scenario: Path) -> None:
    zones = [f"z{number}" for number in range(15)]
    matrix = {zone: {other: "1ms" for other in zones if other != zone} for zone in zones}
    network = json.dumps({"topology": {"matrix": matrix, "measured": "one-way"}})
    outcome = invoke(scenario, "--samples", 100, "--set", f"network={network}", "--set", "cluster.nodes=15")
    assert "base latency from row to column, ms; 3 more zones are not shown" in outcome.stdout


def test_it_draws_only_when_asked_and_overwrites_nothing(scenario: Path, tmp_path: Path) -> None:
    """ "`electsim latency` draws only when asked" (issue 12, C8): a look at a link left a file in every folder."""
    before = sorted(tmp_path.iterdir())
    outcome = invoke(scenario, "--samples", 100)
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    assert sorted(tmp_path.iterdir()) == before
    drawn = invoke(scenario, "--samples", 100, "--figure", tmp_path / "link.png")
    assert (drawn.exit_code, drawn.stderr) == (0, f"The figure is in {tmp_path / 'link.png'}\n")
    assert (tmp_path / "link.png").read_bytes().startswith(b"\x89PNG")
    (tmp_path / "link.png").write_text("mine")
    refused = invoke(scenario, "--samples", 100, "--figure", tmp_path / "link.png")
    assert refused.exit_code == 2
    assert "exists, and is left as it is; choose another with --figure FILE" in refused.stderr
    assert (tmp_path / "link.png").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--figure", "x.txt3"], "ends with no known format; write .png, .svg or .pdf"),
        (["--figure", "nowhere/x.png"], "nowhere/x.png: cannot write the figure: No such file or directory"),
        (["--to", "n9"], "--to: n9 is not a node; the nodes are n1 to n5"),
        (["--from", "leader"], "--from: leader is not a node; the nodes are n1 to n5"),
        (["--from", "n3", "--to", "n3"], "--to: n3 is also --from; a link joins two nodes"),
        (["--set", "cluster.nodes=1"], "a cluster of one node has no links; set cluster.nodes"),
        (["--set", "network.latency={gama: 1}"], "network.latency.gama: is not a distribution; did you mean gamma?"),
    ],
)
def test_bad_input_ends_with_2_and_one_line(scenario: Path, arguments: list[str], message: str) -> None:
    outcome = invoke(scenario, "--samples", 100, *arguments)
    assert outcome.exit_code == 2
    assert message in outcome.stderr
    assert len(outcome.stderr.splitlines()) == 1


def test_a_long_tail_has_a_logarithmic_axis_and_a_short_one_has_not() -> None:
    # A rare 250 ms beside 5 ms would otherwise press all else into the first bar.
    for written, scale in ((LONG, "log"), ("{uniform: [5ms, 15ms]}", "linear"), ("5ms", "linear"), ("0", "linear")):
        made = loads(SMALL, "x.yaml", [f"network.latency={written}"])
        top, bottom = latency_figure(made, latencies(made, 3000)).axes
        assert (top.get_xscale(), bottom.get_xscale()) == (scale, scale)
        shares = sum(bar.get_height() for bar in bottom.patches)  # type: ignore[attr-defined]
        assert shares == pytest.approx(1.0)  # Every packet is in a bar.


def test_a_histograms_buckets_are_marked_on_the_curve_of_the_draws() -> None:
    """ "`electsim latency` shows it" (issue 13). Each mark is on the curve: the draws have the histogram's shares."""
    histogram = "{buckets: [[1ms, 40], [2ms, 95], [4ms, 100]], sum: 118ms, round_trips: true}"
    made = loads(SMALL, "x.yaml", [f"network.latency={{histogram: {histogram}}}"])
    drawn = latencies(made, 20_000)
    top, _ = latency_figure(made, drawn).axes
    (marks,) = [line for line in top.get_lines() if line.get_marker() == "o"]
    points = [(float(x), float(y)) for x, y in np.asarray(marks.get_xydata())]
    assert points == [(0.5, 0.4), (1.0, 0.95), (2.0, 1.0)]
    assert [(drawn * 1e3 <= x).mean() for x, _ in points] == pytest.approx([y for _, y in points], abs=0.02)
    assert not [line for line in latency_figure(loads(SMALL), drawn).axes[0].get_lines() if line.get_marker() == "o"]


def test_a_distribution_is_called_by_its_name() -> None:
    # The line above the table, worked out by hand.
    def called(written: str) -> str:
        return name_of(resolved(loads(SMALL, "x.yaml", [f"network.latency={written}"]))["network"]["latency"])

    assert called(LONG) == "mixture(0.99 × normal(mean 5ms, sd 1ms) + 0.01 × constant(250ms)), at least 4ms"
    assert called("{empirical: {samples: 1ms 2ms}}") == "empirical(2 samples)"
    assert called("{exponential: 5ms}") == "exponential(mean 5ms, floor 0s)"
    assert called("{pareto: {scale: 1ms, shape: 1.5}}") == "pareto(scale 1ms, shape 1.5)"
    histogram = "{buckets: [[1ms, 40], [2ms, 95], [4ms, 100]], sum: 118ms"
    assert called(f"{{histogram: {histogram}}}}}") == "histogram(100 durations, mean 1.18ms)"
    halved = f"{histogram}, metric: rtt_seconds, file: a.prom, since: b.prom, round_trips: true}}"
    source = "rtt_seconds from a.prom since b.prom"
    assert called(f"{{histogram: {halved}}}") == f"histogram({source}, 100 round trips, halved, mean 590us)"
