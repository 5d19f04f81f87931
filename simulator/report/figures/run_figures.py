"""The files that show a run: its figures, in its results directory."""

from __future__ import annotations

from pathlib import Path

from simulator.analysis import samples
from simulator.analysis.measured import matching_sample
from simulator.analysis.published import counted_as_published
from simulator.analysis.records.incidence import failover_incidence
from simulator.analysis.records.registry import DURATION_LABELS, READS, sample
from simulator.experiment.runner import Result
from simulator.protocol import SECOND
from simulator.report.figures.decomposition import Failovers, decomposition_figure
from simulator.report.figures.incidence import incidence_figure
from simulator.report.figures.overlaps import overlaps_figure, trials_with_overlaps
from simulator.report.figures.results import ecdf_figure, measured_figure, save
from simulator.report.figures.timeline import timeline_figure
from simulator.trace.trace import Trace

_PARTS = {  # The columns that the parts of failovers are read from.
    "elections": (
        *("trial", "cause", "outcome", "detection_s", "announced_majority_s"),
        *("before_rounds_s", "earlier_rounds_s", "winning_round_s"),
    )
}
_MOST_TRIALS = 50  # The most trials in the figure of overlaps.


def write_figures(result: Result, first: Trace, directory: Path) -> list[Path]:
    """Write `failover` (the distribution of the primary duration), `incidence` (how losses ended, if any recovered),
    `measured` (the distribution of what was measured, too),
    `decomposition` (what it consists of), `overlaps` (when two nodes led at once) and `timeline` (of the first trial),
    each as PNG and SVG; the paths written. What has no data is left out."""
    written = []
    metric = primary_metric(result)
    published = result.scenario.applicable_published
    elections = result.tables.only(READS[metric]).elections
    found = sample(elections, metric) if published is None else counted_as_published(elections, published, result.seed)
    beside = published.quantiles if published is not None and published.metric == metric else ()
    if found.values.size:
        figure = ecdf_figure(
            found,
            {p: value_ns / SECOND for p, value_ns in beside},
            title=result.scenario.name,
            quantity=DURATION_LABELS[metric],
        )
        written += save(figure, directory / "failover.png")
    losses = failover_incidence(result.tables.only(READS["failover_incidence"]).elections)
    if losses.has_competing:
        written += save(incidence_figure(losses, title=result.scenario.name), directory / "incidence.png")
    if result.measured is not None:
        metric, simulated = matching_sample(result.elections, result.measured)
        if simulated.values.size:
            both = {"simulated": simulated, "measured": result.measured.sample()}
            beside = result.summary["measured"]
            figure = measured_figure(both, beside, title=result.scenario.name, quantity=DURATION_LABELS[metric])
            written += save(figure, directory / "measured.png")
    if parts := Failovers.of(result.tables.only(_PARTS).elections).by_length():
        after_loss = samples.primary_cause(elections) == "loss"
        since, what = ("the loss", "failovers") if after_loss else ("the start", "elections")
        count = sum(len(group.parts) for group in parts.values())
        order = ", from the shortest to the longest" if len(parts) > 1 else ""
        title = f"{result.scenario.name}: mean parts of {count:,} {what}{order}"
        figure = decomposition_figure(parts, title=title, since=since, intervals=len(parts) == 1)
        written += save(figure, directory / "decomposition.png")
    trials = result.tables.only({"trials": ("trial", "end_s")}).trials
    if shown := trials_with_overlaps(trials, result.overlaps, _MOST_TRIALS):
        count = result.overlaps["trial"].nunique()
        first_ones = f"; the first {len(shown)} of them" if count > len(shown) else ""
        title = f"{result.scenario.name}: two leaders in {count:,} of {len(trials):,} trials{first_ones}"
        written += save(overlaps_figure({title: shown}), directory / "overlaps.png")
    number = int(trials["trial"].iloc[0])
    figure = timeline_figure(first, title=f"{result.scenario.name}, seed {result.seed}, trial {number}")
    return written + save(figure, directory / "timeline.png")


def primary_metric(result: Result) -> str:
    """The primary metric of a run, by its name in docs/metrics.md."""
    return samples.primary_metric(
        result.tables.only({"elections": ("cause",)}).elections, result.scenario.applicable_published
    )
