"""What clients and servers say to each other, and what a server asks of the leader for its clients.

A connection is between one client and one server, over the transport's stream between the two. Since the transport
closes no stream while both processes live, Disconnect stands for the end of a connection, in either direction; and
`connection` numbers a client's attempts, so that an answer to an earlier one is not taken for that to a later one.
"""

from __future__ import annotations

from typing import TypeAlias

from simulator.algorithms.zookeeper.messages import Zxid
from simulator.algorithms.zookeeper.tree import Code, SessionId
from simulator.algorithms.zookeeper.watches import Change
from simulator.protocol import Nanoseconds, NodeId, message

# --- Client to server


@message
class ConnectRequest:
    """A client asks for a session, or for its session to go on here. The server must have seen what it has seen."""

    connection: int
    session: SessionId | None
    timeout: Nanoseconds
    last_zxid: Zxid | None = None


@message
class SessionPing:
    """The client is up."""


@message
class Create:
    """create(path, data, flags): a regular znode, an ephemeral one, and either sequential or not."""

    xid: int
    path: str
    data: str = ""
    ephemeral: bool = False
    sequential: bool = False


@message
class Delete:
    """delete(path)."""

    xid: int
    path: str


@message
class Exists:
    """exists(path, watch)."""

    xid: int
    path: str
    watch: bool = False


@message
class GetData:
    """getData(path, watch)."""

    xid: int
    path: str
    watch: bool = False


@message
class GetChildren:
    """getChildren(path, watch)."""

    xid: int
    path: str
    watch: bool = False


@message
class CloseSession:
    """The client ends its session."""

    xid: int


# --- Server to client


@message
class ConnectResponse:
    """The session is served over this connection. Without a session: the requested one has expired."""

    connection: int
    session: SessionId | None
    timeout: Nanoseconds = 0


@message
class SessionPong:
    """The answer to a ping."""

    zxid: Zxid


@message
class Reply:
    """The result of an operation: the created path, the data, or the names of the children."""

    xid: int
    zxid: Zxid
    code: Code = Code.OK
    value: str | tuple[str, ...] = ""


@message
class WatcherEvent:
    """A znode that the client watched has changed."""

    path: str
    change: Change


@message
class Disconnect:
    """The connection is closed."""


# --- Between a server and the leader: requests for its clients, of which all but Revalidate become transactions


@message
class OpenSession:
    """Open a session for the client with this connection at this server."""

    server: NodeId
    client: NodeId
    connection: int
    timeout: Nanoseconds


@message
class WriteRequest:
    """Carry out a write for a session."""

    session: SessionId
    operation: Create | Delete


@message
class EndSession:
    """Close a session, because the client has asked for it, or has been silent for too long."""

    session: SessionId


@message
class Revalidate:
    """Asks whether this session is still open. If so, its client is connected with the sender now."""

    client: NodeId
    connection: int
    session: SessionId


@message
class Revalidated:
    """The answer to Revalidate. Without a timeout, the session has expired."""

    client: NodeId
    connection: int
    session: SessionId
    timeout: Nanoseconds | None


@message
class Moved:
    """The leader refuses a request: the session is closed, or its client is connected with another server."""

    session: SessionId


Operation: TypeAlias = Create | Delete | Exists | GetData | GetChildren | CloseSession
TO_SERVERS = (
    *(ConnectRequest, SessionPing, Create, Delete, Exists, GetData, GetChildren, CloseSession, Disconnect),
    *(Revalidated, Moved),  # The leader sends this message.
)
TO_CLIENTS = (ConnectResponse, SessionPong, Reply, WatcherEvent, Disconnect)
