"""`--openmetrics FILE` of `electsim run` and `electsim replay` (issue 15, Monitoring)."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from simulator.cli import main


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_run_and_replay_write_the_same_text(tmp_path: Path) -> None:
    """Both run one trial again: the first unless another is named."""
    text, again, other = tmp_path / "first.txt", tmp_path / "again.txt", tmp_path / "other.txt"
    root = tmp_path / "results"
    run = invoke(
        *("run", "raft-leader-crash", "--trials", 2, "--workers", 1, "--results", root),
        *("--openmetrics", text, "--scrape", "500ms"),
    )
    assert run.exit_code == 0, run.output
    kept = root / "raft-leader-crash-001"
    for trial, path in ((0, again), (1, other)):
        replayed = invoke("replay", kept, "--trial", trial, "--openmetrics", path, "--scrape", "500ms")
        assert replayed.exit_code == 0, replayed.output
    assert text.read_bytes() == again.read_bytes() != other.read_bytes()
    assert 'electsim_server_has_leader{instance="n1",job="electsim"} 1.0 0.5\n' in text.read_text()


def test_a_trial_shorter_than_a_scrape_is_said(tmp_path: Path) -> None:
    """The default of 15 s is longer than this scenario: the file is empty but for its descriptions."""
    run = invoke(
        *("run", "raft-leader-crash", "--trials", 1, "--workers", 1, "--results", tmp_path / "results"),
        *("--openmetrics", tmp_path / "text"),
    )
    assert run.exit_code == 0
    assert "holds no scrape: the trial ended before the first; choose a shorter --scrape" in run.stderr
    assert "} " not in (tmp_path / "text").read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--openmetrics", "nowhere/text"], "there is no folder nowhere"),
        (["--scrape", "0s"], "give more than 0"),
        (["--scrape", "often"], "often"),
        (["--openmetrics", "text", "--scrape", "1us"], "choose a longer --scrape"),
    ],
)
def test_bad_input_is_one_line_and_2(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As everywhere; what was simulated is kept."""
    monkeypatch.chdir(tmp_path)
    run = invoke("run", "raft-leader-crash", "--trials", "1", "--workers", "1", *arguments)
    assert run.exit_code == 2
    assert said in run.stderr.splitlines()[-1]
    assert not (tmp_path / "text").exists()
