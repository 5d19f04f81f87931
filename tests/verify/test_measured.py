"""etcd, PySyncObj and hashicorp/raft as measured: clusters of real processes, whose leader is killed.

What is run are the dialects, with parameters from the systems' documented rules and from the round trip over loopback.
Nothing is taken from the samples. Where a rule or a cost is missing, the distance is reported, and what is missing is
said in docs/raft-verification.md; such a system is held to a bound, so that it cannot get worse unseen.

Source: /work/shared/reference/README.md in the project's workspace, section "measured".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy import stats

from simulator.analysis.statistics.significance import holm
from simulator.report.figures.panels import Panel, panels_figure
from tests.verify.conftest import Figures
from tests.verify.parallel import over_trials
from tests.verify.quantiles import HASHICORP, MEASURED, Published, columns, distance_to, published
from tests.verify.raft_trials import failover, scenario_spec
from tests.verify.record import Comparison, Record

TRIALS = 5000
LEVEL = 0.05
BOUND = 0.2  # On the distance of a system of which something is known to be missing.
SOURCE = "measured"
WORK = "cluster.service={exponential: {mean: 1ms}}"  # A few milliseconds an election: "scheduling noise".
TURN_MS, MEASURED_TURN_MS = 50.2, 51  # Of PySyncObj's poll loop: as simulated (dialect), and as its samples show.

pytestmark = pytest.mark.verify


@dataclass(frozen=True, slots=True)
class System:
    """A measured system: its name in figures, the scenario that is run, and whether nothing is known to be missing."""

    title: str
    scenario: str
    overrides: tuple[str, ...] = ()
    complete: bool = True


FAST = (
    "algorithm.tick=10ms",
    "algorithm.heartbeat_interval=10ms",
    "algorithm.election_timeout=[100ms, 190ms]",
    "algorithm.pre_vote=true",
    "faults.0.at={uniform: [3s, 5s]}",  # It settles ten times as fast.
)
SYSTEMS = (*MEASURED.data_sets, *HASHICORP.data_sets)
NAMES = dict(zip(("etcd3", "etcd5", "fast", "pysyncobj", "hashicorp"), SYSTEMS, strict=True))
MODELS: Mapping[str, System] = {
    NAMES["etcd3"]: System("etcd, 3 nodes, 100/1000 ms", "raft-etcd-failover", ("cluster.nodes=3",)),
    NAMES["etcd5"]: System("etcd, 5 nodes, 100/1000 ms", "raft-etcd-failover"),
    NAMES["fast"]: System("etcd, 5 nodes, 10/100 ms, pre-vote", "raft-etcd-failover", FAST, complete=False),
    NAMES["pysyncobj"]: System("PySyncObj, 5 nodes, 400–1400 ms", "raft-pysyncobj-measured", complete=False),
    NAMES["hashicorp"]: System("hashicorp/raft, 3 nodes, 1000 ms", "raft-hashicorp-failover"),
}


@dataclass(frozen=True, slots=True)
class Simulated:
    """Shape (trials,) each; times in ms."""

    failover: np.ndarray
    detection: np.ndarray
    terms: np.ndarray


def simulate(name: str, seed: int, trials: int = TRIALS, *more: str) -> Simulated:
    model = MODELS[name]
    spec = scenario_spec(model.scenario, *model.overrides, *more)
    return Simulated(*np.array(list(over_trials(partial(failover, spec, seed), trials))).T)


def p_value(distance: float, simulated: int, measured: int) -> float:
    """Of a Kolmogorov-Smirnov distance of two samples, asymptotically."""
    return float(stats.kstwobign.sf(distance * np.sqrt(simulated * measured / (simulated + measured))))


def test_failovers(record: Record, figures: Figures) -> None:
    """KS with Holm's correction over the systems; and whether as many failovers take more than one term."""
    found = {name: simulate(name, seed) for seed, name in enumerate(SYSTEMS, start=21)}
    truths = {
        name: published(name, collection) for collection in (MEASURED, HASHICORP) for name in collection.data_sets
    }
    distances = {name: distance_to(found[name].failover, truths[name]) for name in SYSTEMS}
    p_values = [p_value(distances[name], TRIALS, truths[name].size) for name in SYSTEMS]
    adjusted = dict(zip(SYSTEMS, holm(p_values), strict=True))
    for name in SYSTEMS:
        print(f"{name}: distance {distances[name]:.4f}, by Holm {adjusted[name]:.4f}", flush=True)
        record.found.append(
            Comparison(
                f"{MODELS[name].title}: failover, mean in ms",
                SOURCE,
                f"{truths[name].mean:.0f}",
                f"{found[name].failover.mean():.0f}",
                f"KS {distances[name]:.4f}, by Holm p = {adjusted[name]:.3f}",
                f"{LEVEL}",
                adjusted[name] > LEVEL,
            )
        )
    more_terms = {name: share_of_terms(record, name, found[name], truths[name]) for name in SYSTEMS}
    explain_the_fast(record, found[NAMES["fast"]])
    explain_the_polling(record, found[NAMES["pysyncobj"]])
    figures.save("raft-measured", failover_figure(found, truths, distances))
    for name, model in MODELS.items():
        assert distances[name] < BOUND
        assert not model.complete or (adjusted[name] > LEVEL and more_terms[name]), name


def share_of_terms(record: Record, name: str, found: Simulated, truth: Published) -> bool:
    """Whether the simulated share of failovers of more than one term is within the measured one's interval."""
    measured = stats.binomtest(round(truth.facts["more_than_one_term"]), truth.size)
    low, high = measured.proportion_ci(method="wilson")
    share = float((found.terms > 1).mean())
    agrees = bool(low <= share <= high)
    record.found.append(
        Comparison(
            f"{MODELS[name].title}: failovers of more than one term",
            SOURCE,
            f"{measured.statistic:.4f} [{low:.4f} – {high:.4f}]",
            f"{share:.4f}",
            f"{share - measured.statistic:+.4f}",
            "Wilson's interval",
            agrees,
        )
    )
    return agrees


def explain_the_fast(record: Record, found: Simulated) -> None:
    """What is missing at 10/100: the detection, which the rules make, agrees; the election takes real work besides."""
    table = columns(NAMES["fast"], MEASURED)
    if table is None:
        return
    detection = stats.ks_2samp(found.detection, table["detection_ms"])
    record.found.append(
        Comparison(
            "etcd, 5 nodes, 10/100 ms, pre-vote: detection alone, mean in ms",
            SOURCE,
            f"{table['detection_ms'].mean():.0f}",
            f"{found.detection.mean():.0f}",
            f"KS {detection.statistic:.4f}, p = {detection.pvalue:.3f}",
            f"{LEVEL}",
            bool(detection.pvalue > LEVEL),
        )
    )
    busy = simulate(NAMES["fast"], 31, TRIALS // 2, WORK)
    distance = stats.ks_2samp(busy.failover, table["failover_ms"]).statistic
    share = (busy.terms > 1).mean()
    record.notes.append(
        "etcd at 10/100 ms: if every message took its server an exponential time of 1 ms on average, which no rule "
        f"says, the distance would be KS {distance:.4f}, and {share:.4f} of failovers would take more than one term."
    )


def explain_the_polling(record: Record, found: Simulated) -> None:
    """What is missing of PySyncObj: how busy its machine was. Counted in turns of its loop, it agrees."""
    table = columns(NAMES["pysyncobj"], MEASURED)
    if table is None:
        return
    turns = np.round(table["detection_ms"] / MEASURED_TURN_MS)
    test = stats.ks_2samp(np.round(found.detection / TURN_MS), turns)
    record.notes.append(
        f"PySyncObj: counted in turns of the poll loop, of {TURN_MS} ms simulated and of {MEASURED_TURN_MS} ms "
        f"measured, the first campaign comes as late as measured: KS {test.statistic:.4f}, p = {test.pvalue:.3f}."
    )


def failover_figure(
    found: Mapping[str, Simulated], truths: Mapping[str, Published], distances: Mapping[str, float]
) -> Figure:
    panels = []
    for name, model in MODELS.items():
        truth = truths[name]
        samples = truth.quantiles if truth.samples is None else truth.samples
        note = f"KS {distances[name]:.3f}, n = {truth.size}"
        panels.append(Panel(title=model.title, simulated=found[name].failover, published=samples, note=note))
    return panels_figure(panels, columns=2, quantity="from the kill to the next leader", published_by="measured")
