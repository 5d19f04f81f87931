"""Watches: a client that has read a znode is told once when that znode changes (Programmer's Guide, "ZooKeeper
Watches").

A server keeps two kinds of watches. Reading a znode, or whether it exists, sets a watch that is triggered by its
creation or deletion. Reading the children of a znode sets a watch that is triggered by the creation or deletion of a
child, or the deletion of the znode. Watches are kept in memory, by the server that the client is connected with."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Protocol, TypeAlias

from simulator.algorithms.zookeeper.tree import parent_of
from simulator.protocol import NodeId

# The clients that watch each path, in the order in which they began to watch.
_Watchers: TypeAlias = dict[str, dict[NodeId, None]]


class Change(enum.StrEnum):
    """What has happened to a znode that was watched."""

    CREATED = "created"
    DELETED = "deleted"
    CHILDREN = "children"  # A child of the watched znode was created or deleted.


class WatchListener(Protocol):
    """The service that sends watch events to clients."""

    def on_watch_triggered(self, client: NodeId, path: str, change: Change) -> None:
        """What a client watched has changed. Its watch is removed."""
        ...


class Watches:
    """The watches at one server.

    It listens to a `DataTree`, so a watch event is sent before any client can read the change: "a client will never see
    a change for which it has set a watch until it first sees the watch event"."""

    def __init__(self, listener: WatchListener) -> None:
        self._listener = listener
        self._nodes: _Watchers = {}
        self._children: _Watchers = {}

    def watch_node(self, path: str, client: NodeId) -> None:
        """Watch for the creation or deletion of a znode."""
        self._nodes.setdefault(path, {})[client] = None

    def watch_children(self, path: str, client: NodeId) -> None:
        """Watch for changes of the children of a znode."""
        self._children.setdefault(path, {})[client] = None

    def forget(self, client: NodeId) -> None:
        """Remove the watches of a client whose connection is closed."""
        for watchers in (self._nodes, self._children):
            for path in [path for path, clients in watchers.items() if client in clients]:
                del watchers[path][client]
                if not watchers[path]:
                    del watchers[path]

    # --- Changes of the tree (`Listener`)

    def on_created(self, path: str) -> None:
        self._trigger(path, Change.CREATED, self._nodes.pop(path, ()))
        self._trigger_children(parent_of(path))

    def on_deleted(self, path: str) -> None:
        watching = {
            **self._nodes.pop(path, {}),
            **self._children.pop(path, {}),
        }  # A client that watches both gets one event.
        self._trigger(path, Change.DELETED, watching)
        self._trigger_children(parent_of(path))

    def _trigger_children(self, parent: str) -> None:
        self._trigger(parent, Change.CHILDREN, self._children.pop(parent, ()))

    def _trigger(self, path: str, change: Change, clients: Iterable[NodeId]) -> None:
        for client in clients:
            self._listener.on_watch_triggered(client, path, change)
