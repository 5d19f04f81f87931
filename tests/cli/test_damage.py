"""Damaged results and baselines: "one line, exit 2; never 1, which means `regressed`" (issue 12, C5)."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.damaged_results import check, gate, invoke, make_whole

DAMAGES = 48  # tests/verify has more.


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_whole(tmp_path_factory.mktemp("whole"))


def test_what_is_whole_is_read(whole: Path) -> None:
    run, compared = whole / "run" / "small-crash-001", whole / "compare" / "compare-small-crash-001"
    for command in (("show", run), ("trace", run), ("replay", run), ("show", compared)):
        assert invoke(*command).exit_code == 0
    assert invoke("show", whole / "small-crash-unfinished").exit_code == 0
    assert gate(whole).exit_code == 0


def test_damage_is_one_line_and_2(whole: Path, tmp_path: Path) -> None:
    """24 of 480 random damages were tracebacks."""
    for seed in range(DAMAGES):
        check(whole, tmp_path / str(seed), seed)


@pytest.mark.parametrize("content", ["[]", "null", "3", '"x"', "", "{}", "[" * 100_000])
@pytest.mark.parametrize("name", ["run/small-crash-001/summary.json", "compare/compare-small-crash-001/study.json"])
def test_json_that_is_no_object_is_named(whole: Path, tmp_path: Path, name: str, content: str) -> None:
    """ "`summary.json` = `[]`" was a traceback."""
    shutil.copytree(whole, tmp_path / "copy")
    file = tmp_path / "copy" / name
    file.write_text(content)
    outcome = invoke("show", file.parent)
    assert (outcome.exit_code, len(outcome.stderr.splitlines())) == (2, 1)
    assert file.name in outcome.stderr
