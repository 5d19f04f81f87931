"""The election recipe (etcd-io/etcd: client/v3/concurrency, election.go and key.go)."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.algorithms.etcd.recipe import Resign
from simulator.protocol import SECOND, NodeId
from tests.algorithms.etcd.bed import Scene, scene


def in_line(bench: Scene) -> list[NodeId]:
    """The candidates in the order in which their keys were created."""
    return [int(kv.value) for kv in bench.member(bench.primary).store.keys.under("election/")]


@pytest.mark.parametrize("candidates", [1, 2, 4])
def test_the_key_that_was_created_first_leads(candidates: int) -> None:
    """election.go: "leader = key with the lowest create revision"; each end of a session makes the next one lead."""
    bench = scene(candidates, session_ttl=2 * SECOND, restart_delay=(50 * SECOND, 50 * SECOND))
    line = in_line(bench)
    assert sorted(line) == list(range(1, candidates + 1))
    for leader in line:
        assert bench.leaders == [leader]
        running = [bench.candidate(node) for node in line if bench.node(node).running]
        assert {candidate.leader for candidate in running} == {leader}
        assert {candidate.term for candidate in running} == {bench.candidate(leader).created}
        bench.kill(leader)
        bench.let_pass(4)
    assert bench.leaders == []


def test_each_watches_its_predecessor_alone() -> None:
    """key.go, waitDeletes: the key with the greatest create revision below its own. The end of a candidate in the
    middle wakes its successor, who watches the next one; nobody suspects the leader."""
    bench = scene(4, session_ttl=2 * SECOND, observe=False)
    first, second, third, fourth = in_line(bench)
    keys = {node: bench.candidate(node).key for node in bench.groups["electorate"]}
    watched = {node: bench.candidate(node).predecessor for node in (second, third, fourth)}
    assert {node: kv.key for node, kv in watched.items() if kv is not None} == {
        second: keys[first],
        third: keys[second],
        fourth: keys[third],
    }
    before = len(bench.sent)
    bench.kill(second)
    bench.let_pass(4)
    woken = {one.to for one in bench.sent[before:] if one.text.startswith("WatchResponse")}
    assert woken == {third} and bench.leaders == [first]
    predecessor = bench.candidate(third).predecessor
    assert predecessor is not None and predecessor.key == keys[first]
    assert not [note for note in bench.notes if note.kind == "suspected" and note.node == third]


def test_a_leader_that_resigns_stops_first_and_is_the_last_in_line() -> None:
    """election.go, Resign: the key is deleted if its create revision is the one that was won with. The next in line
    leads within a few messages, and not after a lease."""
    bench = scene(3, session_ttl=60 * SECOND)
    first, second, third = in_line(bench)
    won_with = bench.candidate(first).created
    bench.node(first).command(Resign())
    assert bench.leaders == []
    bench.let_pass(0.1)
    assert bench.leaders == [second] and in_line(bench) == [second, third, first]
    again = bench.candidate(first).created
    assert again is not None and won_with is not None and again > won_with
    bench.node(third).command(Resign())  # It does not lead.
    bench.let_pass(0.1)
    assert bench.leaders == [second]


def test_tokens_are_create_revisions_and_grow() -> None:
    """The revision of the key is the fencing number (contrib/lock in etcd; session.go): each leader's is higher."""
    bench = scene(3, session_ttl=2 * SECOND)
    for _ in range(3):
        (leader,) = bench.leaders
        bench.kill(leader)
        bench.let_pass(3)
        bench.node(leader).start()
        bench.let_pass(2)
    tokens: list[Any] = [note.fields["sequence"] for note in bench.notes if note.kind == "token"]
    assert len(tokens) == 4 and tokens == sorted(set(tokens))


def test_a_watch_goes_on_at_another_member() -> None:
    """client/v3/watch.go: a watch whose stream breaks is resumed from the next revision; nothing is missed."""
    bench = scene(2, session_ttl=60 * SECOND)
    first, second = in_line(bench)
    awaited = bench.candidate(second).awaited
    assert awaited is not None
    watching = bench.candidate(second).client._watches.get(awaited)
    assert watching is not None and watching.server is not None
    served_by = watching.server
    bench.silent.add(served_by)
    bench.node(first).command(Resign())
    bench.let_pass(4)
    assert bench.leaders == [] or served_by == bench.primary
    bench.silent.clear()
    bench.kill(served_by)
    bench.let_pass(8)
    assert bench.leaders == [second]


def test_a_campaign_that_failed_finds_its_own_key() -> None:
    """election.go, Campaign: if the key exists, an earlier attempt has put it; it is read, and keeps its place."""
    bench = scene(2, session_ttl=60 * SECOND, restart_delay=(0, 0))
    first, second = in_line(bench)
    candidate = bench.candidate(second)
    created = candidate.created
    candidate._leave_line()
    candidate._begin()
    bench.let_pass(0.2)
    assert candidate.created == created and in_line(bench) == [first, second]


def test_a_leader_whose_session_has_ended_follows_the_next_one() -> None:
    """session.go: `Done` is closed. The application stops, begins another session, and waits behind the others."""
    bench = scene(3, session_ttl=2 * SECOND, restart_delay=(0, 0))
    first, second, third = in_line(bench)
    bench.silent.add(first)
    bench.let_pass(4)
    bench.hear_again(first)
    bench.let_pass(4)
    assert bench.leaders == [second] and in_line(bench) == [second, third, first]
    assert {bench.candidate(node).leader for node in (first, second, third)} == {second}


@pytest.mark.parametrize("check", [False, True])
def test_a_candidate_leads_though_its_own_key_is_gone(check: bool) -> None:
    """election.go, Campaign: after waitDeletes it returns, and does not look for its own key. mutex.go, Lock: "make
    sure the session is not expired, and the owner key still exists"; else ErrSessionExpired.

    The leases of the first and the second candidate end together; the second one's client has not learnt of it.
    """
    bench = scene(3, session_ttl=60 * SECOND, check_own_key=check, restart_delay=(0, 0))
    first, second, third = in_line(bench)
    old, first_lease = bench.candidate(second).created, bench.candidate(first).session.lease or 0
    bench.kill(first)
    primary = bench.member(bench.primary)
    primary._revoke([bench.candidate(second).session.lease or 0])
    primary._revoke([first_lease])
    bench.let_pass(0.2)
    tokens = [note.fields["sequence"] for note in bench.notes if note.kind == "token" and note.node == second]
    assert tokens == ([] if check else [old])
    assert third in bench.leaders
