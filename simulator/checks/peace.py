"""What an algorithm promises of a cluster that is left in peace: from the trace alone, at its end.

Peace is the time since the last fault struck or was undone, and since a node last started, died, paused or resumed. A
trial that ends before peace has lasted as long as the algorithm needs to settle says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from simulator.checks.violation import Violation
from simulator.protocol import SECOND, Guarantee, Nanoseconds
from simulator.trace import kinds
from simulator.trace.replay import GroupState
from simulator.trace.trace import Trace

_DISTURBANCES = frozenset(
    (kinds.FAULT, kinds.UNDONE, kinds.STARTED, kinds.CRASHED, kinds.PAUSED, kinds.RESUMED),
)


def peace_began_ns(trace: Trace) -> Nanoseconds:
    """The instant of the last disturbance; 0 where there was none."""
    return max((row.time_ns for row in trace.rows if row.kind in _DISTURBANCES), default=0)


def agreement(trace: Trace, settles_ns: Nanoseconds) -> Iterator[Violation]:
    """All that run name one leader, who claims to lead, and nobody else does."""
    state = _settled(trace, settles_ns)
    if state is None:
        return
    awake = sorted(state.running - state.paused)
    leaders = {node: state.named.get(node) for node in awake}
    claimants = sorted(state.terms)
    if awake and (len(set(leaders.values())) != 1 or claimants != [leaders[awake[0]]]):
        opinions = ", ".join(
            f"n{node} names {'nobody' if leader is None else f'n{leader}'}" for node, leader in leaders.items()
        )
        yield _broken(Guarantee.AGREEMENT, trace, f"{opinions}; {_claiming(claimants)}", (*awake,))


def highest_id(trace: Trace, settles_ns: Nanoseconds) -> Iterator[Violation]:
    """Who claims to lead has the highest id of those that run."""
    state = _settled(trace, settles_ns)
    if state is None:
        return
    highest, claimants = max(state.running - state.paused, default=None), sorted(state.terms)
    if highest is not None and claimants != [highest]:
        yield _broken(Guarantee.HIGHEST_ID, trace, f"n{highest} is the highest; {_claiming(claimants)}", (highest,))


def _settled(trace: Trace, settles_ns: Nanoseconds) -> GroupState | None:
    """The headline group at the end of the trial; None where it had not had its time."""
    if trace.end_ns - peace_began_ns(trace) < settles_ns:
        return None
    state = GroupState(trace, trace.headline_group)
    for row in trace.rows:
        state.apply(row)
    return state


def _claiming(claimants: list[int]) -> str:
    return f"{' and '.join(f'n{node}' for node in claimants)} claim" if claimants else "nobody claims"


def _broken(guarantee: Guarantee, trace: Trace, text: str, nodes: tuple[int, ...]) -> Violation:
    peace_s = (trace.end_ns - peace_began_ns(trace)) / SECOND
    return Violation(guarantee, trace.end_ns, f"after {peace_s:.3f} s of peace, {text}", nodes)


PeaceChecker = Callable[[Trace, Nanoseconds], Iterator[Violation]]

PEACE_CHECKERS: Mapping[Guarantee, PeaceChecker] = MappingProxyType(
    {Guarantee.AGREEMENT: agreement, Guarantee.HIGHEST_ID: highest_id}
)
