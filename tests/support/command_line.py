"""The command line, in this process and in one of its own."""

from __future__ import annotations

import sys

from click.testing import CliRunner, Result

from simulator.cli import main

# SIGINT may be ignored where the tests run (a background job of a shell), and a child would inherit that.
ELECTSIM = [
    sys.executable,
    "-c",
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from simulator.cli import main; main()",
]


def invoke(*arguments: object) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(main, [str(argument) for argument in arguments])
