"""The algorithms whose every crash point is tried, with the bound within which each must elect again: one line each.

A bound is stated by its reason: so many timeouts of the algorithm. `leader_crash(at)` needs a leader by then.
"""

from __future__ import annotations

from simulator.algorithms.registry import REGISTRY
from simulator.protocol import SECOND
from tests.crash_points import BOOT, cases_of, leader_crash, leader_return

CASES = (
    # Three election timeouts of at most 300 ms, since a vote may split.
    *cases_of(REGISTRY["raft"], (BOOT, leader_crash(at=SECOND), leader_return(at=SECOND, away=SECOND)), bound=SECOND),
)
