"""The results store: visible from the start, never overwritten, each file whole (issues 2 and 14)."""

import errno
import json
import os
import re
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

import simulator
from simulator.experiment import store
from simulator.experiment.runner import SCHEMA
from simulator.experiment.store import StoreError, new_directory, save
from simulator.experiment.stored import load_stored
from tests.experiment.test_runner import CRASH


@pytest.fixture(scope="module")
def result() -> simulator.Result:
    return simulator.run(simulator.loads(CRASH, "test.yaml"), trials=3)


def test_two_runs_get_two_directories(tmp_path: Path, result: simulator.Result) -> None:
    first, second = save(result, tmp_path), save(result, tmp_path)
    assert [first.name, second.name] == ["small-crash-001", "small-crash-002"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "small-crash-001",
        "small-crash-002",
    ]


def test_published_results_can_be_read_by_all(tmp_path: Path, result: simulator.Result) -> None:
    """ "The mode of published directories" (issue 12, C7): a mutant of it survived.

    Results are for others, too: a colleague on the same machine, or a CI step under another user. They are readable
    from the start, as the umask of their owner allows.
    """
    mask = os.umask(0o022)
    try:
        with new_directory(tmp_path, "run") as writer:
            assert writer.path.stat().st_mode & 0o777 == 0o755
        kept = save(result, tmp_path)
    finally:
        os.umask(mask)
    assert kept.stat().st_mode & 0o777 == 0o755
    assert {file.stat().st_mode & 0o777 for file in kept.iterdir()} == {0o644}


def test_what_is_kept_can_be_read_back(tmp_path: Path, result: simulator.Result) -> None:
    kept = save(result, tmp_path)
    pd.testing.assert_frame_equal(pd.read_parquet(kept / "trials.parquet"), result.trials)
    pd.testing.assert_frame_equal(pd.read_parquet(kept / "elections.parquet"), result.elections)
    pd.testing.assert_frame_equal(pd.read_parquet(kept / "overlaps.parquet"), result.overlaps)
    assert json.loads((kept / "summary.json").read_text()) == result.summary
    again = simulator.run(simulator.load(kept / "scenario.yaml"), trials=3)
    assert again.digest == result.digest  # The resolved scenario repeats the run.


def test_a_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), new_directory(tmp_path, "run"):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(StoreError, match=r"file: cannot write results: .*; choose another place") as error:
        new_directory(file, "run").__enter__()
    assert "\n" not in str(error.value)


def test_a_full_disk_is_one_line(tmp_path: Path, result: simulator.Result, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(frame: object, path: object, metadata: object = None) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(store, "_write_parquet", full)
    with pytest.raises(StoreError, match="cannot write results: No space left on device"):
        save(result, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_every_file_says_its_schema(tmp_path: Path, result: simulator.Result) -> None:
    # Issue 6: "Parquet through pyarrow with a documented, versioned schema"; docs/results.md has the table of versions.
    kept = save(result, tmp_path)
    assert json.loads((kept / "summary.json").read_text())["schema"] == SCHEMA
    for name in ("trials", "elections"):
        metadata = pq.read_schema(kept / f"{name}.parquet").metadata
        assert metadata[b"electsim.schema"] == str(SCHEMA).encode()
    page = (Path(__file__).parents[2] / "docs" / "results.md").read_text(encoding="utf-8")
    assert f"\n| {SCHEMA} | " in page


def test_every_column_is_documented(result: simulator.Result) -> None:
    page = (Path(__file__).parents[2] / "docs" / "results.md").read_text(encoding="utf-8")
    types = "|".join(str(name).removeprefix("sent_") for name in result.trials.filter(regex="^sent_[A-Z]"))
    for table in (result.trials, result.elections, result.overlaps):
        names = {re.sub(f"_({types})$", "_<Type>", name) for name in table.columns}
        assert {name for name in names if f"`{name}`" not in page} == set()


def test_a_later_schema_is_refused_in_one_line(tmp_path: Path, result: simulator.Result) -> None:
    kept = save(result, tmp_path)
    summary = result.summary | {"schema": SCHEMA + 1}
    (kept / "summary.json").write_text(json.dumps(summary))
    with pytest.raises(StoreError, match=f"its schema is {SCHEMA + 1}, and this electsim knows {SCHEMA}; read it with"):
        load_stored(kept)
    summary.pop("schema")
    (kept / "summary.json").write_text(json.dumps(summary))
    assert load_stored(kept).seed == result.seed
