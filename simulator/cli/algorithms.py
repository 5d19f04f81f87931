"""`electsim algorithms`: what a scenario may name, and what there is to know of it."""

from __future__ import annotations

import json

import click

from simulator.cli.common import EXIT_BAD_INPUT, fail, print_table


@click.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print all that is known as JSON: a list, or NAME alone.")
@click.option("--markdown", is_flag=True, help="Print docs/algorithms.md, the page about all of them, instead.")
def algorithms(name: str | None, *, as_json: bool, markdown: bool) -> None:
    """List the election algorithms; or tell of NAME its paper, assumptions, promises, cost and options.

    \b
      electsim algorithms
      electsim algorithms bully
      electsim algorithms raft --json | jq -r '.options[] | .name + " = " + .default'
    \b
    Run one in place of a scenario's own:
      electsim run leader-crash --algorithm bully

    Exits with 2 where there is no such algorithm.
    """
    from simulator.algorithms.registry import REGISTRY
    from simulator.report.algorithms import describe, detail, overview, page
    from simulator.scenario.problems import alternatives

    if name is not None and name not in REGISTRY:
        fail(f"{name} is not an algorithm; {alternatives(name, tuple(REGISTRY))}", EXIT_BAD_INPUT)
    if markdown:
        if as_json or name is not None:
            fail("--markdown is the page about all of them; leave NAME and --json out", EXIT_BAD_INPUT)
        click.echo(page(REGISTRY.values()), nl=False)
        return
    found = describe(REGISTRY.values() if name is None else [REGISTRY[name]])
    if as_json:
        click.echo(json.dumps(found if name is None else found[0], indent=2, ensure_ascii=False))
    elif name is None:
        print_table(overview(found))
        click.echo("\nelectsim algorithms NAME tells more: assumptions, promises, options.", err=True)
    else:
        print_table(detail(found[0]))
