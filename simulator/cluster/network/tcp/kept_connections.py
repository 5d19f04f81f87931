"""Connections that the processes manage themselves, as PySyncObj's processes do: they drop idle connections, and one
side opens them again.

This network is used only if `StreamSpec.idle_timeout` or `StreamSpec.reopen_after` is given. The rules
are those of bakwc/PySyncObj 0.3.17. `tcp_connection.py`: `__processConnectionTimeout`, which is called before each
sending and at each event of a socket. `transport.py`: `_shouldConnect`, `_connectIfNecessarySingle`, `_onDisconnected`
and `send`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from simulator.cluster.network.network import NetworkInterface
from simulator.cluster.network.tcp.segments import Mark, Segment
from simulator.cluster.network.tcp.sockets import CLOSED, HostStack, Socket
from simulator.cluster.network.tcp.stream_network import StreamNetwork
from simulator.protocol import Message, Nanoseconds, NodeId

IDLE = "idle"  # The process itself has dropped the connection, since nothing had come over it for too long.


class KeptSocket(Socket):
    """A socket whose process drops it if nothing has arrived for too long. The process notices this at the next message
    that it sends or reads.
    """

    def __init__(self, network: KeptStreamNetwork, host_stack: HostStack, peer: NodeId, *, known: bool) -> None:
        super().__init__(network, host_stack, peer, known=known)
        self.keeper = network
        # When the process last read something, or began or accepted the connection. None means that the process has
        # still to accept the connection.
        self._read_ns: Nanoseconds | None = network.now
        self._unread: list[Message] = []  # What has arrived since the process was paused.

    def send(self, message: Message) -> None:
        """Send a message, unless the connection is idle: then the message is lost, and the connection with it."""
        if self.opened and self._is_idle:
            self._hang_up()
        else:
            super().send(message)

    def receive(self, segment: Segment) -> None:
        """Take a segment. The process looks whether the connection is idle before it reads what has come."""
        if not self.opened and not self._accepted and self._is_idle:
            self._open_too_late(segment)
        elif not self.opened or segment.number != self._expected:
            super().receive(segment)
        elif not self._process.awake:
            self._keep_for_later(segment)
        elif self._is_idle and segment.contents is not Mark.CLOSE:
            self._hang_up()
        else:
            self._read_ns = self.keeper.now
            super().receive(segment)

    def resume(self) -> None:
        """The process runs again: it reads what has arrived meanwhile, unless the connection has become idle."""
        if self._read_ns is None:
            self._read_ns = self.keeper.now
        if self._unread and self._is_idle:
            self._hang_up()
        elif self._unread:
            self._read_ns = self.keeper.now
            self._hand_over()

    def drop(self, reason: str) -> None:
        """The connection has ended. The process first reads the data that have arrived, and then hears of the end."""
        was_gone = self.gone
        self._hand_over()
        super().drop(reason)
        if not was_gone:
            self.keeper.connection_ended(self.host_stack, self.peer)

    # --- Inside

    @property
    def _is_idle(self) -> bool:
        timeout_ns = self.keeper.stream.idle_timeout
        if timeout_ns is None or self._read_ns is None:
            return False
        return self.keeper.now - self._read_ns > timeout_ns

    def _keep_for_later(self, segment: Segment) -> None:
        """The host takes segments for a paused process, as `Socket.receive` does, but nobody reads them."""
        self._early[segment.number] = segment
        while due := self._early.pop(self._expected, None):
            self._expected += 1
            due.sender.got_through()
            if due.contents is Mark.CLOSE:
                self.drop(CLOSED)
            else:
                self._unread.append(due.contents)

    def _hand_over(self) -> None:
        unread, self._unread = self._unread, []
        for message in unread:
            self.host_stack.interface.deliver(self.peer, message)

    def _open_too_late(self, segment: Segment) -> None:
        """A connection that has taken too long to open is idle as soon as it is open."""
        if segment.contents is Mark.ACCEPT:
            self._push(Mark.CONFIRM)
        self.opened = True
        self._stop_asking()
        self._hang_up()

    def _establish(self) -> None:
        self._read_ns = self.keeper.now if self._process.awake or not self._accepted else None
        super()._establish()

    def _forget_other(self) -> None:
        """The process has closed the socket, or has died: data that it has not read yet are lost."""
        super()._forget_other()
        self._unread.clear()

    def _hang_up(self) -> None:
        """The process closes its socket. The algorithm is told as soon as it has handled its present input."""
        host_stack = self.host_stack
        del host_stack.sockets[self.peer]
        self.close()
        self.keeper.call_at(self.keeper.now, self._tell_process, host_stack.lives)
        self.keeper.connection_ended(host_stack, self.peer)

    def _tell_process(self, life: int, _: None) -> None:
        if self.host_stack.lives == life:
            self._process.on_disconnected(self.peer, IDLE)


class KeptStreamNetwork(StreamNetwork):
    """A stream network that drops idle connections. With `reopen_after`, the higher of two nodes opens connections."""

    socket_class: ClassVar[type[Socket]] = KeptSocket

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._opens_to: dict[NodeId, tuple[NodeId, ...]] = {}  # The peers to which a node opens connections.
        self._tried_ns: dict[tuple[NodeId, NodeId], Nanoseconds] = {}  # When this life of a node last asked a peer.

    def send_message(self, interface: NetworkInterface, to: NodeId, message: Message) -> None:
        """Send one message. With `reopen_after`, a message that finds no open connection is lost."""
        if self.stream.reopen_after is None:
            super().send_message(interface, to, message)
            return
        self.traffic.count(message)
        socket = self._host_stacks[interface.node].sockets.get(to)
        if socket is not None and socket.opened:
            socket.send(message)

    def process_started(self, interface: NetworkInterface, peers: Iterable[NodeId]) -> None:
        if self.stream.reopen_after is None:
            super().process_started(interface, peers)
            return
        super().process_started(interface, ())
        node = interface.node
        self._opens_to[node] = tuple(peer for peer in peers if peer < node)
        for peer in self._opens_to[node]:
            self._tried_ns.pop((node, peer), None)
        self._open_missing(self._host_stacks[node])

    def process_resumed(self, interface: NetworkInterface) -> None:
        """Let the process read what has arrived during its pause, and open the connections that have ended since."""
        host_stack = self._host_stacks[interface.node]
        for socket in list(host_stack.sockets.values()):
            if isinstance(socket, KeptSocket):
                socket.resume()
        self._open_missing(host_stack)

    def connection_ended(self, host_stack: HostStack, peer: NodeId) -> None:
        """A process has lost a connection. The process opens the connection again if it is the side that opens it."""
        if peer in self._opens_to.get(host_stack.interface.node, ()):
            self._open(host_stack, peer)

    # --- Inside

    def _open_missing(self, host_stack: HostStack) -> None:
        for peer in self._opens_to.get(host_stack.interface.node, ()):
            if peer not in host_stack.sockets:
                self._open(host_stack, peer)

    def _open(self, host_stack: HostStack, peer: NodeId) -> None:
        """Ask a peer for a connection, now or when `reopen_after` has passed since the last attempt."""
        if not host_stack.interface.endpoint.awake:
            return  # A paused process opens the connection when it resumes.
        pair = host_stack.interface.node, peer
        tried_ns, wait_ns = self._tried_ns.get(pair), self.stream.reopen_after
        assert wait_ns is not None
        if tried_ns is not None and self.now < tried_ns + wait_ns:
            self.call_at(tried_ns + wait_ns, self._try_again, host_stack, (peer, host_stack.lives))
        else:
            self._tried_ns[pair] = self.now
            self._socket(host_stack, peer)

    def _try_again(self, host_stack: HostStack, attempt: tuple[NodeId, int]) -> None:
        peer, life = attempt
        if host_stack.lives == life and peer not in host_stack.sockets:
            self._open(host_stack, peer)
