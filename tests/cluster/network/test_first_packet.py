"""The first packet of a link under bursts of loss: a mutant of it survived the suite (issue 12, C7)."""

from __future__ import annotations

from math import sqrt

import numpy as np

from simulator.cluster.network.loss import GilbertElliott
from simulator.randomness import Streams

LINKS = 20_000


def test_the_first_packet_of_a_link_finds_the_stationary_state() -> None:
    """Gilbert 1960 and Elliott 1963 look at a channel that has long been in use: the stationary distribution.

    A link is bad with probability enter / (enter + leave), here 3/4, before its first packet as before any other. Did
    each link begin good, a short trial over many links would lose enter = 30 % of first packets in place of 75 %, and
    90 % did it begin bad. The second packet is lost after a lost one with probability 1 - leave = 0.9, and after one
    that arrived with probability enter = 0.3.
    """
    loses = GilbertElliott(enter=0.3, leave=0.1).of(Streams(7, 0), "n1 loss")
    first = np.array([loses(to) for to in range(LINKS)])
    second = np.array([loses(to) for to in range(LINKS)])
    for lost, probability in ((first, 0.75), (second, 0.75), (second[first], 0.9), (second[~first], 0.3)):
        assert abs(lost.mean() - probability) < 4 * sqrt(probability * (1 - probability) / lost.size)
