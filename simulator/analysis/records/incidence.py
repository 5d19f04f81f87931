"""How many of the losses ended because another node claimed, and by when: no loss is left out."""

from __future__ import annotations

import numpy as np
import pandas as pd

from simulator.analysis.estimates import QUANTILES, Summary, statistic
from simulator.analysis.records.record import Metric, TableRow
from simulator.analysis.samples import primary_elections
from simulator.analysis.statistics.estimates import fraction_by_trial
from simulator.analysis.statistics.incidence import (
    CENSORED,
    COMPETING,
    EVENT,
    CompetingSample,
    incidence_by_end,
    incidence_quantiles,
)
from simulator.analysis.tables import Reads, RunTables

_READS: Reads = {
    "elections": ("trial", "cause", "outcome", "start_s", "followed_until_s", "failover_s"),
}
_ENDED = {"elected": EVENT, "recovered": COMPETING}


def failover_incidence(elections: pd.DataFrame) -> CompetingSample:
    """From each loss to another node's claim, or to the return of the lost leader, which competes with it.

    A loss that had come to neither end is censored when it was last followed.
    """
    rows = elections[elections["cause"] == "loss"]
    ended = rows["outcome"].map(lambda outcome: _ENDED.get(outcome, CENSORED)).to_numpy(dtype=np.int64)
    until = (rows["followed_until_s"] - rows["start_s"]).to_numpy(dtype=float)
    values = np.where(ended == EVENT, rows["failover_s"].to_numpy(dtype=float), until)
    return CompetingSample(values, ended, rows["trial"].to_numpy(dtype=np.int64))


def _summarize(tables: RunTables) -> Summary:
    found = failover_incidence(primary_elections(tables.elections))
    recovered = found.ended == COMPETING
    trials, index = found.event.trial_index()
    by_trial = np.bincount(index, weights=recovered, minlength=trials)
    estimates = incidence_quantiles(found, list(QUANTILES.values()))
    return {
        "count": found.values.size,
        "elected": int((found.ended == EVENT).sum()),
        "recovered": {
            "count": int(recovered.sum()),
            "fraction": statistic(fraction_by_trial(by_trial, np.bincount(index, minlength=trials))),
        },
        "censored": int((found.ended == CENSORED).sum()),
        **dict(zip(QUANTILES, map(statistic, estimates), strict=True)),
        "by_end": statistic(incidence_by_end(found)),
    }


INCIDENCE = (
    Metric(
        key="failover_incidence",
        label="failover of all losses",
        unit="s",
        definition="Of all losses, the share after which another node has claimed by each time: the cumulative "
        "incidence of Aalen and Johansen, with which the return of the lost leader (`recovered`) competes. Its "
        "quantiles are the times by which the share reaches 50, 95 and 99 % (null: never); `by_end` is the share by "
        "the end, and `recovered.fraction` the share of the losses that recovered. Without a recovered loss it is the "
        "distribution of failover.",
        summarize=_summarize,
        reads=_READS,
        rows=(
            TableRow(
                label="recovered losses",
                statistic="recovered.fraction",
                shown_as="percentage",
                remark="{recovered[count]:,} of {count:,} losses",
                only_if="recovered.count",
            ),
            TableRow(
                label="  another node led",
                statistic="by_end",
                shown_as="percentage",
                remark="by the end (Aalen–Johansen)",
                only_if="recovered.count",
            ),
        ),
    ),
)
