"""What an algorithm promises of a cluster that is left in peace: from the trace alone, at the end of each such time.

Peace begins when a fault strikes or is undone, or a node starts, dies, pauses or resumes, and ends with the next such
event, or with the trial. One that ends before it has lasted as long as the algorithm needs to settle says nothing.
Whoever is paused has no opinion, and makes no claim that counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from simulator.checks.violation import Violation
from simulator.protocol import SECOND, Guarantee, Nanoseconds, NodeId
from simulator.trace import event_types
from simulator.trace.replay import GroupState
from simulator.trace.trace import Trace

_DISTURBANCES = frozenset(
    (
        event_types.FAULT,
        event_types.REPAIRED,
        event_types.STARTED,
        event_types.CRASHED,
        event_types.PAUSED,
        event_types.RESUMED,
    ),
)


@dataclass(frozen=True, slots=True)
class StablePeriod:
    """A time of peace that was long enough, at its end: whom each node that is awake names, and who of them claims."""

    end_ns: Nanoseconds
    length_ns: Nanoseconds
    leaders: Mapping[NodeId, NodeId | None]  # In id order.
    claimants: list[NodeId]

    def broken(self, guarantee: Guarantee, text: str, nodes: tuple[NodeId, ...]) -> Violation:
        return Violation(guarantee, self.end_ns, f"after {self.length_ns / SECOND:.3f} s of peace, {text}", nodes)

    @property
    def claiming(self) -> str:
        return f"{' and '.join(f'n{node}' for node in self.claimants)} claim" if self.claimants else "nobody claims"


def stable_periods(trace: Trace, stabilization_ns: Nanoseconds) -> Iterator[StablePeriod]:
    """Those of the headline group that lasted for so long, in order."""
    state, began_ns = GroupState(trace, trace.primary_group), 0
    for row in trace.rows:
        if row.kind in _DISTURBANCES:
            if row.time_ns - began_ns >= max(
                stabilization_ns, 1
            ):  # What is disturbed twice at an instant is in peace once.
                yield _peace(state, began_ns, row.time_ns)
            began_ns = row.time_ns
        state.apply(row)
    if trace.end_ns - began_ns >= stabilization_ns:
        yield _peace(state, began_ns, trace.end_ns)


def _peace(state: GroupState, began_ns: Nanoseconds, end_ns: Nanoseconds) -> StablePeriod:
    awake = sorted(state.running - state.paused)
    leaders = {node: state.named.get(node) for node in awake}
    return StablePeriod(end_ns, end_ns - began_ns, leaders, sorted(state.terms.keys() - state.paused))


def agreement(trace: Trace, stabilization_ns: Nanoseconds) -> Iterator[Violation]:
    """All that run name one leader, who claims to lead, and nobody else does."""
    for period in stable_periods(trace, stabilization_ns):
        named = set(period.leaders.values())
        if named and (len(named) != 1 or period.claimants != [*named]):
            opinions = ", ".join(
                f"n{node} names {'nobody' if leader is None else f'n{leader}'}"
                for node, leader in period.leaders.items()
            )
            yield period.broken(Guarantee.AGREEMENT, f"{opinions}; {period.claiming}", (*period.leaders,))


def highest_id(trace: Trace, stabilization_ns: Nanoseconds) -> Iterator[Violation]:
    """Who claims to lead has the highest id of those that run."""
    for period in stable_periods(trace, stabilization_ns):
        highest = max(period.leaders, default=None)
        if highest is not None and period.claimants != [highest]:
            yield period.broken(Guarantee.HIGHEST_ID, f"n{highest} is the highest; {period.claiming}", (highest,))


StablePeriodChecker = Callable[[Trace, Nanoseconds], Iterator[Violation]]

STABLE_PERIOD_CHECKERS: Mapping[Guarantee, StablePeriodChecker] = MappingProxyType(
    {Guarantee.AGREEMENT: agreement, Guarantee.HIGHEST_ID: highest_id}
)
