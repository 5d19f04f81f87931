"""Whatever befalls an ensemble, it keeps Zab's promises, and agrees again (`schedules`); and the witness can tell.

Each mutant breaks one rule, and must be convicted by the schedules that the property tries.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from simulator.algorithms.zookeeper.fast_leader_election import FastLeaderElection
from simulator.algorithms.zookeeper.messages import Notification
from simulator.algorithms.zookeeper.server_state import ServerState
from simulator.algorithms.zookeeper.zab_broadcast import Broadcast
from simulator.algorithms.zookeeper.zab_follower import Learner
from tests.algorithms.zookeeper.schedules import SCHEDULES, Move, ViolationError, Witness, moves, play

TRIED = (Phase.explicit, Phase.generate)
openings = st.tuples(st.sampled_from([(3, 0), (3, 0), (4, 1), (5, 0)]), st.integers(0, 99))

# Schedules that are tried first: a quorum loses its memory; and whoever has the highest id has missed the most.
amnesia: list[Move] = [(5, "crash", 0), (0, "crash", 1), (5, "restart", 0)]
laggard: list[Move] = [(0, "kill", 0), (10, "kill", 0), (5, "restart", 0)]


@settings(max_examples=SCHEDULES, deadline=None)
@given(opening=openings, chosen=moves)
@example(opening=((3, 0), 1), chosen=amnesia)
@example(opening=((3, 0), 1), chosen=laggard)
def test_whatever_happens_all_deliver_the_same_and_agree_in_the_end(
    opening: tuple[tuple[int, int], int], chosen: list[Move]
) -> None:
    """Junqueira, Reed and Serafini 2011: integrity, total order, agreement; and ZooKeeper Internals, "Guarantees"."""
    (nodes, observers), seed = opening
    play(chosen, nodes, observers, seed)
    assert Witness.delivered  # There was something to agree on.


# --- Mutants, each with the rule that it breaks


def half_is_a_quorum(server: ServerState, nodes: Any) -> bool:
    return 2 * sum(node in server.voters for node in nodes) >= len(server.voters) - 1


def epoch_is_not_saved(server: ServerState, epoch: int, then: str | None = None) -> None:
    server.accepted_epoch = epoch
    server.host.save(then)


def writes_are_not_saved(server: ServerState, zxid: Any, transaction: Any, then: str | None = None) -> None:
    server.history = server.history.append(zxid, transaction)
    server.host.save(then)


def ids_alone_decide(vote: Notification) -> Any:
    return (vote.leader,)


def nothing_is_dropped(learner: Learner, message: Any) -> None:
    """What the leader has not is kept (TRUNC)."""


def commits_at_once(broadcast: Broadcast, voter: int, zxid: Any, learners: Any) -> None:
    while broadcast.outstanding:
        broadcast._commit(broadcast.outstanding.pop(0), learners)


def never_told_again(election: FastLeaderElection, name: str) -> int | None:
    """Votes are not repeated."""
    return on_timer(election, name) if name == "finalize" else None


on_timer = FastLeaderElection.on_timer
MUTANTS: list[tuple[type, str, Any, str]] = [
    (ServerState, "is_quorum", half_is_a_quorum, "votes of|claims term|delivers"),
    (ServerState, "accept", epoch_is_not_saved, "claims term|goes back|counts for|delivers|no agreement"),
    (ServerState, "log", writes_are_not_saved, "without entry|delivers|never agreed"),
    (Notification, "order", property(ids_alone_decide), "up-to-date|without entry|delivers|no agreement"),
    (Learner, "_on_trunc", nothing_is_dropped, "delivers|without entry|never agreed"),
    (Broadcast, "acknowledge", commits_at_once, "without entry|delivers|never agreed"),
    (FastLeaderElection, "on_timer", never_told_again, "no agreement"),
]


@pytest.mark.parametrize(("kind", "name", "broken", "why"), MUTANTS, ids=[broken[1] for broken in MUTANTS])
def test_a_mutant_is_convicted(kind: type, name: str, broken: Any, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A property that no fault could break would prove nothing."""
    monkeypatch.setattr(kind, name, broken)
    if (handled := next((m for m, f in getattr(kind, "receive", {}).items() if f.__name__ == name), None)) is not None:
        monkeypatch.setattr(kind, "receive", {**kind.receive, handled: broken})  # type: ignore[attr-defined]

    @settings(max_examples=SCHEDULES, phases=TRIED, derandomize=True, database=None, deadline=None)
    @given(opening=openings, chosen=moves)
    @example(opening=((3, 0), 1), chosen=amnesia)
    @example(opening=((3, 0), 1), chosen=laggard)
    def search(opening: tuple[tuple[int, int], int], chosen: list[Move]) -> None:
        (nodes, observers), seed = opening
        play(chosen, nodes, observers, seed)

    with pytest.raises(ViolationError, match=why):
        search()
