"""Runs the trials of a scenario for `electsim run`: shows, keeps and draws what they found, and says how it ended."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from simulator.cli.common import (
    EXIT_BAD_INPUT,
    EXIT_FOUND,
    EXIT_TRIALS_FAILED,
    end_interrupted,
    end_stopped_by,
    fail,
)
from simulator.cli.printing import print_json, print_note, print_table, trials_progress
from simulator.experiment.signals import (
    INTERRUPTED,
    TERMINATED,
    Terminated,
    interruptible,
    name_of_signal,
    uninterrupted,
)

if TYPE_CHECKING:
    from simulator.analysis.measured import Measured
    from simulator.experiment.runner import Result
    from simulator.experiment.store import RunWriter
    from simulator.scenario import Scenario
    from simulator.trace.trace import Trace

_MOST_SHOWN = 5  # Violated guarantees, one by one.
_LONGEST_JOURNAL = 1_000_000  # Messages of one trial, beyond which no timeline is drawn.


@dataclass(frozen=True, slots=True)
class Request:
    """What to run. None stands for the scenario's own value."""

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
class Outcome:
    """The result of a request, and how it ended."""

    result: Result
    failure: str | None  # Why it is not whole, where a trial failed.
    kept: Path
    signal: str | None  # The signal that ended it, if one did.
    not_drawn: str | None  # Why figures are missing, where they could not be written.


def run_and_keep(request: Request, root: Path, as_json: bool, trace: bool) -> Outcome:
    """Run the trials, show and keep what they found, and draw it."""
    from simulator.experiment.store import StoreError, new_directory

    kept = None
    try:
        # But for the trials themselves: what is finished is not lost to a signal.
        with uninterrupted(), new_directory(root, request.scenario.name) as writer:
            try:
                result, failure = _simulate(request, writer)
            except Terminated:
                if writer.finished:
                    _leave(writer, request)
                raise
            result = replace(result, measured=request.measured)
            terminated = result.stopped_by == TERMINATED  # The sender of SIGTERM does not wait for figures.
            try:
                first = None if terminated else _first_trace(result, trace)
                writer.write(result)
                if trace and first is not None:
                    writer.write_trace(first)
                kept = writer.publish()
            finally:  # If no result can be stored, the table is still printed.
                _show(result, as_json)
        not_drawn = None if first is None else _draw(result, first, kept)
    except StoreError as error:
        fail(str(error), EXIT_BAD_INPUT)
    except KeyboardInterrupt as error:
        if kept is None:
            end_interrupted(error, " before a trial was finished")
        print_note("electsim: figures are left out")
        return Outcome(result, failure, kept, name_of_signal(error), None)
    signal = result.stopped_by if result.stopped_by in (INTERRUPTED, TERMINATED) else None
    return Outcome(result, failure, kept, signal, not_drawn)


def _leave(writer: RunWriter, request: Request) -> NoReturn:
    """Keep the trials that were written down, without statistics: SIGTERM leaves no time for them."""
    writer.leave(TERMINATED)
    kept = writer.publish()
    print_note(f"Results are in {kept}")
    asked = request.trials or request.scenario.trials
    remedy = f"`electsim show {kept}` makes their tables"
    end_stopped_by(TERMINATED, f": {writer.finished} of {asked} trials were kept; {remedy}")


def _simulate(request: Request, writer: RunWriter) -> tuple[Result, str | None]:
    """The result, and the reason if it is incomplete because a trial failed."""
    from simulator.experiment.runner import run as run_trials
    from simulator.experiment.trial import TrialError

    seed, trials = (
        request.scenario.seed if request.seed is None else request.seed,
        request.trials or request.scenario.trials,
    )
    writer.begin(request.scenario, seed=seed, requested=trials, command=request.command)
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
                on_finished=writer.append,
                command=request.command,
            ), None
    except TrialError as error:
        failure = f"{error}; again: {_replay(request.command, error.trial)}"
        if error.finished is None:
            fail(failure, EXIT_TRIALS_FAILED)
        return error.finished, failure
    finally:
        if writer.journal_error is not None:
            reason = writer.journal_error.strerror or writer.journal_error
            print_note(f"electsim: finished trials were no longer written down as they came: {reason}")


def _replay(command: str, trial: int) -> str:
    whole_run = re.sub(r" --(?:trials|first-trial) \d+", "", command)
    return f"{whole_run} --first-trial {trial} --trials 1 --trace"


def _show(result: Result, as_json: bool) -> None:
    if as_json:
        print_json(result.summary)
        return
    from simulator.report.tables.summary import summary_table

    print_table(summary_table(result.summary))


def _first_trace(result: Result, whole: bool) -> Trace:
    """Run the first trial again for its timeline, with its messages: very many of them only if they are asked for.

    A trial near its memory limit may exceed it with its messages: then it is run without them.
    """
    from simulator.cluster.cluster import run_trial
    from simulator.cluster.memory import MemoryLimitError

    first = result.trials.iloc[0]
    journal = whole or int(first["sent_total"]) <= _LONGEST_JOURNAL
    run_again = partial(run_trial, result.scenario.cluster_spec(), result.seed, int(first["trial"]))
    try:
        return run_again(journal=journal)
    except MemoryLimitError as error:
        print_note(f"electsim: messages are left out of the trace: {error}")
        return run_again(journal=False)


def _draw(result: Result, first: Trace, directory: Path) -> str | None:
    """Add the figures; why they are left out, where they cannot be written: the data stay in."""
    from simulator.report.figures.run_figures import write_figures

    try:
        with interruptible():
            write_figures(result, first, directory)
    except OSError as error:
        return error.strerror or str(error)
    return None


def finish(outcome: Outcome) -> None:
    """Say what went wrong, if anything, and exit accordingly."""
    from simulator.checks.liveness import LIVENESS

    result, failure = outcome.result, outcome.failure
    for kind, broken in (("violated guarantee", result.violations), ("waived guarantee, violated", result.waived)):
        for trial, violation in broken[:_MOST_SHOWN]:
            what = "no recovery" if violation.guarantee == LIVENESS else kind
            print_note(f"electsim: {what}: trial {trial}: {violation}")
        if len(broken) > _MOST_SHOWN:
            trials = len({trial for trial, _ in broken})
            print_note(f"electsim: … and {len(broken) - _MOST_SHOWN:,} more, in {trials:,} trials in all")
    if outcome.signal is not None:
        end_stopped_by(outcome.signal, f": {len(result.trials)} of {result.requested} trials were kept")
    if outcome.not_drawn is not None:
        fail(f"{outcome.kept}: figures are left out: {outcome.not_drawn}; the data are kept", EXIT_BAD_INPUT)
    if failure is not None:
        fail(f"{failure} ({len(result.trials)} trials before it were kept)", EXIT_TRIALS_FAILED)
    if result.violations:
        trial, first = result.violations[0]
        what = "a cluster did not recover in time" if first.guarantee == LIVENESS else "a guarantee was violated"
        fail(f"{what}; again: {_replay(result.command, trial)}", EXIT_FOUND)
