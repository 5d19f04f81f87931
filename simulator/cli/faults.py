"""`electsim faults`: the faults of a scenario's schedule."""

from __future__ import annotations

import click

from simulator.cli.common import EXIT_BAD_INPUT, fail
from simulator.cli.completion import fault_names
from simulator.cli.printing import print_json, print_note, print_table


@click.command()
@click.argument("name", required=False, shell_complete=fault_names)
@click.option("--json", "as_json", is_flag=True, help="Print all that is known as JSON: a list, or NAME alone.")
def faults(name: str | None, *, as_json: bool) -> None:
    """List the faults that a scenario's schedule may hold; or describe NAME: its fields, with an example.

    \b
      electsim faults
      electsim faults partition
      electsim faults --json | jq -r '.[].example'
    \b
    Try one without a file of your own:
      electsim run raft-leader-crash --set 'faults=[{at: 1s, pause: leader, lasts: 400ms}]'

    Exits with 2 if there is no such fault. docs/faults.md explains targets, triggers, and how faults compose.
    """
    from simulator.report.pages.faults import describe, detail, overview
    from simulator.scenario.text.errors import alternatives

    found = {described["name"]: described for described in describe()}
    if name is not None and name not in found:
        fail(f"{name} is not a fault; {alternatives(name, tuple(found))}", EXIT_BAD_INPUT)
    if as_json:
        print_json(list(found.values()) if name is None else found[name])
    elif name is None:
        print_table(overview(found.values()))
        print_note("\nelectsim faults NAME shows more: its fields, and when it is injected.")
    else:
        print_table(detail(found[name]))
