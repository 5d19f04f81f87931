"""The nodes of clients, and the servers that they ask: hosts with networks of their own for requests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simulator.clients.messages import Reply, Request
from simulator.clients.resource import Decision
from simulator.clients.sureness import Sureness
from simulator.cluster.clients.claims import ClaimService
from simulator.cluster.clients.ledger import Ledger
from simulator.cluster.clients.paths import PathNetwork
from simulator.cluster.node.node import Node
from simulator.protocol import ELECTORATE, Message, NodeId, Role
from simulator.trace import event_types

_OF_CLIENTS = (event_types.UNSURE, event_types.SURE)  # Rows for which clients must have paths to the servers.


class ClientNode(Node):
    """A node outside the cluster: a client."""

    _network: PathNetwork

    def disconnect(self, peer: NodeId) -> None:
        """Give up the connection with a peer (`ClientHost`)."""
        self._network.disconnect(self._interface, peer)


class RequestInterface:
    """Where requests or answers reach a server: the `Endpoint` of one of its further networks."""

    def __init__(self, node: ServingNode, network: PathNetwork) -> None:
        self.network = network
        self.interface = network.attach(node.me, self)
        self._node = node

    @property
    def awake(self) -> bool:
        """Whether the server runs, and is not paused."""
        return self._node.awake

    def send(self, to: NodeId, message: Message) -> None:
        """Send a message at once."""
        self.network.send_message(self.interface, to, message)

    def on_delivery(self, sender: NodeId, message: Message) -> None:
        self._node.on_request(sender, message)

    def on_connected(self, peer: NodeId) -> None:
        """Servers do not care which clients are connected."""

    def on_disconnected(self, peer: NodeId, reason: str) -> None:
        """Servers do not care which clients are connected."""


class ServingNode(Node):
    """A server that clients ask. Requests wait, like messages, while the node is paused, blocked or busy."""

    ledger: Ledger
    client_port: RequestInterface
    pathless: Callable[[Reply], None] | None = None  # Takes the answers to a `workload`, whose client has no path.
    resource_port: RequestInterface | None = None
    claims: ClaimService | None = None  # None: the algorithm itself serves requests, from its log.

    def on_request(self, sender: NodeId, message: Message) -> None:
        """A request of a client, or a decision of the resource, has arrived."""
        if self.ready:
            self._handle(sender, message)
        else:
            self._receive(self._serve, sender, message)

    def request_at_once(self, client: NodeId, request: Request) -> None:
        """A request arrives without a path, like a command: its handling takes no service time."""
        self._receive(self._do, lambda algorithm: algorithm.on_request(client, request))

    def answer(self, client: NodeId, reply: Message) -> None:
        """Send a reply to a client at once (`Host`)."""
        if self.pathless is not None and client not in self.ledger.clients:
            self.pathless(reply)
        else:
            self.client_port.send(client, reply)

    def start(self) -> None:
        """Build the algorithm anew from what is on disk. It knows no leader."""
        if self.claims is not None:
            self.claims.sureness = Sureness(self)
        super().start()

    def transition(self, role: Role, term: int, leader: NodeId | None, group: str = ELECTORATE) -> None:
        """Declare the node's role and leader (`Host`). Without a log, it is unsure while it names no leader."""
        super().transition(role, term, leader, group)
        if self.claims is not None:
            if leader is None:
                self.claims.sureness.lose("no-leader")
            else:
                self.claims.sureness.regain()

    def note(self, kind: str, **fields: Any) -> None:
        """Write an event to the trace (`Host`), a client's write among the rows of clients."""
        if kind == event_types.WROTE:
            self.ledger.committed(self.me, fields)
        elif kind not in _OF_CLIENTS or self.ledger.clients:
            super().note(kind, **fields)

    def _handle(self, sender: NodeId, message: Message) -> None:
        if type(message) is Request:
            if self.claims is not None:
                self.claims.on_request(sender, message)
            elif self.algorithm is not None:
                self.algorithm.on_request(sender, message)
        elif type(message) is Decision:
            assert self.claims is not None
            self.claims.on_decision(message)
        else:
            super()._handle(sender, message)
