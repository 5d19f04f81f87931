"""What an election of the ensemble costs in messages, counted in whole clusters after the leader was killed.

All m survivors notice at once, and latency is constant. Each tells all m other voters, the dead one too, of its own
vote: m·m notifications. Votes arrive one by one, in the order of ids, so the server of rank r (0: the best) hears of r
better ones, each better than the last, and tells all of each: m·m(m − 1)/2 more. That is the worst case: who hears a
better vote first tells of fewer. Each follower takes nine messages to synchronise: its first FollowerInfo, which is
refused, the second, LeaderInfo, AckEpoch, Diff, NewLeader, Ack and UpToDate (Zab's phases 1 and 2).
"""

from __future__ import annotations

import pytest

from simulator.algorithms.registry import REGISTRY
from simulator.cluster.cluster import Cluster
from simulator.cluster.distributions import Constant
from simulator.cluster.faults.node_faults import Kill
from simulator.cluster.faults.schedule import Scheduled
from simulator.cluster.network.network import NetworkSpec, Transport
from simulator.cluster.spec import ClusterSpec
from simulator.protocol import MILLISECOND, SECOND

KILLED = 10 * SECOND


@pytest.mark.parametrize("servers", [3, 5, 7, 9])
def test_an_election_takes_as_many_messages_as_derived(servers: int) -> None:
    registration = REGISTRY["zookeeper-ensemble"]
    spec = ClusterSpec(
        registration=registration,
        config=registration.config(connect_delay=(0, 0, 0), notification_time=(0, 0, 0)),  # All are refused at first.
        nodes=servers,
        duration=16 * SECOND,
        network=NetworkSpec(latency=Constant(MILLISECOND), transport=Transport.STREAM),
        faults=(Scheduled(at=Constant(KILLED), fault=Kill("leader")),),
    )
    cluster = Cluster(spec, 1, 0)
    before: dict[type, int] = {}
    cluster.control.call_after(KILLED - 1, lambda: before.update(cluster.network.sent))
    cluster.run()
    sent = {kind.__name__: count - before.get(kind, 0) for kind, count in cluster.network.sent.items()}
    survivors = servers - 1
    assert sent.pop("Notification") == survivors**2 * (survivors + 1) // 2
    assert sum(count for name, count in sent.items() if not name.startswith("Ping")) == 9 * (survivors - 1)
