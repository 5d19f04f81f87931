"""A full disk, and kills at the worst moment: no half of a file, no empty result (issue 12, C5)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import simulator
import simulator.results
from simulator.experiment.files import write_whole
from tests.experiment.test_runner import CRASH
from tests.support.command_line import invoke

pytestmark = pytest.mark.skipif(os.name == "nt", reason="limits and signals of POSIX")
RUN = "from simulator.cli import main; main()"
# No file may grow beyond this: a write fails in the middle, as on a full disk.
LIMITED = "import resource, sys; size = int(sys.argv.pop(1)); resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)); "


def electsim(first: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", first + RUN, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def assert_whole(file: Path) -> None:
    """Every file of a published directory can be read to its end."""
    content = file.read_bytes()
    if file.suffix == ".parquet":
        pd.read_parquet(file, page_checksum_verification=True)
    elif file.suffix == ".svg":
        assert content.rstrip().endswith(b"</svg>"), file
    elif file.suffix == ".png":
        assert content[-8:-4] == b"IEND", file
    else:
        assert content.endswith(b"\n"), file


@pytest.mark.parametrize("size", [20_000, 45_000, 90_000])
def test_what_cannot_be_written_is_one_line_and_2_and_no_half_of_a_file(
    scenario: Path, tmp_path: Path, size: int
) -> None:
    """ "Full disk: no cut SVG in a published directory": chunks fail at the least limit, figures at the others."""
    root = tmp_path / "out"
    done = electsim(LIMITED, size, "run", scenario, "--trials", 5, "--workers", 1, "--results", root)
    assert done.returncode == 2, done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("electsim: ")]
    assert "File too large" in line
    for directory in root.iterdir():
        if "go on with" in line:  # When there is room, what was finished is not run again.
            resumed = invoke("run", "--resume", directory, "--workers", 1)
            assert resumed.exit_code == 0, resumed.stderr
        else:
            assert "figures are left out" in line
        assert {"trials.parquet", "summary.json"} <= {file.name for file in directory.iterdir()}
        assert len(simulator.results.load(directory).trials) == 5
        for file in directory.iterdir():
            assert_whole(file)
    assert bool(list(root.iterdir())) == (size > 20_000)


def test_figures_of_an_earlier_run_that_cannot_be_written_are_one_line(tmp_path: Path) -> None:
    kept = simulator.save(simulator.run(simulator.loads(CRASH), trials=3), tmp_path)
    done = electsim(LIMITED, 30_000, "show", kept, "--figures", tmp_path / "figures")
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith(f"electsim: {tmp_path / 'figures'}: cannot write the figures: ")
    assert len(done.stderr.splitlines()) == 1
    for file in (tmp_path / "figures").iterdir():
        assert_whole(file)


@pytest.mark.parametrize(
    "moment",
    [
        "os.replace = lambda source, to: kill() if to.name == 'trials.parquet' else shutil.move(source, to)",
        "os.replace = lambda source, to: kill() if to.name == 'summary.json' else shutil.move(source, to)",
        "pathlib.Path.unlink = lambda *_, **__: kill()",
        "pathlib.Path.rmdir = lambda *_: kill()",
    ],
    ids=["tables", "summary", "state", "chunks"],
)
def test_a_kill_while_a_result_is_finished_loses_nothing(scenario: Path, tmp_path: Path, moment: str) -> None:
    """A kill as a file takes its name, or as `run.json` or the chunks are removed: the result can be resumed, or it
    is finished."""
    root = tmp_path / "out"
    killed = f"import os, pathlib, shutil, signal; kill = lambda: os.kill(os.getpid(), signal.SIGKILL); {moment}; "
    done = electsim(killed, "run", scenario, "--trials", 3, "--workers", 1, "--results", root)
    assert done.returncode == -signal.SIGKILL
    (left,) = root.iterdir()
    if (left / "run.json").exists():
        resumed = invoke("run", "--resume", left, "--workers", 1)
        assert resumed.exit_code == 0, resumed.stderr
    saved = simulator.results.load(left)
    assert saved.summary["state"] == "finished"
    assert saved.summary["digest"] == simulator.run(simulator.loads(CRASH), trials=3).digest


def test_a_number_that_is_taken_is_not_written_over(tmp_path: Path) -> None:
    """Two runs may look for a free number at the same time: making a directory fails if it is there."""
    result = simulator.run(simulator.loads(CRASH), trials=1)
    (tmp_path / "small-crash-001").mkdir()
    (tmp_path / "small-crash-001" / "theirs").write_text("")
    (tmp_path / "small-crash-002").write_text("")  # A file.
    assert simulator.save(result, tmp_path).name == "small-crash-003"
    assert [file.name for file in (tmp_path / "small-crash-001").iterdir()] == ["theirs"]


def test_a_file_is_replaced_whole_or_left_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_text("before")
    link.symlink_to(file)
    write_whole(link, "after")
    assert (file.read_text(), link.is_symlink(), file.stat().st_mode & 0o777) == ("after", True, 0o644)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(file, "later")
    assert (file.read_text(), sorted(path.name for path in tmp_path.iterdir())) == ("after", ["file", "link"])
    write_whole(Path("/dev/null"), "to nobody")
    assert not Path("/dev/null").is_file()
