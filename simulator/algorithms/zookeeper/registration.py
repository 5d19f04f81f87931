"""ZooKeeper as a whole, under its name: candidates, and the ensemble that serves them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from simulator.algorithms.registration import Group, Registration
from simulator.algorithms.zookeeper.client_config import ZooKeeperConfig
from simulator.algorithms.zookeeper.client_messages import TO_SERVERS
from simulator.algorithms.zookeeper.config import EnsembleConfig
from simulator.algorithms.zookeeper.history import of_length
from simulator.algorithms.zookeeper.messages import Propose
from simulator.algorithms.zookeeper.recipe import ENSEMBLE_GROUP, Candidate
from simulator.algorithms.zookeeper.server import Server
from simulator.algorithms.zookeeper.service import Service
from simulator.algorithms.zookeeper.serving import RegisterServer
from simulator.protocol import Message, NodeId


class ServingServer(Server):
    """A server that has clients."""

    replica_type = Service

    def _for_replica(self, sender: NodeId, message: Message) -> None:
        self.replica.on_client_message(sender, message)

    receive: ClassVar = {**Server.receive, **dict.fromkeys(TO_SERVERS, _for_replica)}


def _servers(config: ZooKeeperConfig) -> int:
    return config.servers


ZOOKEEPER = Registration(
    name="zookeeper",
    terms_count_rounds=False,  # The recipe's terms are sequence numbers of znodes.
    algorithm=Candidate,
    config=ZooKeeperConfig,
    paper="Hunt, Konar, Junqueira and Reed 2010; the ZooKeeper Recipes",
    cost="a session's timeout and up to two ticks to detect; 3(s - 1) messages and a few to elect, O(n) to announce",
    page="zookeeper-recipe.md",
    groups=(Group(name=ENSEMBLE_GROUP, algorithm=ServingServer, size=_servers),),
    quorum=False,
    coordination_group=ENSEMBLE_GROUP,
    fencing_token="sequence number",
    requires_connections=True,
)


def durable_log(length: int) -> Mapping[str, Any]:
    """The saved values of a server whose history has this many transactions of one epoch."""
    epoch = min(length, 1)
    return {"accepted_epoch": epoch, "current_epoch": epoch, "history": of_length(length)}


def serving(config: EnsembleConfig) -> type[Server]:
    """What serves clients: a server with registers."""
    return RegisterServer


ENSEMBLE = Registration(
    name="zookeeper-ensemble",
    group=ENSEMBLE_GROUP,
    algorithm=Server,
    config=EnsembleConfig,
    paper="Junqueira, Reed and Serafini 2011 (Zab); Medeiros 2012 (Fast Leader Election)",
    cost="m² to m²(m + 1)/2 notifications of m survivors, 9(m − 1) to synchronise; 300 ms, and a follower's time",
    page="zookeeper.md",
    requires_connections=True,
    durable_log=durable_log,
    serving=serving,
    consistencies=("stale",),
    fencing_token="epoch",
    commands={"propose": Propose},
    bytes_per_pair=34,
)
