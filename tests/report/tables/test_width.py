"""No name is broken at 80 columns (issue 12, C8: "at 80 columns no name breaks mid-word")."""

from __future__ import annotations

import json
import re
from io import StringIO
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console, RenderableType

from simulator.algorithms.registry import REGISTRY
from simulator.cli import main, printing
from simulator.cluster.faults.registry import FAULTS
from simulator.experiment.runner import run
from simulator.report.tables.comparison import comparison_table
from simulator.report.tables.summary import summary_table
from simulator.scenario import load
from simulator.shipped import shipped


def at_80_columns(table: RenderableType) -> str:
    file = StringIO()
    Console(file=file, width=80, highlight=False, markup=False).print(table)
    lines = file.getvalue().splitlines()
    assert max(len(line) for line in lines if not line.startswith("repeat")) <= 80
    return "\n".join(lines)


def printed(monkeypatch: pytest.MonkeyPatch, *words: str) -> str:
    monkeypatch.setattr(printing, "_width", lambda: 80)
    outcome = CliRunner().invoke(main, words)
    assert outcome.exit_code == 0, outcome.output
    assert max(map(len, outcome.stdout.splitlines())) <= 80
    return outcome.stdout


def test_the_lists_show_every_name_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    for command, names in (("scenarios", shipped()), ("algorithms", REGISTRY), ("faults", FAULTS)):
        shown = printed(monkeypatch, command)
        starts = {line.split()[0] for line in shown.splitlines() if line[:1].strip()}
        assert set(names) <= starts, command
        assert "…" not in re.sub(r"\{[^}]*\}", "", shown)


@pytest.mark.parametrize("name", list(REGISTRY))
def test_options_are_shown_whole(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    described = json.loads(CliRunner().invoke(main, ["algorithms", name, "--json"]).stdout)
    shown = printed(monkeypatch, "algorithms", name)
    starts = {line.split()[0] for line in shown.splitlines() if line[:1].strip()}
    assert {option["name"] for option in described["options"]} <= starts


def test_the_tables_of_a_run_show_types_of_messages_whole() -> None:
    """The longest names in use are those of message types, and they share their rows with two intervals."""
    for name in ("raft-leader-crash", "zookeeper-leader-crash", "failure-detectors"):
        result = run(load(name), trials=2)
        shown = at_80_columns(summary_table(result.summary))
        for message, sent in result.summary["metrics"]["messages"]["total"].items():
            assert not sent or re.search(rf"^{message}\b", shown, re.MULTILINE), message


def test_variants_with_long_names_are_numbered(tmp_path: Path) -> None:
    """A name such as `new_term_heartbeat_only_steps_down=true` was cut at its 20th character."""
    long = ["algorithm.new_term_heartbeat_only_steps_down=true,false"]
    outcome = CliRunner().invoke(
        main,
        ["compare", "raft-leader-crash", "--vary", long[0], "--trials", "4", "--workers", "1", "--json",
         "--results", str(tmp_path)],
    )  # fmt: skip
    shown = at_80_columns(comparison_table(json.loads(outcome.stdout), tests=True))
    names = [f"new_term_heartbeat_only_steps_down {value}" for value in ("true", "false")]
    for number, name in enumerate(names, start=1):
        assert f"\n#{number}  {name}\n" in shown
        assert re.search(rf"^  #{number} +\d", shown, re.MULTILINE)
