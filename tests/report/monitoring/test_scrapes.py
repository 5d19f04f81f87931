"""What is scraped from a trial, on a trace that is worked out by hand, and the text that says so."""

from __future__ import annotations

import re
from itertools import groupby

import numpy as np
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from simulator.protocol import CANDIDATE, ELECTORATE, FOLLOWER, LEADER, SECOND, NodeId, Role
from simulator.report.monitoring.openmetrics import openmetrics
from simulator.report.monitoring.scrapes import (
    CAMPAIGNS,
    HAS_LEADER,
    IS_LEADER,
    LEADER_CHANGES,
    SUSPICIONS,
    TERM,
    UP,
    Metric,
    TooManySamplesError,
    scrapes,
)
from simulator.trace import event_types
from simulator.trace.trace import Row, Trace

ONE, TWO = NodeId(1), NodeId(2)
NO = float("nan")


def declares(at_s: float, node: NodeId, role: Role, term: int, leader: NodeId | None) -> Row:
    return Row(round(at_s * SECOND), event_types.TRANSITION, node, term, role, leader, ELECTORATE)


def happens(at_s: float, kind: str, node: NodeId, **detail: object) -> Row:
    return Row(round(at_s * SECOND), kind, node, detail=tuple(detail.items()))


# n1 leads from 1.5 s, is paused from 3.2 s, and is lost; n2 suspects it at 4 s, and leads from 4.5 s until it crashes
# at 6.5 s; it is back at 8.2 s, and n1, which has resumed at 5.1 s, leads again from 7.5 s.
TRACE = Trace(
    rows=[
        happens(0, event_types.STARTED, ONE),
        happens(0, event_types.STARTED, TWO),
        declares(1, ONE, CANDIDATE, 1, None),
        declares(1.5, ONE, LEADER, 1, ONE),
        declares(1.6, TWO, FOLLOWER, 1, ONE),
        happens(3.2, event_types.PAUSED, ONE),
        happens(3.2, event_types.LEADER_LOST, ONE, cause="pause"),
        happens(4, event_types.SUSPECTED, TWO, leader=ONE),
        declares(4, TWO, FOLLOWER, 1, None),
        declares(4.5, TWO, LEADER, 2, TWO),
        happens(5.1, event_types.RESUMED, ONE),
        declares(5.2, ONE, FOLLOWER, 2, TWO),
        happens(6.5, event_types.CRASHED, TWO),
        happens(6.5, event_types.LEADER_LOST, TWO, cause="crash"),
        declares(7, ONE, CANDIDATE, 3, None),
        declares(7.5, ONE, LEADER, 3, ONE),
        happens(8.2, event_types.STARTED, TWO),
        declares(8.6, TWO, FOLLOWER, 3, ONE),
    ],
    end_ns=9 * SECOND,
    groups={ELECTORATE: [ONE, TWO]},
)
# At 1, 2, … 9 s.
EXPECTED = {
    UP: ([1, 1, 1, 0, 0, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1, 0, 0, 1]),
    HAS_LEADER: ([0, 1, 1, NO, NO, 1, 0, 1, 1], [0, 1, 1, 0, 1, 1, NO, NO, 1]),
    IS_LEADER: ([0, 1, 1, NO, NO, 0, 0, 1, 1], [0, 0, 0, 0, 1, 1, NO, NO, 0]),
    TERM: ([1, 1, 1, NO, NO, 2, 3, 3, 3], [0, 1, 1, 1, 2, 2, NO, NO, 3]),
    LEADER_CHANGES: ([0, 1, 1, NO, NO, 2, 2, 3, 3], [0, 1, 1, 1, 2, 2, NO, NO, 1]),
    CAMPAIGNS: ([1, 1, 1, NO, NO, 1, 2, 2, 2], [0, 0, 0, 0, 0, 0, NO, NO, 0]),
    SUSPICIONS: ([1, 1, 1, NO, NO, 1, 2, 2, 2], [0, 0, 0, 1, 1, 1, NO, NO, 0]),
}


@pytest.mark.parametrize("metric", EXPECTED, ids=lambda metric: metric.name)
def test_what_each_node_exposes(metric: Metric) -> None:
    """Counters live in a process: they begin at 0 after a restart, and stay over a pause. No scrape of a node that is
    down or paused succeeds. etcd counts a leader each time it is named anew (`raftNode.start`)."""
    found = scrapes(TRACE, SECOND)
    np.testing.assert_array_equal(found.seconds, range(1, 10))
    for node, expected in zip((ONE, TWO), EXPECTED[metric], strict=True):
        np.testing.assert_array_equal(found.values[metric.name][node], expected)


def test_durations_are_those_of_elections_that_the_node_has_won() -> None:
    """n1 won in 0.5 s twice (buckets up to 512 ms), n2 in 0.5 s once, which its crash has forgotten."""
    found = scrapes(TRACE, SECOND)
    assert found.durations[ONE][-1][9] == 2
    assert found.durations[ONE][-1].tolist() == [0] * 9 + [2] + [0] * 8 + [1.0]
    assert found.durations[TWO][5].tolist() == [0] * 9 + [1] + [0] * 8 + [0.5]
    assert found.durations[TWO][8].sum() == 0


def test_the_text_is_openmetrics() -> None:
    """The parser of Prometheus' own client reads the samples of each instant, and finds what was scraped.

    It is given one instant at a time, since it takes the second instant of a histogram for a repetition.
    """
    found = scrapes(TRACE, SECOND)
    text = openmetrics(found).decode()
    assert text.endswith("# EOF\n")
    lines = text.splitlines()
    about = [line for line in lines if line.startswith("# ") and line != "# EOF"]
    assert {line.split()[3] for line in about if line.startswith("# TYPE")} == {"gauge", "counter", "histogram"}
    for index, instant in enumerate(found.seconds):
        at_instant = [line for line in lines if line.endswith(f" {instant}") and not line.startswith("#")]
        by_family = "\n".join(in_families(about, at_instant))
        read = {
            (sample.name, sample.labels["instance"]): sample.value
            for family in text_string_to_metric_families(f"{by_family}\n# EOF\n")  # type: ignore[no-untyped-call]
            for sample in family.samples
            if "le" not in sample.labels
        }
        for metric in EXPECTED:
            for node in (ONE, TWO):
                value = found.values[metric.name][node][index]
                assert read.get((metric.name, f"n{node}"), NO) == pytest.approx(value, nan_ok=True)


def in_families(about: list[str], samples: list[str]) -> list[str]:
    """Each family's lines, its samples after what is said about it."""
    found = []
    for name, lines in groupby(about, key=lambda line: line.split()[2]):
        found += [*lines, *(line for line in samples if re.match(rf"{name}(_total|_bucket|_count|_sum)?\{{", line))]
    return found


def test_samples_of_one_series_come_in_order_and_together() -> None:
    """OpenMetrics 1.0: families are not mixed, nor series within one, and instants of a series rise."""
    text = openmetrics(scrapes(TRACE, SECOND)).decode()
    instants: dict[str, list[float]] = {}
    order = []
    for line in text.splitlines():
        if not line.startswith("#"):
            series, _, instant = line.rsplit(" ", 2)
            order.append(re.sub(r"_(bucket|count|sum)\{|,le=\"[^\"]*\"", "", series))
            instants.setdefault(series, []).append(float(instant))
    assert len(instants) == 2 * (len(EXPECTED) + 20)
    assert all(times == sorted(set(times)) for times in instants.values())
    plain = [name for name, _ in groupby(name for name in order if "duration" not in name)]
    assert len(plain) == len(set(plain)) == 2 * len(EXPECTED)


def test_too_many_scrapes_are_refused_with_a_remedy() -> None:
    """A year, scraped each millisecond, does not fit into memory."""
    with pytest.raises(TooManySamplesError, match="choose a longer --scrape"):
        scrapes(TRACE, 1000)
