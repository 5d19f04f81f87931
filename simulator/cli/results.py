"""`electsim show`, `trace` and `replay`: the results of an earlier run."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simulator.cli.common import EXIT_BAD_INPUT, EXIT_FOUND, EXIT_TRIALS_FAILED, fail, notice_drafts
from simulator.cli.monitoring import OPENMETRICS, SCRAPE, Exposition
from simulator.cli.printing import print_json, print_note, print_table, print_text
from simulator.cli.showing import (
    COMPARISON,
    draw_again,
    readable,
    show_earlier_comparison,
    show_earlier_study,
    show_earlier_tuning,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from simulator.report.tables.trace_text import Interest, Line
    from simulator.results import SavedRun
    from simulator.trace.trace import Trace

RESULT = click.argument("directory", metavar="RESULT", type=click.Path(path_type=Path))
TRIAL = click.option("--trial", type=click.IntRange(min=0), help="Which trial; the run's first unless given.")


@click.command()
@RESULT
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON, and no table.")
@click.option("--figures", type=click.Path(path_type=Path), help="Also draw the figures anew, into this directory.")
def show(directory: Path, as_json: bool, figures: Path | None) -> None:
    """Print the tables of RESULT, the directory of an earlier run, or of a comparison.

    \b
      electsim show results/raft-leader-crash-001
      electsim show results/raft-leader-crash-001 --json | jq .metrics.failover.median
      electsim show results/raft-leader-crash-001 --figures /tmp/figures

    RESULT may also be of a run that was killed, or is still going on: its finished trials are shown.

    Exits with 2 if there are no results, or if they are damaged.
    """
    if (directory / "study.json").is_file():
        notice_drafts(directory.parent, but=directory)
        show_earlier_study(directory, as_json, figures)
        return
    if (directory / "tune.json").is_file():
        notice_drafts(directory.parent, but=directory)
        show_earlier_tuning(directory, as_json, figures)
        return
    if (directory / COMPARISON).is_file():
        notice_drafts(directory.parent)
        show_earlier_comparison(directory, as_json, figures)
        return
    stored = _load(directory)
    with readable(directory / "summary.json"):
        if as_json:
            print_json(stored.summary)
        else:
            from simulator.report.tables.summary import summary_table

            print_table(summary_table({**stored.summary, "command": _repeat(stored)}))
    if figures is not None:
        first = _again(stored, None)
        draw_again(directory, figures, lambda: _figures_of_a_run(stored, first, figures))


def _repeat(stored: SavedRun) -> str:
    """The command that repeats the run. A part of a comparison names the scenario beside it: here, by its path."""
    beside, command = "electsim run scenario.yaml ", str(stored.summary["command"])
    if not command.startswith(beside):
        return command
    return f"{shlex.join(['electsim', 'run', str(stored.path / 'scenario.yaml')])} {command.removeprefix(beside)}"


def _figures_of_a_run(stored: SavedRun, first: Trace, figures: Path) -> list[Path]:
    from simulator.report.figures.run_figures import write_figures

    return write_figures(stored.result(), first, figures)


@click.command()
@RESULT
@TRIAL
@click.option("--node", "nodes", multiple=True, metavar="NODE", help="Only of this node (n3); may be repeated.")
@click.option("--kind", "kinds", multiple=True, metavar="KIND", help="Only this kind of line; may be repeated.")
@click.option("--from", "start", metavar="INSTANT", default="0", help="Only from this instant on, such as 950ms.")
@click.option("--to", "end", metavar="INSTANT", help="Only until this instant.")
@click.option("--messages", is_flag=True, help="Every message, too, at the instant at which it was sent.")
@click.option("--json", "as_json", is_flag=True, help="A JSON object a line: time_s, node, kind, text.")
def trace(
    directory: Path,
    trial: int | None,
    nodes: tuple[str, ...],
    kinds: tuple[str, ...],
    start: str,
    end: str | None,
    messages: bool,
    as_json: bool,
) -> None:
    """Print what happened in one trial of RESULT, a line for each event: the instant, the node, the event.

    \b
      electsim trace results/raft-leader-crash-001 --trial 17
    \b
    The second after the crash, with every message that n3 sent or got:
      electsim trace results/raft-leader-crash-001 --from 1s --to 2s --node n3 --messages

    The trial is run again, and must have the digest that it had: exits with 1 if it has another.
    """
    from simulator.report.tables.trace_text import SENT, trace_lines

    stored = _load(directory)
    interest = _interest(nodes, kinds, start, end)
    repeated = _again(stored, trial)
    _check_known(repeated, stored, interest.nodes, kinds)
    lines = trace_lines(repeated, interest, messages=messages or SENT in kinds)
    if as_json:
        for line in lines:
            print_json(
                {"time_s": line.time_ns / 1e9, "node": line.node, "kind": line.kind, "text": line.text}, indent=None
            )
        return
    for text in _formatted(lines):
        print_text(text)
    if not lines:
        print_note("Nothing of that happened in this trial.")


@click.command()
@RESULT
@TRIAL
@OPENMETRICS
@SCRAPE
def replay(directory: Path, trial: int | None, exposition: Exposition | None) -> None:
    """Run one trial of RESULT again, with every message, and check that its digest is what it was.

    \b
      electsim replay results/raft-leader-crash-001 --trial 17

    \b
    What a monitoring system would have scraped every 15 s of it, for promtool or a test of alert rules:
      electsim replay results/raft-leader-crash-001 --trial 17 --openmetrics trial17.txt

    Exits with 1 if its digest is another: with another version of electsim, NumPy or Python, or by a fault in one of
    them. `electsim trace` prints what happens in it.
    """
    stored = _load(directory)
    repeated = _again(stored, trial)
    size = f"{len(repeated.rows):,} rows, {len(repeated.messages):,} messages"
    if exposition is not None:
        exposition.write(repeated)
    print_text(f"trial {_number(stored, trial)} again: {size}, digest {repeated.digest}: the same")


def _load(directory: Path) -> SavedRun:
    from simulator.experiment.store import StoreError
    from simulator.results import load
    from simulator.scenario import ScenarioError

    notice_drafts(directory.parent, but=directory)
    try:
        return load(directory)
    except (StoreError, ScenarioError) as error:
        fail(str(error), EXIT_BAD_INPUT)


def _number(stored: SavedRun, trial: int | None) -> int:
    return int(stored.tables.only({"trials": ("trial",)}).trials["trial"].iloc[0]) if trial is None else trial


def _again(stored: SavedRun, trial: int | None) -> Trace:
    from simulator.experiment.files import StoreError
    from simulator.experiment.trial import TrialError
    from simulator.results import DigestError

    try:
        return stored.trace(_number(stored, trial))
    except StoreError as error:
        fail(str(error), EXIT_BAD_INPUT)
    except KeyError as error:
        fail(f"{stored.path}: {error.args[0]}", EXIT_BAD_INPUT)
    except DigestError as error:
        fail(f"{stored.path}: {error}", EXIT_FOUND)
    except TrialError as error:
        fail(f"{stored.path}: {error}", EXIT_TRIALS_FAILED)


def _interest(nodes: Sequence[str], kinds: Sequence[str], start: str, end: str | None) -> Interest:
    from simulator.report.tables.trace_text import Interest
    from simulator.scenario.text.targets import is_node, node_id
    from simulator.scenario.text.units import parse_duration

    for name in nodes:
        if not is_node(name):
            fail(f"--node {name}: nodes are called n1, n2, and so on", EXIT_BAD_INPUT)
    bounds = []
    for option, text in (("--from", start), ("--to", end)):
        try:
            bounds.append(None if text is None else parse_duration(0 if text == "0" else text))
        except ValueError as error:
            fail(f"{option} {text}: {error}", EXIT_BAD_INPUT)
    return Interest(nodes=[node_id(name) for name in nodes], kinds=kinds, from_ns=bounds[0] or 0, to_ns=bounds[1])


def _check_known(repeated: Trace, stored: SavedRun, nodes: Collection[int], kinds: Sequence[str]) -> None:
    """End with exit code 2 if the trial has no such node or kind of event: most likely a typing error."""
    from simulator.report.tables.trace_text import kinds_in
    from simulator.scenario.text.errors import alternatives

    for node in nodes:
        if node > stored.scenario.size:
            fail(f"--node n{node}: the nodes are n1 to n{stored.scenario.size}", EXIT_BAD_INPUT)
    for kind in kinds:
        if kind not in (known := kinds_in(repeated)):
            fail(f"--kind {kind}: no such line in this trial; {alternatives(kind, known)}", EXIT_BAD_INPUT)


def _formatted(lines: Sequence[Line]) -> list[str]:
    """`  1.027207 s  n5   crashes`; the instant once for all that happens then."""
    width = max((len(f"{line.time_ns / 1e9:.6f}") for line in lines), default=0)
    texts, last = [], -1
    for line in lines:
        when = f"{line.time_ns / 1e9:.6f} s" if line.time_ns != last else ""
        who = "" if line.node is None else f"n{line.node}"
        texts.append(f"{when:>{width + 2}}  {who:4} {line.text}")
        last = line.time_ns
    return texts
