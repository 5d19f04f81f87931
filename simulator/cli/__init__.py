"""The command line: parse, call, print. What it does is done by the layers below, and by `simulator.run`."""

from __future__ import annotations

from typing import Any

import click

from simulator.cli.algorithms import algorithms
from simulator.cli.common import EXIT_BAD_INPUT, EXIT_INTERRUPTED, fail
from simulator.cli.gate import gate
from simulator.cli.latency import latency
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
    Check scenario files before a long run:
      electsim validate scenarios/*.yaml
    """


for command in (run, show, trace, replay, scenarios, algorithms, validate, latency, gate, schema):
    main.add_command(command)
