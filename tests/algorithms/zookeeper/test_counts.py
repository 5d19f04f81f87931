"""What an election of the recipe costs in messages, counted by hand, for ensembles of three and five servers."""

from __future__ import annotations

import pytest

from simulator.algorithms.registry import REGISTRY
from simulator.algorithms.zookeeper.client_config import ZooKeeperConfig
from simulator.cluster.cluster import run_trial
from simulator.cluster.distributions import Constant
from simulator.cluster.faults.node_faults import Crash
from simulator.cluster.faults.schedule import Scheduled
from simulator.cluster.network.network import NetworkSpec, Transport
from simulator.cluster.spec import ClusterSpec
from simulator.protocol import MILLISECOND as MS
from simulator.protocol import SECOND
from simulator.trace.trace import Trace
from studies.zookeeper_recipe import HEARTBEATS, cost_of

CLIENTS = (2, 3, 4, 5, 10, 40)


def election(clients: int, servers: int, **options: object) -> Trace:
    """The leading client's host goes silent; all is quiet again long before the end."""
    spec = ClusterSpec(
        registration=REGISTRY["zookeeper"],
        config=ZooKeeperConfig(
            tick_time=500 * MS,
            session_timeout=2 * SECOND,
            servers=servers,
            **options,  # type: ignore[arg-type]
        ),
        nodes=clients,
        duration=16 * SECOND,
        network=NetworkSpec(latency=Constant(MS), transport=Transport.STREAM),
        faults=(Scheduled(at=Constant(8 * SECOND), fault=Crash("leader")),),
    )
    return run_trial(spec, seed=3, trial=0)


def end_of_session(servers: int) -> int:
    """Proposal, acknowledgement and commit for each follower; and the dead client is told that it is disconnected."""
    return 3 * (servers - 1) + 1


@pytest.mark.parametrize("servers", [3, 5])
@pytest.mark.parametrize("clients", CLIENTS)
def test_the_recipe_takes_as_many_whatever_the_number_of_clients(clients: int, servers: int) -> None:
    """Recipes: it "avoids the herd effect". One event, one read, and its answer."""
    assert cost_of(election(clients, servers, announce=False)).messages == end_of_session(servers) + 3


@pytest.mark.parametrize("servers", [3, 5])
@pytest.mark.parametrize("clients", CLIENTS)
def test_the_herd_takes_three_for_each_client(clients: int, servers: int) -> None:
    """Recipes: "all other processes receive a notification, and execute getChildren"; the dead one is notified, too."""
    messages = cost_of(election(clients, servers, announce=False, watch="parent")).messages
    assert messages == end_of_session(servers) + 1 + 3 * (clients - 1)


@pytest.mark.parametrize("servers", [3, 5])
@pytest.mark.parametrize("clients", CLIENTS)
def test_an_announcement_takes_eight_for_each_client(clients: int, servers: int) -> None:
    """Each hears that the old znode is gone, finds none, watches for one, hears of it, and reads it: two events, three
    reads and their answers; but for the new leader, whose second read waits for its own write, and finds the znode. The
    dead one is told of the end. And the write: its request, its answer, and one message more where the request goes by
    way of a server that does not lead."""
    trace = election(clients, servers)
    told = 1 + 8 * (clients - 2) + 7
    write = 3 * (servers - 1) + 2
    without_forwarding = end_of_session(servers) + 3 + told + write
    assert cost_of(trace).messages - without_forwarding in (0, 1)


def test_heartbeats_are_left_out_by_name() -> None:
    assert set(HEARTBEATS) < set(election(2, 3).message_types)
