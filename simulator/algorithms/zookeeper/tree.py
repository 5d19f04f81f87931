"""The data tree of a ZooKeeper server: znodes, ephemeral ones that end with their session, and sequence numbers.

Hunt, Konar, Junqueira and Reed, ZooKeeper: Wait-free coordination for Internet-scale systems (2010), section 2; the
rules are those of the ZooKeeper Programmer's Guide, "ZNodes" and "ZooKeeper Sessions". Every server has the whole tree
and applies the same transactions in the same order, so all trees are equal: whether a transaction fails, and which
sequence number a znode gets, depends only on the tree. In ZooKeeper the leader decides both before it proposes, since
snapshots are taken while transactions are applied. Here they are not, and the outcome is the same.

Versions, access control lists and changes of data are left out, since elections need none of them.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from simulator.protocol import Nanoseconds

SessionId: TypeAlias = int


class Code(enum.StrEnum):
    """The result of an operation."""

    OK = "ok"
    NO_NODE = "no-node"
    NODE_EXISTS = "node-exists"
    NOT_EMPTY = "not-empty"
    NO_CHILDREN_FOR_EPHEMERALS = "no-children-for-ephemerals"
    SESSION_EXPIRED = "session-expired"


class TreeError(Exception):
    """The tree refuses an operation, and is unchanged."""

    def __init__(self, code: Code) -> None:
        super().__init__(str(code))
        self.code = code


class Listener(Protocol):
    """Is called for each change of the tree, at once."""

    def on_created(self, path: str) -> None:
        """A znode was created."""
        ...

    def on_deleted(self, path: str) -> None:
        """A znode was deleted."""
        ...


@dataclass(slots=True)
class Znode:
    """A znode. `owner` is the session of an ephemeral znode. `created` counts all children that it ever had."""

    data: str
    owner: SessionId | None
    created: int = 0
    # The names of the children, in the order of their creation.
    children: dict[str, None] = field(default_factory=dict)


class DataTree:
    """The znodes by path, and the sessions that are open, each with its timeout."""

    def __init__(self, listener: Listener) -> None:
        self.sessions: dict[SessionId, Nanoseconds] = {}
        self._listener = listener
        self._nodes: dict[str, Znode] = {"/": Znode("", None)}
        self._ephemerals: dict[SessionId, dict[str, None]] = {}  # The paths of each session's znodes.

    # --- Changes

    def create(self, path: str, data: str = "", *, owner: SessionId | None = None, sequential: bool = False) -> str:
        """Create a znode and return its path.

        The path of a sequential znode ends in the number of children that its parent ever had, in ten digits. `owner`
        makes the znode ephemeral. Raises TreeError for a missing or ephemeral parent, a path that exists, or a closed
        session.
        """
        if owner is not None and owner not in self.sessions:
            raise TreeError(Code.SESSION_EXPIRED)
        parent = self._node(parent_of(path))
        if parent.owner is not None:
            raise TreeError(Code.NO_CHILDREN_FOR_EPHEMERALS)
        made = f"{path}{parent.created:010d}" if sequential else path
        if made in self._nodes:
            raise TreeError(Code.NODE_EXISTS)
        self._add(made, Znode(data, owner))
        parent.created += 1
        self._listener.on_created(made)
        return made

    def delete(self, path: str) -> None:
        """Delete a znode. Raises TreeError if there is no such znode, or it has children."""
        if self._node(path).children or path == "/":
            raise TreeError(Code.NOT_EMPTY)
        node = self._nodes.pop(path)
        del self._nodes[parent_of(path)].children[path.rpartition("/")[2]]
        if node.owner is not None:
            del self._ephemerals[node.owner][path]
        self._listener.on_deleted(path)

    def open_session(self, session: SessionId, timeout: Nanoseconds) -> None:
        """Open a session."""
        self.sessions[session] = timeout
        self._ephemerals[session] = {}

    def close_session(self, session: SessionId) -> None:
        """Close a session, and delete its ephemeral znodes in the order of their creation.

        Does nothing if it is closed.
        """
        if self.sessions.pop(session, None) is not None:
            for path in tuple(self._ephemerals[session]):
                self.delete(path)
            del self._ephemerals[session]

    # --- Reads

    def exists(self, path: str) -> bool:
        """Whether there is a znode at this path."""
        return path in self._nodes

    def data(self, path: str) -> str:
        """The data of a znode. Raises TreeError if there is no such znode."""
        return self._node(path).data

    def children(self, path: str) -> tuple[str, ...]:
        """The names of a znode's children, oldest first. Raises TreeError if there is no such znode."""
        return tuple(self._node(path).children)

    def view(self) -> Mapping[str, object]:
        """What a page may show of it, in plain values: each znode's data and owner by path."""
        return {path: {"data": node.data, "owner": node.owner} for path, node in self._nodes.items()}

    # --- Snapshots

    def snapshot(self) -> tuple[Any, ...]:
        """The whole tree as an immutable value."""
        nodes = tuple((path, node.data, node.owner, node.created) for path, node in self._nodes.items())
        return nodes, tuple(self.sessions.items())

    def restore(self, snapshot: Sequence[Any]) -> None:
        """Replace the tree by that of a snapshot. The listener is not called."""
        nodes, sessions = snapshot
        self._nodes, self.sessions, self._ephemerals = {}, {}, {}
        for session, timeout in sessions:
            self.open_session(session, timeout)
        # Parents come before their children, because znodes are in the order of their creation.
        for path, data, owner, created in nodes:
            self._add(path, Znode(data, owner, created))

    # --- Inside

    def _node(self, path: str) -> Znode:
        node = self._nodes.get(path)
        if node is None:
            raise TreeError(Code.NO_NODE)
        return node

    def _add(self, path: str, node: Znode) -> None:
        self._nodes[path] = node
        if path != "/":
            self._nodes[parent_of(path)].children[path.rpartition("/")[2]] = None
        if node.owner is not None:
            self._ephemerals[node.owner][path] = None


def parent_of(path: str) -> str:
    """The path of the parent of a znode."""
    return path.rpartition("/")[0] or "/"
