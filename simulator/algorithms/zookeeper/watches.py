"""Watches: a client that has read a znode is told once when that znode changes (Programmer's Guide, "ZooKeeper
Watches").

A server keeps two kinds of watches. Reading a znode, or whether it exists, sets a watch that is triggered by its
creation or deletion. Reading the children of a znode sets a watch that is triggered by the creation or deletion of a
child, or the deletion of the znode. Watches are kept in memory, by the server that the client is connected with."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Protocol

from simulator.algorithms.coordination.watchers import Watchers
from simulator.algorithms.zookeeper.tree import parent_of
from simulator.protocol import NodeId


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
        self._nodes: Watchers[NodeId] = Watchers()
        self._children: Watchers[NodeId] = Watchers()

    def watch_node(self, path: str, client: NodeId) -> None:
        """Watch for the creation or deletion of a znode."""
        self._nodes.add(path, client)

    def watch_children(self, path: str, client: NodeId) -> None:
        """Watch for changes of the children of a znode."""
        self._children.add(path, client)

    def forget(self, client: NodeId) -> None:
        """Remove the watches of a client whose connection is closed."""
        for watchers in (self._nodes, self._children):
            watchers.forget(lambda watcher: watcher == client)

    # --- Changes of the tree (`Listener`)

    def on_created(self, path: str) -> None:
        self._trigger(path, Change.CREATED, self._nodes.pop(path))
        self._trigger_children(parent_of(path))

    def on_deleted(self, path: str) -> None:
        # A client that watches both gets one event.
        watching = dict.fromkeys((*self._nodes.pop(path), *self._children.pop(path)))
        self._trigger(path, Change.DELETED, watching)
        self._trigger_children(parent_of(path))

    def _trigger_children(self, parent: str) -> None:
        self._trigger(parent, Change.CHILDREN, self._children.pop(parent))

    def _trigger(self, path: str, change: Change, clients: Iterable[NodeId]) -> None:
        for client in clients:
            self._listener.on_watch_triggered(client, path, change)
