"""The algorithms whose every crash point is tried, with the bound within which each must elect again: one line each."""

from __future__ import annotations

from simulator.algorithms.registry import REGISTRY
from simulator.protocol import SECOND
from tests.crash_points import BOOT, cases_of, leader_crash, leader_return

# Raft: election timeouts of 150 to 300 ms; three of them, since a vote may split.
CASES = (
    *cases_of(REGISTRY["raft"], (BOOT, leader_crash(at=SECOND), leader_return(at=SECOND, away=SECOND)), bound=SECOND),
)
