"""Elections on a ring, and the maintenance of the ring when nodes fail."""

from simulator.algorithms.rings.announcement import Elected
from simulator.algorithms.rings.chang_roberts import CHANG_ROBERTS, ChangRoberts
from simulator.algorithms.rings.config import RingConfig
from simulator.algorithms.rings.hirschberg_sinclair import HIRSCHBERG_SINCLAIR, HirschbergSinclair
from simulator.algorithms.rings.le_lann import RING, Ring
from simulator.algorithms.rings.node import Check, RingNode
from simulator.algorithms.rings.passing import Acknowledgement

__all__ = [
    "CHANG_ROBERTS",
    "HIRSCHBERG_SINCLAIR",
    "RING",
    "Acknowledgement",
    "ChangRoberts",
    "Check",
    "Elected",
    "HirschbergSinclair",
    "Ring",
    "RingConfig",
    "RingNode",
]
