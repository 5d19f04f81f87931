"""Pacemaker under its name."""

from __future__ import annotations

from simulator.algorithms.pacemaker.config import PacemakerConfig
from simulator.algorithms.pacemaker.node import PacemakerNode
from simulator.algorithms.registration import Registration

PACEMAKER = Registration(
    name="pacemaker",
    algorithm=PacemakerNode,
    config=PacemakerConfig,
    paper="Amir, Moser, Melliar-Smith, Agarwal and Ciarfella 1995; Corosync 3.1 and Pacemaker 3",
    cost="2.2 token timeouts; then 2(m² - m + 1) messages to all, or more, for the DC of m members",
    page="pacemaker.md",
    terms_count_rounds=False,  # The term is the number of a ring.
)
