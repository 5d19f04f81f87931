"""Raft's first round against its closed forms (dissertation, section 9.2).

Source: /work/shared/reference/README.md in the project's workspace, section "Closed forms".
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from scipy import stats

from simulator.analysis.statistics.significance import holm
from simulator.protocol import SECOND
from tests.verify.closed_forms import first_timeout_cdf, majority, split_probability
from tests.verify.first_round import first_round, first_timeout, is_split
from tests.verify.parallel import over_trials
from tests.verify.record import Comparison, Record

TRIALS = 10_000
LEVEL = 0.05  # Of each family of tests as a whole.
LEAST_PROBABILITY = 0.005
SOURCE = "Ongaro 2014, section 9.2"

pytestmark = pytest.mark.verify

# Failed servers leave a majority: without one no round can be won, and its failure tells nothing of collisions.
CASES = [
    (nodes, failed, latency)
    for nodes in (3, 5, 7, 9)
    for failed in range(nodes - majority(nodes) + 1)
    for latency in (0.01, 0.05, 0.1, 0.2)
    if split_probability(nodes, nodes - failed, latency) >= LEAST_PROBABILITY
]


def test_split_votes(record: Record) -> None:
    """The share of first rounds that split is as the closed form has it: exact binomial tests, Holm's correction."""
    splits = []
    for seed, case in enumerate(CASES, start=1):  # A seed each: the tests are independent.
        splits.append(sum(over_trials(partial(is_split, first_round(*case), seed), TRIALS)))
        print(f"split votes {case}: {splits[-1]} of {TRIALS}", flush=True)
    expected = [split_probability(nodes, nodes - failed, latency) for nodes, failed, latency in CASES]
    raw = [float(stats.binomtest(k, TRIALS, p).pvalue) for k, p in zip(splits, expected, strict=True)]
    adjusted = holm(raw)
    record.found += [
        Comparison(
            f"split votes, n = {nodes}, {failed} failed, l = {latency}",
            SOURCE,
            f"{probability:.4f}",
            f"{split / TRIALS:.4f}",
            f"p = {p_value:.3f}, by Holm {p_adjusted:.3f}",
            f"{LEVEL}",
            p_adjusted > LEVEL,
        )
        for (nodes, failed, latency), probability, split, p_value, p_adjusted in zip(
            CASES, expected, splits, raw, adjusted, strict=True
        )
    ]
    record.notes.append(
        f"Split votes: {len(CASES)} cases of {TRIALS} trials, all those with P ≥ {LEAST_PROBABILITY}; exact binomial "
        "tests, p-values adjusted by Holm's method over all cases."
    )
    assert min(adjusted) > LEVEL


def test_first_timeouts(record: Record) -> None:
    """1 - (1 - t)^s: Kolmogorov-Smirnov against the exact distribution, Holm's correction over s."""
    nodes, samples = 9, {}
    for available in range(1, nodes + 1):
        spec = replace(first_round(nodes, nodes - available, 0.01), duration=2 * SECOND + 1, stop_when=None)
        measure = partial(first_timeout, spec, 100 + available)
        samples[available] = np.array(list(over_trials(measure, TRIALS)))
        print(f"first timeouts, s = {available}: mean {samples[available].mean():.4f}", flush=True)
    tests = {s: stats.kstest(sample, partial(first_timeout_cdf, available=s)) for s, sample in samples.items()}
    adjusted = holm([float(test.pvalue) for test in tests.values()])
    record.found += [
        Comparison(
            f"first timeout, s = {available}: mean, and distribution",
            SOURCE,
            f"{1 / (available + 1):.4f}",
            f"{samples[available].mean():.4f}",
            f"KS {test.statistic:.4f}, p = {test.pvalue:.3f}, by Holm {p_adjusted:.3f}",
            f"{LEVEL}",
            p_adjusted > LEVEL,
        )
        for (available, test), p_adjusted in zip(tests.items(), adjusted, strict=True)
    ]
    assert min(adjusted) > LEVEL
