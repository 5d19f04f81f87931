"""The command line: parses options, calls the layers below, and prints."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from click.exceptions import NoArgsIsHelpError

from simulator.cli.algorithms import algorithms
from simulator.cli.clean import clean
from simulator.cli.common import EXIT_BAD_INPUT, end_interrupted, fail
from simulator.cli.compare import compare
from simulator.cli.faults import faults
from simulator.cli.gate import gate
from simulator.cli.latency import latency
from simulator.cli.new import new
from simulator.cli.results import replay, show, trace
from simulator.cli.run import LARGEST_SEED, MOST_TRIALS, run
from simulator.cli.scenarios import scenarios, schema, validate
from simulator.cli.sweep import sweep
from simulator.experiment.signals import handled

__all__ = ["LARGEST_SEED", "MOST_TRIALS", "main"]


@contextmanager
def _usage_errors_in_one_line() -> Iterator[None]:
    """What click refuses ends like other bad input: one line that names the remedy, and exit code 2."""
    try:
        yield
    except NoArgsIsHelpError:
        raise  # The exception's message is the help text.
    except click.UsageError as error:
        # The first argument is the name of the program.
        names = [] if error.ctx is None else error.ctx.command_path.split(" ")[1:]
        reason = " ".join(error.format_message().split()).rstrip(".")
        remedy = f"`{' '.join(('electsim', *names))} --help` lists what it takes"
        fail(": ".join((*names, f"{reason}; {remedy}")), EXIT_BAD_INPUT)


class Commands(click.Group):
    """Ends with the documented code where a command is interrupted early, or cannot print what it has to say."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)  # Commands are listed in the order in which they were added.

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Parse the options before the command; a wrong one ends with a line."""
        with _usage_errors_in_one_line():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, and end with an exit code of docs/exit-codes.md if it cannot be run to its end."""
        try:
            with handled(), _usage_errors_in_one_line():
                return super().invoke(ctx)
        except KeyboardInterrupt as error:
            end_interrupted(error)
        except BrokenPipeError:
            raise  # The reader of the output has closed it: click ends quietly.
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


_IN_ONE_LINE = {  # The order is that in which a new user needs the commands.
    run: "Run a scenario: a table, figures, and files under results/.",
    sweep: "Run a scenario in all cells of some axes, and show each.",
    compare: "Run variants of a scenario, and say what differs.",
    show: "Print the table of an earlier run again, and draw its figures.",
    trace: "Print what happened in one trial, event by event.",
    replay: "Run one trial again, and compare its digest.",
    clean: "Remove what killed runs have left.",
    new: "Write a scenario, or an algorithm with its test, to begin with.",
    scenarios: "List the scenarios that come with electsim.",
    algorithms: "List the election algorithms, or describe one.",
    faults: "List the faults of a schedule, or describe one.",
    validate: "Check scenario files.",
    latency: "Show what a link will see, before anything is run.",
    gate: "Compare election timing with accepted baselines, for CI.",
    schema: "Print the JSON Schema of scenarios, or their reference.",
}
for _command, _line in _IN_ONE_LINE.items():
    _command.short_help = _line
    main.add_command(_command)
