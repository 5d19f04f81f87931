"""PySyncObj as installed: the scenario's prediction beside real clusters that `python -m studies.pysyncobj` has killed.

The rules were read in PySyncObj 0.3.17 (docs/transport.md). Of the real clusters, only the turns of poll loops and the
time until a closed connection is seen went into the scenario, and no time of an election. The machine was busy.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from scipy import stats

from tests.verify.parallel import over_trials
from tests.verify.quantiles import INSTALLED, distance_to, published
from tests.verify.raft_trials import failover, scenario_spec
from tests.verify.record import Comparison, Record
from tests.verify.test_measured import p_value

TRIALS = 5000
LEVEL = 0.05
SOURCE = "studies/pysyncobj.py"
TITLE = "PySyncObj, 5 nodes, as installed"

pytestmark = pytest.mark.verify


def test_pysyncobj_as_installed_takes_a_second_term(record: Record) -> None:
    """Issue 13: "each survivor's first vote requests are lost"; "its figures are not in the reference: predict"."""
    truth = published("pysyncobj_5_nodes_installed", INSTALLED)
    spec = scenario_spec("raft-pysyncobj-failover")
    failovers, _, terms = np.array(list(over_trials(partial(failover, spec, 61), TRIALS))).T
    distance = distance_to(failovers, truth)
    p = p_value(distance, TRIALS, truth.size)
    measured = stats.binomtest(round(truth.facts["more_than_one_term"]), truth.size)
    low, high = measured.proportion_ci(method="wilson")
    share = float((terms > 1).mean())
    record.found += [
        Comparison(
            f"{TITLE} (predicted): failover, mean in ms",
            SOURCE,
            f"{truth.mean:.0f}",
            f"{failovers.mean():.0f}",
            f"KS {distance:.4f}, p = {p:.3f}",
            f"{LEVEL}",
            p > LEVEL,
        ),
        Comparison(
            f"{TITLE} (predicted): failovers of more than one term",
            SOURCE,
            f"{measured.statistic:.4f} [{low:.4f} – {high:.4f}]",
            f"{share:.4f}",
            f"{share - measured.statistic:+.4f}",
            "Wilson's interval",
            bool(low <= share <= high),
        ),
    ]
    assert p > LEVEL
    assert low <= share <= high
