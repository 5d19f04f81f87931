"""`electsim sweep` and `simulator.sweep` as their users meet them (issue 14, "Studies")."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner, Result

import simulator
import simulator.results
from simulator.analysis.measures import DurationQuantile
from simulator.analysis.records.registry import MEASURES
from simulator.cli import main
from simulator.experiment.chunks import simulate_chunk
from simulator.experiment.sweep.study import study_schema
from simulator.experiment.trial import simulate
from tests.experiment.test_runner import CRASH

ROOT = Path(__file__).parents[3]


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(CRASH)
    return path


INTERVAL = "algorithm.heartbeat_interval"
LINKED = ("--vary", f"{INTERVAL}=20ms,50ms", "--link", f"algorithm.election_timeout=[3 * {INTERVAL}, 6 * {INTERVAL}]")


def test_each_cell_is_the_run_of_its_scenario(scenario: Path, tmp_path: Path) -> None:
    """One machinery: "`run` is a sweep of one cell". The same digests, and the estimates of `compare`'s measures."""
    outcome = invoke(
        "sweep", scenario, *LINKED, "--vary", "cluster.nodes=3,5", "--trials", 12, "--results", tmp_path / "out",
        "--json", "--workers", 1,
    )  # fmt: skip
    assert outcome.exit_code == 0, outcome.output
    found = json.loads(outcome.stdout)
    kept = tmp_path / "out" / "sweep-small-crash-001"
    assert found == json.loads((kept / "study.json").read_text())
    assert [row["settings"]["cluster.nodes"] for row in found["cells"]] == ["3", "5", "3", "5"]
    assert found["cells"][2]["linked"] == {"algorithm.election_timeout": "[150ms, 300ms]"}
    overrides = ["algorithm.heartbeat_interval=20ms", "algorithm.election_timeout=[60ms, 120ms]", "cluster.nodes=5"]
    run = simulator.run(scenario, overrides, trials=12)
    cell = found["cells"][1]
    assert (cell["digest"], cell["trials"]["run"]) == (run.digest, 12)
    measure = MEASURES["failover.median"]
    assert isinstance(measure, DurationQuantile)
    assert cell["metrics"]["failover.median"]["value"] == measure.estimate(run.tables).value
    part = simulator.results.load(kept / cell["directory"])  # Each cell is a run of its own.
    assert part.summary["metrics"] == run.summary["metrics"]
    assert invoke("replay", kept / cell["directory"], "--trial", 3).exit_code == 0
    table = pd.read_parquet(kept / "cells.parquet")
    assert list(table["failover.median"]) == [row["metrics"]["failover.median"]["value"] for row in found["cells"]]
    assert {"failover-median.png", "failover-median-map.png"} <= {file.name for file in kept.iterdir()}
    assert "20ms" in invoke("show", kept).stdout
    again = json.loads(invoke(*shlex.split(found["command"])[1:], "--json", "--results", tmp_path / "again").stdout)
    assert again["digest"] == found["digest"]


def test_workers_change_nothing(scenario: Path, tmp_path: Path) -> None:
    """ "The digest is the same for any number of workers", with a precision for each cell, too."""
    found = [
        json.loads(
            invoke(
                "sweep", scenario, "--vary", "network.loss=0,10%", "--trials", 300, "--precision", "8%", "--json",
                "--results", tmp_path / str(workers), "--workers", workers,
            ).stdout
        )
        for workers in (1, 2)
    ]  # fmt: skip
    assert found[0] == found[1]
    assert [row["precision"]["asked"] for row in found[0]["cells"]] == [0.08, 0.08]
    assert all(row["trials"]["run"] in (100, 200, 300) for row in found[0]["cells"])  # At interim analyses.


def test_cells_that_are_no_scenario_are_skipped_and_counted(scenario: Path, tmp_path: Path) -> None:
    """ "Cells that are no valid scenario are skipped and counted with the reason"."""
    outcome = invoke(
        "sweep", scenario, "--vary", "network.loss=0,2,3", "--trials", 3, "--results", tmp_path / "out", "--workers", 1
    )
    assert outcome.exit_code == 0
    assert "2 of 3 cells were skipped:" in outcome.stdout
    assert "2 is not a probability between 0 and 1" in " ".join(outcome.stdout.split())
    table = pd.read_parquet(tmp_path / "out" / "sweep-small-crash-001" / "cells.parquet")
    assert list(table["skipped"].notna()) == [False, True, True]


def test_an_interrupted_sweep_goes_on(scenario: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ "Ctrl-C/SIGTERM keep all that is finished", and no finished trial is run again."""
    vary = ("--vary", "network.loss=0,5%,10%", "--trials", 15)
    whole = json.loads(invoke("sweep", scenario, *vary, "--results", tmp_path / "a", "--workers", 1, "--json").stdout)
    run: list[tuple[float, int]] = []

    def interrupt(spec: object, seed: int, trial: int) -> object:
        if len(run) == 22:
            raise KeyboardInterrupt
        run.append((spec.network.loss, trial))  # type: ignore[attr-defined]
        return simulate(spec, seed, trial)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr("simulator.experiment.chunks.simulate", interrupt)
        outcome = invoke("sweep", scenario, *vary, "--results", tmp_path / "b", "--workers", 1)
    kept = tmp_path / "b" / "sweep-small-crash-001"
    assert outcome.exit_code == 130
    assert f"1 of 3 cells are finished; go on with `electsim sweep --resume {kept}`" in outcome.stderr
    assert json.loads((kept / "study.json").read_text())["state"] == "unfinished"
    shown = invoke("show", kept).stdout  # Of the cell that was under way, what is finished.
    assert "1 of 3 cells, 22 trials" in shown
    assert "7 of 15" in shown
    assert "interrupted: not all trials are finished" in shown
    assert f"go on with it by `electsim sweep --resume {kept}`" in invoke("run", "--resume", kept).stderr
    again: list[tuple[float, int]] = []

    def watch(spec: object, seed: int, trial: int) -> object:
        again.append((spec.network.loss, trial))  # type: ignore[attr-defined]
        return simulate(spec, seed, trial)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr("simulator.experiment.chunks.simulate", watch)
        assert invoke("sweep", "--resume", kept, "--workers", 1).exit_code == 0
    assert not set(run) & set(again)
    assert len(run) + len(again) == 45
    found = json.loads((kept / "study.json").read_text())
    assert (found["state"], found["digest"], found["cells"]) == ("finished", whole["digest"], whole["cells"])
    assert not (kept / "run.json").exists()
    assert invoke("sweep", "--resume", kept).exit_code == 2


def test_a_cell_whose_trials_fail_does_not_end_the_others(scenario: Path, tmp_path: Path) -> None:
    """ "A failing trial is a row with its replay command; the study goes on; the exit code says so"."""
    outcome = invoke(
        "sweep", scenario, "--vary", "limits.events=1000000,50", "--trials", 3, "--results", tmp_path / "out",
        "--workers", 1,
    )  # fmt: skip
    assert outcome.exit_code == 3
    assert "trials failed in 1 of 2 cells" in outcome.stderr
    table = pd.read_parquet(tmp_path / "out" / "sweep-small-crash-001" / "cells.parquet")
    assert (list(table["run"]), list(table["failed"])) == ([3, 0], [0, 3])
    assert "all trials failed; the first: EventLimitError" in table["skipped"][1]


@pytest.mark.parametrize("method", ["random", "latin-hypercube", "sobol"])
def test_points_of_a_sample_lie_between_the_ends(scenario: Path, method: str) -> None:
    """ "Random / Latin hypercube / Sobol points (scipy.stats.qmc)": each value within its range, the same each time."""
    vary = {"cluster.nodes": "3..9", "algorithm": ["raft", "bully"], "network.loss": "0..10%"}
    found = [
        simulator.sweep(scenario, vary, sample=(method, 8), trials=1, metrics=["failover.median"]) for _ in range(2)
    ]
    frame = found[0].frame
    assert len(frame) == 8
    assert frame["cluster.nodes"].astype(int).between(3, 9).all()
    assert frame["network.loss"].astype(float).between(0, 0.1).all()
    assert set(frame["algorithm"]) == {"raft", "bully"}
    assert found[0].digest == found[1].digest
    if method == "latin-hypercube":  # One point in each eighth of the range.
        assert sorted((frame["network.loss"].astype(float) * 80).astype(int)) == list(range(8))


def test_axes_of_files_and_of_fields_that_change_together(scenario: Path, tmp_path: Path) -> None:
    """ "Linked fields …, whole scenario files, algorithms"."""
    other = tmp_path / "other.yaml"
    other.write_text(CRASH.replace("nodes: 3", "nodes: 4"))
    study = tmp_path / "study.yaml"
    study.write_text(
        yaml.safe_dump(
            {
                "version": 1,
                "scenario": "small.yaml",
                "axes": [
                    {"field": "scenario", "values": [str(scenario), str(other)]},
                    {
                        "fields": ["algorithm.heartbeat_interval", "algorithm.election_timeout"],
                        "values": [["20ms", ["60ms", "120ms"]], ["50ms", ["150ms", "300ms"]]],
                    },
                ],
                "trials": 2,
            }
        )
    )
    jsonschema.validate(yaml.safe_load(study.read_text()), study_schema())
    found = simulator.sweep(study)
    assert list(found.frame["algorithm.heartbeat_interval"]) == ["20ms", "50ms"] * 2
    assert found.frame["digest"][3] == simulator.run(other, trials=2).digest
    assert found.frame["digest"][1] == simulator.run(scenario, trials=2).digest


def test_a_dataset_has_a_labelled_dimension_for_each_axis(scenario: Path) -> None:
    """ "`simulator.sweep(...)`: xarray.Dataset with labelled axes; pandas beside it"."""
    found = simulator.sweep(scenario, {"cluster.nodes": [3, 5], "network.loss": [0, 2, 0.1]}, trials=3)
    dataset = found.to_xarray()
    assert dict(dataset.sizes) == {"cluster.nodes": 2, "network.loss": 3}
    value = float(dataset["failover.median"].sel({"cluster.nodes": "5", "network.loss": "0.1"}))
    assert value == found.frame["failover.median"][5]
    assert bool(dataset["failover.median"].isnull().sel({"network.loss": "2"}).all())
    assert dataset["failover.median.low"].attrs == {"long_name": "failover, median", "units": "s"}
    assert list(dataset.coords["network.loss"].values) == ["0", "2", "0.1"]  # In the order of the axis.


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "axes: is empty; write a field and its values"),
        (("--vary", "trials=3,5"), "all variants have the same trials"),
        (("--vary", "network.loss=2,3"), "the sweep: none of its cells (2) is a valid scenario; the first: "),
        (("--vary", "cluster.nodes=3,5", "--link", "cluster.nodes=4"), "cluster.nodes: is varied twice"),
        (("--vary", "cluster.nodes=3,5", "--link", "x"), "--link x: write a field and its value"),
        (("--vary", "cluster.nodes=3,5", "--link", "network.loss=nodes * 2"), "nodes is no field"),
        (("--vary", "cluster.nodes=3,5", "--metric", "failover"), "did you mean failover."),
        (("--vary", "network.loss=0..10%"), "a range without a number of points is for --sample"),
        (("--vary", "cluster.nodes=3..9", "--sample", "sobol"), "--sample sobol: write METHOD:POINTS"),
        (("--vary", "cluster.nodes=1..2000", "--vary", "network.loss=0..9%:lin10"), "20,000 cells; 10,000 at most"),
        (("--resume", "nowhere"), "leave STUDY out"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(scenario: Path, arguments: tuple[str, ...], said: str) -> None:
    outcome = invoke("sweep", scenario, *arguments)
    assert (outcome.exit_code, outcome.stdout) == (2, "")
    assert len(outcome.stderr.splitlines()) == 1
    assert said in outcome.stderr


def test_a_mistake_in_a_study_names_its_line(tmp_path: Path) -> None:
    study = tmp_path / "study.yaml"
    study.write_text("version: 1\nscenario: raft-leader-crash\naxis:\n  - {field: cluster.nodes, values: [3]}\n")
    outcome = invoke("sweep", study)
    assert outcome.exit_code == 2
    assert f"{study}:3: axis: unknown key; did you mean axes?" in outcome.stderr


def test_the_shipped_study_and_the_schema_fit() -> None:
    """What an editor checks, and what the program reads, are the same."""
    file = ROOT / "study.schema.json"
    assert json.loads(file.read_text(encoding="utf-8")) == study_schema()
    assert invoke("schema", "--study").stdout == file.read_text(encoding="utf-8")
    for study in sorted((ROOT / "scenarios" / "studies").glob("*.yaml")):
        jsonschema.validate(yaml.safe_load(study.read_text(encoding="utf-8")), study_schema())
        found = simulator.sweep(study, trials=1, overrides={"limits.events": 10_000_000})
        assert found.frame["skipped"].isna().all()


def test_a_chunk_says_that_a_worker_cannot_build_the_algorithm() -> None:
    """An algorithm in a notebook cannot be unpickled by another process: the remedy is named."""
    with pytest.raises(RuntimeError, match="must be in a module"):
        simulate_chunk(b"cno_such_module\nAlgorithm\n.", 1, 0, 1)
