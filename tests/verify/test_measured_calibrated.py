"""etcd as measured, where a message and a write take as long as etcd's own histograms say (issue 13).

`raft-etcd-calibrated` is `raft-etcd-failover` with two distributions in place of others: half of
`etcd_network_peer_round_trip_time_seconds`, and `etcd_disk_wal_fsync_duration_seconds`, both as scraped by
`studies/etcd_histograms.py`. No other number differs, and none is fitted. The distances to the measured failovers are
published as they are; docs/raft-verification.md has the account.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
import pytest

from simulator.report.figures.panels import Panel, panels_figure
from tests.verify.conftest import Figures
from tests.verify.parallel import over_trials
from tests.verify.quantiles import MEASURED, columns, distance_to, published
from tests.verify.raft_trials import failover, scenario_spec
from tests.verify.record import Comparison, Record
from tests.verify.test_measured import BOUND, FAST, NAMES, SOURCE

TRIALS = 2000  # Ten times as many as were measured, whose number limits how exact a distance is.
SCENARIO = "raft-etcd-calibrated"
HISTOGRAMS: Mapping[str, str] = {  # What the members' data were on when they were scraped, by the files' names.
    "memory": "data in memory",
    "quiet": "data on a disk",
    "writer": "data on a disk to which another process writes",
}
SYSTEMS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    NAMES["etcd3"]: ("etcd, 3 nodes, 100/1000 ms", ("cluster.nodes=3",)),
    NAMES["etcd5"]: ("etcd, 5 nodes, 100/1000 ms", ()),
    NAMES["fast"]: ("etcd, 5 nodes, 10/100 ms, pre-vote", FAST),
}
LATENCY, WRITE = "network.latency.histogram", "cluster.disk.write.histogram"
ONLY = {  # One of the two costs as in raft-etcd-failover.
    "round trips": "cluster.disk.write={uniform: [50us, 200us]}",
    "writes": "network.latency={lognormal: {median: 40us, p99: 150us}}",
}

pytestmark = pytest.mark.verify


def scraped(histograms: str, *fields: str) -> list[str]:
    """The overrides that name the scrapes of one measurement in these fields."""
    ends = {"file": "after", "since": "before"}
    return [f"{field}.{key}=measured/etcd-{histograms}-{end}.prom" for field in fields for key, end in ends.items()]


def simulate(overrides: tuple[str, ...], seed: int, trials: int = TRIALS) -> np.ndarray:
    """Failover and detection in ms, and terms; shape (3, trials)."""
    return np.array(list(over_trials(partial(failover, scenario_spec(SCENARIO, *overrides), seed), trials))).T


@pytest.mark.parametrize("histograms", HISTOGRAMS)
def test_distances_are_published(record: Record, figures: Figures, histograms: str) -> None:
    panels = []
    for seed, (name, (title, overrides)) in enumerate(SYSTEMS.items(), start=41):
        times, _, terms = simulate((*scraped(histograms, LATENCY, WRITE), *overrides), seed)
        truth = published(name, MEASURED)
        distance = distance_to(times, truth)
        more = (terms > 1).mean()
        measured = truth.facts["more_than_one_term"] / truth.size
        record.found.append(
            Comparison(
                f"{title}, histograms of {HISTOGRAMS[histograms]}: failover, mean in ms",
                SOURCE,
                f"{truth.mean:.0f}",
                f"{times.mean():.0f}",
                f"KS {distance:.4f}; more than one term: {more:.4f}, measured {measured:.4f}",
                "none",
                None,
            )
        )
        samples = truth.quantiles if truth.samples is None else truth.samples
        panels.append(
            Panel(title=title, simulated=times, published=samples, note=f"KS {distance:.3f}, n = {truth.size}")
        )
        assert distance < BOUND  # No mark to pass, but it cannot get worse unseen.
    if histograms == "memory":  # As the measured clusters had it.
        figure = panels_figure(panels, columns=3, quantity="from the kill to the next leader", published_by="measured")
        figures.save("raft-calibrated", figure)


def test_each_cost_alone(record: Record) -> None:
    """Of 10/100 ms, where costs show: how far each of the two histograms takes the distance."""
    truth = published(NAMES["fast"], MEASURED)
    distances = {}
    for seed, (kept, other) in enumerate(ONLY.items(), start=51):
        field = LATENCY if kept == "round trips" else WRITE
        times = simulate((other, *scraped("memory", field), *FAST), seed)[0]
        distances[kept] = distance_to(times, truth)
    table = columns(NAMES["fast"], MEASURED)
    measured = "" if table is None else f" Measured: {np.median(table['election_ms']):.1f} ms."
    times, detection, _ = simulate((*scraped("memory", LATENCY, WRITE), *FAST), 53)
    record.notes.append(
        "etcd at 10/100 ms with the histograms of data in memory: with those of round trips alone the distance is KS "
        f"{distances['round trips']:.4f}, with those of writes alone {distances['writes']:.4f}. With both, an election "
        f"after its detection takes {np.median(times - detection):.1f} ms at the median.{measured}"
    )
    assert distances["round trips"] < distances["writes"]  # Four messages follow each other, and two writes.
