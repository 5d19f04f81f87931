"""`electsim tune`: search the settings that recover soonest and rarely depose a leader that is fine."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simulator.cli.common import ALLOW_FILES, EXIT_BAD_INPUT, fail, notice_drafts, runs_on
from simulator.cli.printing import print_note
from simulator.cli.run import LARGEST_SEED, MOST_TRIALS
from simulator.cli.study_options import LINK, STUDY_FILE, VARY, command_of, read_axes, read_pairs, study_or_result
from simulator.cli.tuning import resume_tuning, run_tuning
from simulator.experiment.workers import Workers

if TYPE_CHECKING:
    from simulator.experiment.tune.request import Request


@click.command()
@STUDY_FILE
@VARY
@LINK
@click.option("--minimise", metavar="METRIC", default="failover.p99", show_default=True, help="As `compare` has it.")
@click.option("--subject-to", multiple=True, metavar="BOUND", help="By default 'false_elections < 1/month'.")
@click.option("--fault-free", metavar="TIME", help="Simulated time without faults; by default what the bound needs.")
@click.option("--points", type=click.IntRange(1, 10_000), help="Let optuna propose so many settings, and no grid.")
@click.option("--no-margin", is_flag=True, help="Do not look how much slower the network may get.")
@click.option("--set", "overrides", multiple=True, metavar="FIELD=VALUE", help="Override a field in all settings.")
@click.option("--trials", type=click.IntRange(1, MOST_TRIALS), help="Trials with the faults, for each; 500.")
@click.option("--seed", type=click.IntRange(0, LARGEST_SEED), help="The seed, in place of the scenario's.")
@runs_on
@ALLOW_FILES
@click.option("--results", "root", type=click.Path(path_type=Path), default=Path("results"), show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print tune.json, and no table.")
@click.option("--resume", metavar="RESULT", type=click.Path(path_type=Path), help="Go on with a tuner that was ended.")
def tune(
    study_file: Path | None,
    vary: tuple[str, ...],
    link: tuple[str, ...],
    minimise: str,
    subject_to: tuple[str, ...],
    fault_free: str | None,
    points: int | None,
    no_margin: bool,
    overrides: tuple[str, ...],
    trials: int | None,
    seed: int | None,
    workers: Workers,
    allow_files: tuple[Path, ...],
    root: Path,
    as_json: bool,
    resume: Path | None,
) -> None:
    """Search the settings of STUDY with the least METRIC that keep the bounds, above all on false elections.

    STUDY is a scenario, or a study file (docs/sweep.md).

    \b
    Which timeouts for this network, if a leader that is fine may be deposed once a month?
      electsim tune raft-world --vary algorithm.heartbeat_interval=100ms,200ms,400ms \\
          --vary 'algorithm.election_timeout=[500ms, 1s],[1s, 2s],[2s, 4s]'
    \b
    etcd's two flags, over a range that is too large for a grid (needs the extra `study`):
      electsim tune raft-etcd-failover --vary algorithm.heartbeat_interval=10ms..500ms:log \\
          --link 'algorithm.tick=algorithm.heartbeat_interval' \\
          --link 'algorithm.election_timeout=[10 * algorithm.heartbeat_interval, 19 * algorithm.heartbeat_interval]'
    \b
    Go on with a tuner that was killed or interrupted; no finished trial is run again:
      electsim tune --resume results/tune-raft-world-001

    A false election is counted in the same scenario without its faults. Exits with 0; with 1 if a guarantee was
    violated, or if no settings were shown to keep the bounds; with 2 for bad input or a full disk; with 3 where a
    trial failed or a worker was killed; with 130 when interrupted and 143 when terminated (SIGTERM), keeping all that
    was finished.
    """
    chosen = study_or_result("tune", study_file, resume)
    if resume is not None:
        resume_tuning(resume, workers, as_json)
    shown: dict[str, object] = {"--vary": vary, "--link": link, "--minimise": minimise, "--subject-to": subject_to}
    shown |= {"--fault-free": fault_free, "--points": points, "--set": overrides, "--trials": trials, "--seed": seed}
    command = command_of("tune", chosen, shown | {"--allow-files": allow_files}) + " --no-margin" * no_margin
    study = {"vary": vary, "link": link, "set": overrides, "trials": trials, "seed": seed}
    own = {"minimise": minimise, "subject_to": subject_to, "points": points, "margin": not no_margin}
    request = _request(chosen, study, own | {"allow_files": tuple(map(str, allow_files))}, fault_free, command)
    notice_drafts(root)
    run_tuning(request, root, workers, as_json)


def _request(
    path: Path, study: Mapping[str, Any], own: Mapping[str, Any], fault_free: str | None, command: str
) -> Request:
    """What the options ask for. Ends the program if something is wrong with it."""
    from simulator.experiment.sweep.study import read_study, refused
    from simulator.experiment.tune.request import Request
    from simulator.scenario import ScenarioError
    from simulator.scenario.text.units import parse_duration

    try:
        changes: dict[str, Any] = {name: study[name] for name in ("trials", "seed") if study[name] is not None}
        changes |= {"axes": read_axes(study["vary"]), "link": read_pairs("--link", study["link"])}
        changes["set"] = read_pairs("--set", study["set"])
        try:
            fault_free_s = None if fault_free is None else parse_duration(fault_free) / 1e9
        except ValueError as error:
            raise refused(f"--fault-free {fault_free}", str(error)) from None
        return Request(study=read_study(path, changes), fault_free_s=fault_free_s, command=command, **own).checked()
    except ScenarioError as error:
        print_note(str(error))
        sys.exit(EXIT_BAD_INPUT)
    except OSError as error:
        fail(f"{path}: cannot be read: {error.strerror or error}", EXIT_BAD_INPUT)
