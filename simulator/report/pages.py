"""The files that show a run: its figures, in its results directory."""

from __future__ import annotations

from pathlib import Path

from simulator.experiment import samples
from simulator.experiment.published import counted_as_published
from simulator.experiment.runner import Result
from simulator.experiment.samples import sample
from simulator.protocol import SECOND
from simulator.report.figures import ecdf_figure, save
from simulator.report.tables import DURATIONS
from simulator.report.timeline import timeline_figure
from simulator.trace.trace import Trace


def write_figures(result: Result, first: Trace, directory: Path) -> list[Path]:
    """Write `failover` (the distribution of the headline duration) and `timeline` (of the first trial), each as PNG and
    SVG; the paths written. A distribution without data is left out."""
    written = []
    metric = headline_metric(result)
    published = result.scenario.published
    found = (
        sample(result.elections, metric)
        if published is None
        else counted_as_published(result.elections, published, result.seed)
    )
    beside = published.quantiles if published is not None and published.metric == metric else ()
    if found.values.size:
        figure = ecdf_figure(
            found,
            {p: value_ns / SECOND for p, value_ns in beside},
            title=result.scenario.name,
            quantity=DURATIONS[metric],
        )
        written += save(figure, directory / "failover.png")
    number = int(result.trials["trial"].iloc[0])
    figure = timeline_figure(first, title=f"{result.scenario.name}, seed {result.seed}, trial {number}")
    return written + save(figure, directory / "timeline.png")


def headline_metric(result: Result) -> str:
    """What a run is about, in a word of docs/metrics.md."""
    return samples.headline_metric(result.elections, result.scenario.published)
