"""The recipe as a whole, under its name: candidates, and the members of etcd that serve them."""

from __future__ import annotations

from simulator.algorithms.etcd.config import EtcdElectionConfig
from simulator.algorithms.etcd.recipe import MEMBERS, Candidate, Resign
from simulator.algorithms.etcd.server import EtcdServer
from simulator.algorithms.registration import Group, Registration


def _servers(config: EtcdElectionConfig) -> int:
    return config.servers


ETCD_ELECTION = Registration(
    name="etcd-election",
    terms_count_rounds=False,  # Terms are revisions of the store.
    algorithm=Candidate,
    config=EtcdElectionConfig,
    paper="etcd: client/v3/concurrency and server/lease (etcd-io/etcd); Ongaro, Ousterhout 2014 (Raft)",
    cost="a lease's time to live and up to 0.5 s to detect; 3(s - 1) messages and a few to elect, O(n) to observe",
    page="etcd-election.md",
    groups=(Group(name=MEMBERS, algorithm=EtcdServer, size=_servers),),
    quorum=False,
    coordination_group=MEMBERS,
    requires_connections=True,
    commands={"transfer_leadership": Resign},
)
