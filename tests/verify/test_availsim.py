"""AvailSim's wide-area network (dissertation, section 9.3): a model fully known, so that it must be met within chance.

What is run are the scenarios that a user runs.

Source: /work/shared/reference/README.md in the project's workspace, published/availsim_wan.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from simulator.experiment.runner import run
from tests.verify.parallel import WORKERS
from tests.verify.quantiles import DATA_SETS, GRID, distance_at, published
from tests.verify.record import Comparison, Record

SEEDS = (1, 2, 3, 4, 5)
TRIALS = 10_000
CRITICAL_DISTANCE = 0.0192  # At 5 %, 10 000 against 10 000.
SCENARIOS = {
    "samelogs_f0": "raft-availsim-wan-all-up",
    "samelogs_f1": "raft-availsim-wan",
    "difflogs_f1": "raft-availsim-wan-different-logs",
}
DIRECTORY = Path(__file__).parents[2] / "scenarios"
SOURCE = "Ongaro 2014, section 9.3"

pytestmark = pytest.mark.verify


def stabilisation_ms(name: str, seed: int) -> np.ndarray:
    """When the eventually stable leader became leader; shape (TRIALS,)."""
    result = run(DIRECTORY / f"{SCENARIOS[name]}.yaml", trials=TRIALS, seed=seed, workers=WORKERS)
    return result.trials["stabilisation_s"].to_numpy(dtype=float) * 1000


@pytest.mark.parametrize("name", DATA_SETS)
def test_stable_leader(name: str, record: Record) -> None:
    """Five seeds, averaged; the distance below its 5 % critical value and the mean within 1 %."""
    truth = published(name)
    distances, means = [], []
    for seed in SEEDS:
        times = stabilisation_ms(name, seed)
        assert np.isfinite(times).all(), "an election was cut off by the end of its trial"
        seen = distance_at(times, truth.quantiles)
        exact = seen if truth.samples is None else stats.ks_2samp(times, truth.samples).statistic
        assert exact >= seen - 1 / len(times)
        distances.append(exact)
        means.append(times.mean())
        print(f"AvailSim {name}, seed {seed}: distance {exact:.4f}, mean {times.mean():.1f} ms", flush=True)
    distance, mean = float(np.mean(distances)), float(np.mean(means))
    against = f"{GRID} quantiles" if truth.samples is None else f"{len(truth.samples)} samples"
    agrees_in_shape, agrees_in_mean = distance < CRITICAL_DISTANCE, abs(mean / truth.mean - 1) < 0.01
    record.found += [
        Comparison(
            f"{name}: time to a stable leader",
            SOURCE,
            against,
            f"{len(SEEDS)} x {TRIALS} trials",
            f"KS {distance:.4f}",
            f"{CRITICAL_DISTANCE}",
            agrees_in_shape,
        ),
        Comparison(
            f"{name}: its mean, ms",
            SOURCE,
            f"{truth.mean:.1f}",
            f"{mean:.1f}",
            f"{mean / truth.mean - 1:+.2%}",
            "1 %",
            agrees_in_mean,
        ),
    ]
    assert agrees_in_shape
    assert agrees_in_mean
