"""The distribution `histogram`: uniform within a bucket; in the lowest, the law that gives the histogram its own mean
(issue 13, "What a message and a write cost").
"""

from __future__ import annotations

import pickle
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from simulator.cluster.histogram import Bucket, Halved, Histogram, slopes
from simulator.protocol import MICROSECOND as US
from simulator.protocol import MILLISECOND as MS

N = 200_000
# As etcd's fsync histogram of a quiet disk: nine writes of ten are in the lowest bucket, and take 0.1 ms there.
QUIET = Histogram((Bucket(0, MS, 900), Bucket(MS, 2 * MS, 80), Bucket(4 * MS, 8 * MS, 20)), 330 * MS)


def source() -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(20_260))


def test_each_bucket_holds_its_share() -> None:
    """Definition of a histogram. Bounds are inclusive above (Prometheus: `le`), so a bucket begins 1 ns above one."""
    drawn = QUIET.draw(source(), N)
    shares = [int(((low < drawn) & (drawn <= high)).sum()) for low, high, _ in QUIET.buckets]
    assert sum(shares) == N
    assert stats.chisquare(shares, [0.9 * N, 0.08 * N, 0.02 * N]).pvalue > 0.001


def test_it_is_uniform_within_the_upper_buckets() -> None:
    drawn = QUIET.draw(source(), N)
    for low, high, _ in QUIET.buckets[1:]:
        inside = drawn[(low < drawn) & (drawn <= high)]
        assert stats.kstest(inside, stats.uniform(low, high - low).cdf).pvalue > 0.001


def test_the_lowest_bucket_is_exponential_and_gives_the_histogram_its_own_mean() -> None:
    """(330 - 80 · 1.5 - 20 · 6) / 900 = 0.1 ms in the lowest bucket. SciPy's truncated exponential of that mean."""
    drawn = QUIET.draw(source(), N)
    assert drawn.mean() == pytest.approx(0.33 * MS, rel=0.01)
    lowest = drawn[drawn <= MS]
    assert lowest.mean() == pytest.approx(0.1 * MS, rel=0.01)
    slope = slopes(QUIET.buckets, QUIET.total_ns)[0]
    law = stats.truncexpon(slope, scale=MS / slope)
    assert law.mean() == pytest.approx(0.1 * MS, rel=1e-9)
    assert stats.kstest(lowest, law.cdf).pvalue > 0.001


@pytest.mark.parametrize("mean_us", [0.002, 1, 250, 500, 750, 999])
def test_every_mean_that_the_lowest_bucket_can_have_is_met(mean_us: float) -> None:
    """Below the middle the law falls, in the middle it is uniform, above it rises; draws stay within the bucket."""
    histogram = Histogram((Bucket(0, MS, 10),), round(10 * mean_us * US))
    drawn = histogram.draw(source(), N)
    assert drawn.min() >= 1
    assert drawn.max() <= MS
    error = 5 * drawn.std() / np.sqrt(N) + 1  # Draws are rounded up to a nanosecond.
    assert abs(drawn.mean() - mean_us * US) <= error
    if mean_us == 500:
        assert stats.kstest(drawn, stats.uniform(0, MS).cdf).pvalue > 0.001


@pytest.mark.parametrize("total_us", [1150 * 95 + 5 * 100, 1900 * 95 + 5 * 900])
def test_a_mean_that_the_lowest_bucket_cannot_give_is_shared(total_us: int) -> None:
    """95 of 100 durations lie near one end of the upper bucket, which 5 durations in the lowest cannot make up for.
    One exponential rate in all buckets can: the histogram keeps its own mean, and its counts.
    """
    histogram = Histogram((Bucket(0, MS, 5), Bucket(MS, 2 * MS, 95)), total_us * US)
    drawn = histogram.draw(source(), N)
    assert drawn.mean() == pytest.approx(total_us * US / 100, rel=0.01)
    assert stats.binomtest(int((drawn <= MS).sum()), N, 0.05).pvalue > 0.001
    first, second = slopes(histogram.buckets, histogram.total_ns)
    assert first == second != 0  # Equal widths, so the same rate.


@given(
    st.lists(st.integers(1, 10**10), min_size=1, max_size=40, unique=True),
    st.lists(st.integers(1, 10**10), min_size=1, max_size=200),
)
def test_any_histogram_of_real_durations_keeps_its_own_mean(bounds: list[int], durations: list[int]) -> None:
    """Issue 13: "the law that gives the histogram its own mean", whatever was measured and whatever the buckets are.
    The means of the buckets' laws are SciPy's.
    """
    ends = [0, *sorted({*bounds, max(durations)})]
    counts = [sum(low < each <= high for each in durations) for low, high in pairwise(ends)]
    buckets = tuple(Bucket(*edges, count) for edges, count in zip(pairwise(ends), counts, strict=True) if count)
    means = []
    for (low, high, number), slope in zip(buckets, slopes(buckets, sum(durations)), strict=True):
        place = 0.5 if abs(slope) < 1e-3 else float(stats.truncexpon.mean(abs(slope), scale=1 / abs(slope)))
        means.append(number * (low + (high - low) * (1 - place if slope < 0 else place)))
    widest = max(high - low for low, high, _ in buckets)
    assert sum(means) == pytest.approx(sum(durations), abs=1e-3 * widest * len(durations))


def test_one_raw_number_makes_one_draw_and_a_larger_number_a_longer_duration() -> None:
    """Common random numbers: the same raw number has the same rank in two histograms (design.md, section 4)."""
    raw = source().bit_generator.random_raw(1000) >> np.uint64(1)
    drawn = QUIET.draw(source(), 1000)
    assert (np.diff(drawn[np.argsort(raw)]) >= 0).all()


def test_counts_beyond_32_bits_are_exact() -> None:
    """A server that has run for years has counted more than 2^32 writes; shares are made of integers."""
    many = Histogram((Bucket(0, 10, 1 << 52), Bucket(10, 20, 1 << 51)), 10 * (1 << 52))
    assert stats.binomtest(int((many.draw(source(), N) <= 10).sum()), N, 2 / 3).pvalue > 0.001


def test_half_of_a_round_trip_is_rounded_up() -> None:
    """docs/network.md. Rounded up, so that no latency becomes 0."""
    assert Halved(QUIET).draw(source(), 500).tolist() == [(ns + 1) // 2 for ns in QUIET.draw(source(), 500).tolist()]


def test_it_is_a_value_that_workers_can_be_sent() -> None:
    """Specs are pickled for worker processes, and compared (design.md, section 2: frozen configuration)."""
    sent = pickle.loads(pickle.dumps(QUIET))
    assert sent == QUIET
    assert hash(sent) == hash(QUIET)
    assert sent.draw(source(), 50).tolist() == QUIET.draw(source(), 50).tolist()
