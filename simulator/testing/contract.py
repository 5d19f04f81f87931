"""Checks that an algorithm keeps the contract of `simulator.protocol`, while it elects leaders on the bench."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations
from typing import Any

from simulator.algorithms.registration import Registration
from simulator.protocol import LEADER, Algorithm, NodeId
from simulator.testing.bench import InteractionBench
from simulator.testing.errors import InteractionError
from simulator.testing.state import check_state, check_view, copy_state, first_difference, picture


def check_contract(
    registration: Registration, nodes: int = 3, *, config: Any = None, seed: int = 0, steps: int = 200
) -> InteractionBench:
    """Run elections of an algorithm on the bench and check the state and view of every node after each step.

    A step delivers all messages in flight or, if there are none, fires the next timer. When a node of the primary group
    leads for the first time, it is crashed and restarted. Returns the bench, so that a test can look at what happened.
    Raises InteractionError that names the attribute of a state that cannot be copied and compared, that is changed
    together with its copy, or the value of a view that is not plain.
    """
    bench = InteractionBench(registration, nodes, config=config, seed=seed)
    if registration.requires_connections:
        for node, peer in permutations(bench.nodes, 2):
            bench.node(node).connect(peer)
    crashed = False
    for _ in range(steps):
        copies = _check_nodes(bench)
        if not _step(bench):
            break
        _check_copies(copies)
        if not crashed and (leader := _leader(bench)) is not None:
            crashed = True
            _restart(bench, leader)
    _check_nodes(bench)
    return bench


def _check_nodes(bench: InteractionBench) -> Mapping[NodeId, tuple[Algorithm, Mapping[str, object]]]:
    """Check every running node. Returns a copy of each node's state, and a picture of this copy."""
    copies = {}
    for node in bench.nodes.values():
        if node.algorithm is not None:
            check_state(node.algorithm)
            check_view(node.algorithm)
            copy = copy_state(node.algorithm)
            copies[node.me] = copy, picture(copy)
    return copies


def _check_copies(copies: Mapping[NodeId, tuple[Algorithm, Mapping[str, object]]]) -> None:
    for node, (copy, before) in copies.items():
        if difference := first_difference(before, picture(copy)):
            raise InteractionError(
                f"node {node}: {type(copy).__name__}{difference} is shared by an algorithm and the copy of its state"
            )


def _step(bench: InteractionBench) -> bool:
    """Deliver all that is in flight, or fire the next timer. False if there is neither."""
    if bench.in_flight:
        for envelope in list(bench.in_flight):
            bench.deliver(envelope)
        return True
    return bench.fire_next()


def _leader(bench: InteractionBench) -> NodeId | None:
    members = bench.groups[bench.registration.group]
    declared = (bench.node(node).declared for node in members)
    return next((last.node for last in declared if last is not None and last.role is LEADER), None)


def _restart(bench: InteractionBench, node: NodeId) -> None:
    bench.node(node).crash()
    for _ in range(20):
        _check_nodes(bench)
        _step(bench)
    bench.node(node).start()
