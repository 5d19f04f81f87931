"""An ensemble that agrees on everything at once, for tests of what servers do for their clients.

The first server leads, for ever; what it proposes is committed there at once, and elsewhere when its message arrives.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from simulator.algorithms.registration import Group, Registration
from simulator.algorithms.zookeeper.client_config import ZooKeeperConfig
from simulator.algorithms.zookeeper.client_messages import TO_SERVERS
from simulator.algorithms.zookeeper.messages import NOTHING, Zxid
from simulator.algorithms.zookeeper.recipe import ENSEMBLE_GROUP, Candidate
from simulator.algorithms.zookeeper.service import Service
from simulator.protocol import Algorithm, Host, Message, NodeId, message
from simulator.testing import InteractionBench


@message
class Agreed:
    """Apply this."""

    zxid: Zxid
    transaction: Message


@message
class Asked:
    """For the leader."""

    request: Message


@message
class HeardOf:
    """These sessions have been heard of."""

    sessions: tuple[int, ...]


class AgreedServer(Algorithm):
    """What `Service` needs of a server, and no election."""

    def __init__(self, host: Host, config: ZooKeeperConfig, durable: Mapping[str, Any]) -> None:
        super().__init__(host, config, durable)
        self.lead = host.groups[ENSEMBLE_GROUP][0]
        self.leading = self.lead == host.me
        self.serving = True
        self.zxid = NOTHING
        self.replica = Service(self, durable)

    def on_start(self) -> None:
        if self.leading:
            self.replica.led()
        else:
            self.replica.followed()
            self.host.set_timer("half-tick", self.config.tick_time // 2)

    def on_timer(self, name: str) -> None:
        if name == "half-tick":
            self.host.send(self.lead, HeardOf(self.replica.touched()))
            self.host.set_timer("half-tick", self.config.tick_time // 2)
        else:
            self.replica.on_timer(name)

    def propose(self, transaction: Message) -> Zxid:
        self.zxid = Zxid(1, self.zxid.counter + 1)
        for peer in self.host.peers:
            self.host.send(peer, Agreed(self.zxid, transaction))
        self.replica.apply(self.zxid, transaction)
        return self.zxid

    def forward(self, request: Message) -> None:
        if self.leading:
            self.replica.on_request(self.host.me, request)
        else:
            self.host.send(self.lead, Asked(request))

    def stop_serving(self) -> None:
        self.serving = False
        self.replica.unserving()

    def _on_agreed(self, sender: NodeId, message: Agreed) -> None:
        self.replica.apply(message.zxid, message.transaction)

    def _on_asked(self, sender: NodeId, message: Asked) -> None:
        self.replica.on_request(sender, message.request)

    def _on_heard_of(self, sender: NodeId, message: HeardOf) -> None:
        self.replica.on_touched(sender, message.sessions)

    def _for_replica(self, sender: NodeId, message: Message) -> None:
        self.replica.on_client_message(sender, message)

    receive: ClassVar = {
        Agreed: _on_agreed,
        Asked: _on_asked,
        HeardOf: _on_heard_of,
        **dict.fromkeys(TO_SERVERS, _for_replica),
    }


def _servers(config: ZooKeeperConfig) -> int:
    return config.servers


AGREED = Registration(
    name="agreed",
    algorithm=Candidate,
    config=ZooKeeperConfig,
    groups=(Group(name=ENSEMBLE_GROUP, algorithm=AgreedServer, size=_servers),),
)


class Scene(InteractionBench):
    """Candidates of the recipe, and an ensemble that agrees at once. Time passes with the messages that it brings."""

    def __init__(self, candidates: int, *, seed: int = 0, **options: Any) -> None:
        super().__init__(AGREED, candidates, config=ZooKeeperConfig(**options), seed=seed)

    def candidate(self, node: NodeId) -> Candidate:
        algorithm = self.node(node).algorithm
        assert isinstance(algorithm, Candidate)
        return algorithm

    def server(self, node: NodeId) -> AgreedServer:
        algorithm = self.node(node).algorithm
        assert isinstance(algorithm, AgreedServer)
        return algorithm

    def server_of(self, candidate: NodeId) -> NodeId:
        server = self.candidate(candidate).client._server
        assert server is not None
        return server

    def let_pass(self, duration: int, step: int = 1_000_000) -> None:
        """Timers fire in order, and messages take no time, to within `step`."""
        for _ in range(duration // step):
            self.settle()
            self.advance(step)
        self.settle()

    def settle_without(self, *nodes: NodeId) -> None:
        """Deliver what concerns the others; what is sent to these nodes, or by them, is lost."""
        while self.in_flight:
            first = self.in_flight[0]
            (self.drop if {first.sender, first.to}.intersection(nodes) else self.deliver)(first)

    @property
    def leaders(self) -> list[NodeId]:
        return [node for node in self.groups["electorate"] if self._leads(node)]

    def _leads(self, node: NodeId) -> bool:
        declared = self.node(node).declared
        return declared is not None and declared.role == "leader"

    def named(self) -> list[NodeId | None]:
        """Whom each running candidate follows."""
        nodes = [self.node(node) for node in self.groups["electorate"]]
        return [node.declared.leader for node in nodes if node.declared is not None]
