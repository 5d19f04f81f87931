"""Runs of many trials: determinism, interruption and censoring, as issue 2 and design demand them."""

import itertools
import json
import math
import multiprocessing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import simulator
from simulator.analysis import published as published_figures
from simulator.analysis.records.registry import sample
from simulator.scenario.published import Published

CRASH = """
version: 1
name: small-crash
algorithm: {name: raft}
cluster: {nodes: 3}
network: {latency: {uniform: [5ms, 15ms]}, loss: 0.01}
faults:
  - {at: 1s, crash: leader}
duration: 2s
trials: 45
seed: 3
"""
NO_QUORUM = CRASH.replace("nodes: 3", "nodes: 2")  # The survivor of two can never win.


def load(text: str = CRASH) -> simulator.Scenario:
    return simulator.loads(text, "test.yaml")


def test_workers_change_nothing(tmp_path: Path) -> None:
    # "--workers N runs trials in N processes with the same result to the byte" (issue 2).
    alone, together = simulator.run(load()), simulator.run(load(), workers=2)
    assert alone.digest == together.digest
    for name in ("trials", "elections"):
        files = [tmp_path / f"{name}-{number}.parquet" for number in (1, 2)]
        for result, file in zip((alone, together), files, strict=True):
            getattr(result, name).to_parquet(file)
        assert files[0].read_bytes() == files[1].read_bytes()
    assert alone.summary["metrics"] == together.summary["metrics"]


def test_run_takes_overrides_as_load_does(tmp_path: Path) -> None:
    """ "`run` takes overrides as `load` does" (issue 12, section A)."""
    file = tmp_path / "small.yaml"
    file.write_text(CRASH, encoding="utf-8")
    overrides = ["network.loss=0.2", "cluster.nodes=5"]
    run = simulator.run(file, overrides, algorithm="bully", trials=3)
    assert run.digest == simulator.run(simulator.load(file, overrides, algorithm="bully"), trials=3).digest
    assert (run.scenario.cluster.nodes, run.scenario.algorithm.registration.name) == (5, "bully")


def test_run_reads_the_files_that_it_is_allowed_to(tmp_path: Path) -> None:
    """ "`run` takes overrides as `load` does" (issue 12, section A), and with them what they may read."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "samples.csv").write_text("latency_ms\n5\n7\n", encoding="utf-8")
    (tmp_path / "here").mkdir()
    file = tmp_path / "here" / "small.yaml"
    file.write_text(CRASH, encoding="utf-8")
    measured = ["network.latency={empirical: ../elsewhere/samples.csv}"]
    with pytest.raises(simulator.ScenarioError, match=r"outside the scenario's folder"):
        simulator.run(file, measured, trials=1)
    assert len(simulator.run(file, measured, allow_files=[tmp_path / "elsewhere"], trials=1).trials) == 1


@pytest.mark.parametrize(
    ("given", "error"),
    [
        (
            {"overrides": ["network.loss=0.2"]},
            "scenario small-crash is loaded already; give overrides to simulator.load",
        ),
        ({"algorithm": "bully"}, "give algorithm to simulator.load"),
        (
            {"overrides": ["seed=4"], "allow_files": ["."]},
            "give overrides and allow_files to simulator.load",
        ),
    ],
)
def test_a_loaded_scenario_takes_no_overrides(given: dict[str, Any], error: str) -> None:
    """ "`run` takes overrides as `load` does": a loaded scenario would silently keep its own values otherwise."""
    with pytest.raises(ValueError, match=error):
        simulator.run(load(), **given)


def test_a_trial_is_the_same_whatever_ran_before_it() -> None:
    whole = simulator.run(load(), trials=5)
    last = simulator.run(load(), trials=1, first_trial=4)
    assert last.trials.iloc[0].to_dict() == pytest.approx(whole.trials.iloc[4].to_dict(), nan_ok=True)


def test_seeds_differ() -> None:
    assert simulator.run(load(), trials=2, seed=1).digest != simulator.run(load(), trials=2, seed=2).digest


def test_an_interrupt_keeps_what_was_finished() -> None:
    def interrupt(done: int, total: int) -> None:
        if done >= 3:
            raise KeyboardInterrupt

    result = simulator.run(load(), progress=interrupt)
    count = len(result.trials)
    assert 3 <= count < 45
    assert (result.stopped_by, result.state, result.summary["trials"]["requested"]) == ("interrupted", "unfinished", 45)
    assert result.digest == simulator.run(load(), trials=count).digest
    assert f"--trials {count} " in result.command  # What is printed beside a digest repeats it.


@pytest.mark.parametrize("wrong", [{"trials": 0}, {"trials": -3}, {"seed": -1}, {"first_trial": -1}])
def test_a_run_of_nothing_is_refused(wrong: dict[str, int]) -> None:
    # The command line refuses them, too.
    with pytest.raises(ValueError, match="at least 1, and none negative"):
        simulator.run(load(), **wrong)  # type: ignore[arg-type]


def test_trials_without_a_leader_are_counted() -> None:
    # "leaderless time … from the first claim on" (design.md, section 5) says nothing of them: 0 s would flatter them.
    result = simulator.run(simulator.loads(CRASH, "test.yaml", ["network.loss=1"]), trials=3)
    assert result.summary["trials"]["never_led"] == 3
    assert simulator.run(load(), trials=3).summary["trials"]["never_led"] == 0


def test_a_runaway_is_ended_and_named() -> None:
    # "a limit on events that ends a runaway trial with a clear error" (design, section 4).
    scenario = simulator.loads(CRASH + "limits: {events: 100}\n", "test.yaml")
    with pytest.raises(simulator.TrialError, match=r"trial 0: EventLimitError: more than 100 events .* limits\.events"):
        simulator.run(scenario)


def test_a_failure_keeps_the_trials_before_it_whatever_the_number_of_workers() -> None:
    # The limit is the least that trial 0 keeps; a later trial sends more messages, and does not.
    sent = simulator.run(load()).trials["sent_total"]
    assert sent.iloc[0] < sent.max()
    scenario = next(limited for limit in itertools.count(100) if _finishes(limited := _limited(limit)))
    kept = []
    for workers in (1, 2):
        with pytest.raises(simulator.TrialError) as failure:
            simulator.run(scenario, workers=workers)
        assert failure.value.finished is not None
        assert len(failure.value.finished.trials) == failure.value.trial > 0
        kept.append(failure.value.finished.digest)
    assert kept[0] == kept[1]


def _limited(events: int) -> simulator.Scenario:
    return load(CRASH + f"limits: {{events: {events}}}\n")


def _finishes(scenario: simulator.Scenario) -> bool:
    try:
        simulator.run(scenario, trials=1)
    except simulator.TrialError:
        return False
    return True


@pytest.mark.parametrize("at", [1, 25, 60, 61, 90])
def test_a_killed_worker_is_named_and_keeps_the_trials_before_it(at: int) -> None:
    """Issue 12: "A worker that is killed: memory is named as the likely cause." A pool of `concurrent.futures` waited
    for ever where it was killed as it wrote a result."""
    killed: list[int] = []

    def kill(done: int, total: int) -> None:
        if done >= at and not killed:
            killed.append(done)
            multiprocessing.active_children()[at % 2].kill()

    with pytest.raises(simulator.TrialError, match=r"a worker process was killed \(SIGKILL\).* memory") as failure:
        simulator.run(load(), trials=5000, workers=2, progress=kill)
    finished = failure.value.finished
    assert failure.value.trial == (0 if finished is None else len(finished.trials))
    assert at < 60 or failure.value.trial > 0  # The first of two chunks may end last.
    assert multiprocessing.active_children() == []


def test_all_workers_killed_is_a_line_as_well() -> None:
    def kill(done: int, total: int) -> None:
        if done >= 60:  # Both workers have ended a chunk, the first one included.
            for worker in multiprocessing.active_children():
                worker.kill()

    with pytest.raises(simulator.TrialError, match="a worker process was killed") as failure:
        simulator.run(load(), trials=5000, workers=2, progress=kill)
    assert len(failure.value.finished.trials) == failure.value.trial > 0


STOPPED = """
version: 1
name: stopped
algorithm: {name: raft}
cluster: {nodes: 5}
network: {latency: {uniform: [5ms, 15ms]}}
faults: [{at: 1s, FAULT: leader}]
duration: 5s
trials: 8
stop_when: WHEN
"""


@pytest.mark.parametrize("fault", ["crash", "pause", "isolate"])
@pytest.mark.parametrize("when", ["leader-claimed", "leader-announced", "leader-stable"])
def test_a_leader_that_has_just_been_lost_stops_no_trial(fault: str, when: str) -> None:
    # Where the lost leader still claims (paused, cut off), the trial must go on until another one leads.
    result = simulator.run(simulator.loads(STOPPED.replace("FAULT", fault).replace("WHEN", when), "test.yaml"))
    failover = result.summary["metrics"]["failover"]
    assert (failover["count"], failover["censored"]) == (8, 0)
    assert (result.trials["end_s"] < 5).all()
    if when == "leader-stable":
        assert (result.trials["end_s"] - 1 - result.trials["failover_s"]).to_numpy() == pytest.approx(0.8)  # 16 x 50 ms


def test_a_claim_held_at_the_end_may_be_the_stable_one() -> None:
    # Elected within 0.4 s of the crash at 1 s and held to the end at 2 s, 0.2 to 0.5 s short of 0.8 s: whoever is not
    # stable by then is censored at the start of its claim, not at the end of the trial.
    text = CRASH.replace("trials: 45", "trials: 20") + "stable_after: 800ms\n"
    rows = simulator.run(load(text)).elections.query("cause == 'loss'")
    missing = rows[rows["stabilisation_s"].isna()]
    assert len(missing) > 0
    assert (missing["stabilising_until_s"] == missing["claimed_s"]).all()


def test_failover_is_detection_plus_election() -> None:
    elections = simulator.run(load()).elections
    done = elections[elections["failover_s"].notna()]
    assert len(done) == 45
    np.testing.assert_allclose(done["failover_s"], done["detection_s"] + done["election_s"], atol=1e-12)


def test_unfinished_elections_are_censored_not_dropped() -> None:
    # "An election that has not finished by the end of a trial is right-censored, never dropped" (design, section 5):
    # of two nodes the survivor never has a majority, so no quantile of failover is ever reached.
    summary = simulator.run(load(NO_QUORUM), trials=20).summary
    failover = summary["metrics"]["failover"]
    assert (failover["count"], failover["censored"], failover["median"]["value"]) == (20, 20, None)
    assert summary["trials"]["censored"] == 20
    assert summary["metrics"]["detection"]["censored"] == 0  # The survivor did suspect.


def test_the_summary_is_plain_json() -> None:
    summary = simulator.run(load(), trials=3).summary
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
    assert summary["metrics"]["leaders_overlap"]["same_term"]["count"] == 0
    assert summary["violations"] == {}


def test_messages_by_type_add_up() -> None:
    result = simulator.run(load(), trials=5)
    by_type = result.trials.filter(regex="^sent_[A-Z]")
    assert by_type.shape == (5, 8)
    assert (by_type.sum(axis=1) == result.trials["sent_total"]).all()
    assert (result.trials.filter(regex="^bytes_[A-Z]").sum(axis=1) == result.trials["bytes_total"]).all()
    metrics = result.summary["metrics"]
    for what, total in (("messages", "sent_total"), ("bytes", "bytes_total")):
        assert metrics[what]["all_types"]["total"] == sum(metrics[what]["total"].values()) == result.trials[total].sum()
        for per in ("per_election", "per_second"):
            parts = [statistic["value"] for statistic in metrics[what][per].values()]
            assert metrics[what]["all_types"][per]["value"] == pytest.approx(sum(parts))


def test_a_leader_in_peace_sends_what_theory_says() -> None:
    # Raft, 5.2: a leader sends heartbeats to all others, here four every 50 ms: 80 a second, each answered.
    # AppendEntries takes 40 + 4 * 8 + 9 bytes, its reply 40 + 8 + 1 + 8 + 9 (`wire_size`). At its edges, a steady
    # state of ten seconds has one round more or less.
    text = CRASH.replace("nodes: 3", "nodes: 5").replace("duration: 2s", "duration: 11s").replace(", loss: 0.01", "")
    result = simulator.run(load(text[: text.index("faults")] + text[text.index("duration") :]), trials=10)
    metrics = result.summary["metrics"]
    assert 10 * 10 < metrics["steady_state"]["total_s"] < 10 * 11
    for kind, size in (("AppendEntries", 81), ("AppendEntriesReply", 66)):
        found = metrics["messages"]["per_second"][kind]
        assert found["value"] == pytest.approx(80, abs=4 / 10)
        assert found["low"] <= found["value"] <= found["high"]
        assert metrics["bytes"]["per_second"][kind]["value"] == pytest.approx(size * found["value"])
    assert metrics["messages"]["per_second"]["RequestVote"]["value"] == 0


def test_without_a_leader_nothing_is_steady() -> None:
    metrics = simulator.run(
        load(NO_QUORUM.replace("crash: leader", "crash: n1").replace("1s", "1ms")), trials=3
    ).summary["metrics"]
    assert metrics["steady_state"]["total_s"] == 0
    assert metrics["messages"]["all_types"]["per_second"] == {"value": None, "low": None, "high": None}


def test_the_distance_to_published_quantiles() -> None:
    # Simulated 1, 2, 3, 4 s. Published median 2 s: F(2) = 0.5, distance 0. Published 0.9-quantile 3 s: F(3) = 0.75,
    # distance 0.15, the larger one.
    elections = pd.DataFrame(
        {
            "trial": range(4),
            "cause": "loss",
            "outcome": "elected",
            "failover_s": [1.0, 2.0, 3.0, 4.0],
            "start_s": 0.0,
            "followed_until_s": [1.0, 2.0, 3.0, 4.0],
        }
    )
    published = Published.model_validate(
        {"metric": "failover", "source": "worked out here", "quantiles": [[0.5, "2s"], [0.9, "3s"]]}
    )
    beside = published_figures.compared_with_published(elections, published, seed=1)
    assert math.isclose(beside["distance"], 0.15)
    assert [row["simulated"]["value"] for row in beside["quantiles"]] == [2.0, 4.0]


def test_faults_that_never_struck_are_counted() -> None:
    # "A target that does not exist then (no leader) waits, skips or fails" (issue 3): a result must say which.
    # Of the three faults beside the crash, one is left out and two are still waiting at the end.
    others = """
  - {at: 0, pause: leader, without_target: skip, label: early}
  - {after: early, resume: all}
  - {after: {occasion: leader-lost, occurrence: 99}, crash: leader}
"""
    text = CRASH.replace("crash: leader}\n", "crash: leader}" + others)
    result = simulator.run(load(text), trials=4)
    assert list(result.trials["faults_never_struck"]) == [3, 3, 3, 3]
    assert result.summary["faults"] == {"never_struck": 12, "trials": 4}
    assert simulator.run(load(), trials=2).summary["faults"] == {"never_struck": 0, "trials": 0}


def test_a_downtime_ends_when_everybody_has_heard() -> None:
    # docs/metrics.md: "failover + announcement to all"; unfinished, it is censored by the end of the trial only.
    elections = pd.DataFrame(
        {
            "trial": range(3),
            "cause": "loss",
            "outcome": ["elected", "elected", "censored"],
            "start_s": 1.0,
            "all_know_s": [2.5, math.nan, math.nan],
            "end_s": [9.0, 4.0, 9.0],
        }
    )
    found = sample(elections, "downtime")
    assert found.values.tolist() == [1.5, 3.0, 8.0]
    assert found.censored.tolist() == [False, True, True]


def test_a_downtime_of_an_earlier_version_can_still_be_read() -> None:
    """docs/results.md: results that were kept stay readable. They lack the column, and censored more."""
    elections = pd.DataFrame(
        {
            "trial": range(3),
            "cause": "loss",
            "outcome": ["elected", "elected", "censored"],
            "start_s": 1.0,
            "failover_s": [1.0, 1.0, math.nan],
            "announced_all_s": [0.5, math.nan, math.nan],
            "announcing_until_s": [2.5, 4.0, math.nan],
            "followed_until_s": [2.0, 2.0, 9.0],
        }
    )
    found = sample(elections, "downtime")
    assert found.values.tolist() == [1.5, 3.0, 8.0]
    assert found.censored.tolist() == [False, True, True]


def test_durations_are_counted_from_where_the_published_ones_were() -> None:
    # Howard et al. (2015) count from a random instant within half the least timeout.
    elections = pd.DataFrame(
        {"trial": range(2), "cause": "loss", "outcome": "elected", "failover_s": [1.0, 0.001], "start_s": 0.0}
    ).assign(followed_until_s=1.0)
    told = {"metric": "failover", "source": "worked out here", "counted_from": "250ms", "mean": "1s"}
    found = published_figures.counted_as_published(elections, Published.model_validate(told), seed=1)
    assert found.values.tolist() == [0.75, 0.0]


def test_an_algorithm_without_terms_spends_none() -> None:
    """It claims in term 0: the mean of terms beyond one per election has no data, rather than the value −1."""
    result = simulator.run("bully-leader-crash", trials=3)
    assert result.elections["terms_spent"].isna().all()
    assert result.summary["metrics"]["term_inflation"]["mean"]["value"] is None
    assert result.summary["metrics"]["rounds_per_election"]["mean"]["value"] > 0
