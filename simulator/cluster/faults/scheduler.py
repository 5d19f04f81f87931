"""The scheduler of one trial's faults: triggers, the entries that still wait, and the rows that it writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from simulator.cluster.faults.record import Injected
from simulator.cluster.faults.schedule import Scheduled
from simulator.cluster.faults.triggers import Triggers
from simulator.cluster.kernel import Kernel
from simulator.trace import event_types


class TrialFaultScheduler:
    """The `FaultScheduler` of a trial. `note` writes a row. `over` is called when an entry or the nemesis ends."""

    def __init__(
        self,
        kernel: Kernel,
        entries: Sequence[Scheduled],
        nemeses: int,
        note: Callable[[str, Mapping[str, object]], None],
        over: Callable[[], None],
    ) -> None:
        self.to_come = len(entries) + nemeses  # Entries and nemeses that have not ended.
        self._kernel = kernel
        self.without_effect: list[tuple[int, str, str]] = []  # The number of the entry, its fault, and why.
        self._numbers = {id(entry): number for number, entry in enumerate(entries, start=1)}
        self._in_force: list[tuple[Scheduled, Injected]] = []
        self._unsettled = entries  # Entries whose faults were not injected yet.
        self._note = note
        self._over = over
        self._triggers = Triggers(kernel.event)
        self._change = kernel.event()

    def trigger(self, name: str, occurrence: int) -> Any:
        return self._triggers.trigger(name, occurrence)

    def happened(self, name: str) -> None:
        self._triggers.happened(name)

    def timeout(self, delay: int) -> Any:
        return self._kernel.timeout(delay)

    def changed(self) -> Any:
        return self._change

    def tell_change(self) -> None:
        """Wake the entries that wait for their targets: something has changed that a target may depend on."""
        change, self._change = self._change, self._kernel.event()
        change.succeed()

    def settled(self, entry: Scheduled) -> None:
        self._unsettled = [other for other in self._unsettled if other is not entry]

    def injected(self, fault: str, nodes: object) -> None:
        self._note(event_types.FAULT, {"fault": fault, "nodes": nodes})

    def lasts(self, entry: Scheduled, injected: Injected) -> None:
        self._in_force.append((entry, injected))

    def over(self, entry: Scheduled) -> None:
        for found in [found for found in self._in_force if found[0] is entry]:
            self._in_force.remove(found)
            why = found[1].why_no_effect()
            if why is not None:
                self.without_effect.append((self._numbers[id(entry)], entry.fault.name, why))

    def repaired(self, fault: str, nodes: object) -> None:
        self._note(event_types.REPAIRED, {"fault": fault, "nodes": nodes})

    def skipped(self, fault: str, why: str) -> None:
        self._note(event_types.SKIPPED, {"fault": fault, "why": why})

    def suppressed(self, fault: str, why: str) -> None:
        self._note(event_types.SUPPRESSED, {"fault": fault, "why": why})

    def finished(self) -> None:
        self.to_come -= 1
        self._over()

    def close(self) -> None:
        """Write a row for every fault that still waits at the end of the trial, and end those in force."""
        for entry, _ in list(self._in_force):
            self.over(entry)
        self.without_effect.sort()
        for entry in self._unsettled:
            self._note(event_types.NOT_INJECTED, {"fault": entry.fault.name})
