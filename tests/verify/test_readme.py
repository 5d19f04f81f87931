"""The table of algorithms in the README is what its command prints (issue 12, C8: "README's `invitation` row is the
command's own output")."""

from __future__ import annotations

import re

import pytest

from simulator.experiment.runner import run
from simulator.report.tables.numbers import value_of
from simulator.scenario import load
from tests.support.scenarios import ROOT

pytestmark = pytest.mark.verify


def rows() -> dict[str, tuple[str, str]]:
    """Median and 99th percentile of failover in ms, by algorithm, as the README has them."""
    found: dict[str, tuple[str, str]] = {}
    for line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("| [`") and (
            pairs := re.findall(r"(\d+) / (\d+)", line.rpartition("|")[0].rpartition("|")[2])
        ):
            names = re.findall(r"\[`([a-z-]+)`\]", line)
            assert len(names) == len(pairs), line
            found |= dict(zip(names, pairs, strict=True))
    return found


def test_the_table_has_every_row() -> None:
    """A pattern that finds nothing would make the next test say nothing."""
    assert {"raft", "bully", "invitation", "zookeeper", "priority"} <= rows().keys()


@pytest.mark.parametrize("algorithm", list(rows()))
def test_the_readme_shows_what_its_command_prints(algorithm: str) -> None:
    """ "`electsim run leader-crash --algorithm NAME`: … failover as median / 99th percentile of 1000 trials"."""
    failover = run(load("leader-crash", algorithm=algorithm), workers=0).summary["metrics"]["failover"]
    shown = tuple(f"{1e3 * (value_of(failover[name]) or 0.0):.0f}" for name in ("median", "p99"))
    assert shown == rows()[algorithm]
