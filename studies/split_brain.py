"""The case against the plain election: `python -m studies.split_brain --figures docs/images`, for docs/priority.md.

The same partitions, waiting times and luck, under the plain election and under Raft: for how long do two nodes lead?
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from simulator.analysis.statistics.estimates import Estimate, Sample, mean
from simulator.cluster.cluster import run_trial
from simulator.protocol import SECOND
from simulator.report.figures.overlaps import TrialOverlaps, overlaps_figure
from simulator.report.figures.results import save
from simulator.scenario import load

SCENARIOS = Path(__file__).parents[1] / "scenarios"
# What is compared: the scenario's file, and what is set otherwise.
VARIANTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "priority": ("priority-partition", ()),
    "raft without CheckQuorum": ("raft-partition-compared", ("algorithm.check_quorum=false",)),
    "raft": ("raft-partition-compared", ()),
}
SHOWN = 30  # Trials of each in the figure.


def groups(variant: str, trials: int) -> list[TrialOverlaps]:
    """What became of the lead in each trial of a variant."""
    name, overrides = VARIANTS[variant]
    scenario = load(SCENARIOS / f"{name}.yaml", overrides)
    spec = scenario.cluster_spec()
    return [TrialOverlaps.of(run_trial(spec, scenario.seed, trial)) for trial in range(trials)]


def overlap_seconds(trials: Sequence[TrialOverlaps]) -> Estimate:
    """Seconds with two leaders or more in a trial."""
    return mean(Sample.of([trial_overlaps.overlap_ns / SECOND for trial_overlaps in trials]))


def incidents(trials: Sequence[TrialOverlaps]) -> Estimate:
    """Incidents in a trial."""
    return mean(Sample.of([float(len(trial_overlaps.incidents)) for trial_overlaps in trials]))


def table(found: Mapping[str, Sequence[TrialOverlaps]]) -> Iterator[str]:
    """Lines of Markdown."""
    yield "| | two leaders, s a trial | incidents a trial | longest, s | begun without a partition, of all trials |"
    yield "| --- | --- | --- | --- | --- |"
    for variant, trials in found.items():
        longest = (
            max((i.end_ns - i.start_ns for trial_overlaps in trials for i in trial_overlaps.incidents), default=0)
            / SECOND
        )
        unprovoked = sum(trial.unprovoked for trial in trials)
        shown = f"{_shown(overlap_seconds(trials))} | {_shown(incidents(trials))} | {longest:.2f} | {unprovoked}"
        yield f"| {variant} | {shown} |"


def _shown(estimate: Estimate) -> str:
    value, low, high = (f"{number:.2f}" for number in estimate)
    return value if value == low == high else f"{value} ({low}–{high})"


def main() -> None:
    """Print the table; write the figure where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--trials", type=int, default=1000, help="of each variant")
    parser.add_argument("--figures", type=Path, help="directory for the figure")
    given = parser.parse_args()
    found = {variant: groups(variant, given.trials) for variant in VARIANTS}
    for line in table(found):
        print(line)
    if given.figures is not None:
        named = {
            f"{variant}: two leaders for {overlap_seconds(trials).value:.1f} s a trial": trials[:SHOWN]
            for variant, trials in found.items()
        }
        save(overlaps_figure(named), given.figures / "priority-split-brain.png", formats=("png",))


if __name__ == "__main__":
    main()
