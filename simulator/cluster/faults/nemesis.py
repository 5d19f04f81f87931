"""A random fault process: failures and repairs one after another, with exponential times between them.

Its faults are drawn with weights from a mix, or, in a swarm, from a mix that each trial draws for itself: some kinds
of fault hide others, so that trials with a bit of everything find less than trials that differ (Groce et al., "Swarm
Testing", 2012).

Every failure has luck of its own, and draws its interval, its kind and its time to repair whatever becomes of it: what
one fault finds, or needs to draw, shifts no other, and two variants of an experiment meet the same failures.
"""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from typing import Any

from simulator.cluster.distributions import Exponential
from simulator.cluster.faults.affected_nodes import aim
from simulator.cluster.faults.node_faults import Fault, Struck
from simulator.cluster.faults.rng import Luck
from simulator.cluster.faults.schedule import Stage, undo
from simulator.cluster.faults.targets import NoTargetError, Patient
from simulator.protocol import Nanoseconds, NodeId

Mix = Sequence[tuple[float, Fault]]  # Weights, which need not sum to 1, and faults that can be undone, or `Amnesia`.


@dataclass(frozen=True, slots=True, kw_only=True)
class Nemesis:
    """Failures come at a mean interval and last for a mean time, both exponential, from `start` to `end`.

    At `end` all that it did is undone. A fault that would trouble more than `at_most` nodes (see `aim`) together with
    those of its own that are in force is left out, and so is one whose target does not exist. A fault that nothing
    undoes is over at once.
    """

    mix: tuple[tuple[float, Fault], ...]
    time_to_failure: Nanoseconds
    time_to_repair: Nanoseconds
    start: Nanoseconds
    end: Nanoseconds
    at_most: int
    swarm: bool = False


def haunt(nemesis: Nemesis, patient: Patient, stage: Stage, luck: Luck) -> Generator[Any, Any, None]:
    """The process of a nemesis."""
    haunting = _Haunting(nemesis, patient, stage)
    mix = _swarmed(nemesis.mix, luck.of("swarm").random) if nemesis.swarm else nemesis.mix
    kinds = luck.of("kinds").random
    failures = luck.durations(Exponential(nemesis.time_to_failure), "failures")
    repairs = luck.durations(Exponential(nemesis.time_to_repair), "repairs")
    now, number = nemesis.start, 0
    yield stage.timeout(now)
    while now + (wait := next(failures)) < nemesis.end:
        yield stage.timeout(wait)
        now, number = now + wait, number + 1
        lasts = min(next(repairs), nemesis.end - now)
        haunting.fail(_pick(mix, kinds), lasts, luck.of(number))
    yield stage.timeout(nemesis.end - now)
    stage.finished()


class _Haunting:
    """What a nemesis has done and not undone."""

    def __init__(self, nemesis: Nemesis, patient: Patient, stage: Stage) -> None:
        self._at_most = nemesis.at_most
        self._patient = patient
        self._stage = stage
        self._in_force: list[tuple[NodeId, ...]] = []  # The victims of each fault.

    def fail(self, fault: Fault, lasts: Nanoseconds, luck: Luck) -> None:
        """Let a fault strike, and be over some time; or leave it out."""
        try:
            aimed, victims = aim(fault, self._patient, luck)
            if why := self._reprieve(victims):
                self._stage.spared(fault.name, why)
                return
            struck = aimed.strike(self._patient, luck)
        except NoTargetError as error:
            self._stage.spared(fault.name, str(error))
            return
        self._stage.struck(fault.name, struck.nodes)
        if struck.undo is not None:
            self._in_force.append(victims)
            self._patient.call_after(lasts, partial(self._repair, aimed, struck, victims))

    def _reprieve(self, victims: tuple[NodeId, ...]) -> str | None:
        """Why these nodes are not to be troubled, if so."""
        if not victims:
            return "there is nobody to trouble"
        troubled = set(victims).union(*self._in_force)
        return f"more than {self._at_most} nodes would be troubled" if len(troubled) > self._at_most else None

    def _repair(self, fault: Fault, struck: Struck, victims: tuple[NodeId, ...]) -> None:
        self._in_force.remove(victims)  # Of two that are alike, either one.
        undo(fault, struck, self._stage)


def _swarmed(mix: Mix, source: random.Random) -> Mix:
    """The mix of one trial: about half of the kinds, at least one, with weights of the trial's own."""
    while True:
        drawn = [(source.getrandbits(1), weight * _unit(source), fault) for weight, fault in mix]
        if chosen := [(weight, fault) for taken, weight, fault in drawn if taken]:
            return chosen


def _pick(mix: Mix, source: random.Random) -> Fault:
    bounds = list(accumulate(weight for weight, _ in mix))
    return mix[bisect_left(bounds, _unit(source) * bounds[-1])][1]


def _unit(source: random.Random) -> float:
    """Uniform in (0, 1]."""
    return (source.getrandbits(53) + 1) / (1 << 53)
