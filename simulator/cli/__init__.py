"""The command line: parse, call, print. What it does is done by the layers below, and by `simulator.run`."""

from __future__ import annotations

from typing import Any

import click

from simulator.cli.algorithms import algorithms
from simulator.cli.common import EXIT_BAD_INPUT, EXIT_INTERRUPTED, fail
from simulator.cli.compare import compare
from simulator.cli.faults import faults
from simulator.cli.gate import gate
from simulator.cli.latency import latency
from simulator.cli.new import new
from simulator.cli.results import replay, show, trace
from simulator.cli.run import LARGEST_SEED, MOST_TRIALS, run
from simulator.cli.scenarios import scenarios, schema, validate

__all__ = ["LARGEST_SEED", "MOST_TRIALS", "main"]


class Commands(click.Group):
    """Ends with the documented code where a command is interrupted early, or cannot print what it has to say."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            fail("interrupted", EXIT_INTERRUPTED)
        except BrokenPipeError:
            raise  # Who reads has seen enough: click ends quietly.
        except OSError as error:
            fail(f"cannot write the output: {error.strerror or error}", EXIT_BAD_INPUT)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
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
    Begin with a scenario of your own, and check it before a long run:
      electsim new my-scenario
      electsim validate my-scenario.yaml
    \b
    Complete commands, scenarios and algorithms with Tab (zsh: zsh_source; fish: see the README):
      eval "$(_ELECTSIM_COMPLETE=bash_source electsim)"
    """


for command in (
    run,
    compare,
    show,
    trace,
    replay,
    new,
    scenarios,
    algorithms,
    faults,
    validate,
    latency,
    gate,
    schema,
):
    main.add_command(command)
