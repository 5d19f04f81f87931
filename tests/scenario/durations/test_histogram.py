"""How scenarios write histograms, from scraped text files and inline, and the errors for mistakes in them (issue 13).

The files are written by Prometheus' own client library.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from simulator.cluster.histogram import Bucket, Halved, Histogram
from simulator.protocol import MICROSECOND as US
from simulator.protocol import MILLISECOND as MS
from simulator.scenario import Scenario, ScenarioError, load, loads, resolved, resolved_text
from tests.support.prometheus import FSYNC, RTT, Server
from tests.support.scenarios import SMALL

BOUNDS = (0.0001, 0.0002, 0.0004)
INLINE = "{buckets: [[1ms, 40], [2ms, 95], [4ms, 100]], sum: 118ms}"


def with_latency(written: str, folder: Path | None = None) -> Scenario:
    return loads(f"{SMALL}network:\n  latency: {{histogram: {written}}}\n", "x.yaml", folder=folder)


def complaint(written: str, folder: Path | None = None) -> str:
    with pytest.raises(ScenarioError) as caught:
        with_latency(written, folder)
    assert len(caught.value.problems) == 1
    return str(caught.value).removeprefix("x.yaml:7: network.latency.histogram")


def distribution(scenario: Scenario) -> object:
    return scenario.cluster_spec().network.latency


@pytest.fixture
def server() -> Server:
    return Server(RTT, BOUNDS)


# --- Inline


def test_buckets_in_the_scenario() -> None:
    """Worked out by hand: pairs are cumulative, as Prometheus writes them."""
    scenario = with_latency(INLINE)
    buckets = (Bucket(0, MS, 40), Bucket(MS, 2 * MS, 55), Bucket(2 * MS, 4 * MS, 5))
    assert distribution(scenario) == Histogram(buckets, 118 * MS)
    assert scenario.network.latency.bounds() == (1, 4 * MS)
    assert loads(resolved_text(scenario)) == scenario


def test_empty_buckets_are_left_out_and_the_lowest_is_the_lowest_that_holds_durations() -> None:
    """The lowest bucket of a slow network is empty: it can give the histogram no mean."""
    made = with_latency("{buckets: [[1ms, 0], [2ms, 5], [3ms, 5], [4ms, 6]], sum: 11ms}")
    assert distribution(made) == Histogram((Bucket(MS, 2 * MS, 5), Bucket(3 * MS, 4 * MS, 1)), 11 * MS)


def test_durations_beyond_the_last_bound_lie_up_to_the_stated_one() -> None:
    """Issue 13: "beyond the last bound refused, or a stated `beyond:`"."""
    made = with_latency("{buckets: [[1ms, 8]], count: 10, sum: 14ms, beyond: 6ms}")
    assert distribution(made) == Histogram((Bucket(0, MS, 8), Bucket(MS, 6 * MS, 2)), 14 * MS)
    assert made.network.latency.bounds() == (1, 6 * MS)
    assert loads(resolved_text(made)) == made


MISTAKES = [
    ("{}", ": gives neither a file nor buckets"),
    ("{buckets: [[1ms, 5]]}", ".sum: is missing; give the sum of all durations"),
    ("{buckets: [[1ms, 5], [1ms, 6]], sum: 2ms}", ".buckets.1: [1ms, 6] does not rise from the pair before it"),
    ("{buckets: [[1ms, 5], [2ms, 4]], sum: 2ms}", ".buckets.1: [2ms, 4] does not rise from the pair before it"),
    ("{buckets: [[0, 5]], sum: 2ms}", ".buckets.0: [0s, 5] does not rise from [0s, 0]"),
    ("{buckets: [[1ms, 5]], count: 4, sum: 2ms}", ".count: 4 is less than the last bucket's number, 5"),
    ("{buckets: [[1ms, 0]], sum: 0}", ": holds no durations"),
    (
        "{buckets: [[1ms, 5]], count: 7, sum: 20ms}",
        ": holds durations beyond the last bound; give beyond, the longest that they can be",
    ),
    (
        "{buckets: [[1ms, 5]], count: 7, sum: 20ms, beyond: 1ms}",
        ".beyond: 1ms is not above the last bound; durations lie between the two",
    ),
    (
        "{buckets: [[1ms, 5], [2ms, 7]], sum: 10ms}",
        ".sum: 0.01s does not fit the buckets, whose durations sum to a value from 0.002s to 0.009s",
    ),
    ("{buckets: [[1ms, 5]], sum: 2}", ".sum: 2 has no unit; write 2ms or 2s, for example"),
    ("{buckets: [[1ms, -5]], sum: 2ms}", ".buckets.0.1: -5 is below 0, the least allowed"),
    ("{file: a.prom}", ".metric: is missing; give the histogram's name, without _bucket"),
    (
        "{file: a.prom, metric: raft_latency}",
        ".unit: is missing, and the metric's name does not end in a unit; give ns, us, ms or s",
    ),
    (
        f"{{file: a.prom, metric: {FSYNC}}}",
        ".file: a.prom is a file, and a scenario that is given as a text reads none; "
        "write the values into the scenario, or call loads(…, folder=DIR)",
    ),
]


@pytest.mark.parametrize(("written", "says"), MISTAKES, ids=[written for written, _ in MISTAKES])
def test_a_mistake_is_explained(written: str, says: str) -> None:
    """Exact messages: file, line, field, value and remedy (issue 2, part 5)."""
    assert complaint(written) == says


# --- In a scraped file


def test_a_scrape_is_loaded_into_the_value(tmp_path: Path, server: Server) -> None:
    """All series are added up; the cluster reads no files, and the resolved scenario loads without the file."""
    server.observe("a", {0.00005: 3, 0.00015: 1})
    server.observe("b", {0.0003: 4})
    (tmp_path / "etcd.prom").write_text(server.scrape())
    scenario = with_latency(f"{{file: etcd.prom, metric: {RTT}}}", tmp_path)
    buckets = (Bucket(0, 100 * US, 3), Bucket(100 * US, 200 * US, 1), Bucket(200 * US, 400 * US, 4))
    assert distribution(scenario) == Histogram(buckets, 1500 * US)
    (tmp_path / "etcd.prom").unlink()
    assert loads(resolved_text(scenario)) == scenario
    assert resolved(scenario)["network"]["latency"] == {
        "histogram": {
            "file": "etcd.prom",
            "metric": RTT,
            "buckets": [["100us", 3], ["200us", 4], ["400us", 8]],
            "count": 8,
            "sum": "1.5ms",
        }
    }


def test_labels_choose_the_series(tmp_path: Path, server: Server) -> None:
    server.observe("a", {0.00005: 3})
    server.observe("b", {0.0003: 4})
    (tmp_path / "etcd.prom").write_text(server.scrape())
    only_b = with_latency(f"{{file: etcd.prom, metric: {RTT}, labels: {{To: b}}, round_trips: true}}", tmp_path)
    assert distribution(only_b) == Halved(Histogram((Bucket(200 * US, 400 * US, 4),), 1200 * US))
    assert only_b.network.latency.bounds() == (100_001, 200 * US)
    assert loads(resolved_text(only_b)) == only_b


def test_two_scrapes_subtract(tmp_path: Path, server: Server) -> None:
    """Issue 13: "two scrapes subtract". A series that was added in between began at 0."""
    server.observe("a", {0.00005: 30, 0.01: 2})
    (tmp_path / "before.prom").write_text(server.scrape())
    server.observe("a", {0.00015: 5})
    server.observe("b", {0.00015: 1})
    (tmp_path / "after.prom").write_text(server.scrape())
    scrapes = f"metric: {RTT}, file: after.prom, since: before.prom"
    assert distribution(with_latency(f"{{{scrapes}}}", tmp_path)) == Histogram(
        (Bucket(100 * US, 200 * US, 6),), 900 * US
    )


@pytest.mark.parametrize(
    ("ending", "unit", "written"),
    [("_ms", 1, ""), ("_milliseconds", 1, ""), ("_seconds", 1000, ""), ("_latency", 1, ", unit: ms")],
)
def test_the_unit_is_that_of_the_name_or_the_stated_one(tmp_path: Path, ending: str, unit: int, written: str) -> None:
    """Prometheus' naming rules put the base unit last; systems that do not follow them count milliseconds."""
    server = Server(f"write{ending}", [2 / unit])
    server.observe("a", {1 / unit: 4})
    (tmp_path / "x.prom").write_text(server.scrape())
    made = with_latency(f"{{file: x.prom, metric: write{ending}{written}}}", tmp_path)
    assert distribution(made) == Histogram((Bucket(0, 2 * MS, 4),), 4 * MS)


def test_other_metrics_in_the_file_are_not_read(tmp_path: Path, server: Server) -> None:
    """A server's page holds hundreds of metrics, of which one whose name goes on is another metric."""
    server.observe("a", {0.00005: 3})
    other = f'{RTT}_total 5\n{RTT}_other_bucket{{le="+Inf"}} 7\nunreadable {{\n'
    (tmp_path / "etcd.prom").write_text(other + server.scrape())
    assert distribution(with_latency(f"{{file: etcd.prom, metric: {RTT}}}", tmp_path)) == Histogram(
        (Bucket(0, 100 * US, 3),), 150 * US
    )


def scraped(*lines: str) -> str:
    return "".join(f"w_seconds{line}\n" for line in lines)


WHOLE = ('_bucket{le="1"} 5', '_bucket{le="+Inf"} 5', "_sum 2.5", "_count 5")
BAD_FILES = [
    ("", ".file: a.prom holds no histogram w_seconds"),
    (scraped(*WHOLE[:2]), ".file: a.prom lacks the _sum or the last bucket of w_seconds; give a whole scrape"),
    (scraped(WHOLE[0], WHOLE[2]), ".file: a.prom lacks the _sum or the last bucket of w_seconds; give a whole scrape"),
    (  # The pages of two servers in one file, without a label that tells them apart: one would hide the other.
        scraped(*WHOLE, *WHOLE),
        ".file: a.prom:5: repeats a series; give one scrape, or each process a label of its own",
    ),
    (scraped("_bucket{le=1} 5"), ".file: a.prom:1: is not in Prometheus' text format"),
    (scraped(*WHOLE[:2], "_sum much"), ".file: a.prom:3: is not in Prometheus' text format"),
    (scraped('_bucket{le="x"} 5'), ".file: a.prom:1: not a number of 0 or more"),
    (scraped("_bucket 5"), ".file: a.prom:1: a bucket has no label le"),
    (scraped('_bucket{le="1"} 5.5'), ".file: a.prom:1: not a count"),
    (scraped('_bucket{le="1"} NaN'), ".file: a.prom:1: not a count"),
    (
        scraped("_sum -1"),
        ".file: a.prom:1: not a sum of durations, which is 0 or more, and at most 320255h",
    ),
    (scraped('_bucket{x="' + "y" * 5000 + '"} 5'), ".file: a.prom:1: is longer than 4000 characters"),
    (
        scraped(*WHOLE, '_bucket{n="2",le="2"} 1', '_bucket{n="2",le="+Inf"} 1', '_sum{n="2"} 1'),
        ".file: a.prom has series of w_seconds with different buckets; give labels that tell them apart",
    ),
    (
        scraped('_bucket{le="1"} 5', '_bucket{le="+Inf"} 6', "_sum 9"),
        ": holds durations beyond the last bound; give beyond, the longest that they can be",
    ),
    (
        scraped('_bucket{le="1"} 5', '_bucket{le="2"} 4', '_bucket{le="+Inf"} 4', "_sum 2"),
        ".file: a.prom has buckets and a _sum that do not fit together; give a whole scrape",
    ),
    (
        scraped('_bucket{le="1"} 5', '_bucket{le="+Inf"} 5', "_sum 9"),
        ".file: a.prom has buckets and a _sum that do not fit together; give a whole scrape",
    ),
    (scraped('_bucket{le="+Inf"} 4', "_sum 2"), ": has no bucket with a bound"),
]


@pytest.mark.parametrize(("content", "says"), BAD_FILES)
def test_a_bad_file_is_explained(tmp_path: Path, content: str, says: str) -> None:
    """ "bad files are ScenarioErrors with file, line, value": the scenario's line first, then the file's own."""
    (tmp_path / "a.prom").write_text(content)
    assert complaint("{file: a.prom, metric: w_seconds}", tmp_path) == says


@pytest.mark.parametrize(
    ("before", "says"),
    [
        (
            scraped('_bucket{le="1"} 6', '_bucket{le="+Inf"} 6', "_sum 2"),
            "a.prom counts fewer durations than b.prom; "
            "give the earlier scrape as since, and none from before a restart",
        ),
        (
            scraped('_bucket{le="2"} 1', '_bucket{le="+Inf"} 1', "_sum 1"),
            "a.prom has other buckets than b.prom; give two scrapes of the same processes",
        ),
        (
            scraped('_bucket{n="1",le="1"} 1', '_bucket{n="1",le="+Inf"} 1', '_sum{n="1"} 1'),
            "a.prom lacks a series that b.prom has; give two scrapes of the same processes",
        ),
    ],
)
def test_scrapes_that_do_not_belong_together_are_refused(tmp_path: Path, before: str, says: str) -> None:
    """A counter that falls has been reset by a restart: the difference would be of no interval of time."""
    (tmp_path / "a.prom").write_text(scraped(*WHOLE))
    (tmp_path / "b.prom").write_text(before)
    assert complaint("{file: a.prom, since: b.prom, metric: w_seconds}", tmp_path) == f".file: {says}"


def test_since_needs_a_file() -> None:
    assert complaint("{buckets: [[1ms, 5]], sum: 2ms, since: b.prom}") == ".since: is given without a file"


def test_a_path_starts_at_the_scenarios_directory(tmp_path: Path, server: Server) -> None:
    """Issue 13: "from a Prometheus text file beside the scenario", wherever the command is called from."""
    server.observe("a", {0.00005: 3})
    (tmp_path / "etcd.prom").write_text(server.scrape())
    (tmp_path / "x.yaml").write_text(f"{SMALL}network:\n  latency: {{histogram: {{file: etcd.prom, metric: {RTT}}}}}\n")
    assert distribution(load(tmp_path / "x.yaml")) == Histogram((Bucket(0, 100 * US, 3),), 150 * US)


def test_the_parser_is_loaded_only_where_a_file_is_read() -> None:
    """It takes as long to import as a short run's first trial; most scenarios name no scraped file."""
    script = f"import sys; from simulator.scenario import loads; loads({SMALL + 'network: {latency: {histogram: '!r}"
    script += f" + {INLINE!r} + '}}}}\\n'); sys.exit('prometheus_client' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
