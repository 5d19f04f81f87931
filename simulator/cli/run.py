"""`electsim run`: the trials of a scenario, what they show, and the files that they leave."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simulator.cli.common import (
    EXIT_BAD_INPUT,
    EXIT_FOUND,
    EXIT_TRIALS_FAILED,
    PERCENTAGE,
    SCENARIO,
    WORKERS,
    end_interrupted,
    end_stopped_by,
    fail,
    load_scenario,
    notice_drafts,
    print_table,
    trials_progress,
)
from simulator.cli.completion import algorithm_names
from simulator.experiment.signals import INTERRUPTED, TERMINATED, interruptible, name_of_signal, uninterrupted

if TYPE_CHECKING:
    from simulator.analysis.measured import Measured
    from simulator.experiment.runner import Result
    from simulator.experiment.store import Draft
    from simulator.scenario import Scenario
    from simulator.trace.trace import Trace

MOST_TRIALS, LARGEST_SEED = 10**9, (1 << 63) - 1  # As the scenario schema has them; a test holds them equal.
_MOST_TOLD = 5  # Broken promises, one by one.
_LONGEST_JOURNAL = 1_000_000  # Messages of one trial, beyond which no timeline is drawn.


@click.command()
@SCENARIO
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
@click.option("--workers", type=WORKERS, default=0, help="Processes; 0, the default: one per core.")
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
    help="End as soon as the headline's median is known to within this, such as 5%; --trials is then the most.",
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
@click.option("--results", "root", type=click.Path(path_type=Path), default=Path("results"), show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON, and no table.")
@click.option("--trace", is_flag=True, help="Also store every row and every message of the first trial.")
def run(
    scenario_file: Path,
    trials: int | None,
    seed: int | None,
    overrides: tuple[str, ...],
    algorithm: str | None,
    workers: int,
    first_trial: int,
    precision: float | None,
    precision_of: str,
    measured_file: Path | None,
    measured_column: str | None,
    measured_unit: str | None,
    root: Path,
    as_json: bool,
    trace: bool,
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
    Another algorithm under the same faults, with the same luck (`electsim algorithms` lists them):
      electsim run scenarios/leader-crash.yaml --algorithm bully --set algorithm.answer_timeout=50ms
    \b
    As many trials as it takes to know the median failover to within 2 %, and 20 000 at the most:
      electsim run scenarios/raft-leader-crash.yaml --precision 2% --trials 20000
    \b
    Failovers of your own cluster, a column failover_ms or failover_s, over the simulated ones:
      electsim run scenarios/raft-etcd-failover.yaml --measured failovers.csv
    \b
    One trial again, with every message (its row in trials.parquet says trial 17):
      electsim run scenarios/raft-leader-crash.yaml --first-trial 17 --trials 1 --trace

    Exits with 0; with 1 where the algorithm broke a promise that the scenario does not waive, or the cluster did not
    recover as the scenario demands (liveness); with 2 for bad input or a full disk; with 3 where a trial failed; with
    130 when interrupted and 143 when terminated (SIGTERM), keeping the trials that were finished.
    """
    scenario = load_scenario(scenario_file, overrides, algorithm)
    if measured_file is None and (measured_column or measured_unit):
        fail("--measured-column and --measured-unit say how to read a file; name it with --measured", EXIT_BAD_INPUT)
    measured = None if measured_file is None else _measured(measured_file, measured_column, measured_unit)
    command = _command(
        scenario_file,
        {
            "--trials": trials or scenario.trials,
            "--seed": _or(seed, scenario.seed),
            "--algorithm": algorithm,
            "--set": overrides,
            "--first-trial": first_trial or None,
            "--measured": measured_file,
            "--measured-column": measured_column,
            "--measured-unit": measured_unit,
        },
    )
    request = _Request(scenario, command, trials, seed, first_trial, workers, precision, precision_of, measured)
    notice_drafts(root)
    outcome = _run_and_keep(request, root, as_json, trace)
    click.echo(f"Results are in {outcome.kept}", err=True)
    _finish(outcome)


# --- Parts of `run`


@dataclass(frozen=True, slots=True)
class _Request:
    """What is to be run. None: as the scenario says."""

    scenario: Scenario
    command: str
    trials: int | None
    seed: int | None
    first_trial: int
    workers: int
    precision: float | None
    precision_of: str
    measured: Measured | None


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What came of it."""

    result: Result
    failure: str | None  # Why it is not whole, where a trial failed.
    kept: Path
    signal: str | None  # The signal that ended it, if one did.
    not_drawn: str | None  # Why figures are missing, where they could not be written.


def _run_and_keep(request: _Request, root: Path, as_json: bool, trace: bool) -> _Outcome:
    """Run the trials, show and keep what they found, and draw it."""
    from simulator.experiment.store import StoreError, new_directory

    kept = None
    try:
        # But for the trials themselves: what is finished is not lost to a signal.
        with uninterrupted(), new_directory(root, request.scenario.name) as draft:
            result, failure = _simulate(request, draft)
            result = replace(result, measured=request.measured)
            terminated = result.stopped_by == TERMINATED  # Who sends SIGTERM does not wait for figures.
            try:
                first = None if terminated else _first_trace(result, trace)
                draft.write(result)
                if trace and first is not None:
                    draft.write_trace(first)
                kept = draft.publish()
            finally:  # Where nothing can be kept, it is at least shown.
                _show(result, as_json)
        not_drawn = None if first is None else _draw(result, first, kept)
    except StoreError as error:
        fail(str(error), EXIT_BAD_INPUT)
    except KeyboardInterrupt as error:
        if kept is None:
            end_interrupted(error, " before a trial was finished")
        click.echo("electsim: figures are left out", err=True)
        return _Outcome(result, failure, kept, name_of_signal(error), None)
    signal = result.stopped_by if result.stopped_by in (INTERRUPTED, TERMINATED) else None
    return _Outcome(result, failure, kept, signal, not_drawn)


def _simulate(request: _Request, draft: Draft) -> tuple[Result, str | None]:
    """The result; and why it is not whole, where a trial failed."""
    from simulator.experiment.runner import run as run_trials
    from simulator.experiment.trial import TrialError

    seed, trials = _or(request.seed, request.scenario.seed), request.trials or request.scenario.trials
    draft.begin(request.scenario, seed=seed, requested=trials, command=request.command)
    try:
        with interruptible(), trials_progress(request.scenario.name) as progress:
            return run_trials(
                request.scenario,
                trials=request.trials,
                seed=request.seed,
                first_trial=request.first_trial,
                workers=request.workers,
                precision=request.precision,
                precision_of=request.precision_of,
                progress=progress,
                on_finished=draft.append,
                command=request.command,
            ), None
    except TrialError as error:
        failure = f"{error}; again: {_replay(request.command, error.trial)}"
        if error.finished is None:
            fail(failure, EXIT_TRIALS_FAILED)
        return error.finished, failure
    finally:
        if draft.journal_error is not None:
            reason = draft.journal_error.strerror or draft.journal_error
            click.echo(f"electsim: finished trials were no longer written down as they came: {reason}", err=True)


def _or(given: int | None, otherwise: int) -> int:
    return otherwise if given is None else given


def _command(path: Path, options: Mapping[str, object]) -> str:
    """The command that repeats this run, whatever defaults the scenario has by then. What is None was not given."""
    words = ["electsim", "run", str(path)]
    for option, given in options.items():
        for value in given if isinstance(given, tuple) else (given,):
            words += [] if value is None else [option, str(value)]
    return shlex.join(words)


def _measured(path: Path, column: str | None, unit: str | None) -> Measured:
    """Read before anything is run: a mistake in the file is told at once."""
    from simulator.analysis.measured import MeasuredError, read_measured

    try:
        return read_measured(path, column, unit)
    except MeasuredError as error:
        fail(str(error), EXIT_BAD_INPUT)


def _replay(command: str, trial: int) -> str:
    whole_run = re.sub(r" --(?:trials|first-trial) \d+", "", command)
    return f"{whole_run} --first-trial {trial} --trials 1 --trace"


def _show(result: Result, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(result.summary, indent=2, ensure_ascii=False, allow_nan=False))
        return
    from simulator.report.tables.summary import summary_table

    print_table(summary_table(result.summary))


def _first_trace(result: Result, whole: bool) -> Trace:
    """The first trial once more, with its messages, for its timeline; very many are recorded only if asked for."""
    from simulator.cluster.cluster import run_trial

    first = result.trials.iloc[0]
    journal = whole or int(first["sent_total"]) <= _LONGEST_JOURNAL
    return run_trial(result.scenario.cluster_spec(), result.seed, int(first["trial"]), journal=journal)


def _draw(result: Result, first: Trace, directory: Path) -> str | None:
    """Add the figures; why they are left out, where they cannot be written: the data stay in."""
    from simulator.report.figures.run_figures import write_figures

    try:
        with interruptible():
            write_figures(result, first, directory)
    except OSError as error:
        return error.strerror or str(error)
    return None


def _finish(outcome: _Outcome) -> None:
    """Say what went wrong, if anything, and exit accordingly."""
    from simulator.checks.liveness import LIVENESS

    result, failure = outcome.result, outcome.failure
    for kind, broken in (("broken promise", result.violations), ("waived promise, broken", result.waived)):
        for trial, violation in broken[:_MOST_TOLD]:
            what = "no recovery" if violation.guarantee == LIVENESS else kind
            click.echo(f"electsim: {what}: trial {trial}: {violation}", err=True)
        if len(broken) > _MOST_TOLD:
            trials = len({trial for trial, _ in broken})
            click.echo(f"electsim: … and {len(broken) - _MOST_TOLD:,} more, in {trials:,} trials in all", err=True)
    if outcome.signal is not None:
        end_stopped_by(outcome.signal, f": {len(result.trials)} of {result.requested} trials were kept")
    if outcome.not_drawn is not None:
        fail(f"{outcome.kept}: figures are left out: {outcome.not_drawn}; the data are kept", EXIT_BAD_INPUT)
    if failure is not None:
        fail(f"{failure} ({len(result.trials)} trials before it were kept)", EXIT_TRIALS_FAILED)
    if result.violations:
        trial, first = result.violations[0]
        what = "a cluster did not recover in time" if first.guarantee == LIVENESS else "a promise was broken"
        fail(f"{what}; again: {_replay(result.command, trial)}", EXIT_FOUND)
