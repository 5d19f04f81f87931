"""The algorithms that a scenario can name."""

from __future__ import annotations

from collections.abc import Mapping

from simulator.algorithms.bully import BULLY
from simulator.algorithms.invitation import INVITATION
from simulator.algorithms.omega import OMEGA
from simulator.algorithms.priority import PRIORITY
from simulator.algorithms.raft.registration import RAFT
from simulator.algorithms.registration import Registration
from simulator.algorithms.rings import CHANG_ROBERTS, HIRSCHBERG_SINCLAIR, RING
from simulator.algorithms.zookeeper.server import ENSEMBLE

_BUILT_IN = (RAFT, BULLY, INVITATION, RING, CHANG_ROBERTS, HIRSCHBERG_SINCLAIR, OMEGA, PRIORITY, ENSEMBLE)

REGISTRY: Mapping[str, Registration] = {registration.name: registration for registration in _BUILT_IN}
