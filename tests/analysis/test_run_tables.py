"""The tables of a run agree with each other and with its summary (issue 6: failover "with its parts", incidents)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import simulator
import simulator.results
from simulator.algorithms.registry import REGISTRY
from simulator.experiment.rows import OVERLAP_TYPES, ROUND_TYPES
from tests.experiment.test_runner import CRASH


@pytest.fixture(scope="module")
def lossy() -> simulator.Result:
    """Enough loss and few enough nodes for rounds that fail."""
    return simulator.run(simulator.loads(CRASH, "test.yaml", ["network.loss=0.25", "duration=4s"]), trials=60)


@pytest.fixture(scope="module")
def divided() -> simulator.Result:
    """A partition with a leader on each side."""
    return simulator.run("priority-partition", trials=6)


@pytest.mark.parametrize("name", REGISTRY)
def test_the_parts_of_an_election_make_it_whatever_the_algorithm(name: str) -> None:
    # Issue 6: "failover with its parts (detection, each failed round, the winning round, announcement)".
    elections = simulator.run(simulator.load("leader-crash", algorithm=name), trials=4).elections
    parts = elections[["before_rounds_s", "earlier_rounds_s", "winning_round_s"]]
    whole = elections[parts.notna().all(axis=1)]
    assert parts.loc[whole.index].sum(axis=1).to_numpy() == pytest.approx(whole["election_s"].to_numpy())
    assert (parts.dropna() >= 0).to_numpy().all()
    lost = whole[whole["cause"] == "loss"]
    whole_failover = lost["detection_s"] + lost["election_s"]
    assert whole_failover.to_numpy() == pytest.approx(lost["failover_s"].to_numpy(), nan_ok=True)


def test_the_rounds_table_tells_each_round_that_the_elections_table_counts(lossy: simulator.Result) -> None:
    # The same rounds, counted once more from their own table; a failed one lasts until the next.
    rounds, elections = lossy.rounds, lossy.elections.set_index(["trial", "election"])
    by_election = rounds.groupby(["trial", "election"])
    failed = rounds["outcome"].isin(("failed", "split")).groupby([rounds["trial"], rounds["election"]]).sum()
    pd.testing.assert_series_equal(
        failed, elections["failed_rounds"].loc[failed.index], check_names=False, check_dtype=False
    )
    assert failed.sum() > 5  # Or this tests nothing.
    for (trial, number), told in by_election:
        election = elections.loc[int(trial), int(number)]  # type: ignore[call-overload]
        assert list(told["round"]) == list(range(1, len(told) + 1))
        lost = told.loc[told["outcome"].isin(("failed", "split")), ["start_s", "end_s"]]
        if pd.notna(election["earlier_rounds_s"]):
            assert (lost["end_s"] - lost["start_s"]).sum() == pytest.approx(election["earlier_rounds_s"])
        assert (
            told["end_s"].to_numpy()[:-1] == told["start_s"].to_numpy()[1:]
        ).all()  # Raft's terms follow each other.


def test_the_summary_has_each_failed_round_and_the_winning_one(lossy: simulator.Result) -> None:
    metrics = lossy.summary["metrics"]
    rounds = lossy.rounds.merge(lossy.elections[lossy.elections["cause"] == "loss"][["trial", "election"]])
    lasted = (rounds["end_s"] - rounds["start_s"])[rounds["outcome"].isin(("failed", "split"))]
    assert metrics["failed_round"]["count"] == len(lasted) > 0
    assert metrics["failed_round"]["median"]["value"] == np.quantile(lasted, 0.5, method="inverted_cdf")
    won = lossy.elections.query("cause == 'loss' and outcome == 'elected'")["winning_round_s"]
    assert metrics["winning_round"]["count"] == len(won)
    assert metrics["winning_round"]["max"]["value"] == won.max()


def test_split_votes_are_a_share_of_rounds_and_of_elections(lossy: simulator.Result) -> None:
    losses = lossy.elections.query("cause == 'loss' and rounds > 0")
    split = lossy.summary["metrics"]["split_votes"]
    assert split["fraction"]["value"] == pytest.approx(losses["split_votes"].sum() / losses["rounds"].sum())
    assert split["per_election"]["fraction"]["value"] == pytest.approx((losses["split_votes"] > 0).mean())
    assert 0 < split["per_election"]["fraction"]["value"] < 1


def test_leader_changes_are_counted_per_hour(lossy: simulator.Result) -> None:
    # One loss, one successor in each trial that had one: as many changes as elections that another node won.
    changes = lossy.summary["metrics"]["leader_changes"]
    hours = lossy.trials["observed_s"].sum() / 3600
    assert changes["count"] == lossy.trials["leader_changes"].sum()
    assert changes["count"] >= lossy.elections["failover_s"].notna().sum()
    assert changes["per_hour"]["value"] == pytest.approx(changes["count"] / hours)


def test_searches_of_other_causes_stand_apart(lossy: simulator.Result) -> None:
    # design.md, section 5: "Headline statistics are those of `loss`; others stand in their own rows."
    others = lossy.summary["metrics"]["other_searches"]
    assert set(others) == {"boot", "spurious"}
    boots = lossy.elections[lossy.elections["cause"] == "boot"]
    assert others["boot"]["count"] == len(boots) == 60
    assert others["boot"]["max"]["value"] == (boots["claimed_s"] - boots["start_s"]).max()


def test_the_overlaps_table_tells_each_incident_that_the_trials_table_counts(divided: simulator.Result) -> None:
    # design.md, section 5: "Each carries start, duration, the claimants, the greatest number at once, … effective".
    overlaps, trials = divided.overlaps, divided.trials.set_index("trial")
    assert len(overlaps) == trials["overlaps_no_term"].sum() > 6
    spent = (overlaps["end_s"] - overlaps["start_s"]).groupby(overlaps["trial"]).sum()
    assert spent.to_numpy() == pytest.approx(trials["overlap_s"].loc[spent.index].to_numpy())
    assert (overlaps["most_at_once"] <= overlaps["claimants"].str.count(", ") + 1).all()
    found = divided.summary["metrics"]["leaders_overlap"]
    assert found["trials"] == {"count": 6, "fraction": found["trials"]["fraction"]}
    assert found["trials"]["fraction"]["value"] == 1
    assert found["duration"]["count"] == len(overlaps)
    ends = trials["end_s"].loc[overlaps["trial"]].to_numpy()
    assert found["duration"]["censored"] == (overlaps["end_s"].to_numpy() == ends).sum()
    assert found["most_at_once"] == overlaps["most_at_once"].max() >= 2


def test_disagreement_has_its_interval(divided: simulator.Result) -> None:
    # design.md, section 5: "Every reported statistic but a maximum carries a 95 % interval."
    found, trials = divided.summary["metrics"]["disagreement"], divided.trials
    assert found["mean"]["value"] == pytest.approx(trials["disagreement_s"].mean())
    assert found["share"]["value"] == pytest.approx(trials["disagreement_s"].sum() / trials["observed_s"].sum())
    assert found["share"]["low"] < found["share"]["value"] < found["share"]["high"]


@pytest.mark.parametrize(("name", "counted"), [("raft", True), ("invitation", False), ("bully", False)])
def test_terms_that_are_no_rounds_are_not_spent(name: str, counted: bool) -> None:
    # Invitation's are numbers of groups: of those, "beyond one each" says nothing. Bully has none.
    result = simulator.run(simulator.load("leader-crash", algorithm=name), trials=3)
    assert result.elections["terms_spent"].notna().any() == counted
    assert (result.summary["metrics"]["term_inflation"]["mean"]["value"] is not None) == counted


def test_tables_without_rows_have_their_columns_and_older_results_can_be_read(tmp_path: Path) -> None:
    # docs/results.md: fields, columns and tables are added without a new number of the schema.
    calm = simulator.run(simulator.loads(CRASH, "test.yaml", ["faults=[]"]), trials=2)
    kept = simulator.save(calm, tmp_path)
    for whole in (True, False):
        stored = simulator.results.load(kept)
        assert list(stored.overlaps.columns) == list(OVERLAP_TYPES)
        assert list(stored.rounds.columns) == list(ROUND_TYPES)
        assert stored.overlaps.empty
        assert stored.rounds.empty != whole
        assert stored.overlaps.dtypes.astype(str).to_dict() == calm.overlaps.dtypes.astype(str).to_dict()
        (kept / "rounds.parquet").unlink(missing_ok=True)
        (kept / "overlaps.parquet").unlink(missing_ok=True)
