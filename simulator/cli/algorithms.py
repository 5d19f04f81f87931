"""`electsim algorithms`: the algorithms that a scenario can name, and their descriptions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from simulator.cli.common import EXIT_BAD_INPUT, fail
from simulator.cli.completion import algorithm_names
from simulator.cli.printing import print_json, print_note, print_table, print_text

if TYPE_CHECKING:
    from simulator.algorithms.registration import Registration


@click.command()
@click.argument("name", required=False, shell_complete=algorithm_names)
@click.option("--json", "as_json", is_flag=True, help="Print all that is known as JSON: a list, or NAME alone.")
@click.option("--markdown", is_flag=True, help="Print docs/algorithms.md, the page about all of them, instead.")
def algorithms(name: str | None, *, as_json: bool, markdown: bool) -> None:
    """List the election algorithms; or describe NAME: its paper, assumptions, guarantees, cost and options.

    \b
      electsim algorithms
      electsim algorithms bully
      electsim algorithms raft --json | jq -r '.options[] | .name + " = " + .default'
    \b
    Run one in place of a scenario's own:
      electsim run leader-crash --algorithm bully

    Exits with 2 if there is no such algorithm.
    """
    from simulator.report.pages.algorithms import describe, detail, overview, page

    if markdown and (as_json or name is not None):
        fail("--markdown is the page about all of them; leave NAME and --json out", EXIT_BAD_INPUT)
    known = _all() if name is None else [_named(name)]
    if markdown:
        print_text(page(known), newline=False)
        return
    found = describe(known)
    if as_json:
        print_json(found if name is None else found[0])
    elif name is None:
        print_table(overview(found))
        print_note("\nelectsim algorithms NAME shows more: assumptions, guarantees, options.")
    else:
        print_table(detail(found[0]))


def _named(name: str) -> Registration:
    from simulator.algorithms.registry import REGISTRY, PluginError
    from simulator.scenario.text.errors import alternatives

    if name not in REGISTRY:
        fail(f"{name} is not an algorithm; {alternatives(name, tuple(REGISTRY))}", EXIT_BAD_INPUT)
    try:
        return REGISTRY[name]
    except PluginError as error:
        fail(f"{name} cannot be used: {error}", EXIT_BAD_INPUT)


def _all() -> list[Registration]:
    """All algorithms that can be used. Prints why, for each that cannot."""
    from simulator.algorithms.registry import PluginError
    from simulator.scenario.algorithms import ALGORITHMS

    usable = []
    for name in ALGORITHMS:
        try:
            usable.append(ALGORITHMS[name].registration)
        except PluginError as error:
            print_note(f"electsim: {name} cannot be used: {error}")
    return usable
