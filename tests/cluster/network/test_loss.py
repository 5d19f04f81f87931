"""Loss in bursts, duplication, and reordering by jitter, through a real network (issue 3, "Loss").

Seeds are fixed, and bounds are four standard errors of what theory says: a right model passes, with a chance below
1 in 10,000 of having been unlucky at that seed, and one that is wrong by a tenth fails.
"""

from __future__ import annotations

from math import inf, sqrt

import numpy as np
import pytest

from simulator.cluster.distributions import Constant, Uniform
from simulator.cluster.network.links import Everywhere
from simulator.cluster.network.loss import Bernoulli, GilbertElliott
from simulator.cluster.network.network import NetworkSpec
from simulator.cluster.network.rules import Degradation
from tests.cluster.network.wire import Wire, runs
from tests.support.probe import MS

N = 50_000
BURSTS = GilbertElliott(enter=0.05 * 0.25 / 0.95, leave=0.25)  # 5 % of packets, 4 in a row.
MUDDY = GilbertElliott(enter=0.02, leave=0.1, loss_bad=0.6, loss_good=0.01)


def spec(loss: GilbertElliott | float) -> NetworkSpec:
    return NetworkSpec(latency=Constant(MS), loss=loss)


def test_the_share_of_lost_packets_is_the_stationary_one() -> None:
    # Elliott 1963: a two-state chain is bad with probability enter / (enter + leave); here 5 %. Its correlation from
    # packet to packet is r = 1 - enter - leave, which widens the error of the mean by sqrt((1 + r) / (1 - r)).
    lost = Wire(spec(BURSTS)).fates(1, 2, N)
    memory = 1 - BURSTS.enter - BURSTS.leave
    error = sqrt(0.05 * 0.95 / N * (1 + memory) / (1 - memory))
    assert abs(lost.mean() - 0.05) < 4 * error
    assert BURSTS.rate == pytest.approx(0.05, abs=1e-12)


def test_bursts_have_the_mean_length_and_are_geometric() -> None:
    # Gilbert 1960: the time in the bad state is geometric: mean 1 / leave = 4, variance (1 - leave) / leave² = 12; and
    # a quarter of all bursts has one packet.
    lengths = runs(Wire(spec(BURSTS)).fates(1, 2, N))
    assert abs(lengths.mean() - 4) < 4 * sqrt(12 / lengths.size)
    assert abs((lengths == 1).mean() - 0.25) < 4 * sqrt(0.25 * 0.75 / lengths.size)


def test_a_state_may_lose_only_some() -> None:
    # bad: 0.02 / 0.12 = 1/6; lost: 1/6 · 0.6 + 5/6 · 0.01 = 0.10833. A lost packet is the last of its burst with
    # (1/6 · 0.6 · (0.1 · 0.99 + 0.9 · 0.4) + 5/6 · 0.01 · (0.02 · 0.4 + 0.98 · 0.99)) / 0.10833 = 0.49896.
    assert MUDDY.rate == pytest.approx(0.108333, abs=1e-6)
    assert MUDDY.mean_burst == pytest.approx(1 / 0.49896, abs=1e-4)
    lost = Wire(spec(MUDDY)).fates(1, 2, N)
    lengths = runs(lost)
    # Here the errors are measured: from the means of 50 stretches, which are far longer than the memory of the chain.
    assert abs(lost.mean() - MUDDY.rate) < 4 * lost.reshape(50, -1).mean(axis=1).std(ddof=1) / sqrt(50)
    assert abs(lengths.mean() - MUDDY.mean_burst) < 4 * lengths.std(ddof=1) / sqrt(lengths.size)


def test_the_state_is_that_of_a_link_not_of_its_sender() -> None:
    # Issue 3: "Links have a direction". n1 sends to n2, n3, n2, n3 and so on. Were the state n1's, the packets to n2
    # would see every second state: runs of mean 1 / (1 - P(bad two steps on)), far below 4, and n2 and n3 would share
    # their fates.
    wire = Wire(spec(BURSTS))
    to_2 = wire.fates(1, 2, N, 3)
    to_3 = np.ones(N, dtype=bool)
    to_3[[int(arrival.text) for arrival in wire.arrivals if arrival.to == 3]] = False
    for lost in (to_2, to_3):
        lengths = runs(lost)
        assert abs(lengths.mean() - 4) < 4 * sqrt(12 / lengths.size)
    # Independent links: the correlation of two chains of memory r has the error sqrt((1 + r²) / (1 - r²) / N).
    memory_squared = (1 - BURSTS.enter - BURSTS.leave) ** 2
    error = sqrt((1 + memory_squared) / (1 - memory_squared) / N)
    assert abs(np.corrcoef(to_2, to_3)[0, 1]) < 4 * error


def test_the_limits_of_bursts() -> None:
    # Definitions: a plain loss of p has runs of 1 / (1 - p); a link that never turns good again loses for ever.
    assert (Bernoulli(0.2).rate, Bernoulli(0.2).mean_burst) == (0.2, 1.25)
    assert Bernoulli(1.0).mean_burst == inf
    assert GilbertElliott(enter=0.1, leave=0.0).mean_burst == inf
    assert GilbertElliott(enter=0.1, leave=0.9).mean_burst == pytest.approx(1 / 0.9)
    assert Wire(spec(GilbertElliott(enter=1.0, leave=0.0))).fates(1, 2, 1000).all()
    assert not Wire(spec(GilbertElliott(enter=0.0, leave=0.5))).fates(1, 2, 1000).any()
    flipping = Wire(spec(GilbertElliott(enter=1.0, leave=1.0))).fates(1, 2, 1000)
    assert (runs(flipping) == 1).all()
    assert flipping.sum() == 500


def test_a_share_of_packets_arrives_twice() -> None:
    # Issue 3, "Duplication": a probability per packet, each copy with a latency of its own. Binomial error.
    copies = Wire(NetworkSpec(latency=Uniform(MS, 2 * MS), duplication=0.02))
    for number in range(N // 4):
        copies.send(1, 2, str(number), at_ns=number)
    arrivals = copies.run()
    texts = [arrival.text for arrival in arrivals]
    twice = len(texts) - len(set(texts))
    assert len(set(texts)) == N // 4
    assert abs(twice / (N // 4) - 0.02) < 4 * sqrt(0.02 * 0.98 / (N // 4))
    # The two latencies of a packet are independent: of uniform ones, the mean distance is a third of the width, with a
    # deviation of width / sqrt(18). Nothing arrives more than twice.
    times: dict[str, list[int]] = {}
    for arrival in arrivals:
        times.setdefault(arrival.text, []).append(arrival.at_ns)
    assert max(map(len, times.values())) == 2
    distances = np.array([abs(pair[0] - pair[1]) / MS for pair in times.values() if len(pair) == 2])
    assert abs(distances.mean() - 1 / 3) < 4 / sqrt(18 * twice)


def test_both_copies_on_a_degraded_link_are_late() -> None:
    # A bug: the copy was as fast as on a sound link, and so overtook the packet that it was a copy of.
    wire = Wire(NetworkSpec(latency=Constant(MS), duplication=1.0))
    wire.network.add_rule(Degradation(Everywhere(), later=iter([50 * MS])))
    wire.send(1, 2)
    assert [arrival.at_ns for arrival in wire.run()] == [51 * MS, 51 * MS]


@pytest.mark.parametrize("gap_ms", [0.5, 2, 5, 9, 11])
def test_jitter_reorders_as_often_as_the_closed_form_says(gap_ms: float) -> None:
    # Latencies uniform over a width w: a packet sent g later overtakes with P(T1 - T2 > g) = (1 - g/w)² / 2, since the
    # difference of two uniform numbers has a triangular density. Here w = 10 ms.
    pairs = 20_000
    wire = Wire(NetworkSpec(latency=Uniform(5 * MS, 15 * MS)))
    for number in range(pairs):
        start = number * 100 * MS
        wire.send(1, 2, f"{number} first", at_ns=start)
        wire.send(1, 2, f"{number} second", at_ns=start + round(gap_ms * MS))
    texts = [arrival.text for arrival in wire.run()]
    overtaken = sum(text.endswith("second") for text in texts[::2]) / pairs
    expected = max(1 - gap_ms / 10, 0) ** 2 / 2
    assert abs(overtaken - expected) <= 4 * sqrt(expected * (1 - expected) / pairs)
