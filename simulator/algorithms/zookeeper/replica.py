"""What a server does with what its ensemble agrees on: the interface, whose default does nothing.

A server makes one replica in each of its lives. The replica applies transactions, and speaks with clients; it asks its
server to `propose` and to `forward`, and sends, saves and sets timers through `server.host`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from simulator.protocol import Message, NodeId

if TYPE_CHECKING:
    from simulator.algorithms.zookeeper.messages import Zxid
    from simulator.algorithms.zookeeper.server import Server


class Replica:
    """The state that is agreed on, and the clients of one server.

    A new replica is empty: when its server begins to serve, it gets a snapshot to restore, if any, and every
    transaction since, each life anew. Only what is committed is applied, once in each life, in the order of zxids.
    """

    def __init__(self, server: Server, durable: Mapping[str, Any]) -> None:
        self.server = server

    # --- What is agreed

    def apply(self, zxid: Zxid, transaction: Message) -> None:
        """A transaction is committed. Called on every server, observers included, before `led` or `followed`, too."""

    def snapshot(self) -> object:
        """The state, as a value that is immutable and hashable: what a server gets that has missed too much."""
        return None

    def restore(self, snapshot: object) -> None:
        """Take a state in place of one's own."""

    # --- What the server is

    def led(self) -> None:
        """It leads from now on, and serves: a quorum has its history."""

    def followed(self) -> None:
        """It follows, or observes, a leader that serves, and serves from now on."""

    def unserving(self) -> None:
        """It serves no more, having served: connections with clients are to be closed."""

    # --- What does not come from the ensemble

    def on_client_message(self, sender: NodeId, message: Message) -> None:
        """A message of a type that servers do not know, from whomever; the server need not be serving."""

    def on_client_connect(self, peer: NodeId) -> None:
        """A connection with a node that is no member of the ensemble is open."""

    def on_client_disconnect(self, peer: NodeId, reason: str) -> None:
        """It is gone."""

    def on_timer(self, name: str) -> None:
        """A timer whose name begins with `replica` has come due."""

    def on_saved(self, name: str) -> None:
        """The write that asked for `name`, which begins with `replica`, is on disk."""

    # --- Between leader and learners

    def touched(self) -> tuple[Message, ...]:
        """What a learner tells its leader with every ping, twice a tick: the sessions heard of since the last."""
        return ()

    def on_touched(self, learner: NodeId, sessions: tuple[Message, ...]) -> None:
        """On the leader: what that learner has told."""

    def on_request(self, learner: NodeId, request: Message) -> None:
        """On the leader, serving: a request that a learner has forwarded, or this server itself."""
