"""An ensemble on the simulated network: it elects, synchronises, keeps a quorum, and agrees on what is written.

Zab: Junqueira, Reed and Serafini 2011. ZooKeeper's documentation: tickTime, initLimit, syncLimit, observers.
"""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from simulator.algorithms.zookeeper.fast_leader_election import votes_agree
from simulator.algorithms.zookeeper.messages import NOTHING, Notification, Propose, State, Zxid
from simulator.checks.safety import violations
from simulator.cluster.cluster import Cluster
from simulator.cluster.distributions import Uniform
from simulator.cluster.faults.link_degradation import Heal
from simulator.cluster.faults.node_faults import Crash, Kill, Restart
from simulator.cluster.faults.partitions import Isolate
from simulator.cluster.faults.record import Fault
from simulator.cluster.spec import DiskSpec
from simulator.cluster.workload import Workload
from simulator.protocol import CANDIDATE, LEADER, MICROSECOND, SECOND, NodeId, spread
from simulator.trace.trace import Trace
from tests.algorithms.zookeeper.bed import MS, QUICK, SCRIBED, Scribe, ensemble, servers, states

WRITES = Workload(rate_per_s=50, start=SECOND)


def claims(trace: Trace) -> list[tuple[NodeId, int | None]]:
    """Who has claimed which epoch, in order."""
    return [(row.node, row.term) for row in trace.rows if row.role is LEADER and row.node is not None]


def agree(cluster: Cluster) -> None:
    """Every server that runs names the one that leads, and has applied the same transactions."""
    leading = [server.host.me for server in servers(cluster) if server.leading]
    assert len(leading) == 1
    assert all(server.serving for server in servers(cluster))
    assert {server.learner.leader for server in servers(cluster) if server.learner is not None} <= set(leading)
    assert len(set(states(cluster).values())) == 1


def test_the_highest_id_leads_where_histories_are_alike() -> None:
    """Votes are ordered by epoch, zxid and id (Medeiros 2012); an epoch is a round that one candidate stands in."""
    cluster = ensemble(duration=2 * SECOND)
    trace = cluster.run()
    assert claims(trace) == [(3, 1)]
    assert [(row.node, row.term) for row in trace.rows if row.role is CANDIDATE] == [(3, 1)]
    agree(cluster)
    assert [Scribe.told[node, 1][0] for node in (1, 2, 3)] == ["followed", "followed", "led"]


@pytest.mark.parametrize("fault", [Kill("leader"), Crash("leader")], ids=lambda fault: fault.name)
@pytest.mark.parametrize("nodes", [3, 4, 5])
def test_a_lost_leader_is_replaced(nodes: int, fault: Fault) -> None:
    """By the highest of the others, in the next epoch; when it is back, it follows."""
    cluster = ensemble((5 * SECOND, fault), (10 * SECOND, Restart("all")), nodes=nodes)
    trace = cluster.run()
    assert claims(trace) == [(nodes, 1), (nodes - 1, 2)]
    agree(cluster)
    assert "unserving" in Scribe.told[nodes - 1, 1]
    assert not violations(trace, SCRIBED.algorithm.guarantees)


def test_a_closed_socket_is_noticed_at_once_and_silence_after_sync_limit() -> None:
    """The failover of a killed process is quicker than that of a silent host by syncLimit ticks, less at most half a
    tick since the last ping.
    """
    lost = {}
    for fault in (Kill("leader"), Crash("leader")):
        trace = ensemble((5 * SECOND, fault), duration=10 * SECOND).run()
        suspected = min(row.time_ns for row in trace.of_type("suspected"))
        lost[fault.name] = suspected - 5 * SECOND
    limit = QUICK.sync_timeout
    assert 10 * MS < lost["kill"] <= 12 * MS
    assert limit - QUICK.tick_time // 2 <= lost["crash"] <= limit + 2 * MS


def test_a_leader_without_a_quorum_gives_up() -> None:
    """Zab's leader needs a quorum of followers; it looks every tick. The others leave it after syncLimit ticks."""
    cluster = ensemble((5 * SECOND, Isolate("leader")), (10 * SECOND, Heal()))
    trace = cluster.run()
    limit = QUICK.sync_timeout + 2 * QUICK.tick_time
    changes = [row for row in trace.rows if row.node == 3 and row.role is not None and row.time_ns > 5 * SECOND]
    assert changes[0].role is not LEADER and changes[0].time_ns < 5 * SECOND + limit
    assert claims(trace) == [(3, 1), (2, 2)]
    agree(cluster)


def test_a_quorum_that_is_lost_and_comes_back() -> None:
    """Two of three die: nobody leads. One comes back: the best of the two does, and all that was agreed is there."""
    cluster = ensemble((5 * SECOND, Kill("leader")), (6 * SECOND, Kill(1)), (10 * SECOND, Restart(1)), workload=WRITES)
    trace = cluster.run()
    lost = [row.time_ns for row in trace.of_type("leader-lost")]
    assert lost[1] == 6 * SECOND
    assert [node for node, _ in claims(trace)] == [3, 2, 2]
    agree(cluster)
    assert not violations(trace, SCRIBED.algorithm.guarantees)


def test_writes_are_agreed_on_across_lives() -> None:
    """Zab: all servers deliver the same transactions in the same order; those of an earlier leader come first."""
    cluster = ensemble(
        (5 * SECOND, Kill("leader")),
        (7 * SECOND, Restart("all")),
        (9 * SECOND, Crash("leader")),
        (12 * SECOND, Restart("all")),
        workload=Workload(rate_per_s=50, start=SECOND),
        disk=DiskSpec(write=Uniform(100 * MICROSECOND, 5 * MS)),
    )
    trace = cluster.run()
    agree(cluster)
    applied = states(cluster)[1]
    assert len(applied) > 300
    assert list(applied) == sorted(set(applied))
    assert {zxid.epoch for zxid in applied} == {1, 2, 3}
    assert not violations(trace, SCRIBED.algorithm.guarantees)


def test_who_has_missed_too_much_gets_the_state() -> None:
    """ZooKeeper's commitLogCount: beyond it SNAP, up to it DIFF; both leave the same state. n3 gets it, and leads when
    n2 is dead, with a history that begins with that state.
    """
    for limit, restored in ((10, True), (10_000, False)):
        cluster = ensemble(
            (3 * SECOND, Kill("leader")),
            (8 * SECOND, Restart("all")),
            (12 * SECOND, Crash("leader")),
            (14 * SECOND, Restart("all")),
            workload=Workload(rate_per_s=50, start=SECOND),
            config=replace(QUICK, diff_limit=limit),
        )
        trace = cluster.run()
        assert claims(trace) == [(3, 1), (2, 2), (3, 3)]
        assert ("restored" in Scribe.told[3, 2]) is restored
        agree(cluster)
        assert not violations(trace, SCRIBED.algorithm.guarantees)


def test_observers_follow_and_have_no_vote() -> None:
    """ZooKeeper's documentation: observers hear the outcome of votes, and are no part of a quorum. Five servers, two of
    them observers: two voters are a quorum, and one voter is not, whoever observes.
    """
    config = replace(QUICK, observers=2)
    cluster = ensemble((5 * SECOND, Kill("leader")), nodes=5, config=config, workload=WRITES)
    trace = cluster.run()
    assert claims(trace) == [(3, 1), (2, 2)]
    agree(cluster)
    assert {row.field("voter") for row in trace.of_type("vote")} <= {1, 2, 3}
    cluster = ensemble((5 * SECOND, Kill("leader")), (7 * SECOND, Kill("leader")), nodes=5, config=config)
    assert claims(cluster.run()) == [(3, 1), (2, 2)]
    assert not any(server.serving for server in servers(cluster))


def test_learners_tell_what_was_touched_twice_a_tick() -> None:
    """ZooKeeper: the leader pings every half tick, and learners answer with the sessions that they have heard of."""
    ensemble(duration=3 * SECOND).run()
    told = Scribe.told[3, 1].count("touched")
    half_ticks = (3 * SECOND - 340 * MS) // (QUICK.tick_time // 2)  # It leads after some 340 ms.
    assert 2 * (half_ticks - 1) <= told <= 2 * (half_ticks + 1)


def test_a_spread_has_its_three_figures() -> None:
    """`spread` by its definition: nothing below the least, half below the median, one in a hundred above p99."""
    source, trials = random.Random(1), 20_000
    drawn = sorted(spread(source, (25, 42_000, 114_000)) for _ in range(trials))
    assert abs(sum(one < 42_000 for one in drawn) / trials - 0.5) < 0.012  # Three standard errors and a bit.
    assert abs(sum(one > 114_000 for one in drawn) / trials - 0.01) < 0.0025
    assert {spread(source, (40_000, 42_000, 44_000)) >= 40_000 for _ in range(1000)} == {True}
    assert spread(source, (0, 0, 0)) == 0


def test_requests_are_forwarded_to_the_leader() -> None:
    """A write at any server goes to the leader, and is agreed on."""
    cluster = ensemble(duration=3 * SECOND)

    def forward() -> None:
        for server in servers(cluster):
            server.forward(Propose(7))

    cluster.control.call_after(2 * SECOND, forward)
    cluster.run()
    assert [len(state) for state in states(cluster).values()] == [3, 3, 3]


def test_votes_are_compared_by_what_their_servers_do() -> None:
    """FastLeaderElection: votes of servers that look agree in leader, zxid, epoch and election; those of followers "may
    differ" in zxid and election (ZOOKEEPER-1805).
    """
    vote = Notification(leader=3, zxid=Zxid(1, 7), peer_epoch=1, election_epoch=4)
    others = [replace(vote, election_epoch=3), replace(vote, election_epoch=5), replace(vote, zxid=NOTHING)]
    assert [votes_agree(vote, other) for other in (vote, *others)] == [True, False, False, False]
    following = [replace(other, state=State.FOLLOWING) for other in (vote, *others)]
    assert [votes_agree(following[0], other) for other in following] == [True, True, True, True]
    assert not votes_agree(following[0], replace(following[0], peer_epoch=2))
