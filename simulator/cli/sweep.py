"""`electsim sweep`: a scenario in many cells, each with other values of some fields."""

from __future__ import annotations

from pathlib import Path

import click

from simulator.cli.common import ALLOW_FILES, PERCENTAGE, notice_drafts, runs_on
from simulator.cli.run import LARGEST_SEED, MOST_TRIALS
from simulator.cli.study_options import LINK, STUDY_FILE, VARY, command_of, percent, study_of, study_or_result
from simulator.cli.sweeping import resume_sweep, run_sweep
from simulator.experiment.workers import Workers


@click.command()
@STUDY_FILE
@VARY
@LINK
@click.option("--sample", metavar="METHOD:N", help="N points between the ends of the axes; METHOD as in sobol:64.")
@click.option("--set", "overrides", multiple=True, metavar="FIELD=VALUE", help="Override a field in all cells.")
@click.option("--metric", "metrics", multiple=True, metavar="NAME", help="What the table shows; as `compare` has it.")
@click.option("--trials", type=click.IntRange(1, MOST_TRIALS), help="How many trials of each cell.")
@click.option("--seed", type=click.IntRange(0, LARGEST_SEED), help="The seed, in place of the scenario's.")
@click.option("--precision", type=PERCENTAGE, metavar="PERCENT", help="End a cell when it is known to within this.")
@click.option("--precision-of", type=click.Choice(["median", "p95", "p99"]), help="Which quantile that is about.")
@runs_on
@ALLOW_FILES
@click.option("--results", "root", type=click.Path(path_type=Path), default=Path("results"), show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print study.json, and no table.")
@click.option("--resume", metavar="RESULT", type=click.Path(path_type=Path), help="Run what is left of a sweep.")
def sweep(
    study_file: Path | None,
    vary: tuple[str, ...],
    link: tuple[str, ...],
    sample: str | None,
    overrides: tuple[str, ...],
    metrics: tuple[str, ...],
    trials: int | None,
    seed: int | None,
    precision: float | None,
    precision_of: str | None,
    workers: Workers,
    allow_files: tuple[Path, ...],
    root: Path,
    as_json: bool,
    resume: Path | None,
) -> None:
    """Run STUDY, a study file or a scenario, in every cell of its axes, and show what each cell found.

    \b
    Which heartbeat interval, with an election timeout that follows it?
      electsim sweep raft-etcd-failover --vary algorithm.heartbeat_interval=50ms,100ms,200ms \\
          --link 'algorithm.election_timeout=10 * algorithm.heartbeat_interval'
    \b
    Three algorithms in eight sizes, evenly by ratio:
      electsim sweep leader-crash --vary algorithm=bully,ring,raft --vary cluster.nodes=3..101:log8
    \b
    A study that is kept in a file (docs/sweep.md), with 64 points in place of all combinations:
      electsim sweep studies/etcd-timeouts.yaml --sample sobol:64
    \b
    Go on with a sweep that was killed or interrupted; no finished trial is run again:
      electsim sweep --resume results/sweep-leader-crash-001

    Cells that are no valid scenario are skipped, and counted with the reason. Exits with 0; with 1 if a guarantee was
    violated; with 2 for bad input or a full disk; with 3 if a trial failed or a worker was killed; with 130 when
    interrupted and 143 when terminated (SIGTERM), keeping all that was finished.
    """
    chosen = study_or_result("sweep", study_file, resume)
    if resume is not None:
        resume_sweep("sweep", resume, workers, as_json)
    options: dict[str, object] = {"--vary": vary, "--link": link, "--sample": sample, "--set": overrides}
    options |= {"--metric": metrics, "--trials": trials, "--seed": seed, "--precision-of": precision_of}
    options |= {"--precision": percent(precision), "--allow-files": allow_files}
    changes = {"trials": trials, "seed": seed, "precision": precision, "precision_of": precision_of, "sample": sample}
    study = study_of(chosen, vary, link, overrides, {**changes, "metrics": list(metrics) or None})
    notice_drafts(root)
    run_sweep(study, command_of("sweep", chosen, options), allow_files, root, workers, as_json)
