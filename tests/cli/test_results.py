"""What an earlier run has left, as its user asks for it: show, trace, replay, and `simulator.results` (issue 6)."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import simulator
import simulator.results
from tests.experiment.test_runner import CRASH
from tests.support.command_line import invoke


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of five trials, numbered from 3 on."""
    root = tmp_path_factory.mktemp("results")
    return simulator.save(simulator.run(simulator.loads(CRASH), trials=5, first_trial=3), root)


def test_a_run_is_read_back_as_it_was(kept: Path) -> None:
    result, stored = simulator.run(simulator.loads(CRASH), trials=5, first_trial=3), simulator.results.load(kept)
    assert stored.scenario == result.scenario
    pd.testing.assert_frame_equal(stored.trials, result.trials)
    pd.testing.assert_frame_equal(stored.elections, result.elections)
    assert stored.summary["digest"] == stored.result().digest == result.digest
    assert stored.trace(4).digest == result.trials["digest"][1]


def test_show_prints_the_table_of_the_run(kept: Path, tmp_path: Path) -> None:
    outcome = invoke("show", kept, "--figures", tmp_path / "figures")
    assert outcome.exit_code == 0
    assert "failover, ms" in outcome.stdout
    assert sorted(path.name for path in (tmp_path / "figures").iterdir()) == [
        "decomposition.png", "decomposition.svg", "failover.png", "failover.svg", "timeline.png", "timeline.svg",
    ]  # fmt: skip
    assert json.loads(invoke("show", kept, "--json").stdout) == json.loads((kept / "summary.json").read_text())


def test_trace_tells_the_crash_and_the_election_in_order(kept: Path) -> None:
    trace_text = invoke("trace", kept, "--trial", 4).stdout
    crash, suspicion, lead = (trace_text.index(text) for text in ("crashes", "suspects its leader", "leads in term 2"))
    assert crash < suspicion < lead
    # Without messages none is printed; with them, each is printed at its sending, with its fate.
    assert "RequestVote" not in trace_text
    assert "RequestVote(term=2" in invoke("trace", kept, "--trial", 4, "--messages").stdout


def test_trace_tells_only_what_is_asked_for(kept: Path) -> None:
    lines = [json.loads(line) for line in invoke("trace", kept, "--json", "--messages").stdout.splitlines()]
    assert [line["time_s"] for line in lines] == sorted(line["time_s"] for line in lines)
    crash = next(line["time_s"] for line in lines if line["kind"] == "crashed")

    def trace_text(*options: object) -> list[dict[str, object]]:
        return [json.loads(line) for line in invoke("trace", kept, "--json", *options).stdout.splitlines()]

    assert trace_text("--kind", "crashed", "--kind", "leader-lost") == [
        line for line in lines if line["kind"] in ("crashed", "leader-lost")
    ]
    later = trace_text("--from", f"{crash * 1000:.0f}ms", "--messages")
    assert later == [line for line in lines if float(line["time_s"]) >= round(crash, 3)]
    # Of n1: what it did, the messages that it sent or got, and faults that named it.
    of_n1 = trace_text("--node", "n1", "--messages")
    assert {line["node"] for line in of_n1} > {1}
    assert all(line["node"] == 1 or "n1" in str(line["text"]) for line in of_n1)


def test_replay_checks_the_digest(kept: Path, tmp_path: Path) -> None:
    outcome = invoke("replay", kept, "--trial", 5)
    assert outcome.exit_code == 0
    trials = pd.read_parquet(kept / "trials.parquet")
    assert trials["digest"][2] in outcome.stdout
    # A run whose scenario is not the one that its trials were made with.
    for file in kept.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text(scenario.read_text().replace("nodes: 3", "nodes: 4"))
    outcome = invoke("replay", tmp_path, "--trial", 5)
    assert outcome.exit_code == 1
    assert "trial 5 is not what it was" in outcome.stderr
    assert "another version" not in outcome.stderr
    # "`replay` suspects an edited scenario" (issue 12, C8): a hash of it is kept with the trials.
    assert f"; {scenario} was edited after the run; restore it, " in outcome.stderr
    scenario.write_bytes((kept / "scenario.yaml").read_bytes().replace(b"\n", b"\r\n"))
    assert invoke("replay", tmp_path, "--trial", 5).exit_code == 0, "another end of lines is no edit"
    # A digest of which the scenario is not the cause.
    trials["digest"] = "0" * 64
    trials.to_parquet(tmp_path / "trials.parquet")
    outcome = invoke("replay", tmp_path, "--trial", 5)
    assert outcome.exit_code == 1
    assert "was edited" not in outcome.stderr
    # "Stored results of schema 1 are still read; `replay` says that their digest is of another version" (issue 12, A).
    summary = json.loads((tmp_path / "summary.json").read_text())
    (tmp_path / "summary.json").write_text(json.dumps({**summary, "version": "0.0.9"}))
    outcome = invoke("replay", tmp_path, "--trial", 5)
    assert outcome.exit_code == 1
    assert "it is of another version, electsim 0.0.9 (" in outcome.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("show", "{tmp}"), "no results of a run: scenario.yaml"),
        (("show", "{tmp}/nope"), "nope: no such directory; name the directory of a run"),
        (("replay", "{kept}/summary.json"), "summary.json: a file; name the directory of a run"),
        (("trace", "{kept}", "--trial", "2"), "trial 2 is none of this run; it has 3 to 7"),
        (("trace", "{kept}", "--node", "3"), "--node 3: nodes are called n1"),
        (("trace", "{kept}", "--node", "n9"), "--node n9: the nodes are n1 to n3"),
        (("trace", "{kept}", "--kind", "crash"), "did you mean crashed?"),
        (("trace", "{kept}", "--from", "5"), "--from 5: 5 is not a duration"),
        (("replay", "{kept}", "--trial", "99"), "trial 99 is none of this run"),
    ],
)
def test_bad_input_ends_with_a_line_and_2(kept: Path, tmp_path: Path, arguments: tuple[str, ...], says: str) -> None:
    outcome = invoke(*(argument.format(kept=kept, tmp=tmp_path) for argument in arguments))
    assert outcome.exit_code == 2
    assert says in outcome.stderr
    assert len(outcome.stderr.splitlines()) == 1


def test_results_that_are_damaged_are_said_to_be(kept: Path, tmp_path: Path) -> None:
    for file in kept.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes()[:100])
    assert invoke("show", tmp_path).exit_code == 2


def test_the_old_name_of_a_saved_run_is_read_with_a_warning() -> None:
    """Issue 12: "old paths of these warn for one version"."""
    with pytest.warns(DeprecationWarning, match="is called SavedRun now"):
        assert simulator.results.Stored is simulator.results.SavedRun
    with pytest.raises(AttributeError, match="no attribute 'Store'"):
        simulator.results.Store  # noqa: B018
