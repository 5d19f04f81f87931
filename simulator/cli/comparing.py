"""Runs variants of a scenario for `electsim compare`: keeps and compares what they found, and says how it ended."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, cast

from simulator.cli.common import (
    EXIT_BAD_INPUT,
    EXIT_FOUND,
    EXIT_TRIALS_FAILED,
    end_stopped_by,
    fail,
)
from simulator.cli.printing import print_note
from simulator.cli.running import simulate
from simulator.experiment.signals import INTERRUPTED, TERMINATED

if TYPE_CHECKING:
    from simulator.analysis.comparison import ComparisonPlan
    from simulator.analysis.estimates import Summary
    from simulator.experiment.result import Result
    from simulator.experiment.store import RunWriter
    from simulator.experiment.variants import Variant

    Part = tuple[Variant, Result]


@dataclass(frozen=True, slots=True)
class Request:
    """What to run and to compare. None stands for the scenario's own value."""

    variants: Sequence[Variant]
    plan: ComparisonPlan
    # The arguments of the command that repeats the comparison, except the plan's margin, the trials and the seed.
    words: Sequence[str]
    trials: int | None
    seed: int | None
    workers: int


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A variant that was cut short."""

    name: str
    finished: int
    requested: int
    described: Summary  # The form of comparison.json.


@dataclass(frozen=True, slots=True)
class Found:
    """The variants that were run and kept."""

    parts: list[Part]  # The variants of which all trials were finished.
    stopped_by: str | None = None  # The reason why no more variants were finished.
    # The variant that was under way when the comparison ended, if some of its trials were finished.
    unfinished: Unfinished | None = None

    @property
    def signal(self) -> str | None:
        """The signal that ended the comparison, if one did."""
        return self.stopped_by if self.stopped_by in (INTERRUPTED, TERMINATED) else None


def run_all(request: Request, writer: RunWriter) -> Found:
    """Run the variants. Each is kept as soon as it is finished; of one that was cut short, the finished trials are."""
    parts: list[Part] = []
    writer.begin_parts(shlex.join(["electsim", "compare", *request.words]))
    for number, variant in enumerate(request.variants, 1):
        part = writer.part(_directory(number, variant))
        name = f"{variant.name} ({number} of {len(request.variants)})"
        result, reason, finished = _run_one(variant, name, part, request)
        if reason is not None:
            return Found(parts, reason, _unfinished(number, variant, part, result, finished, request.trials))
        parts.append((variant, cast("Result", result)))
    return Found(parts)


def _unfinished(
    number: int, variant: Variant, part: RunWriter, result: Result | None, finished: int, trials: int | None
) -> Unfinished | None:
    """What is kept of the variant under way. Without a result: what was written down, if anything was."""
    directory, requested = _directory(number, variant), trials or variant.scenario.trials
    if result is not None:
        return Unfinished(variant.name, result.trials_run, requested, variant.described(result, directory))
    if not finished:
        part.discard()
        return None
    described = {
        "name": variant.name,
        "settings": dict(variant.settings),
        "directory": directory,
        "trials": {"run": finished, "requested": requested},
    }
    return Unfinished(variant.name, finished, requested, described)


def _run_one(variant: Variant, name: str, part: RunWriter, request: Request) -> tuple[Result | None, str | None, int]:
    """The result, why it is not whole, if it is not, and the number of finished trials.

    There is no result without a finished trial, and none if SIGTERM leaves no time for it.
    """
    from simulator.experiment.plan import Plan, default_command
    from simulator.experiment.runner import GATHERED_AT_ONCE

    scenario = variant.scenario
    seed = scenario.seed if request.seed is None else request.seed
    count = request.trials or scenario.trials
    command = default_command(seed, count, 0)
    plan = Plan(scenario=scenario, seed=seed, first=0, requested=count, command=command)
    part.begin(plan)
    cell = plan.cell(part.trials, ends_at_failure=True)
    signal, died = simulate(plan, cell, name, request.workers)
    finished = cell.end_without_gap
    reason = signal
    if died is not None:
        reason = f"{variant.name}: trial {finished}: {died}"
    elif finished in cell.failed:
        reason = f"{variant.name}: {cell.failed[finished]}"
    if not finished:
        return None, reason, 0
    if signal == TERMINATED and finished > GATHERED_AT_ONCE:
        part.leave(signal)
        return None, reason, finished
    result = part.gather(plan, cell, reason)
    part.conclude(result)
    return result, reason, finished


def end_without_any(reason: str) -> NoReturn:
    """End if no trial was finished: print the reason, and exit with its code."""
    what = ": no trial was finished"
    if reason in (INTERRUPTED, TERMINATED):
        end_stopped_by(reason, what)
    fail(f"{reason}{what}", EXIT_TRIALS_FAILED)


def _directory(number: int, variant: Variant) -> str:
    return f"{number:02}-" + re.sub(r"[^A-Za-z0-9.]+", "-", variant.name).strip("-.")[:60]


def compare_and_keep(request: Request, writer: RunWriter, found: Found) -> tuple[Path, Summary]:
    """Compare the variants and publish the results. Returns the directory and the comparison."""
    from simulator.analysis.comparison import compare as compared
    from simulator.analysis.comparison import provenance
    from simulator.experiment.runner import GATHERED_AT_ONCE

    parts, plan, scenario = found.parts, request.plan, request.variants[0].scenario
    count = request.trials or scenario.trials
    used_seed = scenario.seed if request.seed is None else request.seed
    margin = [] if plan.margin is None else ["--equivalent", f"{100 * plan.margin:g}%"]
    command = ["electsim", "compare", *request.words, *margin, "--trials", str(count), "--seed", str(used_seed)]
    hurried = found.stopped_by == TERMINATED and len(parts) * count > GATHERED_AT_ONCE
    compared_parts = [] if hurried else [variant.compared(result) for variant, result in parts]
    comparison = {
        **provenance(scenario.name, shlex.join(command), used_seed),
        "stopped_by": found.stopped_by,
        "reference": None if plan.reference is None else dict(plan.reference),
        "equivalent": plan.margin,
        "variants": [
            variant.described(result, _directory(number, variant)) for number, (variant, result) in enumerate(parts, 1)
        ],
        **compared(compared_parts, plan),
    }
    if found.unfinished is not None:
        comparison["unfinished"] = found.unfinished.described
    writer.write_json("comparison.json", comparison)
    writer.end_parts()
    return writer.path, comparison


def draw(comparison: Summary, directory: Path) -> str | None:
    """Add the figures; why they are left out, where they cannot be written."""
    from simulator.report.figures.comparison import write_comparison_figures

    try:
        write_comparison_figures(comparison, directory)
    except OSError as error:
        return error.strerror or str(error)
    return None


def finish(found: Found, asked: int, not_drawn: str | None) -> None:
    """Say what went wrong, if anything, and exit accordingly."""
    parts = found.parts
    for variant, result in parts:
        for guarantee, count in result.summary["violations"].items():
            print_note(f"electsim: {variant.name}: {guarantee} was broken {count:,} times")
    kept = f": {len(parts)} of {asked} variants were kept"
    if found.unfinished is not None:
        cut = found.unfinished
        kept += f", and {cut.finished} of {cut.requested} trials of {cut.name}"
    if found.signal is not None:
        end_stopped_by(found.signal, kept)
    if not_drawn is not None:
        fail(f"figures are left out: {not_drawn}; the data are kept", EXIT_BAD_INPUT)
    if found.stopped_by is not None:
        fail(f"{found.stopped_by}{kept}", EXIT_TRIALS_FAILED)
    if any(result.violations for _, result in parts):
        fail("a guarantee was violated; `electsim run` says where", EXIT_FOUND)
