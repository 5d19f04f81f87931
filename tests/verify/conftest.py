"""The verification suite's own option, and the record that its tests fill."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from simulator.report.figures.results import save
from tests.verify.record import Record, page, table

IMAGES = Path(__file__).parents[2] / "docs" / "images"
SUITE = Path(__file__).parent
PAGE = SUITE.parents[1] / "docs" / "verification.md"


_RECORD = pytest.StashKey[Record]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-verification", action="store_true", help="write docs/verification.md, if all tests pass")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_RECORD] = Record()


@pytest.fixture
def record(pytestconfig: pytest.Config) -> Record:
    return pytestconfig.stash[_RECORD]


@dataclass(frozen=True)
class Figures:
    """The figures of the report, which are drawn only where it is written."""

    written: bool

    def save(self, name: str, figure: Figure) -> None:
        if self.written:
            save(figure, IMAGES / name, ["png"])


@pytest.fixture
def figures(pytestconfig: pytest.Config) -> Figures:
    return Figures(bool(pytestconfig.getoption("--write-verification", default=False)))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: pytest.ExitCode, config: pytest.Config
) -> None:
    record = config.stash[_RECORD]
    if not record.found:
        return
    terminalreporter.section("verification")
    for line in (*table(record.found).splitlines(), *record.notes):
        terminalreporter.line(line)
    if config.getoption("--write-verification", default=False):
        whole = [Path(argument).resolve() for argument in config.args] == [SUITE] and not config.option.keyword
        if exitstatus != pytest.ExitCode.OK or not whole:
            terminalreporter.line(f"{PAGE.name} is not written: the suite was not run as a whole, or has failed")
        else:
            PAGE.write_text(page(record.found, record.notes), encoding="utf-8")
            terminalreporter.line(f"{PAGE} is written")
