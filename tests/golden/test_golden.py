"""Golden digests, and their promise: "same scenario, seed and versions …, same digest" (design.md, section 4).

`pytest tests/golden --rewrite` accepts what the simulator does now. A changed digest means that every recorded result
changes: say in the changelog why.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from simulator.cluster.cluster import run_trial
from simulator.cluster.network.network import Transport
from simulator.trace import event_types
from tests.golden.scenes import SCENES, SEED, TRIALS, digests

GOLDEN = Path(__file__).parent / "digests.json"
REPOSITORY = Path(__file__).parents[2]


def _kept() -> dict[str, dict[str, str]]:
    kept: dict[str, dict[str, str]] = json.loads(GOLDEN.read_text(encoding="utf-8"))
    return kept


def test_digests_are_the_kept_ones(request: pytest.FixtureRequest) -> None:
    """Issue 2: "Golden digests of five scenes are committed"; since then, of other algorithms, too."""
    now = {name: digests(name) for name in SCENES}
    if request.config.getoption("--rewrite"):
        GOLDEN.write_text(json.dumps(now, indent=2) + "\n", encoding="utf-8")
    assert now == _kept()


def test_scenes_differ_and_so_do_their_trials() -> None:
    """A digest of nothing would be the same for all."""
    every = [digest for kept in _kept().values() for digest in kept.values()]
    assert len(set(every)) == len(SCENES) * len(TRIALS)


@pytest.mark.parametrize("hash_seed", ["1", "4711"])
def test_another_process_under_another_hash_seed_digests_the_same(hash_seed: str) -> None:
    """Issue 2: "in one process, in another, under another PYTHONHASHSEED"."""
    printed = subprocess.run(
        [sys.executable, "-m", "tests.golden.scenes"],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert json.loads(printed) == {name: digests(name) for name in SCENES}


@pytest.mark.parametrize("name", SCENES)
def test_trials_in_another_order_digest_the_same(name: str) -> None:
    """Issue 2: "with trials run in any order". A trial takes nothing from the one before it."""
    assert digests(name, reversed(TRIALS)) == digests(name)


@pytest.mark.parametrize("name", SCENES)
def test_a_journal_does_not_change_the_digest(name: str) -> None:
    """The digest is "of all but the optional message rows" (design.md, section 4): looking changes nothing."""
    assert digests(name, journal=True) == digests(name)
    looked_at = run_trial(SCENES[name], SEED, 0, journal=True)
    assert len({(row.sent_ns, row.sender, row.to, row.text) for row in looked_at.messages}) > 0
    if SCENES[name].network.transport is Transport.DATAGRAM:  # Over streams, one that never gets a connection has none.
        assert len(looked_at.messages) >= sum(looked_at.sent)  # A duplicated message has two rows.


@pytest.mark.parametrize("name", SCENES)
def test_another_seed_digests_otherwise(name: str) -> None:
    assert run_trial(SCENES[name], SEED + 1, 0).digest != run_trial(SCENES[name], SEED, 0).digest


@pytest.mark.parametrize(
    ("name", "happens"),
    [
        ("leader_crash", (event_types.CRASHED, event_types.LEADER_LOST, event_types.VOTE)),
        ("partition_and_heal", (event_types.FAULT, event_types.LEADER_LOST)),
        ("pause_and_resume", (event_types.PAUSED, event_types.RESUMED, event_types.LEADER_LOST)),
        ("different_logs", (event_types.LOG,)),
        (
            "zookeeper_ensemble",
            (event_types.LEADER_LOST, event_types.SUSPECTED, event_types.VOTE, event_types.CONFIGURATION),
        ),
        (
            "bully",
            (
                event_types.FAULT,
                event_types.REPAIRED,
                event_types.LEADER_LOST,
                event_types.WATCHES,
                event_types.SUSPECTED,
            ),
        ),
        ("invitation", (event_types.FAULT, event_types.REPAIRED, event_types.LEADER_LOST, event_types.SUSPECTED)),
        (
            "priority",
            (event_types.FAULT, event_types.REPAIRED, event_types.LEADER_LOST, event_types.VOTE, event_types.SUSPECTED),
        ),
        ("omega", (event_types.CRASHED, event_types.LEADER_LOST, event_types.SUSPECTS, event_types.TRUSTS)),
    ],
)
def test_each_scene_shows_what_it_is_for(name: str, happens: tuple[str, ...]) -> None:
    """A scene whose faults never struck would keep a digest of something else."""
    seen = {row.kind for trial in TRIALS for row in run_trial(SCENES[name], SEED, trial).rows}
    assert seen.issuperset(happens)
