"""Deliberate faults of the recipe, its client and its servers, each of which one hard life of a cluster convicts.

A test that cannot fail says nothing: the same life, lived by the code as it is, breaks no promise, ends in agreement,
and never has two leaders at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from simulator.algorithms.registry import REGISTRY
from simulator.algorithms.zookeeper.client import Client
from simulator.algorithms.zookeeper.recipe import Candidate
from simulator.algorithms.zookeeper.session_leader import SessionLeader
from simulator.algorithms.zookeeper.sessions import SessionTracker
from simulator.algorithms.zookeeper.tree import DataTree
from simulator.algorithms.zookeeper.watches import Watches
from simulator.checks.stable_period import agreement
from simulator.cluster.cluster import run_trial
from simulator.cluster.distributions import Constant, Uniform
from simulator.cluster.faults.node_faults import Crash, Kill
from simulator.cluster.faults.partitions import Isolate
from simulator.cluster.faults.record import Fault
from simulator.cluster.faults.schedule import Scheduled
from simulator.cluster.network.network import NetworkSpec, Transport
from simulator.cluster.spec import ClusterSpec
from simulator.experiment.trial import measure
from simulator.protocol import MILLISECOND as MS
from simulator.protocol import SECOND
from tests.algorithms.zookeeper.test_scenes import CONFIG

SEEDS = range(4)
SETTLES = 6 * SECOND  # Longer than it is cut off, and three sessions: one may end, and a client seek a server.


def life() -> ClusterSpec:
    """The ensemble's leader dies, then leading clients in turn, and one is cut off; all but the last come back."""

    def inject(second: int, fault: Fault, lasts: int | None) -> Scheduled:
        instant = Uniform(second * SECOND, (second + 1) * SECOND)
        return Scheduled(at=instant, fault=fault, lasts=None if lasts is None else Constant(lasts * SECOND))

    return ClusterSpec(
        registration=REGISTRY["zookeeper"],
        config=CONFIG,
        nodes=3,
        duration=56 * SECOND,
        start=Uniform(0, SECOND),
        network=NetworkSpec(latency=Uniform(MS, 3 * MS), transport=Transport.STREAM),
        faults=(
            inject(6, Crash("leader-of:ensemble"), 6),
            inject(18, Kill("leader"), 1),
            inject(24, Crash("leader"), 1),
            inject(30, Isolate("leader"), 5),
            inject(46, Crash("leader"), None),
        ),
    )


def complaints() -> list[str]:
    """What is wrong with a few such lives."""
    found, spec = [], life()
    for seed in SEEDS:
        trace = run_trial(spec, seed, 0)
        result = measure(trace, spec, 0)
        found += [str(violation) for violation in (*result.violations, *agreement(trace, SETTLES))]
        found += ["two leaders at once"] * (result.row["overlap_s"] > 0)
    return found


def nothing(*_: object, **__: object) -> None:
    """In place of what should be done."""


def reused_numbers(patch: pytest.MonkeyPatch) -> None:
    """A number is that of the children which are there, and not of all that ever were."""
    create = DataTree.create

    def forgetful(tree: DataTree, path: str, *arguments: object, **options: object) -> str:
        for parent in tree._nodes.values():
            parent.created = len(parent.children)
        return create(tree, path, *arguments, **options)  # type: ignore[arg-type]

    patch.setattr(DataTree, "create", forgetful)


def kept_ephemerals(patch: pytest.MonkeyPatch) -> None:
    """A session ends, and its znodes stay."""
    patch.setattr(DataTree, "close_session", lambda tree, session: tree.sessions.pop(session, None))


def silent_watches(patch: pytest.MonkeyPatch) -> None:
    """Nobody is told of a deletion."""
    patch.setattr(Watches, "on_deleted", nothing)


def no_second_look(patch: pytest.MonkeyPatch) -> None:
    """The leader looks for expired sessions once."""
    patch.setattr(SessionLeader, "_await_next_look", lambda leader: leader._host.set_timer("replica-sessions", SECOND))
    patch.setattr(SessionLeader, "on_timer", nothing)


def forgotten_sessions(patch: pytest.MonkeyPatch) -> None:
    """A leader that takes over knows of no session."""
    opened = SessionLeader.opened

    def only_new(leader: SessionLeader, session: int, owner: int | None) -> None:
        if owner is not None:
            opened(leader, session, owner)

    patch.setattr(SessionLeader, "opened", only_new)


def immediate_expiry(patch: pytest.MonkeyPatch) -> None:
    """A touch does not postpone the end of a session."""
    patch.setattr(SessionTracker, "touch", lambda tracker, session, now: session in tracker._tracked)


def leads_on(patch: pytest.MonkeyPatch) -> None:
    """A leader that is disconnected does not stop."""
    patch.setattr(Candidate, "on_disconnected", nothing)


def never_disconnected(patch: pytest.MonkeyPatch) -> None:
    """A client trusts in a server that is silent."""
    heard = Client._heard

    def control(client: Client) -> None:
        heard(client)
        client._host.cancel_timer("client-read")

    patch.setattr(Client, "_heard", control)


def no_reading_again(patch: pytest.MonkeyPatch) -> None:
    """A candidate whose session goes on at another server takes its watches to be there still."""
    connected = Candidate.on_connected

    def trusting(candidate: Candidate, *, new: bool) -> None:
        if new:
            connected(candidate, new=new)

    patch.setattr(Candidate, "on_connected", trusting)


MUTANTS: Mapping[str, Callable[[pytest.MonkeyPatch], None]] = {
    mutant.__name__: mutant
    for mutant in (
        *(reused_numbers, kept_ephemerals, silent_watches, no_second_look, forgotten_sessions, immediate_expiry),
        *(leads_on, never_disconnected, no_reading_again),
    )
}


def test_as_it_is_it_does_nothing_wrong() -> None:
    assert complaints() == []


@pytest.mark.parametrize("name", MUTANTS)
def test_a_deliberate_fault_is_convicted(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    MUTANTS[name](monkeypatch)
    assert complaints() != []
