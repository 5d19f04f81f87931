"""The command line: parse, call, print. What it does is done by the layers below, and by `simulator.run`."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

if TYPE_CHECKING:
    from rich.console import RenderableType

    from simulator.experiment.runner import Result
    from simulator.scenario import Scenario
    from simulator.trace.trace import Trace

EXIT_FAILED, EXIT_BAD_INPUT, EXIT_INTERRUPTED = 1, 2, 130
MOST_TRIALS, LARGEST_SEED = 10**9, (1 << 63) - 1  # As the scenario schema has them; a test holds them equal.
_LONGEST_JOURNAL = 1_000_000  # Messages of one trial, beyond which no timeline is drawn.


def fail(text: str, code: int) -> NoReturn:
    """End with one line on standard error."""
    click.echo(f"electsim: {text}", err=True)
    sys.exit(code)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="electsim")
def main() -> None:
    """Simulate leader election, and measure it.

    \b
    Run a scenario, and look at the directory that it names:
      electsim run scenarios/raft-leader-crash.yaml
    \b
    Ask what a lossier network does to it:
      electsim run scenarios/raft-leader-crash.yaml --set network.loss=0.05
    \b
    Check scenario files before a long run:
      electsim validate scenarios/*.yaml
    """


@main.command()
@click.argument("scenario_file", metavar="SCENARIO", type=click.Path(path_type=Path))
@click.option(
    "--trials", type=click.IntRange(1, MOST_TRIALS), help="How many trials, in place of the scenario's number."
)
@click.option("--seed", type=click.IntRange(0, LARGEST_SEED), help="The seed, in place of the scenario's.")
@click.option("--set", "overrides", multiple=True, metavar="FIELD=VALUE", help="Override a field; may be repeated.")
@click.option("--workers", type=click.IntRange(min=0), default=0, help="Processes; 0, the default: one per core.")
@click.option(
    "--first-trial",
    type=click.IntRange(0, LARGEST_SEED - MOST_TRIALS),
    default=0,
    help="The number of the first trial.",
)
@click.option("--results", "root", type=click.Path(path_type=Path), default=Path("results"), show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON, and no table.")
@click.option("--trace", is_flag=True, help="Also store every row and every message of the first trial.")
def run(
    scenario_file: Path,
    trials: int | None,
    seed: int | None,
    overrides: tuple[str, ...],
    workers: int,
    first_trial: int,
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
    One trial again, with every message (its row in trials.parquet says trial 17):
      electsim run scenarios/raft-leader-crash.yaml --first-trial 17 --trials 1 --trace

    Exits with 0; with 1 where a trial failed or the algorithm broke a promise; with 2 for bad input; with 130 when
    interrupted, keeping the trials that were finished.
    """
    from simulator.experiment.executors import uninterrupted
    from simulator.experiment.store import StoreError, new_directory

    scenario = _load(scenario_file, overrides)
    command = _command(scenario_file, trials or scenario.trials, _or(seed, scenario.seed), overrides, first_trial)
    try:
        with new_directory(root, scenario.name) as draft:
            result, failure = _simulate(scenario, command, trials, seed, first_trial, workers)
            with uninterrupted():
                try:
                    first = _first_trace(result, trace)
                    draft.write(result)
                    if trace:
                        draft.write_trace(first)
                    kept = draft.publish()
                finally:  # Where nothing can be kept, it is at least shown.
                    _show(result, as_json)
        _draw(result, first, kept)
    except StoreError as error:
        fail(str(error), EXIT_BAD_INPUT)
    except KeyboardInterrupt:
        fail("interrupted before a trial was finished", EXIT_INTERRUPTED)
    click.echo(f"Results are in {kept}", err=True)
    _finish(result, failure)


@main.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
def validate(files: tuple[Path, ...]) -> None:
    """Check scenario FILES, and say file, line, field, value and remedy of each mistake.

    \b
      electsim validate scenarios/*.yaml

    Exits with 2 if any file is wrong.
    """
    from simulator.scenario import ScenarioError, load

    wrong = False
    for file in files:
        try:
            scenario = load(file)
        except ScenarioError as error:
            wrong = True
            click.echo(str(error), err=True)
        else:
            click.echo(f"{file}: {scenario.name}: valid")
    if wrong:
        sys.exit(EXIT_BAD_INPUT)


@main.command()
@click.argument("scenario_file", metavar="SCENARIO", type=click.Path(path_type=Path))
@click.option("--samples", type=click.IntRange(min=1, max=10_000_000), default=100_000, show_default=True)
@click.option("--set", "overrides", multiple=True, metavar="FIELD=VALUE", help="Override a field; may be repeated.")
@click.option(
    "--figure",
    "figure_file",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where to draw it (.png, .svg, .pdf); a file that exists is refused. Without this: latency-NAME.png here, or, "
    "if that exists, latency-NAME-2.png and so on.",
)
@click.option("--from", "sender", metavar="NODE", default="n1", show_default=True, help="The link's sending end.")
@click.option("--to", "receiver", metavar="NODE", help="The link's receiving end.  [default: n2, or n1 from n2]")
def latency(
    scenario_file: Path,
    samples: int,
    overrides: tuple[str, ...],
    figure_file: Path | None,
    sender: str,
    receiver: str | None,
) -> None:
    """Show the latency, loss, duplication and transport that a link of SCENARIO will see, before anything is run.

    \b
    A table on the screen, and a figure in latency-raft-leader-crash.png:
      electsim latency scenarios/raft-leader-crash.yaml
    \b
    Try another distribution before writing it into the file:
      electsim latency scenarios/raft-leader-crash.yaml \\
          --set 'network.latency={lognormal: {median: 5ms, p99: 40ms}}' --figure lognormal.png
    \b
    One packet in a hundred is slow, and none is faster than light:
      electsim latency scenarios/raft-leader-crash.yaml --set 'network.latency={at_least: 4ms, mixture: [
          {weight: 0.99, of: {normal: {mean: 5ms, sd: 1ms}}}, {weight: 0.01, of: {uniform: [50ms, 200ms]}}]}'

    \b
    Another link; with a topology, the base latencies between its zones are shown, too:
      electsim latency scenarios/raft-leader-crash.yaml --set network.topology=world --from n4 --to n1

    The latencies are those that the sending node draws in the scenario's trial 0. Exits with 2 for bad input, or for a
    figure that cannot be written.
    """
    from simulator.report.latency import latencies, latency_figure, latency_table, write_figure
    from simulator.report.links import link_between

    scenario = _load(scenario_file, overrides)
    try:
        link = link_between(scenario, sender, receiver)
    except ValueError as error:
        fail(str(error), EXIT_BAD_INPUT)
    drawn = latencies(scenario, samples, link)
    _print(latency_table(scenario, drawn, link))
    path = figure_file or Path(f"latency-{scenario.name}.png")
    try:
        written = write_figure(latency_figure(scenario, drawn, link), path, numbered=figure_file is None)
    except FileExistsError:
        fail(f"{path}: exists, and is left as it is; choose another with --figure FILE", EXIT_BAD_INPUT)
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        fail(f"{path}: cannot write the figure: {reason}", EXIT_BAD_INPUT)
    click.echo(f"The figure is in {written}", err=True)


@main.command()
def schema() -> None:
    """Print the JSON Schema of scenario files, by which editors complete and check them.

    \b
      electsim schema > scenario.schema.json
    """
    from simulator.scenario import json_schema_text

    click.echo(json_schema_text(), nl=False)


# --- Parts of `run`


def _simulate(
    scenario: Scenario, command: str, trials: int | None, seed: int | None, first_trial: int, workers: int
) -> tuple[Result, str | None]:
    """The result; and why it is not whole, where a trial failed."""
    from simulator.experiment.runner import run as run_trials
    from simulator.experiment.trial import TrialError

    try:
        with _progress(scenario.name) as progress:
            return run_trials(
                scenario,
                trials=trials,
                seed=seed,
                first_trial=first_trial,
                workers=workers,
                progress=progress,
                command=command,
            ), None
    except TrialError as error:
        failure = f"{error}; again: {_replay(command, error.trial)}"
        if error.finished is None:
            fail(failure, EXIT_FAILED)
        return error.finished, failure


def _load(path: Path, overrides: tuple[str, ...]) -> Scenario:
    from simulator.scenario import ScenarioError, load

    try:
        return load(path, overrides)
    except ScenarioError as error:
        click.echo(str(error), err=True)
        sys.exit(EXIT_BAD_INPUT)


def _or(given: int | None, otherwise: int) -> int:
    return otherwise if given is None else given


def _command(path: Path, trials: int, seed: int, overrides: tuple[str, ...], first_trial: int) -> str:
    """The command that repeats this run, whatever defaults the scenario has by then."""
    words = ["electsim", "run", str(path), "--trials", str(trials), "--seed", str(seed)]
    for override in overrides:
        words += ["--set", override]
    if first_trial:
        words += ["--first-trial", str(first_trial)]
    return shlex.join(words)


def _replay(command: str, trial: int) -> str:
    return f"{command} --first-trial {trial} --trials 1 --trace"  # Of an option given twice, the last one counts.


@contextmanager
def _progress(name: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error, where somebody can see it."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(f"{name}: trials", total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def _show(result: Result, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(result.summary, indent=2, ensure_ascii=False, allow_nan=False))
        return
    from simulator.report.tables import summary_table

    _print(summary_table(result.summary))


def _print(table: RenderableType) -> None:
    from rich.console import Console

    Console(width=None if sys.stdout.isatty() else 100, highlight=False).print(table)


def _first_trace(result: Result, whole: bool) -> Trace:
    """The first trial once more, with its messages, for its timeline; very many are recorded only if asked for."""
    from simulator.cluster.cluster import run_trial

    first = result.trials.iloc[0]
    journal = whole or int(first["sent_total"]) <= _LONGEST_JOURNAL
    return run_trial(result.scenario.cluster_spec(), result.seed, int(first["trial"]), journal=journal)


def _draw(result: Result, first: Trace, directory: Path) -> None:
    """Add the figures; an interrupt or a full disk leaves them out, and the data in."""
    from simulator.report.pages import write_figures

    try:
        write_figures(result, first, directory)
    except KeyboardInterrupt:
        click.echo("electsim: interrupted: figures are left out", err=True)
    except OSError as error:
        click.echo(f"electsim: figures are left out: {error.strerror or error}", err=True)


def _finish(result: Result, failure: str | None) -> None:
    """Say what went wrong, if anything, and exit accordingly."""
    for trial, violation in result.violations[:5]:
        click.echo(f"electsim: broken promise: trial {trial}: {violation}", err=True)
    if result.stopped_by == "interrupted":
        fail(f"interrupted: {len(result.trials)} of {result.requested} trials were kept", EXIT_INTERRUPTED)
    if failure is not None:
        fail(f"{failure} ({len(result.trials)} trials before it were kept)", EXIT_FAILED)
    if result.violations:
        trial, _ = result.violations[0]
        fail(f"a promise was broken; again: {_replay(result.command, trial)}", EXIT_FAILED)
