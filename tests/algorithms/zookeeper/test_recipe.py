"""The election recipe, with an ensemble that agrees at once: the ZooKeeper Recipes, "Leader Election"."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.algorithms.zookeeper.client_messages import Reply
from simulator.algorithms.zookeeper.recipe import Volunteer
from simulator.protocol import FOLLOWER, LEADER, SECOND, NodeId
from simulator.protocol import MILLISECOND as MS
from tests.algorithms.zookeeper.agreed import Scene

TICK, TIMEOUT = 500 * MS, 2 * SECOND
EXPIRED = 4 * SECOND  # Long enough for a session to end: a timeout, a tick, half a tick for its server's word.


def scene(candidates: int, **options: Any) -> Scene:
    """After a second, when all have their znodes."""
    chosen: dict[str, Any] = {"tick_time": TICK, "session_timeout": TIMEOUT, "reconnect_delay": (0, 0)} | options
    bench = Scene(candidates, **chosen)
    bench.let_pass(SECOND)
    return bench


def in_line(bench: Scene) -> list[NodeId]:
    """The candidates in the order of their znodes."""
    ensemble = bench.groups["ensemble"]
    children = bench.server(ensemble[0]).replica.tree.children("/election")
    return [volunteer.node for volunteer in sorted(map(Volunteer.named, children))]


def _woken(bench: Scene, since: int) -> list[NodeId]:
    events = [one for one in bench.sent[since:] if type(one.message).__name__ == "WatcherEvent"]
    return sorted(envelope.to for envelope in events)


def _crash(bench: Scene, node: NodeId) -> int:
    """Let a session expire; and from where on it was sent what follows."""
    since = len(bench.sent)
    bench.node(node).crash()
    for server in bench.groups["ensemble"]:
        bench.server(server).replica.on_client_disconnect(node, "closed")
    bench.let_pass(EXPIRED)
    return since


@pytest.mark.parametrize("watch", ["predecessor", "parent"])
@pytest.mark.parametrize("candidates", [1, 2, 3, 5])
def test_the_lowest_znode_leads(candidates: int, watch: str) -> None:
    """ "The process that created the znode with the smallest appended sequence number is the leader", and so on."""
    bench = scene(candidates, watch=watch)
    line = in_line(bench)
    assert sorted(line) == list(range(1, candidates + 1))
    for leader in line:
        assert bench.leaders == [leader] and set(bench.named()) == {leader}
        _crash(bench, leader)
    assert bench.leaders == []


def test_the_end_of_a_leader_wakes_its_successor_alone() -> None:
    """ "Note that this avoids the herd effect by not having all clients watching the same znode"."""
    bench = scene(5, announce=False)
    first, second, *_ = in_line(bench)
    since = _crash(bench, first)
    assert _woken(bench, since) == [second]
    reads = [envelope for envelope in bench.sent[since:] if type(envelope.message).__name__ == "GetChildren"]
    assert [envelope.sender for envelope in reads] == [second]


def test_the_herd_wakes_everybody() -> None:
    """ "This causes a herd effect: upon a failure of the current leader, all other processes receive a notification,
    and execute getChildren on /election"."""
    bench = scene(5, announce=False, watch="parent")
    first, *others = in_line(bench)
    since = _crash(bench, first)
    assert _woken(bench, since) == sorted(others)
    reads = [envelope for envelope in bench.sent[since:] if type(envelope.message).__name__ == "GetChildren"]
    assert sorted(envelope.sender for envelope in reads) == sorted(others)
    assert set(bench.named()) == {others[0]}  # They have all seen who is lowest.


def test_one_that_only_waits_is_replaced_in_the_line() -> None:
    """ "If a client receives a notification that the znode it is watching is gone, then it becomes the new leader in
    the case that there is no smaller znode": else it watches the next smaller one. Nobody suspects the leader."""
    bench = scene(4)
    first, second, third, fourth = in_line(bench)
    _crash(bench, second)
    assert bench.leaders == [first] and not [note for note in bench.notes if note.kind == "suspected"]
    _crash(bench, first)
    assert bench.leaders == [third]
    _crash(bench, fourth)
    assert bench.leaders == [third]


def test_a_successor_that_knows_of_no_announcement_names_who_was_lowest() -> None:
    """ "The znode having no preceding znode on the list of children do not imply that the creator of this znode is
    aware that it is the current leader": without a znode that acknowledges it, others know of the old one only."""
    bench = scene(4, announce=False)
    first, second, third, fourth = in_line(bench)
    assert set(bench.named()) == {first}
    _crash(bench, first)
    assert bench.leaders == [second]
    assert [bench.candidate(node).leader for node in (third, fourth)] == [first, first]


def test_the_token_is_the_sequence_number_and_grows_with_every_leader() -> None:
    """ "A sequence number that is greater than anyone previously appended": a fencing token. A term is one more, as
    term 0 is that of algorithms without terms. Who comes back leads again with a higher one, in another session."""
    bench = scene(2)
    first, second = in_line(bench)
    _crash(bench, first)
    bench.node(first).start()
    bench.let_pass(SECOND)
    _crash(bench, second)
    claims = [(one.node, one.term) for one in bench.transitions if one.role is LEADER]
    assert claims == [(first, 1), (second, 2), (first, 3)]
    tokens = [(note.node, note.fields["sequence"]) for note in bench.notes if note.kind == "token"]
    assert tokens == [(first, 0), (second, 1), (first, 2)]


@pytest.mark.parametrize(
    ("rule", "leads_at"),
    [
        ("disconnect", {1333: True, 1335: False, 1999: False, 2001: False}),
        ("expiry", {1333: True, 1335: True, 1999: True, 2001: False}),
    ],
)
def test_a_leader_that_is_cut_off_stops(rule: str, leads_at: dict[int, bool]) -> None:
    """Issue 5: "a client cut off from the ensemble must stop leading on disconnect (or only at expiry: an option)".

    It is disconnected when it has heard nothing for two thirds of 2 s, and its clock counts the session's 2 s; both
    from the last that it heard, which is the answer to its last request, at once.
    """
    bench = scene(2, stop_leading=rule)
    leader = bench.leaders[0]
    while bench.candidate(leader).client.time_left < TIMEOUT - MS:  # Until it has just heard.
        bench.let_pass(MS)
    for millisecond in range(2010):
        if millisecond in leads_at:
            assert (bench.leaders == [leader]) is leads_at[millisecond], millisecond
        bench.settle_without(leader)
        bench.advance(MS)
    bench.settle_without(leader)


@pytest.mark.parametrize("rule", ["disconnect", "expiry"])
def test_a_leader_whose_session_goes_on_leads_on(rule: str) -> None:
    """Guide: reconnected within the session timeout, the session is connected again, and so its znode is the lowest
    still. It claims with the same token; where it stopped in between, it claims anew."""
    bench = scene(3, stop_leading=rule)
    leader = bench.leaders[0]
    lost = len(bench.transitions)
    while bench.candidate(leader).client.connected:
        bench.settle_without(leader)
        bench.advance(MS)
    bench.let_pass(SECOND)
    assert bench.leaders == [leader]
    own = [(one.role, one.term) for one in bench.transitions[lost:] if one.node == leader]
    assert (own == []) is (rule == "expiry")
    if own:
        assert own[0][0] is FOLLOWER and own[-1] == (LEADER, 1)
    assert set(bench.named()) == {leader}


def test_an_older_leader_than_one_heard_of_is_not_followed() -> None:
    """A fencing token is there to tell an old leader by. A new session may begin at a server that lags."""
    bench = scene(3)
    first, _second, third = in_line(bench)
    _crash(bench, first)
    candidate = bench.candidate(third)
    followed = (candidate.leader, candidate.term)
    candidate._on_announcement(Reply(0, bench.server(4).replica.zxid, value=f"n{first}-1-n_0000000000"))
    assert (candidate.leader, candidate.term) == followed


def test_a_name_tells_of_its_maker() -> None:
    """Guide, "Sequence Nodes": ten digits; the recipe puts a guid before them, here of the node and its session."""
    assert Volunteer.named("n12-1a-n_0000000340") == (340, 12, 26, "n12-1a-n_0000000340")
