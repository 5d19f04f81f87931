"""A hundred kills each of the coordinator and of a worker, at random instants (issue 14, "Resume")."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from simulator.cli import main
from tests.experiment.test_resume import OVERLAPPING
from tests.support.kills import assert_equal, kill_and_resume

pytestmark = [
    pytest.mark.verify,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes as Linux shows them"),
]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The scenario, and the result of an uninterrupted run."""
    place = tmp_path_factory.mktemp("whole")
    (place / "small.yaml").write_text(OVERLAPPING)
    words = ["run", str(place / "small.yaml"), "--trials", "160", "--workers", "1", "--results", str(place / "out")]
    assert CliRunner().invoke(main, words).exit_code == 0
    return place / "small.yaml", place / "out" / "small-crash-001"


@pytest.mark.parametrize("seed", range(100))
@pytest.mark.parametrize("whom", ["coordinator", "worker"])
def test_a_killed_run_is_resumed_without_a_difference(
    whole: tuple[Path, Path], tmp_path: Path, whom: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No finished trial is run again, and the tables, the digest and the summary are those of an uninterrupted run."""
    scenario, uninterrupted = whole
    kept, outcome = kill_and_resume(scenario, tmp_path / "out", seed, whom, 160, monkeypatch, 2.0)
    assert outcome.exit_code == 0 or "all its trials are finished" in outcome.stderr
    assert_equal(kept, uninterrupted)
