"""Files that a scenario names: only those in its folder are read, and no error quotes them (issue 12, C4)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from simulator.cli import main
from simulator.cluster.distributions import Empirical
from simulator.protocol import MILLISECOND as MS
from simulator.scenario import ScenarioError, load, loads, resolved_text
from tests.support.scenarios import SMALL

SECRET = "s3cr3t-line"


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A file of samples outside the folder of the scenarios."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "here").mkdir()
    file = tmp_path / "elsewhere" / "rtt.csv"
    file.write_text("latency_ms\n1\n")
    return file


def scenario_with(tmp_path: Path, file: str) -> Path:
    """A scenario in the folder `here` whose latency is that of a file."""
    path = tmp_path / "here" / "x.yaml"
    path.write_text(f"{SMALL}network:\n  latency: {{empirical: '{file}'}}\n")
    return path


def refusal(path: Path) -> str:
    with pytest.raises(ScenarioError) as caught:
        load(path)
    return str(caught.value)


@pytest.mark.parametrize("key", ["file", "since"])
def test_a_scraped_file_outside_the_folder_is_refused_and_can_be_allowed(tmp_path: Path, key: str) -> None:
    """Issue 13: a histogram's file is read by the same rules as a file of samples; both scrapes are."""
    scrape = 'w_seconds_bucket{le="1"} %d\nw_seconds_bucket{le="+Inf"} %d\nw_seconds_sum %d\n'
    for folder in ("here", "elsewhere"):
        (tmp_path / folder).mkdir()
    inside, outside = ("a.prom", "../elsewhere/b.prom")
    (tmp_path / "here" / inside).write_text(scrape % ((5, 5, 2) if key == "since" else (1, 1, 1)))
    (tmp_path / "elsewhere" / "b.prom").write_text(scrape % ((5, 5, 2) if key == "file" else (1, 1, 1)))
    other = "since" if key == "file" else "file"
    path = tmp_path / "here" / "x.yaml"
    histogram = f"{{metric: w_seconds, {key}: {outside}, {other}: {inside}}}"
    path.write_text(f"{SMALL}network:\n  latency: {{histogram: {histogram}}}\n")
    said = refusal(path)
    assert said.startswith(f"{path}:7: network.latency.histogram.")
    assert "../elsewhere/b.prom is outside the scenario's folder; move the file there" in said
    allowed = load(path, allow_files=[tmp_path / "elsewhere"])
    assert loads(resolved_text(allowed)) == allowed


@pytest.mark.parametrize("way", ["above", "absolute", "link", "linked folder"])
def test_a_file_outside_the_folder_is_refused_with_a_remedy(tmp_path: Path, outside: Path, way: str) -> None:
    """ "absolute paths and symlinks that lead out of the scenario's folder are refused", and `../../outside.csv`."""
    (tmp_path / "here" / "link.csv").symlink_to(outside)
    (tmp_path / "here" / "folder").symlink_to(outside.parent)
    name = {
        "above": "../elsewhere/rtt.csv",
        "absolute": str(outside),
        "link": "link.csv",
        "linked folder": "folder/rtt.csv",
    }[way]
    path = scenario_with(tmp_path, name)
    said = refusal(path)
    assert said.startswith(f"{path}:7: network.latency.empirical: ")
    assert "is outside the scenario's folder; move the file there, or allow its folder: --allow-files DIR" in said
    assert "\n" not in said
    allowed = load(path, allow_files=[outside.parent])
    assert allowed.cluster_spec().network.latency == Empirical((MS,))
    assert loads(resolved_text(allowed)) == allowed  # What was read is part of it: no file is read again.


def test_a_file_in_the_folder_is_read_by_any_path(tmp_path: Path, outside: Path) -> None:
    """A path is refused only if it ends outside the folder: links within it, and paths out and back in, are read."""
    here = tmp_path / "here"
    (here / "rtt.csv").write_text("latency_ms\n2\n")
    (here / "link.csv").symlink_to("rtt.csv")
    for name in ("rtt.csv", "link.csv", "../here/rtt.csv", str(here / "rtt.csv")):
        assert load(scenario_with(tmp_path, name)).cluster_spec().network.latency == Empirical((2 * MS,))


def test_a_text_reads_no_files_unless_it_is_given_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ "`loads` reads no files unless given a folder", not even of the current one."""
    (tmp_path / "rtt.csv").write_text("latency_ms\n1\n")
    monkeypatch.chdir(tmp_path)
    text = f"{SMALL}network:\n  latency: {{empirical: rtt.csv}}\n"
    with pytest.raises(ScenarioError, match=r"rtt.csv is a file, and a scenario that is given as a text reads none"):
        loads(text)
    assert loads(text, folder=tmp_path).cluster_spec().network.latency == Empirical((MS,))


CONTENTS = [
    SECRET,
    f"latency_ms\n{SECRET}",
    f"region,{SECRET}\n",
    f"region_ms,a\n{SECRET},1",
    f"w_seconds_{SECRET}",
    f'w_seconds_bucket{{le="{SECRET}"}} 5',
    f'w_seconds_bucket{{{SECRET}="1",le="+Inf"}} 5',
    f'w_seconds_bucket{{le="1"}} {SECRET}',
]
FIELDS = [
    "latency: {empirical: f.csv}",
    "topology: {matrix: f.csv, measured: one-way}",
    "latency: {histogram: {file: f.csv, metric: w_seconds}}",
    "latency: {histogram: {file: g.prom, since: f.csv, metric: w_seconds}}",
]


@pytest.mark.parametrize("content", CONTENTS)
@pytest.mark.parametrize("field", FIELDS)
def test_no_error_quotes_what_is_in_a_file(tmp_path: Path, content: str, field: str) -> None:
    """ "no error quotes a file's content": a scenario from elsewhere may name a private file."""
    (tmp_path / "f.csv").write_text(content + "\n")
    (tmp_path / "g.prom").write_text('w_seconds_bucket{le="1"} 5\nw_seconds_bucket{le="+Inf"} 5\nw_seconds_sum 2\n')
    (tmp_path / "x.yaml").write_text(f"{SMALL}network:\n  {field}\n")
    said = refusal(tmp_path / "x.yaml")
    assert "f.csv" in said
    assert SECRET not in said


def test_what_is_no_regular_file_is_not_waited_for(tmp_path: Path) -> None:
    """Reading from a pipe without a writer would never return."""
    (tmp_path / "here").mkdir()
    os.mkfifo(tmp_path / "here" / "pipe.csv")
    assert "pipe.csv is not a file in the scenario's folder" in refusal(scenario_with(tmp_path, "pipe.csv"))


@pytest.mark.parametrize("command", ["validate", "run", "latency", "gate", "compare"])
def test_every_command_takes_allow_files(
    tmp_path: Path, outside: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """ "`--allow-files DIR` … widen it", for each command that reads a scenario; without it each exits with 2."""
    monkeypatch.chdir(tmp_path)
    file = str(scenario_with(tmp_path, "../elsewhere/rtt.csv"))
    arguments = {
        "run": ["--trials", "2", "--workers", "1"],
        "gate": ["--accept", "why", "--workers", "1", "--baseline", "kept"],
        "compare": ["--vary", "cluster.nodes=3,5", "--trials", "2", "--workers", "1"],
    }.get(command, [])
    refused = CliRunner().invoke(main, [command, file, *arguments])
    assert refused.exit_code == 2
    assert "--allow-files DIR" in refused.stderr
    allowed = CliRunner().invoke(main, [command, file, *arguments, "--allow-files", str(outside.parent)])
    assert allowed.exit_code == 0, allowed.output
