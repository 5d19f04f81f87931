"""A random fault process: failures and repairs one after another, with exponential times between them.

Its faults are drawn with weights from a mix, or, in a swarm, from a mix that each trial draws for itself: some kinds
of fault hide others, so that trials with a bit of everything find less than trials that differ (Groce et al., "Swarm
Testing", 2012).
"""

from __future__ import annotations

import random
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from simulator.cluster.distributions import Exponential
from simulator.cluster.faults import Fault, Struck
from simulator.cluster.luck import Luck
from simulator.cluster.schedule import Stage, undo
from simulator.cluster.targets import NoTargetError, Patient, resolve
from simulator.protocol import Nanoseconds, NodeId


@dataclass(frozen=True, slots=True, kw_only=True)
class Nemesis:
    """Failures come at a mean interval and last for a mean time, both exponential, from `start` to `end`.

    At `end` all that it did is undone. A fault that would trouble more than `at_most` nodes together with those that
    are in force is left out.
    """

    mix: tuple[tuple[float, Fault], ...]  # Weights, which need not sum to 1.
    time_to_failure: Nanoseconds
    time_to_repair: Nanoseconds
    start: Nanoseconds
    end: Nanoseconds
    at_most: int
    swarm: bool = False


class _InForce:
    """What the nemesis has done and not undone, and how many nodes it has struck by that."""

    def __init__(self, at_most: int) -> None:
        self._at_most = at_most
        self._victims: dict[int, tuple[NodeId, ...]] = {}
        self._numbers = 0

    def aim(self, fault: Fault, patient: Patient, luck: Luck) -> tuple[Fault, tuple[NodeId, ...]] | None:
        """The fault with its targets resolved, and these; None where they would be too many. Raises NoTargetError."""
        target = getattr(fault, "target", None)
        if target is None:
            return fault, ()
        nodes = resolve(target, patient, getattr(fault, "state", "present"), luck)
        struck = {node for victims in self._victims.values() for node in victims}
        if not nodes or len(struck.union(nodes)) > self._at_most:
            return None
        return replace(fault, target=nodes), nodes  # type: ignore[type-var]

    def add(self, victims: tuple[NodeId, ...]) -> int:
        self._numbers += 1
        self._victims[self._numbers] = victims
        return self._numbers

    def remove(self, number: int) -> None:
        del self._victims[number]


def haunt(nemesis: Nemesis, patient: Patient, stage: Stage, luck: Luck) -> Generator[Any, Any, None]:
    """The process of a nemesis."""
    mix = _mix(nemesis, luck.random)
    failures = luck.durations(Exponential(nemesis.time_to_failure), "failures")
    repairs = luck.durations(Exponential(nemesis.time_to_repair), "repairs")
    in_force = _InForce(nemesis.at_most)
    now = nemesis.start
    yield stage.timeout(now)
    while now + (wait := next(failures)) < nemesis.end:
        yield stage.timeout(wait)
        now += wait
        lasts = min(next(repairs), nemesis.end - now)  # Drawn whatever happens, so that all else stays in step.
        fault = _pick(mix, luck.random)
        try:
            aimed = in_force.aim(fault, patient, luck)
            if aimed is None:
                continue
            fault, victims = aimed
            struck = fault.strike(patient, luck)
        except NoTargetError:
            continue
        stage.struck(fault.name, struck.nodes)
        patient.call_after(lasts, partial(_repair, in_force, in_force.add(victims), fault, struck, stage))
    yield stage.timeout(nemesis.end - now)
    stage.finished()


def _repair(in_force: _InForce, number: int, fault: Fault, struck: Struck, stage: Stage) -> None:
    in_force.remove(number)
    if struck.undo is not None:
        undo(fault, struck, stage)


def _mix(nemesis: Nemesis, source: random.Random) -> Sequence[tuple[float, Fault]]:
    """The weights and faults of one trial: in a swarm, about half of the kinds, with weights of the trial's own."""
    if not nemesis.swarm:
        return nemesis.mix
    chosen: list[tuple[float, Fault]] = []
    while not chosen:
        chosen = [(weight * _unit(source), fault) for weight, fault in nemesis.mix if source.getrandbits(1)]
    return chosen


def _pick(mix: Sequence[tuple[float, Fault]], source: random.Random) -> Fault:
    left = _unit(source) * sum(weight for weight, _ in mix)
    for weight, fault in mix:
        left -= weight
        if left <= 0:
            return fault
    return mix[-1][1]


def _unit(source: random.Random) -> float:
    """Uniform in (0, 1]."""
    return (source.getrandbits(53) + 1) / (1 << 53)
