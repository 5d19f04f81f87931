"""What a baseline keeps, and what becomes of one that does not fit (issue 6: "exits … 2 (bad input)")."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import simulator
from simulator.gate.baseline import Baseline, BaselineError, accepted, changes, read, write
from simulator.gate.trial_figures import trial_figures
from simulator.scenario.text.tree import parse
from tests.experiment.test_runner import CRASH, NO_QUORUM

TREE: dict[str, Any] = parse(CRASH, "test.yaml").tree


def result(text: str = CRASH, trials: int = 12) -> simulator.Result:
    return simulator.run(simulator.loads(text), trials=trials)


@pytest.fixture(scope="module")
def baseline() -> Baseline:
    return accepted(result(), TREE, "the first", tolerance=0.1)


def test_trial_figures_are_those_of_the_tables() -> None:
    found = result()
    head = trial_figures(found)
    losses = found.elections[found.elections["cause"] == "loss"]
    assert head.duration == "failover"
    assert head.durations.values.tolist() == losses["failover_s"].tolist()
    assert head.counts["failed_rounds"].sum() == losses["failed_rounds"].sum()
    assert head.counts["rounds"].tolist() == losses.groupby("trial")["rounds"].sum().tolist()
    sent_columns = [column for column in losses.columns if str(column).startswith("sent_")]
    sent = losses[sent_columns].sum(axis=1)
    assert head.counts["election_messages"].tolist() == sent.groupby(losses["trial"]).sum().tolist()
    boot = found.elections[found.elections["cause"] == "boot"]
    searching = head.counts["election_messages"] + boot[sent_columns].sum(axis=1).to_numpy()
    assert (searching + head.counts["peace_messages"]).tolist() == found.trials["sent_total"].tolist()
    led_s = found.trials["observed_s"] - found.trials["leaderless_s"]
    assert head.counts["led_us"] / 1e6 == pytest.approx(led_s.to_numpy(), abs=1e-6)


def test_a_trial_without_a_search_counts_nothing_and_is_there() -> None:
    # n1 leads in some trials only: the others lose no leader, and are still paired with theirs.
    text = CRASH.replace("crash: leader", "crash: n1")
    found = trial_figures(result(text, trials=20))
    assert found.counts["rounds"].shape == (20,)
    assert 0 < np.count_nonzero(found.counts["rounds"] == 0) < 20


def test_a_file_gives_back_what_was_accepted(baseline: Baseline, tmp_path: Path) -> None:
    path = tmp_path / "made" / "small-crash.json"
    write(baseline, path)
    write(baseline, path)  # In place of the earlier one.
    assert [file.name for file in path.parent.iterdir()] == ["small-crash.json"]
    again = read(path)
    assert again == baseline
    before, after = trial_figures(result()), again.trial_figures()
    assert (after.digest, after.duration) == (before.digest, "failover")
    assert all(whole.startswith(short) for whole, short in zip(result().trials["digest"], after.digests, strict=True))
    for name in ("values", "censored", "trials"):
        assert (getattr(after.durations, name) == getattr(before.durations, name)).all()
    assert {name: column.tolist() for name, column in after.counts.items()} == {
        name: column.tolist() for name, column in before.counts.items()
    }


def test_what_was_unfinished_stays_so(tmp_path: Path) -> None:
    # design.md, section 5: an election that has not finished is right-censored, never dropped.
    write(accepted(result(NO_QUORUM, 3), TREE, "two nodes"), tmp_path / "x.json")
    found = read(tmp_path / "x.json").trial_figures().durations
    assert found.censored.tolist() == [True] * 3
    assert found.values.tolist() == [1.0] * 3  # Lost at 1 s, followed until 2 s.


def test_the_file_reads_well_in_a_difference(baseline: Baseline, tmp_path: Path) -> None:
    write(baseline, tmp_path / "x.json")
    lines = (tmp_path / "x.json").read_text().splitlines()
    assert '"reason": "the first"' in lines[2]
    for column in ("digest", "seconds", "failed_rounds", "led_us"):  # One line each.
        assert sum(line.startswith(f'  "{column}": [') and line.rstrip(",").endswith("]") for line in lines) == 1
    assert json.loads("\n".join(lines))["scenario"] == TREE


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda plain: plain.pop("digest"), "digest: Field required"),
        (lambda plain: plain.update(format=2), "format: Input should be 1"),
        (lambda plain: plain.update(tolerance=1.5), "tolerance: Input should be less than 1"),
        (lambda plain: plain["trials"].pop("overlaps"), "trials: has digest"),
        (lambda plain: plain["trials"]["overlaps"].pop(), "trials: its columns differ in length"),
        (lambda plain: plain["durations"]["seconds"].pop(), "durations: its columns differ in length"),
        (lambda plain: plain["durations"].update(censored=[99]), "a censored duration that is not there"),
        (lambda plain: plain["durations"]["trial"].__setitem__(0, 12), "names a trial that is not there"),
    ],
)
def test_a_spoilt_file_is_named_with_the_remedy(baseline: Baseline, tmp_path: Path, spoil: Any, said: str) -> None:
    path = tmp_path / "x.json"
    plain = baseline.model_dump(mode="json")
    spoil(plain)
    path.write_text(json.dumps(plain))
    with pytest.raises(BaselineError) as raised:
        read(path)
    assert str(raised.value).startswith(f"{path}: not a baseline: ")
    assert said in str(raised.value)
    assert str(raised.value).endswith('restore it, or accept a new one with --accept "why"')
    assert "\n" not in str(raised.value)


def test_what_is_no_json_and_what_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("<<<<<<< ours")  # As a merge leaves it.
    with pytest.raises(BaselineError, match="not a baseline: Invalid JSON"):
        read(tmp_path / "x.json")
    with pytest.raises(BaselineError, match='there is no baseline; accept what is there now with --accept "why"'):
        read(tmp_path / "y.json")
    with pytest.raises(BaselineError, match="cannot be read: Is a directory"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        ({"old": "loss: 0.01", "new": "loss: 0.02"}, ["network.loss was 0.01, and is 0.02"]),
        ({"old": ", loss: 0.01", "new": ""}, ["network.loss was 0.01, and is left out"]),
        ({"old": "seed: 3", "new": "seed: 3\nstop_when: leader-stable"}, ["stop_when is new, and is leader-stable"]),
        ({"old": "at: 1s", "new": "at: 2s"}, ["faults.0.at was 1s, and is 2s"]),
        ({"old": "seed: 3", "new": "about: Why?\nseed: 3 # A remark."}, []),  # Nothing is decided by either.
    ],
)
def test_a_changed_scenario_is_reported_field_by_field(edit: dict[str, str], said: list[str]) -> None:
    after = parse(CRASH.replace(edit["old"], edit["new"]), "test.yaml").tree
    assert changes(TREE, after) == said
