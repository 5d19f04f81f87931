"""Two truths about Raft's options that were known before us, over many trials of the shipped scenarios (issue 4)."""

from __future__ import annotations

from functools import cache

import pandas as pd
import pytest

from simulator.experiment.runner import Result, run
from simulator.scenario import load
from tests.support.scenarios import ROOT

TRIALS = 100


@cache
def result(name: str, pre_vote: bool, check_quorum: bool) -> Result:
    options = f"algorithm.pre_vote={pre_vote}".lower(), f"algorithm.check_quorum={check_quorum}".lower()
    return run(load(ROOT / "scenarios" / f"{name}.yaml", options), trials=TRIALS)


def leaders_lost(found: Result) -> pd.Series[int]:
    """By trial, how often one was: cut off, or made to step down though it was fine."""
    lost = found.elections[found.elections["loss_cause"].notna()].groupby("trial").size()
    return lost.reindex(found.trials["trial"], fill_value=0)


# n1, n2 and n3 reach each other, n4 only n2, and n5 only n3, from 1 s to 11 s: n4 and n5 cannot lead, nor hear a leader
# that is not next to them.


@pytest.mark.parametrize("check_quorum", [False, True])
def test_partial_connectivity_keeps_plain_raft_from_a_stable_leader(check_quorum: bool) -> None:
    """ "Plain Raft has no stable leader": n4 and n5 stand again and again, and a larger term deposes whoever leads."""
    found = result("raft-partial-connectivity", False, check_quorum)
    lost = leaders_lost(found)
    assert lost.min() >= 8
    assert lost.mean() > 12
    assert (1 - found.trials["quorum_leaderless_s"] / found.trials["observed_s"]).max() < 0.8


@pytest.mark.parametrize("check_quorum", [False, True])
def test_with_pre_vote_partial_connectivity_leaves_a_stable_leader(check_quorum: bool) -> None:
    """ "PreVote with CheckQuorum has one": only n4 or n5 loses the lead, as the links are cut at 1 s, and for good."""
    found = result("raft-partial-connectivity", True, check_quorum)
    lost = found.elections[found.elections["loss_cause"].notna()]
    assert leaders_lost(found).max() == 1
    assert set(lost["lost_leader"]) == {4, 5}
    assert (lost["start_s"] == 1).all()
    assert set(lost["winner"]) <= {1, 2, 3}
    assert found.trials["quorum_leaderless_s"].max() < 1


# A follower is cut off at about 1 s for three seconds, and comes back.


@pytest.mark.parametrize("check_quorum", [False, True])
def test_a_server_that_comes_back_disrupts_plain_raft(check_quorum: bool) -> None:
    """Dissertation, 9.6: "its larger term number will propagate …. This will force the cluster leader to step down"."""
    found = result("raft-disruptive-server", False, check_quorum)
    assert (leaders_lost(found) == 1).all()
    disrupted = found.elections[found.elections["loss_cause"] == "step-down"]
    assert (disrupted["claimed_s"] > 4).all()
    assert disrupted["terms_spent"].min() >= 3000 / 300  # Three seconds of timeouts, each a term, of 300 ms at most.


@pytest.mark.parametrize("check_quorum", [False, True])
def test_with_pre_vote_a_server_that_comes_back_disturbs_nobody(check_quorum: bool) -> None:
    """Dissertation, 9.6: "it still won't be able to increment its term": no leader lost, and no term spent."""
    found = result("raft-disruptive-server", True, check_quorum)
    assert (leaders_lost(found) == 0).all()
    assert (found.trials["quorum_leaderless_s"] == 0).all()
    in_vain = found.elections[found.elections["cause"] == "spurious"]
    assert set(in_vain["outcome"]) == {"withdrawn"} and set(in_vain["rounds"]) == {0}
    assert in_vain["trial"].nunique() == TRIALS  # In every trial it wished to stand.
