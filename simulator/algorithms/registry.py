"""The algorithms that a scenario can name."""

from __future__ import annotations

from collections.abc import Mapping

from simulator.algorithms.bully import BULLY
from simulator.algorithms.invitation import INVITATION
from simulator.algorithms.raft.registration import RAFT
from simulator.algorithms.registration import Registration

REGISTRY: Mapping[str, Registration] = {registration.name: registration for registration in (RAFT, BULLY, INVITATION)}
