"""What a server does with the transactions that its ensemble commits: the interface. The default does nothing.

A server makes a new replica each time it starts. The replica applies transactions and serves clients. It asks its
server to `propose` and to `forward`, and sends, saves and sets timers through `server.host`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from simulator.algorithms.coordination.state_machine import StateMachine
from simulator.algorithms.zookeeper.messages import Zxid
from simulator.protocol import Host, Message, NodeId


class ReplicaServer(Protocol):
    """What a replica uses of its server."""

    host: Host
    config: Any

    @property
    def leading(self) -> bool:
        """Whether the server leads. It may propose only if it serves, too."""
        ...

    @property
    def serving(self) -> bool:
        """Whether the server leads or follows, and serves clients."""
        ...

    def propose(self, transaction: Message) -> Zxid:
        """Log a transaction and have the ensemble agree on it. Only on a leader that serves."""
        ...

    def forward(self, request: Message) -> None:
        """Send a client's request to the leader, which may be this server. Lost if this server does not serve."""
        ...


class Replica(StateMachine):
    """The replicated state at one server, and the clients of that server.

    A new replica is empty. When its server begins to serve, the replica restores a snapshot, if there is one, and
    applies every later transaction, on observers, too. The number of a transaction is its zxid.
    """

    def __init__(self, server: ReplicaServer, durable: Mapping[str, Any]) -> None:
        self.server = server

    def view(self) -> Mapping[str, object]:
        """What a page may show of it, in plain values: sessions, znodes."""
        return {}

    # --- The role of the server

    def led(self) -> None:
        """The server leads and serves from now on: a quorum has its history."""

    def followed(self) -> None:
        """The server follows or observes a leader that serves, and serves from now on."""

    def unserving(self) -> None:
        """The server has stopped serving: close the connections with clients."""

    # --- Clients, timers and writes

    def on_client_message(self, sender: NodeId, message: Message) -> None:
        """A message of a type that servers do not know has come. The server need not be serving."""

    def on_client_connect(self, peer: NodeId) -> None:
        """A connection with a node outside the ensemble is open."""

    def on_client_disconnect(self, peer: NodeId, reason: str) -> None:
        """A connection with a node outside the ensemble is closed."""

    def on_timer(self, name: str) -> None:
        """A timer whose name begins with `replica` has come due."""

    def on_saved(self, name: str) -> None:
        """The write that was requested with `then=name` is on disk; the name begins with `replica`."""

    # --- Between leader and learners

    def touched(self) -> tuple[Message, ...]:
        """Return the sessions that this learner has heard of since the last ping. The answer to a ping reports them to
        the leader.
        """
        return ()

    def on_touched(self, learner: NodeId, sessions: tuple[Message, ...]) -> None:
        """Take note that a learner has reported these sessions. Only the leader is called."""

    def on_request(self, learner: NodeId, request: Message) -> None:
        """Handle a request that a learner, or this server itself, has forwarded. Only a leader that serves is
        called.
        """
