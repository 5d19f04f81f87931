"""Signals inside one process: what is deferred, what is let through, and what SIGTERM keeps (issue 12, C1)."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import pytest

import simulator.results
from simulator.cluster.spec import ClusterSpec
from simulator.experiment import chunks, runner
from simulator.experiment.signals import Terminated, handled, interruptible, uninterrupted
from simulator.experiment.trial import TrialResult, simulate
from tests.experiment.test_runner import CRASH
from tests.support.command_line import invoke

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")


def noted(number: int, frame: FrameType | None) -> None:
    raise AssertionError("this handler is not to be called")


@pytest.fixture(autouse=True)
def _own_handlers() -> Iterator[None]:
    """Not pytest's, nor what a background job inherits: with SIGINT ignored, nothing would be tested."""
    before = {number: signal.signal(number, noted) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    assert {signal.getsignal(number) for number in before} <= {noted, signal.SIG_IGN}  # As it was before `handled`.
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(("number", "error"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated)])
def test_a_signal_is_raised_at_once_or_after_what_must_not_be_lost(
    number: signal.Signals, error: type[KeyboardInterrupt]
) -> None:
    steps = []
    with pytest.raises(error), handled():  # noqa: PT012
        with uninterrupted():
            os.kill(os.getpid(), number)
            steps.append("saved")
        steps.append("not reached")
    with pytest.raises(error), handled(), uninterrupted():  # noqa: PT012
        with interruptible():
            os.kill(os.getpid(), number)
            steps.append("not reached")
        steps.append("nor this")
    assert steps == ["saved"]


def test_a_signal_that_came_before_is_raised_where_signals_are_let_through_again() -> None:
    with pytest.raises(Terminated), handled(), uninterrupted():  # noqa: PT012
        os.kill(os.getpid(), signal.SIGTERM)
        with interruptible():
            raise AssertionError("the run is not begun")


def test_an_error_says_more_than_the_signal_that_came_with_it() -> None:
    with pytest.raises(ZeroDivisionError), handled(), uninterrupted():  # noqa: PT012
        os.kill(os.getpid(), signal.SIGTERM)
        raise ZeroDivisionError


def test_a_signal_that_was_ignored_when_the_program_started_stays_ignored() -> None:
    """`nohup` and background jobs rely on it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with handled():
        os.kill(os.getpid(), signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


@pytest.fixture
def scenario(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """SIGTERM comes in trial 6, when there are many finished ones."""

    def terminated(spec: ClusterSpec, seed: int, trial: int) -> TrialResult:
        if trial == 6 and spec.network.loss == 0.01:
            os.kill(os.getpid(), signal.SIGTERM)
        return simulate(spec, seed, trial)

    monkeypatch.setattr(chunks, "simulate", terminated)
    monkeypatch.setattr(runner, "GATHERED_AT_ONCE", 5)
    path = tmp_path / "small.yaml"
    path.write_text(CRASH)
    return path


def test_many_finished_trials_are_kept_without_their_statistics(scenario: Path, tmp_path: Path) -> None:
    """ "It ends a run within 5 s": 9,000 trials take their statistics longer than that on a busy machine."""
    outcome = invoke("run", scenario, "--results", tmp_path / "out", "--workers", 1)
    kept = tmp_path / "out" / "small-crash-001"
    assert (outcome.exit_code, outcome.stdout) == (143, "")
    said = f"electsim: terminated: 6 of 45 trials were kept; `electsim show {kept}` makes their tables, "
    assert outcome.stderr.splitlines()[-1] == f"{said}`electsim run --resume {kept}` runs the others"
    assert [path.name for path in (tmp_path / "out").iterdir()] == [kept.name]
    summary = json.loads(invoke("show", kept, "--json").stdout)
    whole = simulator.run(simulator.loads(CRASH), trials=6).summary
    assert (summary["stopped_by"], summary["trials"]["requested"]) == ("terminated", 45)
    assert (summary["digest"], summary["metrics"]) == (whole["digest"], whole["metrics"])
    assert invoke("replay", kept, "--trial", 5).exit_code == 0
    resumed = invoke("run", "--resume", kept, "--workers", 1)  # SIGTERM comes again: trial 6 had not been finished.
    assert resumed.exit_code == 143
    assert "6 of 45 trials were kept" in resumed.stderr


@pytest.mark.parametrize("values", ["0,0.01", "0.01,0"])
def test_a_comparison_with_many_finished_trials_is_kept_without_its_metrics(
    scenario: Path, tmp_path: Path, values: str
) -> None:
    vary = ("--vary", f"network.loss={values}", "--trials", 8, "--workers", 1)
    outcome = invoke("compare", scenario, *vary, "--results", tmp_path / "out")
    assert outcome.exit_code == 143, outcome.output
    kept = tmp_path / "out" / "compare-small-crash-001"
    comparison = json.loads((kept / "study.json").read_text())["comparison"]
    assert comparison["metrics"] == {}
    cut = next(cut for cut in comparison["unfinished"] if cut["trials"]["run"])
    assert cut["trials"] == {"run": 6, "requested": 8}
    assert len(simulator.results.load(kept / cut["directory"]).trials) == 6
    assert len(comparison["variants"]) == (values == "0,0.01")
    shown = invoke("show", kept)
    assert shown.exit_code == 0, shown.output
