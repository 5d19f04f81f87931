"""Figures and tables of results, for notebooks.

    import simulator
    from simulator import figures

    result = simulator.run("raft-leader-crash", trials=200)
    figures.distribution(result)
    figures.decomposition(result)
    figures.timeline(result, trial=3)

    other = simulator.run(simulator.load("raft-leader-crash", ["cluster.nodes=9"]), trials=200)
    figures.compare({"five nodes": result, "nine nodes": other})

Each function but `compare` and `save` returns a `Figure` of matplotlib.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from simulator.analysis.records.registry import DURATION_LABELS, SAMPLES, sample
from simulator.analysis.statistics.estimates import Estimate
from simulator.cluster.cluster import run_trial
from simulator.experiment.runner import Result
from simulator.report.figures.decomposition import Failovers, decomposition_figure
from simulator.report.figures.overlaps import overlaps_figure, trials_with_overlaps
from simulator.report.figures.results import ecdf_figure, save
from simulator.report.figures.run_figures import primary_metric
from simulator.report.figures.sweeps import Curve, Quantity, map_figure, sweep_figure
from simulator.report.figures.timeline import timeline_figure

__all__ = ["compare", "decomposition", "distribution", "heat_map", "overlaps", "save", "sweep", "timeline"]

# The columns of `compare`: a name that a reader understands, and where the summary has the figure.
_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "failover median, s": ("failover", "median"),
    "failover p99, s": ("failover", "p99"),
    "detection median, s": ("detection", "median"),
    "election median, s": ("election", "median"),
    "split votes": ("split_votes", "fraction"),
    "availability": ("leaderless", "availability"),
}


def distribution(
    results: Result | Mapping[str, Result],
    metric: str | None = None,
    *,
    title: str = "",
    published: Mapping[float, float] | None = None,
    published_by: str = "published",
) -> Figure:
    """The distribution of a duration, one curve for each result, with its 95 % band.

    `metric` is a word of docs/metrics.md (`failover`, `detection`, `election`, …); None: failover, or what the scenario
    is about. `published` lays quantiles beside them, in seconds by their p. Raises ValueError if nothing was measured.
    """
    by_name = {"simulated": results} if isinstance(results, Result) else dict(results)
    asked = metric or primary_metric(next(iter(by_name.values())))
    if asked not in SAMPLES:
        raise ValueError(f"{asked} is not a duration that is measured; there are: {', '.join(SAMPLES)}")
    samples = {name: sample(result.elections, asked) for name, result in by_name.items()}
    if empty := [name for name, found in samples.items() if not found.values.size]:
        raise ValueError(f"{asked}: nothing was measured in {', '.join(empty)}")
    return ecdf_figure(
        samples if len(samples) > 1 else samples.popitem()[1],
        published,
        title=title,
        quantity=DURATION_LABELS[asked],
        published_by=published_by,
    )


def decomposition(results: Result | Mapping[str, Result], *, title: str = "") -> Figure:
    """The parts of failovers: detection, pre-votes, failed rounds, winning round, and announcement to a majority.

    One result: a bar of means for each tenth of its failovers, from the shortest to the longest. Several: a bar for
    each, with the 95 % interval of the whole. Raises ValueError if no failover was seen to its end.
    """
    if isinstance(results, Result):
        tenths = Failovers.of(results.elections).by_length() or {results.scenario.name: Failovers.of(results.elections)}
        return decomposition_figure(tenths, title=title, intervals=len(tenths) == 1)
    return decomposition_figure({name: Failovers.of(r.elections) for name, r in results.items()}, title=title)


def overlaps(results: Result | Mapping[str, Result], *, most: int = 50) -> Figure:
    """When two nodes led at once: a line for each trial in which they did, for the first `most` of each result.

    Raises ValueError if two nodes never did.
    """
    by_name = {results.scenario.name: results} if isinstance(results, Result) else dict(results)
    shown = {name: trials_with_overlaps(r.trials, r.overlaps, most) for name, r in by_name.items()}
    if not any(shown.values()):
        raise ValueError(f"two nodes never led at once in {', '.join(by_name)}")
    return overlaps_figure(shown)


def timeline(result: Result, trial: int | None = None) -> Figure:
    """One trial around its election: the roles of the nodes, and their messages. By default the first trial."""
    number = int(result.trials["trial"].iloc[0]) if trial is None else trial
    trace = run_trial(result.scenario.cluster_spec(), result.seed, number, journal=True)
    return timeline_figure(trace, title=f"{result.scenario.name}, seed {result.seed}, trial {number}")


def sweep(
    results: Mapping[str, Mapping[float, Result]], statistic: str, *, parameter: str, title: str = "", log: bool = False
) -> Figure:
    """A statistic against a parameter, a curve for each name, with its 95 % interval.

    `results` has the results by the parameter's value, which `parameter` names with its unit; `log` puts it on a
    logarithmic axis. `statistic` is a path in `summary["metrics"]`: `split_votes.fraction`, `failover.median`. Raises
    ValueError where there is no such statistic.
    """
    curves = {}
    for name, by_value in results.items():
        at = sorted(by_value)
        curves[name] = Curve(at=at, estimates=[_estimate(by_value[value], statistic) for value in at])
    return sweep_figure(curves, Quantity(name=parameter, log=log), _quantity(statistic), title=title)


def heat_map(
    results: Mapping[tuple[Any, Any], Result], statistic: str, *, across: str, up: str, title: str = ""
) -> Figure:
    """A statistic over two parameters, by (value across, value up), in the order in which they come.

    `statistic` is a path in `summary["metrics"]`, such as `split_votes.fraction`. A pair without a result is hatched.
    """
    columns = list(dict.fromkeys(value for value, _ in results))
    rows = list(dict.fromkeys(value for _, value in results))
    values = np.full((len(rows), len(columns)), np.nan)
    for (column, row), result in results.items():
        values[rows.index(row), columns.index(column)] = _estimate(result, statistic).value
    across_labels, up_labels = (across, list(map(str, columns))), (up, list(map(str, rows)))
    return map_figure(values, across_labels, up_labels, _quantity(statistic), title=title)


def _estimate(result: Result, statistic: str) -> Estimate:
    """What a summary has under a path; its open ends are infinite, and a value that was not reached is nan."""
    found: Any = result.summary["metrics"]
    for key in statistic.split("."):
        found = found.get(key) if isinstance(found, Mapping) else None
    if not isinstance(found, Mapping) or not {"value", "low", "high"} <= found.keys():
        raise ValueError(f"{statistic} is no statistic of a summary; see docs/results.md, for example failover.median")
    missing = {"value": np.nan, "low": -np.inf, "high": np.inf}
    return Estimate(*(missing[end] if found[end] is None else float(found[end]) for end in missing))


def _quantity(statistic: str) -> Quantity:
    """The name of its axis: proportions in percent, durations in seconds."""
    name, _, last = statistic.rpartition(".")
    share = last in ("fraction", "availability", "share", "query_accuracy")
    unit = " (s)" if name in SAMPLES else ""
    return Quantity(name=f"{statistic.replace('_', ' ').replace('.', ', ')}{unit}", share=share)


def compare(results: Mapping[str, Result]) -> pd.DataFrame:
    """The primary figures of several results, a row each: `value [low – high]`, the ends of its 95 % interval."""
    return pd.DataFrame(
        {name: {column: _shown(result, path) for column, path in _COLUMNS.items()} for name, result in results.items()}
    ).T


def _shown(result: Result, path: tuple[str, ...]) -> str:
    found = result.summary["metrics"]
    for key in path:
        found = (found or {}).get(key)
    if not found or found["value"] is None:
        return "–"
    low, high = (("∞" if end is None else f"{end:.3g}") for end in (found["low"], found["high"]))
    return f"{found['value']:.3g} [{low} – {high}]"
