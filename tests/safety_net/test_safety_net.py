"""The rebuild changes nothing: what was recorded from the old code is computed by the new one, under the map of names.

Issue 12, section A: "They are equal before and after **under the map from old names to new**, which the test applies".
The package's docstring says what is kept, and what to do when a test here fails. Not marked: the fast extract (15
families of 20 schedules, and two trials of each shipped scenario). Marked `verify`: all that is kept.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.safety_net import canonical, drive, record, renamed, schedules

FAST_TRIALS = 2
REPOSITORY = Path(__file__).parents[2]
REMEDY = "behaviour has changed: a new name goes into tests/safety_net/renamed.py, a change on purpose is recorded anew"


def kept_scenarios() -> list[str]:
    """The shipped scenarios by their path now, without those that came after the net."""
    return [name for name in drive.shipped() if old_path(name) in record.kept("shipped")]


def old_path(name: str) -> str:
    return renamed.SCENARIOS.get(name, name)


def different(was: dict[str, list[str]], now: dict[str, list[str]], labels: list[str]) -> list[str]:
    """Which of the values differ: `trace of seed 7`."""
    return [
        f"{what} of {label}"
        for what, values in now.items()
        for label, old, new in zip(labels, was[what], values, strict=False)
        if old != new
    ]


def test_every_shipped_scenario_and_algorithm_is_kept() -> None:
    """ "digests of every shipped scenario ... and of 2 000 random schedules for each algorithm" (issue 12, A)."""
    assert sorted(map(old_path, kept_scenarios())) == sorted(record.kept("shipped")) == sorted(record.kept("summaries"))
    singles, hundreds = record.kept("singles"), record.kept("hundreds")
    assert set(singles) == set(hundreds) == set(schedules.FAMILIES)
    assert set(schedules.PACES) <= set(drive.algorithms())  # All that there were.
    assert all(len(values["digests"]) == 20 for values in singles.values())
    assert all(len(values) == 20 for values in hundreds.values())


def test_kept_schedules_differ() -> None:
    """A digest of nothing would be the same for all."""
    assert all(len(set(values["digests"])) == 20 for values in record.kept("singles").values())


@pytest.mark.parametrize("name", kept_scenarios())
def test_shipped_scenario_does_what_it_did(name: str) -> None:
    """ "digests of every shipped scenario" (issue 12, section A): here, of two trials."""
    seen = drive.shipped_trials(drive.shipped()[name], range(FAST_TRIALS))
    was = record.kept("shipped")[old_path(name)]
    trials = [f"trial {trial}" for trial in range(FAST_TRIALS)]
    assert different(was, record.columns(seen), trials) == [], REMEDY


@pytest.mark.parametrize("family", schedules.FAMILIES)
def test_random_schedules_do_what_they_did(family: str) -> None:
    """ "20 of them in the fast suite" (issue 12, section A)."""
    was = record.kept("singles")[family]
    seeds = [f"seed {seed}" for seed in schedules.SINGLE]
    assert different(was, record.single(family), seeds) == [], REMEDY


@pytest.mark.verify
def test_every_hundred_of_schedules_does_what_it_did() -> None:
    """ "2 000 random schedules for each algorithm ..., one SHA-256 per hundred" (issue 12, section A)."""
    was = record.kept("hundreds")
    now = record.all_hundreds(list(schedules.FAMILIES))
    changed = [
        f"{what} of {family}, seeds {seeds.start} to {seeds.stop - 1}"
        for family, hundreds in now.items()
        for seeds, old, new in zip(schedules.hundreds(), was[family], hundreds, strict=True)
        for what, one, other in zip(("trace", "measures"), old, new, strict=True)
        if one != other
    ]
    assert changed == [], REMEDY


@pytest.mark.verify
def test_every_kept_trial_of_shipped_scenarios_does_what_it_did() -> None:
    """ "digests of every shipped scenario (20 trials each)" (issue 12, section A)."""
    names = kept_scenarios()
    was = record.kept("shipped")
    paths = [(drive.shipped()[name],) for name in names]
    trials = [f"trial {trial}" for trial in range(record.TRIALS)]
    changed = {
        name: lines
        for name, now in zip(names, record.parallel(record.shipped_digests, paths), strict=True)
        if (lines := different(was[old_path(name)], now, trials))
    }
    assert changed == {}, REMEDY


@pytest.mark.verify
def test_every_summary_says_what_it_said() -> None:
    """ "and the JSON of every summary" (issue 12, section A)."""
    names = kept_scenarios()
    was = record.kept("summaries")
    paths = [(drive.shipped()[name],) for name in names]
    changed = {
        name: lines
        for name, now in zip(names, record.parallel(record.shipped_summary, paths), strict=True)
        if (lines := canonical.differences(was[old_path(name)], now))
    }
    assert changed == {}, REMEDY


# --- The net itself


@pytest.mark.parametrize("hash_seed", ["1", pytest.param("4711", marks=pytest.mark.verify)])
def test_net_is_the_same_under_another_hash_seed(hash_seed: str) -> None:
    """ "same scenario, seed and versions ..., same digest" (design.md, section 4): no order of a set gets into it."""
    code = (
        "import sys; from tests.safety_net import record\n"
        "for family in sys.argv[1:]: print(*record.single(family)['digests'])"
    )
    families = ["raft", "zookeeper", "bully"]
    printed = subprocess.run(
        [sys.executable, "-c", code, *families],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    kept = record.kept("singles")
    assert printed.split("\n")[:-1] == [" ".join(kept[family]["digests"]) for family in families]


ROWS = [
    (5, "undone", None, None, None, None, None, (("fault", "crash"), ("nodes", (2,))), (3, 0)),
    (9, "spared", 1, 2, "leader", 1, "electorate", (("why", "there is nobody to trouble"),), (4, 0)),
]


def test_renamed_names_are_compared_as_the_old_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """ "three kinds of rows, and keys, are renamed": with the map the digest is the old one, without it another."""
    old = canonical.digest(9, ROWS, ["Vote", "Ping"], [4, 0])
    new_rows: list[Any] = [
        (*ROWS[0][:1], "repaired", *ROWS[0][2:7], (("injected", "crash"), ("nodes", (2,))), (0, 3)),
        (*ROWS[1][:1], "suppressed", *ROWS[1][2:6], "voters", (("why", "affects no node"),), (0, 4)),
    ]
    new = (9, new_rows, ["Ping", "RequestVote"], [0, 4])
    assert canonical.digest(*new) != old
    monkeypatch.setattr(renamed, "ROW_TYPES", {"repaired": "undone", "suppressed": "spared"})
    monkeypatch.setattr(renamed, "DETAIL_KEYS", {"injected": "fault"})
    monkeypatch.setattr(renamed, "MESSAGES", {"RequestVote": "Vote"})
    monkeypatch.setattr(renamed, "GROUPS", {"voters": "electorate"})
    monkeypatch.setattr(renamed, "TEXTS", [("^affects no node$", "there is nobody to trouble")])
    assert canonical.digest(*new) == old


def test_renamed_columns_and_keys_are_compared_as_the_old_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """ "three kinds of rows, and keys, are renamed" (issue 12, section A): columns and keys of summaries are mapped."""
    old = {"faults": {"never_struck": 2}, "median": 0.25}
    new = {"faults": {"not_injected": 2}, "median": 0.25, "unit": "s"}
    assert canonical.differences(old, canonical.summary(new)) == [
        ".faults.never_struck: was 2, is '(missing)'",
        ".faults.not_injected: was '(missing)', is 2",
        ".unit: was '(missing)', is 's'",
    ]
    monkeypatch.setattr(renamed, "KEYS", {"not_injected": "never_struck", "faults_not_injected": "faults_never_struck"})
    monkeypatch.setattr(renamed, "MESSAGES", {"RequestVote": "Vote"})
    monkeypatch.setattr(renamed, "ADDED", {"unit"})
    assert canonical.differences(old, canonical.summary(new)) == []
    row = {"sent_RequestVote": 3, "bytes_Ping": 0, "faults_not_injected": 0, "unit": "s"}
    assert canonical.record(row) == {"faults_never_struck": 0, "sent_Vote": 3}


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param((0, (6, *ROWS[0][1:])), id="instant"),
        pytest.param((0, (*ROWS[0][:1], "undone2", *ROWS[0][2:])), id="type"),
        pytest.param((0, (*ROWS[0][:7], (("fault", "crash"), ("nodes", (3,))), ROWS[0][8])), id="detail"),
        pytest.param((1, (*ROWS[1][:3], 3, *ROWS[1][4:])), id="term"),
        pytest.param((1, (*ROWS[1][:4], "follower", *ROWS[1][5:])), id="role"),
        pytest.param((1, (*ROWS[1][:8], (5, 0))), id="messages sent"),
    ],
)
def test_net_sees_a_change_in_any_field_of_a_row(changed: tuple[int, Any]) -> None:
    """The digest is over "all rows but the optional message rows, and over all of a row but its bytes" (`Trace`)."""
    rows = list(ROWS)
    rows[changed[0]] = changed[1]
    assert canonical.digest(9, rows, ["Vote", "Ping"], [5, 0]) != canonical.digest(9, ROWS, ["Vote", "Ping"], [5, 0])


@pytest.mark.parametrize(("family", "option"), [("raft", "heartbeat_interval: 50"), ("bully", "answer_timeout: 100")])
def test_net_catches_a_nanosecond(family: str, option: str) -> None:
    """A timeout that is one nanosecond longer than by default, or one other draw of luck, is seen in every schedule."""
    text, seed = schedules.FAMILIES[family](7), schedules.SINGLE[0]
    kept = record.kept("singles")[family]["digests"][0]
    as_by_default = text.replace("cluster:", f"  {option}ms\ncluster:", 1)
    longer = text.replace("cluster:", f"  {option}.000001ms\ncluster:", 1)
    assert drive.schedule(as_by_default, seed).digest == kept
    assert drive.schedule(longer, seed).digest != kept
    assert drive.schedule(text, seed + 1).digest != kept
