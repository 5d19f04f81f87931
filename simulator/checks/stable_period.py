"""Guarantees about stable periods, checked from the trace alone at the end of each such period.

A stable period begins when a fault is injected or repaired, or a node starts, dies, pauses or resumes. It ends with the
next such event, or with the trial. A period that is shorter than the algorithm's stabilization bound is not checked. A
paused node has no opinion, and its claim does not count.
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
    """The end of a stable period: the leader that each awake node names, and the awake nodes that claim to lead."""

    end_ns: Nanoseconds
    length_ns: Nanoseconds
    leaders: Mapping[NodeId, NodeId | None]  # In id order.
    claimants: list[NodeId]

    def violation(self, guarantee: Guarantee, text: str, nodes: tuple[NodeId, ...]) -> Violation:
        """The violation of a guarantee at the end of this period."""
        text = f"after {self.length_ns / SECOND:.3f} s without a disturbance, {text}"
        return Violation(guarantee, self.end_ns, text, nodes)

    @property
    def claiming(self) -> str:
        """The claimants in words."""
        return f"{' and '.join(f'n{node}' for node in self.claimants)} claim" if self.claimants else "nobody claims"


def stable_periods(trace: Trace, stabilization_ns: Nanoseconds) -> Iterator[StablePeriod]:
    """The stable periods of the primary group that last at least `stabilization_ns`, in order."""
    state, began_ns = GroupState(trace, trace.primary_group), 0
    for row in trace.rows:
        if row.kind in _DISTURBANCES:
            # Two disturbances at one instant have no period between them.
            if row.time_ns - began_ns >= max(stabilization_ns, 1):
                yield _period_at_end(state, began_ns, row.time_ns)
            began_ns = row.time_ns
        state.apply(row)
    if trace.end_ns - began_ns >= stabilization_ns:
        yield _period_at_end(state, began_ns, trace.end_ns)


def _period_at_end(state: GroupState, began_ns: Nanoseconds, end_ns: Nanoseconds) -> StablePeriod:
    awake = sorted(state.running - state.paused)
    leaders = {node: state.named.get(node) for node in awake}
    return StablePeriod(end_ns, end_ns - began_ns, leaders, sorted(state.terms.keys() - state.paused))


def agreement(trace: Trace, stabilization_ns: Nanoseconds) -> Iterator[Violation]:
    """All running nodes name one leader, and only that node claims to lead."""
    for period in stable_periods(trace, stabilization_ns):
        named = set(period.leaders.values())
        if named and (len(named) != 1 or period.claimants != [*named]):
            opinions = ", ".join(
                f"n{node} names {'nobody' if leader is None else f'n{leader}'}"
                for node, leader in period.leaders.items()
            )
            yield period.violation(Guarantee.AGREEMENT, f"{opinions}; {period.claiming}", (*period.leaders,))


def highest_id(trace: Trace, stabilization_ns: Nanoseconds) -> Iterator[Violation]:
    """The node that claims to lead has the highest id of the running nodes."""
    for period in stable_periods(trace, stabilization_ns):
        highest = max(period.leaders, default=None)
        if highest is not None and period.claimants != [highest]:
            yield period.violation(Guarantee.HIGHEST_ID, f"n{highest} is the highest; {period.claiming}", (highest,))


StablePeriodChecker = Callable[[Trace, Nanoseconds], Iterator[Violation]]

STABLE_PERIOD_CHECKERS: Mapping[Guarantee, StablePeriodChecker] = MappingProxyType(
    {Guarantee.AGREEMENT: agreement, Guarantee.HIGHEST_ID: highest_id}
)
