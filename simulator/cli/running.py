"""Runs the trials of a scenario for `electsim run`: shows, keeps and draws what they found, and says how it ended."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
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
    resume_command,
    why_not_drawn,
)
from simulator.cli.printing import print_json, print_note, print_table
from simulator.cli.progress import trials_progress
from simulator.experiment.files import UNFINISHED
from simulator.experiment.signals import (
    INTERRUPTED,
    TERMINATED,
    name_of_signal,
    uninterrupted,
)
from simulator.experiment.workers import ClusterError, Workers

if TYPE_CHECKING:
    from simulator.cli.monitoring import Exposition
    from simulator.experiment.plan import Plan
    from simulator.experiment.result import Result
    from simulator.experiment.runner import Ending
    from simulator.experiment.schedule import Cell
    from simulator.experiment.store import RunWriter
    from simulator.trace.trace import Trace

_MOST_SHOWN = 5  # Violated guarantees, one by one.
_LONGEST_JOURNAL = 1_000_000  # Messages of one trial, beyond which no timeline is drawn.


@dataclass(frozen=True, slots=True)
class Options:
    """How to run, and what to show. These options change no result."""

    workers: Workers
    as_json: bool
    trace: bool  # Whether every row and message of the first trial is stored.
    exposition: Exposition | None = None  # Where the scrapes of the first trial go.


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a run, and how it ended."""

    result: Result
    kept: Path
    signal: str | None = None  # The signal that ended it, if one did.
    died: str | None = None  # Why a worker process died, if one did.
    not_drawn: str | None = None  # The reason why figures are missing, if they could not be written.


def run_and_keep(plan: Plan, root: Path, options: Options) -> Outcome:
    """Run the trials in a new results directory; show and keep what they found, and draw it."""
    from simulator.experiment.store import new_directory

    return _run_in(
        new_directory(root, plan.scenario.name), plan, options, lambda writer: writer.begin(plan, trace=options.trace)
    )


def resume_and_keep(directory: Path, plan: Plan, options: Options) -> Outcome:
    """Run the trials that an unfinished result lacks; show and keep what all of them found, and draw it."""
    from simulator.experiment.store import earlier_directory

    return _run_in(earlier_directory(directory), plan, options, lambda writer: writer.resume())


def _resume(directory: Path) -> str:
    return resume_command("run", directory)


def _run_in(
    opened: AbstractContextManager[RunWriter], plan: Plan, options: Options, start: Callable[[RunWriter], None]
) -> Outcome:
    from simulator.experiment.files import StoreError

    outcome: Outcome | None = None
    try:
        # Signals are deferred except while trials run, so that a signal does not lose finished trials.
        with uninterrupted(), opened as writer:
            try:
                start(writer)
                outcome, first = _run_and_write(writer, plan, options)
            except StoreError as error:
                left = f"; then go on with `{resume_command('run', writer.path)}`" if writer.trials.counts() else ""
                fail(f"{error}{left}", EXIT_BAD_INPUT)
        if first is not None:
            outcome = replace(outcome, not_drawn=_draw(outcome.result, first, outcome.kept))
            if options.exposition is not None:
                options.exposition.write(first)
    except (StoreError, ClusterError) as error:
        fail(str(error), EXIT_BAD_INPUT)
    except KeyboardInterrupt as error:
        if outcome is None:
            end_interrupted(error, " before a trial was finished")
        print_note("electsim: figures are left out")
        return replace(outcome, signal=name_of_signal(error))
    return outcome


def _run_and_write(writer: RunWriter, plan: Plan, options: Options) -> tuple[Outcome, Trace | None]:
    """The outcome, and the first trial's trace if figures are wanted. Raises StoreError."""
    from simulator.experiment.runner import GATHERED_AT_ONCE

    cell = plan.cell(writer.trials)
    ending = _simulate(plan, cell, options.workers)
    finished = cell.finished - len(cell.failed)
    if not finished:
        _end_without_any(writer, plan, cell, ending.reason)
    terminated = (
        ending.signal == TERMINATED
    )  # The sender of SIGTERM does not wait for figures, nor for many statistics.
    if terminated and finished > GATHERED_AT_ONCE:
        writer.leave(TERMINATED)
        print_note(f"Results are in {writer.path}")
        remedy = (
            f"`electsim show {writer.path}` makes their tables, `{resume_command('run', writer.path)}` runs the others"
        )
        end_stopped_by(TERMINATED, f": {finished} of {plan.requested} trials were kept; {remedy}")
    result = writer.gather(plan, cell, ending.reason)
    _show(result, options.as_json)
    first = None if terminated else _first_trace(result, options.trace)
    if options.trace and first is not None:
        writer.write_trace(first)
    writer.conclude(result)
    return Outcome(result, writer.path, ending.signal, ending.died), first


def _simulate(plan: Plan, cell: Cell, workers: Workers) -> Ending:
    """Run the trials that are left."""
    from simulator.experiment.runner import run_until_ended

    with trials_progress(plan.scenario.name) as progress:
        left = plan.requested - cell.finished
        return run_until_ended([cell], workers, left, lambda cell, _: progress(cell.finished, plan.requested))


def _end_without_any(writer: RunWriter, plan: Plan, cell: Cell, reason: str | None) -> NoReturn:
    """End the program if there is no trial of which anything could be said."""
    from simulator.experiment.store import replay_command

    go_on = ""
    if writer.trials.counts() and reason is not None:
        writer.leave(reason)
        go_on = f"; go on with `{resume_command('run', writer.path)}`"
    if reason in (INTERRUPTED, TERMINATED):
        end_stopped_by(reason, f" before a trial was finished{go_on}")
    if reason is not None:
        fail(f"{reason}{go_on}", EXIT_TRIALS_FAILED)
    writer.discard()
    again = replay_command(plan.command, plan.first)
    fail(f"{cell.failed[plan.first]}; again: {again}; no trial was finished", EXIT_TRIALS_FAILED)


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

    first = result.tables.only({"trials": ("trial", "sent_total")}).trials.iloc[0]
    journal = whole or int(first["sent_total"]) <= _LONGEST_JOURNAL
    run_again = partial(run_trial, result.scenario.cluster_spec(), result.seed, int(first["trial"]))
    try:
        return run_again(journal=journal)
    except MemoryLimitError as error:
        print_note(f"electsim: messages are left out of the trace: {error}")
        return run_again(journal=False)


def _draw(result: Result, first: Trace, directory: Path) -> str | None:
    """Add the figures; why they are left out, where they cannot be written."""
    from simulator.report.figures.run_figures import write_figures

    return why_not_drawn(lambda: write_figures(result, first, directory))


def finish(outcome: Outcome) -> None:
    """Say what went wrong, if anything, and exit accordingly."""
    from simulator.checks.liveness import LIVENESS
    from simulator.experiment.store import replay_command

    result = outcome.result
    _note_violations(result)
    _note_failures(result)
    go_on = f"go on with `{resume_command('run', outcome.kept)}`"
    if outcome.signal is not None:
        left = f"; {go_on}" if result.state == UNFINISHED else ""
        end_stopped_by(outcome.signal, f": {result.trials_run} of {result.requested} trials were kept{left}")
    if outcome.not_drawn is not None:
        fail(f"{outcome.kept}: figures are left out: {outcome.not_drawn}; the data are kept", EXIT_BAD_INPUT)
    if outcome.died is not None:
        number = f"{result.trials_run} of {result.requested} trials were kept"
        fail(f"{outcome.died} ({number}; {go_on})", EXIT_TRIALS_FAILED)
    if result.failed:
        again = replay_command(result.command, result.failed[0][0])
        count = f"{len(result.failed):,} of {result.requested:,} trials failed"
        fail(f"{count}, the others were kept; the first again: {again}", EXIT_TRIALS_FAILED)
    if result.violations:
        trial, first = result.violations[0]
        what = "a cluster did not recover in time" if first.guarantee == LIVENESS else "a guarantee was violated"
        fail(f"{what}; again: {replay_command(result.command, trial)}", EXIT_FOUND)


def _note_violations(result: Result) -> None:
    from simulator.checks.liveness import LIVENESS

    for kind, broken in (("violated guarantee", result.violations), ("waived guarantee, violated", result.waived)):
        for trial, violation in broken[:_MOST_SHOWN]:
            what = "no recovery" if violation.guarantee == LIVENESS else kind
            print_note(f"electsim: {what}: trial {trial}: {violation}")
        if len(broken) > _MOST_SHOWN:
            trials = len({trial for trial, _ in broken})
            print_note(f"electsim: … and {len(broken) - _MOST_SHOWN:,} more, in {trials:,} trials in all")


def _note_failures(result: Result) -> None:
    for trial, error in result.failed[:_MOST_SHOWN]:
        print_note(f"electsim: trial {trial}: {error}")
    if len(result.failed) > _MOST_SHOWN:
        print_note(f"electsim: … and {len(result.failed) - _MOST_SHOWN:,} more; failures.parquet has all of them")
