"""`electsim compare`: a study whose cells are compared trial by trial, with common random numbers."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simulator.cli.common import ALLOW_FILES, EXIT_BAD_INPUT, PERCENTAGE, notice_drafts, runs_on
from simulator.cli.printing import print_note
from simulator.cli.run import LARGEST_SEED, MOST_TRIALS
from simulator.cli.study_options import LINK, STUDY_FILE, VARY, command_of, percent, study_of, study_or_result
from simulator.cli.sweeping import resume_sweep, run_sweep

if TYPE_CHECKING:
    from simulator.experiment.sweep.cells import StudyCell
    from simulator.experiment.sweep.comparing import Comparing
    from simulator.experiment.sweep.study import Study
    from simulator.experiment.workers import Workers


@click.command()
@STUDY_FILE
@VARY
@LINK
@click.option("--reference", multiple=True, metavar="FIELD=VALUE", help="What to compare with, in place of the best.")
@click.option("--metric", "metrics", multiple=True, metavar="NAME", help="Which metrics; may be repeated.")
@click.option("--equivalent", "margin", type=PERCENTAGE, metavar="PERCENT", help="Also say what is equal to within it.")
@click.option("--tests", is_flag=True, help="Also test whole distributions (Kolmogorov–Smirnov, Mann–Whitney).")
@click.option("--trials", type=click.IntRange(1, MOST_TRIALS), help="How many trials of each variant.")
@click.option("--seed", type=click.IntRange(0, LARGEST_SEED), help="The seed, in place of the scenario's.")
@click.option("--set", "overrides", multiple=True, metavar="FIELD=VALUE", help="Override a field in all variants.")
@runs_on
@ALLOW_FILES
@click.option("--results", "root", type=click.Path(path_type=Path), default=Path("results"), show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON, and no table.")
@click.option("--resume", metavar="RESULT", type=click.Path(path_type=Path), help="Run what is left of a comparison.")
def compare(
    study_file: Path | None,
    vary: tuple[str, ...],
    link: tuple[str, ...],
    reference: tuple[str, ...],
    metrics: tuple[str, ...],
    margin: float | None,
    tests: bool,
    trials: int | None,
    seed: int | None,
    overrides: tuple[str, ...],
    workers: Workers,
    allow_files: tuple[Path, ...],
    root: Path,
    as_json: bool,
    resume: Path | None,
) -> None:
    """Run STUDY, a scenario or a study file, in every combination of some values; say what differs by more than chance.

    \b
    Which algorithm, and how large a cluster?
      electsim compare scenarios/leader-crash.yaml --vary algorithm=bully,ring,raft \\
          --vary cluster.nodes=3,5,9
    \b
    Each beside Raft, at the same size:
      electsim compare scenarios/leader-crash.yaml --vary algorithm=bully,raft --vary cluster.nodes=3,5 \\
          --reference algorithm=raft
    \b
    Values are written as in the file; is this change without effect, to within 5 %?
      electsim compare raft-leader-crash --vary algorithm.heartbeat_interval=50ms,75ms --equivalent 5% \\
          --metric failover.median --metric failover.p99
    \b
    Go on with a comparison that was killed or interrupted; no finished trial is run again:
      electsim compare --resume results/compare-leader-crash-001

    All variants have the same seed. So trial 17 of two variants has common random numbers, and is compared as a pair.
    The table, a figure for each metric and the results of each variant are kept under results/.

    Variants that are no valid scenario are skipped, and named with the reason. Exits with 0; with 1 if a guarantee was
    violated; with 2 for bad input or a full disk; with 3 if a trial failed or a worker was killed; with 130 when
    interrupted and 143 when terminated (SIGTERM), keeping all that was finished.
    """
    chosen = study_or_result("compare", study_file, resume)
    if resume is not None:
        resume_sweep("compare", resume, workers, as_json, tests)
    options: dict[str, object] = {"--vary": vary, "--link": link, "--reference": reference, "--metric": metrics}
    options |= {"--equivalent": percent(margin), "--trials": trials, "--seed": seed}
    options |= {"--set": overrides, "--allow-files": allow_files}
    changes = {"trials": trials, "seed": seed, "metrics": list(metrics) or None}
    study = study_of(chosen, vary, link, overrides, changes)
    notice_drafts(root)
    command = command_of("compare", chosen, options)
    how = partial(_comparing, study, reference, margin)
    run_sweep(study, command, allow_files, root, workers, as_json, comparing=how, tests=tests)


def _comparing(study: Study, reference: Sequence[str], margin: float | None, cells: Sequence[StudyCell]) -> Comparing:
    """How to compare the cells. Ends the program if they cannot be compared."""
    from simulator.experiment.sweep.comparing import Comparing, check_comparable
    from simulator.experiment.sweep.options import read_reference
    from simulator.scenario import ScenarioError

    try:
        check_comparable(study, cells)
        values: dict[str, list[str]] = {}
        for cell in cells:
            for field, text in cell.settings.items():
                values.setdefault(field, []).append(text)
        return Comparing(read_reference(reference, values) if reference else None, margin)
    except ScenarioError as error:
        print_note(str(error))
        sys.exit(EXIT_BAD_INPUT)
