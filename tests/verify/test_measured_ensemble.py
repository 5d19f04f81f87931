"""A ZooKeeper ensemble as measured: three servers, whose leader's process is killed, or frozen.

What is run is the shipped scenario. Its parameters are documented rules, the round trip over loopback, what the
description of the measurement after kills says of overheads (when the survivors notice: 11 to 29 ms, median 17;
synchronisation without the wait of a refused follower: 25 to 114 ms, median 42; "about 20 ms more" than
`finalize_wait`), and what studies/zookeeper_elections.py measured of threads and of warm servers. The least, the median
and p99 are those of lognormal distributions. The samples after a freeze, and elections of five, are predicted.

Source: the reference of measurements in the project's workspace, section "measured".
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from scipy import stats

from simulator.report.figures.panels import Panel, panels_figure
from tests.support.zookeeper_times import failover
from tests.verify.conftest import Figures
from tests.verify.parallel import over_trials
from tests.verify.quantiles import ZOOKEEPER, ZOOKEEPER_FROZEN, Published, columns, distance_to, published
from tests.verify.raft_trials import scenario_spec
from tests.verify.record import Comparison, Record

TRIALS = 5000
LEVEL = 0.05
SYSTEM = "zookeeper_ensemble_3_servers"
FROZEN = "zookeeper_ensemble_3_servers_sigstop"
FREEZE = "faults.0={at: {uniform: [10s, 12s]}, pause: leader}"
TITLE, TITLE_OF_5 = "ZooKeeper, ensemble of 3", "ZooKeeper, ensemble of 5"
LATE_MS = 150  # Behind the median: a vote had to be repeated, which takes 200 ms.
ELECTED_MS = 236  # As published: the median from the kill to the end of Fast Leader Election.
FIVE_LATER_MS = 32  # By the study, after kills: five servers elect after 247 ms, three after 215, from detection.

pytestmark = pytest.mark.verify


def simulate(seed: int, trials: int, *overrides: str) -> np.ndarray:
    """Shape (3, trials)."""
    spec = scenario_spec("zookeeper-ensemble-failover", *overrides)
    return np.array(list(over_trials(partial(failover, spec, seed), trials))).T


def p_value(distance: float, simulated: int, measured: int) -> float:
    return float(stats.kstwobign.sf(distance * np.sqrt(simulated * measured / (simulated + measured))))


def test_failovers_of_the_ensemble(record: Record, figures: Figures) -> None:
    """Issue 5: the median within 10 %, and KS below its critical value: uncorrected, as Holm would only raise p."""
    detection, elected, served = simulate(51, TRIALS)
    truth = published(SYSTEM, ZOOKEEPER)
    distance = distance_to(served, truth)
    p = p_value(distance, TRIALS, truth.size)
    median, measured = float(np.median(served)), truth.quantiles[truth.quantiles.size // 2 - 1]
    compare(
        record, "failover, median in ms", measured, median, f"KS {distance:.4f}, p = {p:.3f}", f"{LEVEL}", p > LEVEL
    )
    close = abs(np.median(elected) / ELECTED_MS - 1)
    compare(record, "elected, median in ms", ELECTED_MS, np.median(elected), f"{close:.1%}", "10 %", bool(close < 0.1))
    without = distance_to(simulate(52, TRIALS // 2, "algorithm.leaving=0ms")[2], truth)
    record.notes.append(
        f"ZooKeeper: if a server that has lost its leader looked for another at once, as if it had nothing to close, "
        f"the distance would be KS {without:.4f}."
    )
    compare_elected(record, SYSTEM, elected, TITLE)
    compare_late(record, served)
    explain_the_late(record, truth)
    samples = truth.quantiles if truth.samples is None else truth.samples
    panel = Panel(title=TITLE, simulated=served, published=samples, note=f"KS {distance:.3f}, n = {truth.size}")
    figures.save(
        "zookeeper-measured",
        panels_figure([panel], columns=1, quantity="from the kill to the next leader", published_by="measured"),
    )
    assert abs(median / measured - 1) < 0.1
    assert p > LEVEL
    assert without > 2 * distance  # So there is something to close.
    assert detection.min() >= 11


def test_failovers_after_a_freeze(record: Record) -> None:
    """Issue 13: on a leader that falls silent, the time for leaving and the follower's wait are absent."""
    _, elected, served = simulate(54, TRIALS // 2, FREEZE)
    truth = published(FROZEN, ZOOKEEPER_FROZEN)
    distance = distance_to(served, truth)
    p = p_value(distance, served.size, truth.size)
    measured = truth.quantiles[truth.quantiles.size // 2 - 1]
    against = f"KS {distance:.4f}, p = {p:.3f}"
    title = f"{TITLE}, frozen"
    compare(record, "failover, median in ms", measured, np.median(served), against, f"{LEVEL}", p > LEVEL, title=title)
    compare_elected(record, FROZEN, elected, title)
    assert p > LEVEL


def test_five_servers_take_longer_than_three(record: Record) -> None:
    """Issue 13: "say by how much they lengthen an election of five; state what remains as a misfit"."""
    medians = []
    for nodes in (3, 5):
        detection, elected, _ = simulate(55, TRIALS // 5, f"cluster.nodes={nodes}")
        medians.append(float(np.median(elected - detection)))
    later = medians[1] - medians[0]
    figure = "elected later than of 3, after a kill, median in ms"
    agrees = abs(later / FIVE_LATER_MS - 1) < 0.1
    compare(record, figure, FIVE_LATER_MS, later, f"{later - FIVE_LATER_MS:+.0f}", "10 %", agrees, title=TITLE_OF_5)
    assert later > 3  # A rule lengthens it, if not by all that was measured.


def compare_elected(record: Record, system: str, elected: np.ndarray, title: str) -> None:
    """The whole distribution of the end of Fast Leader Election, where the samples are at hand."""
    table = columns(system, ZOOKEEPER)
    if table is None:
        return
    found = stats.ks_2samp(elected, table["elected_ms"])
    against = f"KS {found.statistic:.4f}, p = {found.pvalue:.3f}"
    measured, simulated = np.median(table["elected_ms"]), np.median(elected)
    agrees = bool(found.pvalue > LEVEL)
    compare(
        record, "elected, distribution; median in ms", measured, simulated, against, f"{LEVEL}", agrees, title=title
    )


def compare_late(record: Record, served: np.ndarray) -> None:
    """How many failovers are late by a vote that had to be repeated; docs/zookeeper.md says what is known of it."""
    table = columns(SYSTEM, ZOOKEEPER)
    if table is None:
        return
    times = table["failover_ms"]
    late = stats.binomtest(int((times > np.median(times) + LATE_MS).sum()), times.size)
    low, high = late.proportion_ci(method="wilson")
    share = float((served > np.median(served) + LATE_MS).mean())
    told = f"{late.statistic:.4f} [{low:.4f} – {high:.4f}]"
    agrees = bool(low <= share <= high)
    gap = f"{share - late.statistic:+.4f}"
    compare(record, f"late by {LATE_MS} ms or more", told, f"{share:.4f}", gap, "Wilson's interval", agrees)


def explain_the_late(record: Record, truth: Published) -> None:
    """A vote comes too early where it overtakes the news of the leader's death.

    If it passed no threads, that would be where one latency exceeds the sum of two others: known exactly.
    """
    served = simulate(53, TRIALS // 2, "algorithm.hand_over=0us", "algorithm.notification_time=[0ms, 0ms, 0ms]")[2]
    share = float((served > np.median(served) + LATE_MS).mean())
    median_ns, p99_ns = 40_000, 150_000  # The scenario's.
    sigma = np.log(p99_ns / median_ns) / stats.norm.ppf(0.99)
    one, *others = stats.lognorm.rvs(sigma, size=(3, 1_000_000), random_state=1)
    by_rule = float((one > sum(others)).mean())
    record.notes.append(
        f"ZooKeeper: if votes passed from server to server at once, and not through four threads, the last of which "
        f"takes its time for each, {share:.4f} of failovers would be late, for one latency exceeds the sum of two "
        f"others with probability {by_rule:.4f}; the distance would be KS {distance_to(served, truth):.4f}."
    )
    assert abs(share - by_rule) < 0.03  # Four standard errors of the simulated share.


def compare(
    record: Record,
    figure: str,
    measured: object,
    simulated: object,
    distance: str,
    critical: str,
    agrees: bool,
    *,
    title: str = TITLE,
) -> None:
    """Records a row."""
    published_as, simulated_as = (one if isinstance(one, str) else f"{one:.0f}" for one in (measured, simulated))
    name = f"{title}: {figure}"
    record.found.append(Comparison(name, "measured", published_as, simulated_as, distance, critical, agrees))
