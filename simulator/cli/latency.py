"""`electsim latency`: the latency, loss and transport of a link, before a run."""

from __future__ import annotations

from pathlib import Path

import click

from simulator.cli.common import ALLOW_FILES, EXIT_BAD_INPUT, SCENARIO, fail, load_scenario
from simulator.cli.printing import print_note, print_table


@click.command()
@SCENARIO
@click.option("--samples", type=click.IntRange(min=1, max=10_000_000), default=100_000, show_default=True)
@click.option("--set", "overrides", multiple=True, metavar="FIELD=VALUE", help="Override a field; may be repeated.")
@click.option(
    "--figure",
    "figure_file",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also draw the distribution into this file (.png, .svg, .pdf), which must not exist yet.",
)
@ALLOW_FILES
@click.option("--from", "sender", metavar="NODE", default="n1", show_default=True, help="The link's sending end.")
@click.option("--to", "receiver", metavar="NODE", help="The link's receiving end.  [default: n2, or n1 from n2]")
def latency(
    scenario_file: Path,
    samples: int,
    overrides: tuple[str, ...],
    figure_file: Path | None,
    allow_files: tuple[Path, ...],
    sender: str,
    receiver: str | None,
) -> None:
    """Show the latency, loss, duplication and transport that a link of SCENARIO will see, before anything is run.

    \b
    A table on the screen:
      electsim latency scenarios/raft-leader-crash.yaml
    \b
    Try another distribution before writing it into the file, and draw it:
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
    from simulator.report.figures.latency import latencies, latency_figure, latency_table, write_figure
    from simulator.report.tables.links import link_between

    scenario = load_scenario(scenario_file, overrides, allow_files=allow_files)
    try:
        link = link_between(scenario, sender, receiver)
    except ValueError as error:
        fail(str(error), EXIT_BAD_INPUT)
    drawn = latencies(scenario, samples, link)
    print_table(latency_table(scenario, drawn, link))
    if figure_file is None:
        return
    try:
        write_figure(latency_figure(scenario, drawn, link), figure_file)
    except FileExistsError:
        fail(f"{figure_file}: exists, and is left as it is; choose another with --figure FILE", EXIT_BAD_INPUT)
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        fail(f"{figure_file}: cannot write the figure: {reason}", EXIT_BAD_INPUT)
    print_note(f"The figure is in {figure_file}")
