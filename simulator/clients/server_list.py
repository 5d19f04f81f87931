"""The servers that a client knows, in its own random order, and the one that it asks next."""

from __future__ import annotations

import random
from collections.abc import Sequence

from simulator.protocol import NodeId


class ServerList:
    """A client tries the servers in a random order, so that not all clients try the same one first."""

    def __init__(self, servers: Sequence[NodeId], source: random.Random) -> None:
        self._order = list(servers)
        source.shuffle(self._order)
        self._next = 0

    def __len__(self) -> int:
        return len(self._order)

    @property
    def current(self) -> NodeId:
        """The server that is to be asked now."""
        return self._order[self._next]

    def move_on(self, asked: NodeId) -> None:
        """Change to the next server, unless the client has changed to another than the one it asked already."""
        if self.current == asked:
            self._next = (self._next + 1) % len(self._order)

    def prefer(self, server: NodeId) -> None:
        """Ask this server from now on. Does nothing if the list does not have it."""
        if server in self._order:
            self._next = self._order.index(server)
