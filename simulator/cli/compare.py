"""`electsim compare`: variants of a scenario beside each other, trial by trial with the same luck."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, cast

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
    notice_drafts,
    print_table,
    trials_progress,
)
from simulator.cli.run import LARGEST_SEED, MOST_TRIALS
from simulator.experiment.signals import INTERRUPTED, TERMINATED, interruptible, name_of_signal, uninterrupted

if TYPE_CHECKING:
    from simulator.analysis.comparison import ComparisonPlan
    from simulator.analysis.estimates import Summary
    from simulator.experiment.runner import Result
    from simulator.experiment.store import Draft
    from simulator.experiment.variants import Variant

    Part = tuple[Variant, Result]


@click.command()
@SCENARIO
@click.option("--vary", "fields", multiple=True, metavar="FIELD=A,B,…", help="A field and its values; may be repeated.")
@click.option("--reference", multiple=True, metavar="FIELD=VALUE", help="What to compare with, in place of the best.")
@click.option("--metric", "metrics", multiple=True, metavar="NAME", help="Which metrics; may be repeated.")
@click.option(
    "--equivalent", "margin", type=PERCENTAGE, metavar="PERCENT", help="Also tell what is equal to within it."
)
@click.option("--tests", is_flag=True, help="Also test whole distributions (Kolmogorov–Smirnov, Mann–Whitney).")
@click.option("--trials", type=click.IntRange(1, MOST_TRIALS), help="How many trials of each variant.")
@click.option("--seed", type=click.IntRange(0, LARGEST_SEED), help="The seed, in place of the scenario's.")
@click.option("--set", "overrides", multiple=True, metavar="FIELD=VALUE", help="Override a field in all variants.")
@click.option("--workers", type=WORKERS, default=0, help="Processes; 0, the default: one per core.")
@click.option("--results", "root", type=click.Path(path_type=Path), default=Path("results"), show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON, and no table.")
def compare(
    scenario_file: Path,
    fields: tuple[str, ...],
    reference: tuple[str, ...],
    metrics: tuple[str, ...],
    margin: float | None,
    tests: bool,
    trials: int | None,
    seed: int | None,
    overrides: tuple[str, ...],
    workers: int,
    root: Path,
    as_json: bool,
) -> None:
    """Run SCENARIO in every combination of some values, and say what differs by more than chance.

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

    All variants have the same seed, so that trial 17 of one and of another share their luck and are compared as a pair.
    The table, a figure for each metric and the results of each variant are kept under results/.

    Exits with 0; with 1 where a promise was broken; with 2 for bad input or a full disk; with 3 where a trial failed;
    with 130 when interrupted and 143 when terminated (SIGTERM), keeping the variants that were finished, and the
    finished trials of the one under way.
    """
    from simulator.analysis.comparison import ComparisonPlan
    from simulator.experiment.store import StoreError, new_directory
    from simulator.experiment.variants import read_reference, variants, varied
    from simulator.scenario import ScenarioError

    try:
        by_field = varied(fields)
        made = variants(scenario_file, by_field, overrides)
        held = read_reference(reference, by_field) if reference else None
    except ScenarioError as error:
        click.echo(str(error), err=True)
        sys.exit(EXIT_BAD_INPUT)
    _check_metrics(metrics)
    plan = ComparisonPlan(metrics=metrics, reference=held, margin=margin)
    words = [str(scenario_file), *_options("--vary", fields), *_options("--reference", reference)]
    words += [*_options("--metric", metrics), *_options("--set", overrides)]
    notice_drafts(root)
    kept = None
    try:
        with uninterrupted(), new_directory(root, f"compare-{made[0].scenario.name}") as draft:
            found = _run_all(made, draft, trials, seed, workers)
            if not found.parts and found.unfinished is None:
                _end_without_any(found.stopped_by or "")
            kept, comparison = _compare_and_keep(draft, found, plan, words)
            show_comparison(comparison, as_json, tests)
        not_drawn = None if found.stopped_by == TERMINATED else _draw(comparison, kept)
    except StoreError as error:
        fail(str(error), EXIT_BAD_INPUT)
    except KeyboardInterrupt as error:  # After the last trial.
        end_interrupted(error, "" if kept is None else f": figures are left out; all else is in {kept}")
    click.echo(f"Results are in {kept}", err=True)
    _finish(found, len(made), not_drawn)


def show_comparison(comparison: Summary, as_json: bool, tests: bool) -> None:
    """As JSON, or as a table."""
    if as_json:
        click.echo(json.dumps(comparison, indent=2, ensure_ascii=False, allow_nan=False))
        return
    from simulator.report.tables.comparison import comparison_table

    print_table(comparison_table(comparison, tests=tests))


# --- Parts of `compare`


@dataclass(frozen=True, slots=True)
class _Found:
    """What was run, and kept in the draft."""

    parts: list[Part]  # The variants of which all trials were finished.
    stopped_by: str | None = None  # Why there are no more of them.
    unfinished: Part | None = None  # The variant under way then, where some of its trials were finished.

    @property
    def signal(self) -> str | None:
        return self.stopped_by if self.stopped_by in (INTERRUPTED, TERMINATED) else None


def _options(option: str, values: Sequence[str]) -> list[str]:
    return [word for value in values for word in (option, value)]


def _check_metrics(metrics: Sequence[str]) -> None:
    from simulator.analysis.measures import MEASURES
    from simulator.scenario.text.errors import alternatives

    for name in metrics:
        if name not in MEASURES:
            fail(f"--metric {name}: not compared; {alternatives(name, list(MEASURES))}", EXIT_BAD_INPUT)


def _run_all(made: Sequence[Variant], draft: Draft, trials: int | None, seed: int | None, workers: int) -> _Found:
    """Run the variants, each kept as soon as it is finished; and, of one that was not, its finished trials."""
    from simulator.experiment.trial import TrialError

    parts: list[Part] = []
    for number, variant in enumerate(made, 1):
        part = draft.part(_directory(number, variant))
        name = f"{variant.name} ({number} of {len(made)})"
        reason, result = None, None
        try:
            result = _run_one(variant, name, part, trials, seed, workers)
            reason = result.stopped_by
        except TrialError as error:
            result, reason = error.finished, f"{variant.name}: {error}"
        except KeyboardInterrupt as error:
            reason = name_of_signal(error)
        if result is None:
            part.discard()
            return _Found(parts, reason)
        part.write(result)
        if reason is not None:
            return _Found(parts, reason, (variant, result))
        parts.append((variant, result))
    return _Found(parts)


def _run_one(variant: Variant, name: str, part: Draft, trials: int | None, seed: int | None, workers: int) -> Result:
    from simulator.experiment.runner import default_command, run

    scenario = variant.scenario
    count, used_seed = trials or scenario.trials, scenario.seed if seed is None else seed
    part.begin(scenario, seed=used_seed, requested=count, command=default_command(used_seed, count, 0))
    with interruptible(), trials_progress(name) as progress:
        return run(scenario, trials=trials, seed=seed, workers=workers, progress=progress, on_finished=part.append)


def _end_without_any(reason: str) -> NoReturn:
    what = ": no trial was finished"
    if reason in (INTERRUPTED, TERMINATED):
        end_stopped_by(reason, what)
    fail(f"{reason}{what}", EXIT_TRIALS_FAILED)


def _directory(number: int, variant: Variant) -> str:
    return f"{number:02}-" + re.sub(r"[^A-Za-z0-9.]+", "-", variant.name).strip("-.")[:60]


def _compare_and_keep(draft: Draft, found: _Found, plan: ComparisonPlan, words: Sequence[str]) -> tuple[Path, Summary]:
    """The directory, and the comparison in it."""
    from simulator.analysis.comparison import compare as compared
    from simulator.analysis.comparison import provenance

    parts = found.parts
    first = (parts[0] if parts else cast("Part", found.unfinished))[1]
    margin = [] if plan.margin is None else ["--equivalent", f"{100 * plan.margin:g}%"]
    command = ["electsim", "compare", *words, *margin, "--trials", str(first.requested), "--seed", str(first.seed)]
    comparison = {
        **provenance(first.scenario.name, shlex.join(command), first.seed),
        "stopped_by": found.stopped_by,
        "reference": None if plan.reference is None else dict(plan.reference),
        "equivalent": plan.margin,
        "variants": [
            variant.described(result, _directory(number, variant)) for number, (variant, result) in enumerate(parts, 1)
        ],
        **compared([variant.compared(result) for variant, result in parts], plan),
    }
    if found.unfinished is not None:
        variant, result = found.unfinished
        comparison["unfinished"] = variant.described(result, _directory(len(parts) + 1, variant))
    draft.write_json("comparison.json", comparison)
    return draft.publish(), comparison


def _draw(comparison: Summary, directory: Path) -> str | None:
    """Add the figures; why they are left out, where they cannot be written."""
    from simulator.report.figures.comparison import write_comparison_figures

    try:
        write_comparison_figures(comparison, directory)
    except OSError as error:
        return error.strerror or str(error)
    return None


def _finish(found: _Found, asked: int, not_drawn: str | None) -> None:
    """Say what went wrong, if anything, and exit accordingly."""
    parts = found.parts
    for variant, result in parts:
        for guarantee, count in result.summary["violations"].items():
            click.echo(f"electsim: {variant.name}: {guarantee} was broken {count:,} times", err=True)
    kept = f": {len(parts)} of {asked} variants were kept"
    if found.unfinished is not None:
        variant, result = found.unfinished
        kept += f", and {len(result.trials)} of {result.requested} trials of {variant.name}"
    if found.signal is not None:
        end_stopped_by(found.signal, kept)
    if not_drawn is not None:
        fail(f"figures are left out: {not_drawn}; the data are kept", EXIT_BAD_INPUT)
    if found.stopped_by is not None:
        fail(f"{found.stopped_by}{kept}", EXIT_TRIALS_FAILED)
    if any(result.violations for _, result in parts):
        fail("a promise was broken; `electsim run` says where", EXIT_FOUND)
