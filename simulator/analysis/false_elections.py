"""False elections: how often a cluster without a fault changes its leader or its term.

The count is of a fault-free run. It has the elections with cause `spurious` in which another node claims or the term
rises, and those with cause `loss`: without a fault, a leader is lost only if it steps down by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log

import pandas as pd
import scipy  # Imports scipy.stats, which is slow to import, when it is first used.

from simulator.analysis.statistics.bootstrap import TAIL
from simulator.analysis.statistics.estimates import Estimate, rate, ratio
from simulator.analysis.tables import Tables

MONTH_S = 30 * 86_400.0
_RULE_OF_THREE = -log(0.05)  # 2.996: the 95 % upper limit of the mean of a Poisson count that is 0.


@dataclass(frozen=True, slots=True)
class FalseElections:
    """How many false elections were seen, and in how much simulated time."""

    count: int
    given_up: int  # Those of the count in which the leader stepped down by itself.
    observed_s: float

    def __add__(self, other: FalseElections) -> FalseElections:
        return FalseElections(
            self.count + other.count, self.given_up + other.given_up, self.observed_s + other.observed_s
        )

    def per_second(self) -> Estimate:
        """The rate with its 95 % interval: the exact one of Poisson; if none was seen, that of the rule of three.

        The rule of three (Hanley and Lippman-Hand 1983) is the one-sided interval: its lower end is 0 for certain.
        """
        if self.observed_s <= 0:
            return Estimate(float("nan"), 0.0, float("inf"))
        if self.count == 0:
            return Estimate(0.0, 0.0, _RULE_OF_THREE / self.observed_s)
        return rate(self.count, self.observed_s)

    def lowest_rate(self, looks: int) -> float:
        """A lower limit of the rate per second that holds over so many looks at growing data together (Bonferroni)."""
        if self.count == 0 or self.observed_s <= 0:
            return 0.0
        return float(scipy.stats.chi2.ppf(TAIL / looks, 2 * self.count)) / 2 / self.observed_s


def time_to_show_s(rate_per_s: float) -> float:
    """The shortest fault-free time that can show a rate to be below a bound: none may be seen in it."""
    return _RULE_OF_THREE / rate_per_s


def false_elections(tables: Tables) -> FalseElections:
    """The false elections of a fault-free run, from the first lasting claim of each trial on.

    Before, servers that start together may be elected one after the other: this says nothing about a running cluster.
    """
    found = tables.only(
        {
            "trials": ("trial", "end_s"),
            "elections": ("trial", "election", "cause", "outcome", "winner", "start_s", "claimed_s", "stabilisation_s"),
            "rounds": ("trial", "election", "term"),
        }
    )
    since_s = _settled_s(found.elections)
    raised = found.rounds.loc[found.rounds["term"] > 0, ["trial", "election"]].drop_duplicates()
    elections = found.elections.merge(raised.assign(raised=True), on=["trial", "election"], how="left")
    elections["false"] = (elections["cause"] == "spurious") & (elections["raised"].notna() | _changes_leader(elections))
    elections = elections[elections["start_s"] >= elections["trial"].map(since_s)]
    given_up = int((elections["cause"] == "loss").sum())
    observed_s = (found.trials.set_index("trial")["end_s"] - since_s).dropna().sum()
    return FalseElections(int(elections["false"].sum()) + given_up, given_up, float(observed_s))


def _settled_s(elections: pd.DataFrame) -> pd.Series:
    """When each trial had its first lasting leader, in seconds, by trial; its first leader if none ever lasted."""
    boot = elections[elections["cause"] == "boot"].set_index("trial")
    settled: pd.Series = (boot["start_s"] + boot["stabilisation_s"]).fillna(boot["claimed_s"])
    return settled


def _changes_leader(elections: pd.DataFrame) -> pd.Series:
    """Whether each election was won by another node than the last one that anybody won in its trial."""
    winners = elections["winner"].where(elections["outcome"] == "elected")
    before = winners.groupby(elections["trial"]).transform(lambda won: won.ffill().shift())
    return winners.notna() & (winners != before).fillna(True)


def steady_messages(tables: Tables) -> Estimate:
    """Messages of all types that all nodes together send in a second of steady state, with their interval."""
    trials = tables.only({"trials": ("trial", "steady_s", "steady_sent_*")}).trials
    sent = trials[[name for name in map(str, trials.columns) if name.startswith("steady_sent_")]].sum(axis=1)
    return ratio(sent, trials["steady_s"])
