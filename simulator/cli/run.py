"""`electsim run`: the trials of a scenario, what they show, and the files that they leave."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click
from click.core import ParameterSource

from simulator.cli.common import (
    ALLOW_FILES,
    EXIT_BAD_INPUT,
    PERCENTAGE,
    fail,
    load_scenario,
    notice_drafts,
    runs_on,
)
from simulator.cli.completion import algorithm_names, scenario_names
from simulator.cli.monitoring import OPENMETRICS, SCRAPE, Exposition
from simulator.cli.printing import print_note
from simulator.cli.running import Options, Outcome, finish, resume_and_keep, run_and_keep

if TYPE_CHECKING:
    from simulator.analysis.measured import Measured
    from simulator.experiment.plan import Plan
    from simulator.experiment.workers import Workers
    from simulator.scenario import Scenario

MOST_TRIALS, LARGEST_SEED = 10**9, (1 << 63) - 1  # The names in the scenario schema; a test holds both lists equal.


@click.command()
@click.argument(
    "scenario_file", metavar="SCENARIO", required=False, type=click.Path(path_type=Path), shell_complete=scenario_names
)
@click.option(
    "--trials", type=click.IntRange(1, MOST_TRIALS), help="How many trials, in place of the scenario's number."
)
@click.option("--seed", type=click.IntRange(0, LARGEST_SEED), help="The seed, in place of the scenario's.")
@click.option("--set", "overrides", multiple=True, metavar="FIELD=VALUE", help="Override a field; may be repeated.")
@click.option(
    "--algorithm",
    metavar="NAME",
    shell_complete=algorithm_names,
    help="Another algorithm in place of the scenario's, with its default options.",
)
@runs_on
@click.option(
    "--first-trial",
    type=click.IntRange(0, LARGEST_SEED - MOST_TRIALS),
    default=0,
    help="The number of the first trial.",
)
@click.option(
    "--precision",
    type=PERCENTAGE,
    metavar="PERCENT",
    help="End as soon as the primary median is known to within this, such as 5%; --trials is then the most.",
)
@click.option(
    "--precision-of",
    type=click.Choice(["median", "p95", "p99"]),
    default="median",
    show_default=True,
    help="Which quantile --precision is about.",
)
@click.option(
    "--measured",
    "measured_file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="A CSV file of failovers that you have measured, to lay over the simulated ones.",
)
@click.option("--measured-column", metavar="NAME", help="Which of its columns.  [default: failover_…]")
@click.option(
    "--measured-unit", type=click.Choice(["ns", "us", "ms", "s", "m", "h"]), help="Its unit, where its name has none."
)
@ALLOW_FILES
@click.option("--results", "root", type=click.Path(path_type=Path), default=Path("results"), show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON, and no table.")
@click.option("--trace", is_flag=True, help="Also store every row and every message of the first trial.")
@OPENMETRICS
@SCRAPE
@click.option(
    "--resume",
    metavar="RESULT",
    type=click.Path(path_type=Path),
    help="Run the trials that are left of an unfinished result; takes no SCENARIO.",
)
def run(
    scenario_file: Path | None,
    trials: int | None,
    seed: int | None,
    overrides: tuple[str, ...],
    algorithm: str | None,
    workers: Workers,
    first_trial: int,
    precision: float | None,
    precision_of: str,
    measured_file: Path | None,
    measured_column: str | None,
    measured_unit: str | None,
    allow_files: tuple[Path, ...],
    root: Path,
    as_json: bool,
    trace: bool,
    exposition: Exposition | None,
    resume: Path | None,
) -> None:
    """Run the trials of SCENARIO, print what they show, and keep it under results/.

    \b
    The same scenario, seed and version give the same digest, however many workers:
      electsim run scenarios/raft-leader-crash.yaml --trials 1000 --seed 7
    \b
    Fields are named by their path, values written as in the file:
      electsim run scenarios/raft-leader-crash.yaml --set cluster.nodes=9 \\
          --set 'algorithm.election_timeout=[300ms, 600ms]'
    \b
    Another algorithm under the same faults and random numbers (`electsim algorithms` lists them):
      electsim run scenarios/leader-crash.yaml --algorithm bully --set algorithm.answer_timeout=50ms
    \b
    As many trials as it takes to know the median failover to within 2 %, and 20 000 at the most:
      electsim run scenarios/raft-leader-crash.yaml --precision 2% --trials 20000
    \b
    Failovers of your own cluster, a column failover_ms or failover_s, over the simulated ones:
      electsim run scenarios/raft-etcd-failover.yaml --measured failovers.csv
    \b
    Go on with a run that was killed, interrupted or terminated; no finished trial is run again:
      electsim run --resume results/raft-leader-crash-001
    \b
    One trial again, with every message (its row in trials.parquet says trial 17):
      electsim run scenarios/raft-leader-crash.yaml --first-trial 17 --trials 1 --trace

    Exits with 0; with 1 if the algorithm violated a guarantee that the scenario does not waive, or the cluster did not
    recover as the scenario demands (liveness); with 2 for bad input or a full disk; with 3 if a trial failed or a
    worker was killed; with 130 when interrupted and 143 when terminated (SIGTERM), which keeps finished trials.
    """
    if resume is not None:
        _resume(resume, Options(workers, as_json, trace, exposition))
    if scenario_file is None:
        fail("run: name a SCENARIO, or an unfinished result: --resume RESULT", EXIT_BAD_INPUT)
    scenario = load_scenario(scenario_file, overrides, algorithm, allow_files)
    over = _MeasuredFile(measured_file, measured_column, measured_unit)
    wanted = _Wanted(trials or scenario.trials, _or(seed, scenario.seed), first_trial, precision, precision_of)
    repeated = {"--algorithm": algorithm, "--set": overrides, **over.options(), "--allow-files": allow_files}
    plan = wanted.plan(scenario, _command(scenario_file, wanted.options() | repeated), over.read())
    notice_drafts(root)
    _end(run_and_keep(plan, root, Options(workers, as_json, trace, exposition)))


# --- Parts of `run`


def _resume(directory: Path, options: Options) -> NoReturn:
    """Run the trials that are left of an unfinished result. Ends the program if other options are given."""
    from simulator.experiment.files import StoreError
    from simulator.experiment.unfinished import resumable

    context = click.get_current_context()
    for name in context.params.keys() - {"resume", "processes", "dask", "as_json", "exposition"}:
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            what = f"RESULT says what to run, and {name.replace('_', '-')} cannot change it"
            fail(f"run --resume: {what}; give only --workers, --dask, --json and --openmetrics with it", EXIT_BAD_INPUT)
    try:
        plan, trace = resumable(directory)
    except StoreError as error:
        fail(str(error), EXIT_BAD_INPUT)
    _end(resume_and_keep(directory, plan, replace(options, trace=trace)))


def _end(outcome: Outcome) -> NoReturn:
    """Say where the results are, and end with the exit code that the outcome has."""
    print_note(f"Results are in {outcome.kept}")
    finish(outcome)
    sys.exit(0)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which trials are wanted."""

    trials: int
    seed: int
    first: int
    precision: float | None
    precision_of: str

    def options(self) -> dict[str, object]:
        """The same options again, for the command that repeats the run: with the trials that it ran."""
        return {"--trials": self.trials, "--seed": self.seed, "--first-trial": self.first or None}

    def plan(self, scenario: Scenario, command: str, measured: Measured | None) -> Plan:
        """What is to be run."""
        from simulator.experiment.plan import Plan

        return Plan(
            scenario=scenario,
            seed=self.seed,
            first=self.first,
            requested=self.trials,
            command=command,
            precision=self.precision,
            precision_of=self.precision_of,
            measured=measured,
        )


def _or(value: int | None, otherwise: int) -> int:
    return otherwise if value is None else value


def _command(path: Path, options: Mapping[str, object]) -> str:
    """The command that repeats this run, whatever defaults the scenario has by then. A value of None is left out."""
    words = ["electsim", "run", str(path)]
    for option, values in options.items():
        for value in values if isinstance(values, tuple) else (values,):
            words += [] if value is None else [option, str(value)]
    return shlex.join(words)


@dataclass(frozen=True, slots=True)
class _MeasuredFile:
    """What the options say about a file of measured failovers."""

    path: Path | None
    column: str | None
    unit: str | None

    def read(self) -> Measured | None:
        """Read the file before anything is run, so that a mistake in the file is reported at once."""
        from simulator.analysis.measured import MeasuredError, read_measured

        if self.path is None:
            if self.column or self.unit:
                wanted = "--measured-column and --measured-unit say how to read a file; name it with --measured"
                fail(wanted, EXIT_BAD_INPUT)
            return None
        try:
            return read_measured(self.path, self.column, self.unit)
        except MeasuredError as error:
            fail(str(error), EXIT_BAD_INPUT)

    def options(self) -> dict[str, object]:
        """The same options again, for the command that repeats the run."""
        return {"--measured": self.path, "--measured-column": self.column, "--measured-unit": self.unit}
