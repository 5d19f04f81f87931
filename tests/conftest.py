"""What all tests share: the `--rewrite` option, and the profile of Hypothesis."""

from __future__ import annotations

import os
import sys

import pytest
from hypothesis import settings

# The same schedules in every run, and no example database: a red build is red again on the next machine.
settings.register_profile("electsim", derandomize=True, deadline=None, database=None)
settings.load_profile("electsim")

# Python compiles the program once and keeps it, whatever the environment says: some tests start many processes.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


@pytest.fixture
def no_run_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let runs in this process draw no figures, for tests that do not look at them: they take half of a short run."""
    monkeypatch.setattr("simulator.report.figures.run_figures.write_figures", lambda *_: [])


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rewrite", action="store_true", help="accept changed answers: write them into the script files")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the rewritten files. They travel as test properties, which pytest-xdist carries to this process."""
    rewritten = [
        value
        for report in terminalreporter.stats.get("passed", [])
        for name, value in getattr(report, "user_properties", [])
        if name == "rewritten"
    ]
    if rewritten:
        terminalreporter.section("rewritten scripts: read the difference before you commit it")
        for path in sorted(rewritten):
            terminalreporter.line(path)
