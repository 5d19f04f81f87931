"""`electsim compare`: variants of a scenario, compared trial by trial with common random numbers."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simulator.cli.common import (
    ALLOW_FILES,
    EXIT_BAD_INPUT,
    PERCENTAGE,
    SCENARIO,
    WORKERS,
    end_interrupted,
    fail,
    notice_drafts,
)
from simulator.cli.comparing import Request, compare_and_keep, draw, end_without_any, finish, run_all
from simulator.cli.printing import print_json, print_note, print_table
from simulator.cli.run import LARGEST_SEED, MOST_TRIALS
from simulator.experiment.signals import TERMINATED, uninterrupted

if TYPE_CHECKING:
    from simulator.analysis.comparison import ComparisonPlan
    from simulator.analysis.estimates import Summary
    from simulator.experiment.runner import Result
    from simulator.experiment.variants import Variant

    Part = tuple[Variant, Result]


@click.command()
@SCENARIO
@click.option("--vary", "fields", multiple=True, metavar="FIELD=A,B,…", help="A field and its values; may be repeated.")
@click.option("--reference", multiple=True, metavar="FIELD=VALUE", help="What to compare with, in place of the best.")
@click.option("--metric", "metrics", multiple=True, metavar="NAME", help="Which metrics; may be repeated.")
@click.option("--equivalent", "margin", type=PERCENTAGE, metavar="PERCENT", help="Also say what is equal to within it.")
@click.option("--tests", is_flag=True, help="Also test whole distributions (Kolmogorov–Smirnov, Mann–Whitney).")
@click.option("--trials", type=click.IntRange(1, MOST_TRIALS), help="How many trials of each variant.")
@click.option("--seed", type=click.IntRange(0, LARGEST_SEED), help="The seed, in place of the scenario's.")
@click.option("--set", "overrides", multiple=True, metavar="FIELD=VALUE", help="Override a field in all variants.")
@click.option("--workers", type=WORKERS, default=0, help="Processes; 0, the default: one per core.")
@ALLOW_FILES
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
    allow_files: tuple[Path, ...],
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

    All variants have the same seed. So trial 17 of two variants has common random numbers, and is compared as a pair.
    The table, a figure for each metric and the results of each variant are kept under results/.

    Exits with 0; with 1 if a guarantee was violated; with 2 for bad input or a full disk; with 3 if a trial failed;
    with 130 when interrupted and 143 when terminated (SIGTERM), keeping the variants that were finished, and the
    finished trials of the one under way.
    """
    from simulator.experiment.store import StoreError, new_directory

    made, held = _variants(scenario_file, fields, reference, overrides, allow_files)
    plan = _plan(metrics, held, margin)
    repeated = {"--vary": fields, "--reference": reference, "--metric": metrics, "--set": overrides}
    words = _words(scenario_file, repeated | {"--allow-files": tuple(map(str, allow_files))})
    request = Request(made, plan, words, trials, seed, workers)
    notice_drafts(root)
    kept = None
    try:
        with uninterrupted(), new_directory(root, f"compare-{made[0].scenario.name}") as writer:
            found = run_all(request, writer)
            if not found.parts and found.unfinished is None:
                end_without_any(found.stopped_by or "")
            kept, comparison = compare_and_keep(request, writer, found)
            show_comparison(comparison, as_json, tests)
        not_drawn = None if found.stopped_by == TERMINATED else draw(comparison, kept)
    except StoreError as error:
        fail(str(error), EXIT_BAD_INPUT)
    except KeyboardInterrupt as error:  # After the last trial.
        end_interrupted(error, "" if kept is None else f": figures are left out; all else is in {kept}")
    print_note(f"Results are in {kept}")
    finish(found, len(made), not_drawn)


def show_comparison(comparison: Summary, as_json: bool, tests: bool) -> None:
    """As JSON, or as a table."""
    if as_json:
        print_json(comparison)
        return
    from simulator.report.tables.comparison import comparison_table

    print_table(comparison_table(comparison, tests=tests))


# --- Parts of `compare`


def _variants(
    path: Path, fields: Sequence[str], reference: Sequence[str], overrides: Sequence[str], allow_files: Sequence[Path]
) -> tuple[Sequence[Variant], Mapping[str, str] | None]:
    """The variants of the scenario, and what to compare them with. Ends the program if an option is not valid."""
    from simulator.experiment.variants import read_reference, variants, varied
    from simulator.scenario import ScenarioError

    try:
        by_field = varied(fields)
        made = variants(path, by_field, overrides, allow_files)
        return made, read_reference(reference, by_field) if reference else None
    except ScenarioError as error:
        print_note(str(error))
        sys.exit(EXIT_BAD_INPUT)


def _words(path: Path, options: Mapping[str, Sequence[str]]) -> list[str]:
    """The scenario and the options, as the command line that repeats the comparison has them."""
    return [str(path), *(word for option, values in options.items() for value in values for word in (option, value))]


def _plan(metrics: Sequence[str], reference: Mapping[str, str] | None, margin: float | None) -> ComparisonPlan:
    """What to compare. Ends the program if a metric is not known."""
    from simulator.analysis.comparison import ComparisonPlan
    from simulator.analysis.records.registry import MEASURES
    from simulator.scenario.text.errors import alternatives

    for name in metrics:
        if name not in MEASURES:
            fail(f"--metric {name}: not compared; {alternatives(name, list(MEASURES))}", EXIT_BAD_INPUT)
    return ComparisonPlan(metrics=tuple(metrics), reference=reference, margin=margin)
