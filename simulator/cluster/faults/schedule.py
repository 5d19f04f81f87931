"""The schedule of faults: when each is injected and for how long, and the SimPy process that runs one entry.

A fault is injected at an instant, or some time after a trigger: an election, the loss of a leader, another entry. If
its target does not exist then, the fault waits, is left out, or fails the trial, as the entry says.
"""

from __future__ import annotations

import enum
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Protocol

from simulator.cluster.control import ClusterControl
from simulator.cluster.distributions import Constant, Distribution
from simulator.cluster.faults.record import Fault, Injected
from simulator.cluster.faults.rng import RandomStreams
from simulator.cluster.faults.targets import NoTargetError

# Triggers that every trial may have. The label of an entry is a trigger, too: the instant at which it is injected.
LEADER_ELECTED = "leader-elected"  # A node claims to lead.
LEADER_ANNOUNCED = "leader-announced"  # Every node that can hear of the current leader names it.
LEADER_LOST = "leader-lost"  # The current leader is lost.
TRIGGERS = (LEADER_ELECTED, LEADER_ANNOUNCED, LEADER_LOST)


class WithoutTarget(enum.StrEnum):
    """What an entry does whose target does not exist when it is due."""

    WAIT = "wait"  # The fault waits until its target exists, at most until the end of the trial.
    SKIP = "skip"
    FAIL = "fail"  # The trial fails, and so does the run.


class MissingTargetError(RuntimeError):
    """The target of a fault does not exist, and the entry says that this fails the trial."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduled:
    """A fault, when it is injected, and how long it lasts. If `lasts` is None, only another fault may end it."""

    fault: Fault
    at: Distribution = Constant(0)  # Counted from the start of the trial, or from the trigger.
    after: str | None = None  # The trigger: one of TRIGGERS, or the label of another entry.
    occurrence: int = 1  # The fault is injected at this occurrence of the trigger in the trial, from 1 on.
    lasts: Distribution | None = None
    label: str | None = None
    without_target: WithoutTarget = WithoutTarget.WAIT


class FaultScheduler(Protocol):
    """What the schedule and the nemesis need of a trial, besides `ClusterControl`."""

    def trigger(self, name: str, occurrence: int) -> Any:
        """An event of SimPy that succeeds with that occurrence of the trigger, or at once if that is over."""
        ...

    def happened(self, name: str) -> None:
        """The trigger with this name has occurred."""
        ...

    def timeout(self, delay: int) -> Any:
        """An event that succeeds after this many nanoseconds."""
        ...

    def changed(self) -> Any:
        """An event that succeeds when anything changes that a target may depend on."""
        ...

    def settled(self, entry: Scheduled) -> None:
        """An entry no longer waits: its fault was injected, or was left out."""
        ...

    def injected(self, fault: str, nodes: object) -> None:
        """Write a row: a fault was injected into these nodes, or between them."""
        ...

    def lasts(self, entry: Scheduled, injected: Injected) -> None:
        """The fault of an entry is in force from now on, until `over` or the end of the trial."""
        ...

    def over(self, entry: Scheduled) -> None:
        """The time of an entry's fault is over: note if it has had no effect."""
        ...

    def repaired(self, fault: str, nodes: object) -> None:
        """Write a row: the repair of a fault had an effect on these nodes."""
        ...

    def skipped(self, fault: str, why: str) -> None:
        """Write a row: an entry was left out, since its target does not exist."""
        ...

    def suppressed(self, fault: str, why: str) -> None:
        """Write a row: the nemesis left out a fault that would affect too many nodes."""
        ...

    def finished(self) -> None:
        """An entry, or the nemesis, has nothing left to do: faults that last have been repaired."""
        ...


def play(
    entry: Scheduled, control: ClusterControl, scheduler: FaultScheduler, fault_rng: RandomStreams
) -> Generator[Any, Any, None]:
    """The process of one entry: wait for its trigger, instant and target, inject the fault, and repair it in time."""
    if entry.after is not None:
        yield scheduler.trigger(entry.after, entry.occurrence)
    yield scheduler.timeout(next(fault_rng.durations(entry.at, "at")))
    injected = yield from _inject(entry, control, scheduler, fault_rng)
    if injected is not None and entry.lasts is not None:
        yield scheduler.timeout(next(fault_rng.durations(entry.lasts, "lasts")))
        repair(entry.fault, injected, scheduler)
        scheduler.over(entry)
    scheduler.finished()


def repair(fault: Fault, injected: Injected, scheduler: FaultScheduler) -> None:
    """Repair a fault whose time is over. An effect that another fault has ended already is not repaired again."""
    if injected.repair is not None and (nodes := injected.repair()):
        scheduler.repaired(fault.name, nodes)


def _inject(
    entry: Scheduled, control: ClusterControl, scheduler: FaultScheduler, fault_rng: RandomStreams
) -> Generator[Any, Any, Injected | None]:
    """Injects the fault as soon as its target exists. Returns None if the entry is left out."""
    name = entry.fault.name
    while True:
        try:
            injected = entry.fault.inject(control, fault_rng)
        except NoTargetError as error:
            if entry.without_target is WithoutTarget.SKIP:
                scheduler.settled(entry)
                scheduler.skipped(name, str(error))
                return None
            if entry.without_target is WithoutTarget.FAIL:
                raise MissingTargetError(f"{name}: {error}, and without_target says fail") from error
            yield scheduler.changed()
        else:
            scheduler.settled(entry)
            scheduler.injected(name, injected.nodes)
            scheduler.lasts(entry, injected)
            if entry.label is not None:
                scheduler.happened(entry.label)
            return injected
