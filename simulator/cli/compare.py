"""`electsim compare`: variants of a scenario beside each other, trial by trial with the same luck."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simulator.cli.common import (
    EXIT_BAD_INPUT,
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    PERCENTAGE,
    SCENARIO,
    fail,
    print_table,
    trials_progress,
)
from simulator.cli.run import LARGEST_SEED, MOST_TRIALS

if TYPE_CHECKING:
    from simulator.analysis.comparison import Question
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
@click.option("--workers", type=click.IntRange(min=0), default=0, help="Processes; 0, the default: one per core.")
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

    Exits with 0; with 1 where a trial failed or a promise was broken; with 2 for bad input; with 130 when interrupted,
    keeping the variants that were finished.
    """
    from simulator.analysis.comparison import Question
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
    question = Question(metrics=metrics, reference=held, margin=margin)
    words = [str(scenario_file), *_options("--vary", fields), *_options("--reference", reference)]
    words += [*_options("--metric", metrics), *_options("--set", overrides)]
    try:
        with new_directory(root, f"compare-{made[0].scenario.name}") as draft:
            parts, stopped_by = _run_all(made, draft, trials, seed, workers)
            if not parts:
                interrupted = stopped_by == INTERRUPTED
                fail(f"{stopped_by}: no variant was finished", EXIT_INTERRUPTED if interrupted else EXIT_FAILED)
            kept, comparison = _compare_and_keep(draft, parts, question, words, stopped_by)
    except StoreError as error:
        fail(str(error), EXIT_BAD_INPUT)
    show_comparison(comparison, as_json, tests)
    click.echo(f"Results are in {kept}", err=True)
    _finish(parts, len(made), stopped_by)


def show_comparison(comparison: Summary, as_json: bool, tests: bool) -> None:
    """As JSON, or as a table."""
    if as_json:
        click.echo(json.dumps(comparison, indent=2, ensure_ascii=False, allow_nan=False))
        return
    from simulator.report.tables.comparison import comparison_table

    print_table(comparison_table(comparison, tests=tests))


# --- Parts of `compare`

INTERRUPTED = "interrupted"


def _options(option: str, values: Sequence[str]) -> list[str]:
    return [word for value in values for word in (option, value)]


def _check_metrics(metrics: Sequence[str]) -> None:
    from simulator.analysis.measures import MEASURES
    from simulator.scenario.text.errors import alternatives

    for name in metrics:
        if name not in MEASURES:
            fail(f"--metric {name}: not compared; {alternatives(name, list(MEASURES))}", EXIT_BAD_INPUT)


def _run_all(
    made: Sequence[Variant], draft: Draft, trials: int | None, seed: int | None, workers: int
) -> tuple[list[Part], str | None]:
    """The variants that were finished, each kept as soon as it was; and why there are no more."""
    from simulator.experiment.executors import uninterrupted
    from simulator.experiment.runner import run
    from simulator.experiment.trial import TrialError

    parts: list[Part] = []
    try:
        for number, variant in enumerate(made, 1):
            with trials_progress(f"{variant.name} ({number} of {len(made)})") as progress:
                result = run(variant.scenario, trials=trials, seed=seed, workers=workers, progress=progress)
            if result.stopped_by is not None:
                return parts, INTERRUPTED
            with uninterrupted():
                draft.part(_directory(number, variant)).write(result)
                parts.append((variant, result))
    except TrialError as error:
        return parts, f"{variant.name}: {error}"
    except KeyboardInterrupt:
        return parts, INTERRUPTED
    return parts, None


def _directory(number: int, variant: Variant) -> str:
    return f"{number:02}-" + re.sub(r"[^A-Za-z0-9.]+", "-", variant.name).strip("-.")[:60]


def _compare_and_keep(
    draft: Draft, parts: Sequence[Part], question: Question, words: Sequence[str], stopped_by: str | None
) -> tuple[Path, Summary]:
    from simulator.analysis.comparison import compare as compared
    from simulator.analysis.comparison import described, provenance
    from simulator.experiment.executors import uninterrupted
    from simulator.report.figures.comparison import write_comparison_figures

    first = parts[0][1]
    margin = [] if question.margin is None else ["--equivalent", f"{100 * question.margin:g}%"]
    command = ["electsim", "compare", *words, *margin, "--trials", str(first.requested), "--seed", str(first.seed)]
    with uninterrupted():
        comparison = {
            **provenance(first.scenario.name, shlex.join(command), first.seed),
            "stopped_by": stopped_by,
            "reference": None if question.reference is None else dict(question.reference),
            "equivalent": question.margin,
            "variants": described(parts, [_directory(number, variant) for number, (variant, _) in enumerate(parts, 1)]),
            **compared(parts, question),
        }
        draft.write_json("comparison.json", comparison)
        try:
            write_comparison_figures(comparison, draft.path)
        except OSError as error:
            click.echo(f"electsim: figures are left out: {error.strerror or error}", err=True)
        return draft.publish(), comparison


def _finish(parts: Sequence[Part], asked: int, stopped_by: str | None) -> None:
    """Say what went wrong, if anything, and exit accordingly."""
    for variant, result in parts:
        for guarantee, count in result.summary["violations"].items():
            click.echo(f"electsim: {variant.name}: {guarantee} was broken {count:,} times", err=True)
    if stopped_by is not None:
        kept = f"{len(parts)} of {asked} variants were kept"
        fail(f"{stopped_by}: {kept}", EXIT_INTERRUPTED if stopped_by == INTERRUPTED else EXIT_FAILED)
    if any(result.violations for _, result in parts):
        fail("a promise was broken; `electsim run` says where", EXIT_FAILED)
