"""When faults strike, and for how long: a schedule of them, and the SimPy process that plays one entry of it.

An entry strikes at an instant, or some time after an occasion: an election, a loss, another entry. While the target
that it describes does not exist, it waits, or is left out, or fails the trial, as the entry says.
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

# Occasions that every trial may have. Labels of entries are occasions, too: the instant at which the entry strikes.
LEADER_ELECTED = "leader-elected"  # A node claims.
LEADER_ANNOUNCED = "leader-announced"  # Everybody who can hear of the reigning leader names it.
LEADER_LOST = "leader-lost"  # The reigning leader is lost.
TRIGGERS = (LEADER_ELECTED, LEADER_ANNOUNCED, LEADER_LOST)


class WithoutTarget(enum.StrEnum):
    """What an entry does whose target does not exist when it is due."""

    WAIT = "wait"  # Until it does, at most until the end of the trial.
    SKIP = "skip"
    FAIL = "fail"  # The trial, and with it the run.


class MissingTargetError(RuntimeError):
    """A fault that was to fail without its target has done so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduled:
    """A fault, when it strikes and for how long: until the end, or somebody else undoes it, where `lasts` is None."""

    fault: Fault
    at: Distribution = Constant(0)  # Counted from the start of the trial, or from the occasion.
    after: str | None = None  # The occasion: one of OCCASIONS, or the label of another entry.
    occurrence: int = 1  # The how-many-th of its kind in the trial.
    lasts: Distribution | None = None
    label: str | None = None
    without_target: WithoutTarget = WithoutTarget.WAIT


class FaultScheduler(Protocol):
    """What the schedule needs of the cluster besides the patient."""

    def trigger(self, name: str, occurrence: int) -> Any:
        """An event of SimPy that succeeds with that occasion, at once if it is over."""
        ...

    def happened(self, name: str) -> None:
        """It is the occasion of that name."""
        ...

    def timeout(self, delay: int) -> Any: ...
    def changed(self) -> Any:
        """An event that succeeds when anything changes that a target may depend on."""
        ...

    def settled(self, entry: Scheduled) -> None:
        """An entry has struck, or was left out."""
        ...

    def injected(self, fault: str, nodes: object) -> None: ...
    def repaired(self, fault: str, nodes: object) -> None: ...
    def skipped(self, fault: str, why: str) -> None: ...
    def suppressed(self, fault: str, why: str) -> None: ...
    def finished(self) -> None:
        """An entry has struck, or was left out; if it was to be over some time, it is."""
        ...


def play(
    entry: Scheduled, control: ClusterControl, scheduler: FaultScheduler, fault_rng: RandomStreams
) -> Generator[Any, Any, None]:
    """The process of one entry: wait for its occasion, its instant and its target; strike; and undo it in time."""
    if entry.after is not None:
        yield scheduler.trigger(entry.after, entry.occurrence)
    yield scheduler.timeout(next(fault_rng.durations(entry.at, "at")))
    injected = yield from _inject(entry, control, scheduler, fault_rng)
    if injected is not None and entry.lasts is not None:
        yield scheduler.timeout(next(fault_rng.durations(entry.lasts, "lasts")))
        repair(entry.fault, injected, scheduler)
    scheduler.finished()


def repair(fault: Fault, injected: Injected, scheduler: FaultScheduler) -> None:
    """The time of a fault is over. What was over already, by a heal or a restart, is not undone again."""
    if injected.repair is not None and (nodes := injected.repair()):
        scheduler.repaired(fault.name, nodes)


def _inject(
    entry: Scheduled, control: ClusterControl, scheduler: FaultScheduler, fault_rng: RandomStreams
) -> Generator[Any, Any, Injected | None]:
    """None where the entry is left out."""
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
            if entry.label is not None:
                scheduler.happened(entry.label)
            return injected
