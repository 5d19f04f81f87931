"""The setting of the Raft paper's election benchmark (figure 16), and how what it does not say was calibrated.

Published is the broadcast time, about 15 ms: "the average time it takes a server to send RPCs in parallel to every
server in the cluster and receive their responses" (section 5.6), a write to disk included. Not published: how it splits
into network and disk, how service times are distributed, whether a server is deaf while it writes, and whether a voter
writes its term and its vote one after the other. All combinations of a coarse grid of these were tried on two of the
six ranges, each scaled so that its broadcast time is 15 ms; the calibration is the one whose larger distance is the
least.

`python -m tests.verify.fig16` tries them again, which takes a quarter of an hour.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np

from simulator.cluster.distributions import Constant, Distribution, Exponential, Gamma, LogNormal, Uniform
from simulator.cluster.spec import ClusterSpec
from simulator.protocol import MILLISECOND
from tests.verify.parallel import over_trials
from tests.verify.quantiles import FIG16, distance_to, published
from tests.verify.raft_trials import downtime_ms, scenario_spec

BROADCAST_MS = 15
CALIBRATED_ON = ("150-155", "12-24")
NETWORK_SHARES = (0.02, 0.25, 0.5, 0.75, 0.98)  # Of the mean time of one call.
_SEED = 3
_TRIALS, _FINALISTS, _FINAL_TRIALS = 200, 8, 2000
_PEERS, _DRAWS = 4, 20_000


@dataclass(frozen=True, slots=True)
class Family:
    """A distribution of service times with one mean, in microseconds: as a value, and as a scenario writes it."""

    of_mean: Callable[[int], Distribution]
    written: Callable[[int], str]


def _lognormal_median(mean_us: int, sigma: float) -> int:
    return max(1, round(mean_us * math.exp(-(sigma**2) / 2)))


def _lognormal(sigma: float) -> Family:
    return Family(
        lambda mean: LogNormal(1000 * _lognormal_median(mean, sigma), sigma),
        lambda mean: f"{{lognormal: {{median: {_lognormal_median(mean, sigma)}us, sigma: {sigma}}}}}",
    )


FAMILIES: Mapping[str, Family] = {
    "constant": Family(lambda mean: Constant(1000 * mean), lambda mean: f"{mean}us"),
    "uniform from 0": Family(lambda mean: Uniform(0, 2000 * mean), lambda mean: f"{{uniform: [0us, {2 * mean}us]}}"),
    "exponential": Family(lambda mean: Exponential(1000 * mean), lambda mean: f"{{exponential: {{mean: {mean}us}}}}"),
    "gamma, shape 0.5": Family(
        lambda mean: Gamma(0.5, 1000 * mean), lambda mean: f"{{gamma: {{shape: 0.5, mean: {mean}us}}}}"
    ),
    "lognormal, sigma 1": _lognormal(1.0),
    "lognormal, sigma 1.5": _lognormal(1.5),
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way in which it may have been."""

    family: str
    network_share: float
    blocking: bool
    separate_writes: bool

    def means_us(self) -> tuple[int, int]:
        """Of a one-way latency and of a write, such that the broadcast time is as published."""
        family, whole_us = FAMILIES[self.family].of_mean, 1000.0 * BROADCAST_MS
        for _ in range(4):
            network, disk = self._split(whole_us)
            whole_us *= BROADCAST_MS / broadcast_ms(family(network), family(disk))
        return self._split(whole_us)

    def _split(self, whole_us: float) -> tuple[int, int]:
        network = self.network_share * whole_us
        return max(1, round(network / 2)), max(1, round(whole_us - network))

    def overrides(self) -> tuple[str, ...]:
        network, disk = map(FAMILIES[self.family].written, self.means_us())
        return (
            f"network.latency={network}",
            f"cluster.disk={{write: {disk}, blocking: {str(self.blocking).lower()}}}",
            f"algorithm.separate_writes={str(self.separate_writes).lower()}",
        )


def broadcast_ms(latency: Distribution, write: Distribution) -> float:
    """The mean time until all four peers have answered: there, on disk, and back."""
    source = np.random.default_rng(1)
    ways = latency.draw(source, 2 * _PEERS * _DRAWS).reshape(2, _PEERS, _DRAWS).sum(axis=0)
    calls = ways + write.draw(source, _PEERS * _DRAWS).reshape(_PEERS, _DRAWS)
    return float(calls.max(axis=0).mean()) / MILLISECOND


def benchmark(bounds: str, *overrides: str) -> ClusterSpec:
    """The scenario with one of the published ranges, such as 150-155; heartbeats at half the least timeout."""
    low, high = map(int, bounds.split("-"))
    return scenario_spec(
        "raft-fig16",
        f"algorithm.election_timeout=[{low}ms, {high}ms]",
        f"algorithm.heartbeat_interval={500 * low}us",
        f"faults.0.after.delay={{uniform: [2s, {2_000_000 + 500 * low}us]}}",
        *overrides,
    )


def downtimes_ms(bounds: str, trials: int, *overrides: str) -> np.ndarray:
    """From the crash until all survivors have heard of a leader; shape (trials,). Infinite if the trial ended first."""
    return np.array(list(over_trials(partial(downtime_ms, benchmark(bounds, *overrides), _SEED), trials)))


def distances(candidate: Candidate, trials: int) -> list[float]:
    overrides = (*candidate.overrides(), "duration=8s")  # Longer than nearly all published downtimes.
    return [distance_to(downtimes_ms(bounds, trials, *overrides), published(bounds, FIG16)) for bounds in CALIBRATED_ON]


def candidates() -> Iterator[Candidate]:
    for family, share, blocking, separate in product(FAMILIES, NETWORK_SHARES, (True, False), (True, False)):
        yield Candidate(family, share, blocking, separate)


def calibrate() -> None:
    """Print the distance of every candidate, and those of the best ones from more trials."""
    tried = []
    for candidate in candidates():
        tried.append((max(distances(candidate, _TRIALS)), candidate))
        print(f"{tried[-1][0]:.3f} {candidate} {candidate.means_us()}", flush=True)
    tried.sort(key=lambda one: one[0])
    print(f"The best {_FINALISTS}, with {_FINAL_TRIALS} trials, on {' and '.join(CALIBRATED_ON)}:")
    for _, candidate in tried[:_FINALISTS]:
        found = distances(candidate, _FINAL_TRIALS)
        print(f"{max(found):.3f} {[round(one, 3) for one in found]} {candidate} {candidate.means_us()}", flush=True)


if __name__ == "__main__":
    calibrate()
