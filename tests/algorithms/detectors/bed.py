"""A watcher on the bench, node 1, and what it hears of node 2: the instants are those that a test gives, in ms."""

from __future__ import annotations

from typing import Any

from simulator.algorithms.detectors import Detector
from simulator.algorithms.omega import OMEGA, Omega, OmegaConfig
from simulator.protocol import MILLISECOND, Message, describe
from simulator.testing import InteractionBench

MS = MILLISECOND


class Bed:
    """Omega with two nodes: each watches the other, and nothing arrives unless a test says so."""

    def __init__(self, options: Any, nodes: int = 2) -> None:
        self.bench = InteractionBench(OMEGA, nodes, config=OmegaConfig(detector=options))

    @property
    def detector(self) -> Detector:
        algorithm = self.bench.node(1).algorithm
        assert isinstance(algorithm, Omega)
        return algorithm.detector

    @property
    def suspects(self) -> bool:
        return 2 in self.detector.suspected

    @property
    def deadline_ms(self) -> float | None:
        """When node 2 will be suspected unless something comes."""
        timer = self.bench.node(1).timers.get("detector silence 2")
        return None if timer is None else timer.deadline_ns / MS

    def until(self, instant_ms: float) -> Bed:
        self.bench.advance(round(instant_ms * MS) - self.bench.now())
        return self

    def arrives(self, instant_ms: float, message: Message, sender: int = 2) -> Bed:
        self.until(instant_ms)
        self.bench.deliver(self.bench.inject(sender, 1, message))
        return self

    def sent(self, sender: int = 1) -> list[str]:
        return [describe(envelope.message) for envelope in self.bench.sent if envelope.sender == sender]

    def opinions(self) -> list[str]:
        return [note.kind for note in self.bench.notes if note.node == 1 and note.kind in ("suspects", "trusts")]
