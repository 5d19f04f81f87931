"""A random fault process: failures and repairs one after another, with exponential times between them.

Faults are drawn with weights from a mix. In a swarm, each trial draws a mix of its own: some faults hide others, so
that trials that differ find more than trials with a bit of everything (Groce et al., "Swarm Testing", 2012).

Every failure has random streams of its own. It draws its interval, its entry of the mix and its time to repair whether
or not it is injected. So no fault shifts the draws of another, and two variants of an experiment meet the same
failures.
"""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from typing import Any

from simulator.cluster.control import ClusterControl
from simulator.cluster.distributions import Exponential
from simulator.cluster.faults.record import Fault, Injected
from simulator.cluster.faults.rng import RandomStreams
from simulator.cluster.faults.schedule import FaultScheduler, repair
from simulator.cluster.faults.targets import NoTargetError
from simulator.protocol import Nanoseconds, NodeId

Mix = Sequence[tuple[float, Fault]]  # Weights, which need not sum to 1, and faults (`Fault.in_nemesis`).


@dataclass(frozen=True, slots=True, kw_only=True)
class Nemesis:
    """Failures come at a mean interval and last for a mean time, both exponential, from `start` to `end`.

    At `end` all its faults are repaired. A fault is left out if it and the nemesis's faults in force would affect more
    than `at_most` nodes, or if its target does not exist. A fault that has nothing to repair, such as
    amnesia, counts as over at once.
    """

    mix: tuple[tuple[float, Fault], ...]
    time_to_failure: Nanoseconds
    time_to_repair: Nanoseconds
    start: Nanoseconds
    end: Nanoseconds
    at_most: int
    swarm: bool = False


def run_nemesis(
    nemesis: Nemesis, control: ClusterControl, scheduler: FaultScheduler, fault_rng: RandomStreams
) -> Generator[Any, Any, None]:
    """The process of a nemesis: draw failures, inject them, and repair them in time."""
    state = _NemesisState(nemesis, control, scheduler)
    mix = _swarmed(nemesis.mix, fault_rng.of("swarm").random) if nemesis.swarm else nemesis.mix
    kinds = fault_rng.of("kinds").random
    failures = fault_rng.durations(Exponential(nemesis.time_to_failure), "failures")
    repairs = fault_rng.durations(Exponential(nemesis.time_to_repair), "repairs")
    now, number = nemesis.start, 0
    yield scheduler.timeout(now)
    while now + (wait := next(failures)) < nemesis.end:
        yield scheduler.timeout(wait)
        now, number = now + wait, number + 1
        lasts = min(next(repairs), nemesis.end - now)
        state.fail(_pick(mix, kinds), lasts, fault_rng.of(number))
    yield scheduler.timeout(nemesis.end - now)
    scheduler.finished()


class _NemesisState:
    """The faults of a nemesis that are in force."""

    def __init__(self, nemesis: Nemesis, control: ClusterControl, scheduler: FaultScheduler) -> None:
        self._at_most = nemesis.at_most
        self._control = control
        self._scheduler = scheduler
        self._in_force: list[tuple[NodeId, ...]] = []  # The nodes that each fault in force affects.

    def fail(self, fault: Fault, lasts: Nanoseconds, fault_rng: RandomStreams) -> None:
        """Inject a fault and repair it after this time, or leave the fault out."""
        try:
            resolved, affected_nodes = fault.resolve_targets(self._control, fault_rng)
            if why := self._suppression_reason(affected_nodes):
                self._scheduler.suppressed(fault.name, why)
                return
            injected = resolved.inject(self._control, fault_rng)
        except NoTargetError as error:
            self._scheduler.suppressed(fault.name, str(error))
            return
        self._scheduler.injected(fault.name, injected.nodes)
        if injected.repair is not None:
            self._in_force.append(affected_nodes)
            self._control.call_after(lasts, partial(self._repair, resolved, injected, affected_nodes))

    def _suppression_reason(self, affected_nodes: tuple[NodeId, ...]) -> str | None:
        """Why a fault that would affect these nodes is left out; None if it is not."""
        if not affected_nodes:
            return "no node would be affected"
        affected = set(affected_nodes).union(*self._in_force)
        return f"more than {self._at_most} nodes would be affected" if len(affected) > self._at_most else None

    def _repair(self, fault: Fault, injected: Injected, affected_nodes: tuple[NodeId, ...]) -> None:
        self._in_force.remove(affected_nodes)  # If two faults affect the same nodes, either entry is removed.
        repair(fault, injected, self._scheduler)


def _swarmed(mix: Mix, source: random.Random) -> Mix:
    """The mix of one trial: each entry with probability 1/2, at least one of them, with weights of its own."""
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
