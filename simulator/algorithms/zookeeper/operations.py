"""How a server carries out a client's operations on its tree."""

from __future__ import annotations

from simulator.algorithms.zookeeper.client_messages import (
    CloseSession,
    Create,
    Delete,
    EndSession,
    Exists,
    GetChildren,
    GetData,
    WriteRequest,
)
from simulator.algorithms.zookeeper.tree import Code, DataTree, SessionId, TreeError
from simulator.algorithms.zookeeper.watches import Watches
from simulator.protocol import NodeId


def transaction_for(session: SessionId, operation: Create | Delete | CloseSession) -> WriteRequest | EndSession:
    """The transaction that the ensemble has to commit for a client's operation."""
    return EndSession(session) if isinstance(operation, CloseSession) else WriteRequest(session, operation)


def write(tree: DataTree, request: WriteRequest) -> str:
    """Apply a committed write. Returns the path of a created znode. Raises TreeError if the tree refuses it."""
    operation = request.operation
    if request.session not in tree.sessions:
        raise TreeError(Code.SESSION_EXPIRED)
    if isinstance(operation, Delete):
        tree.delete(operation.path)
        return ""
    owner = request.session if operation.ephemeral else None
    return tree.create(operation.path, operation.data, owner=owner, sequential=operation.sequential)


def read(
    tree: DataTree, watches: Watches, client: NodeId, operation: Exists | GetData | GetChildren
) -> tuple[Code, str | tuple[str, ...]]:
    """Answer a read, and set the watch that it asks for. Returns the code and the value of the reply.

    A read that fails sets no watch, except `Exists`: it watches for the creation of the znode.
    """
    path = operation.path
    try:
        if isinstance(operation, GetChildren):
            value: str | tuple[str, ...] = tree.children(path)
        else:
            value = tree.data(path) if isinstance(operation, GetData) else ""
    except TreeError as error:
        return error.code, ""
    if operation.watch and isinstance(operation, GetChildren):
        watches.watch_children(path, client)
    elif operation.watch:
        watches.watch_node(path, client)
    return Code.OK if tree.exists(path) else Code.NO_NODE, value
