"""The network of the stream transport: the connection that a message takes, and the host that answers a segment."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from simulator.cluster.distributions import durations
from simulator.cluster.network.network import Endpoint, Network, NetworkInterface
from simulator.cluster.network.tcp.segments import Mark, Segment
from simulator.cluster.network.tcp.sockets import REFUSED, RESET, HostStack, Socket
from simulator.protocol import Message, Nanoseconds, NodeId


class StreamNetwork(Network):
    """Carries messages over connections. A connection is opened by its first message, or when a process starts.

    It is the `SegmentNetwork` of all sockets.
    """

    socket_class: ClassVar[type[Socket]] = Socket

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.stream = self.spec.stream
        self._host_stacks: dict[NodeId, HostStack] = {}

    def attach(self, node: NodeId, endpoint: Endpoint) -> NetworkInterface:
        """Connect a node, and give its host a TCP stack."""
        interface = super().attach(node, endpoint)
        close_delays = durations(self.stream.notice, self._streams, f"n{node} notice")
        self._host_stacks[node] = HostStack(interface, close_delays)
        return interface

    def send_message(self, interface: NetworkInterface, to: NodeId, message: Message) -> None:
        """Send one message over the connection to its receiver, which is opened if there is none."""
        self.traffic.count(message)
        self._socket(self._host_stacks[interface.node], to).send(message)

    def process_started(self, interface: NetworkInterface, peers: Iterable[NodeId]) -> None:
        """Let the new process listen. Sockets that are left of the process before it are closed first."""
        host_stack = self._host_stacks[interface.node]
        self._close_sockets(host_stack, host_stack.lives)
        host_stack.up = host_stack.listening = True
        host_stack.lives += 1
        if self.stream.open_at_start:
            for peer in peers:
                self._socket(host_stack, peer)

    def process_died(self, interface: NetworkInterface) -> None:
        """Close the sockets of the process after a delay. Until then, the host still takes segments for it."""
        host_stack = self._host_stacks[interface.node]
        self.call_at(self.now + next(host_stack.close_delays), self._close_sockets, host_stack, host_stack.lives)

    def host_died(self, interface: NetworkInterface) -> None:
        """Forget all sockets of the host, and send nothing more for them."""
        host_stack = self._host_stacks[interface.node]
        host_stack.up = host_stack.listening = False
        host_stack.boots += 1
        sockets, host_stack.sockets = host_stack.sockets, {}
        for socket in sockets.values():
            socket.abandon()

    # --- What sockets ask for (`SegmentNetwork`)

    @property
    def now(self) -> Nanoseconds:
        return self._kernel._now

    def call_at(
        self, at_ns: Nanoseconds, act: Callable[[Any, Any], None], argument_a: Any, argument_b: Any = None
    ) -> None:
        self._kernel.push(at_ns, act, argument_a, argument_b)

    def send_segment(self, segment: Segment) -> None:
        socket = segment.sender
        message = None if isinstance(segment.contents, Mark) else segment.contents
        interface = socket.host_stack.interface
        self.send_packet(interface, socket.peer, message, segment.arrive, lambda: socket.lose(segment))

    def segment_arrived(self, segment: Segment) -> None:
        host_stack = self._host_stacks[segment.sender.peer]
        receiver = segment.receiver
        if not host_stack.up:
            segment.sender.lose(segment)
        elif segment.contents is Mark.OPEN:
            self._accept(host_stack, segment)
        elif receiver is None or receiver.gone or receiver.other is not segment.sender:
            self._answer(host_stack, segment, RESET)
        else:
            receiver.receive(segment)

    # --- Inside

    def _socket(self, host_stack: HostStack, peer: NodeId) -> Socket:
        """The socket of the connection to a peer; a new one, which asks for a connection, if there is none."""
        socket = host_stack.sockets.get(peer)
        if socket is None:
            socket = host_stack.sockets[peer] = self.socket_class(self, host_stack, peer, known=True)
            socket.connect()
        return socket

    def _accept(self, host_stack: HostStack, segment: Segment) -> None:
        """Answer a segment that asks for a connection."""
        opener = segment.sender
        if opener.gone or opener.opened:
            # Otherwise the host would accept the connection and get a reset, and its process would be told of neither.
            return
        if not host_stack.listening:
            self._answer(host_stack, segment, REFUSED)
        else:
            socket = opener.other
            if socket is None or socket.gone:
                socket = self._join(host_stack, opener)
            socket.accept()

    def _join(self, host_stack: HostStack, opener: Socket) -> Socket:
        """The accepting socket. If both sides have asked at once, it is the socket that has asked: one connection."""
        peer = opener.host_stack.interface.node
        own = host_stack.sockets.get(peer)
        if own is not None and own.other is not None:
            # The peer has begun a new connection. The process was told of the end, and may have opened a connection
            # already.
            own.drop(RESET)
            own = host_stack.sockets.get(peer)
        if own is None:
            own = host_stack.sockets[peer] = self.socket_class(self, host_stack, peer, known=False)
        own.other, opener.other = opener, own
        return own

    def _answer(self, host_stack: HostStack, segment: Segment, reason: str) -> None:
        """Tell the sender of a segment that no socket takes it. The answer is a packet, which may be late or lost."""
        socket = segment.sender

        def arrive(_: NodeId, __: Message) -> None:
            if reason is RESET or not socket.opened:
                socket.drop(reason)

        interface = host_stack.interface
        self.send_packet(interface, socket.host_stack.interface.node, None, arrive, lambda: socket.lose(segment))

    def _close_sockets(self, host_stack: HostStack, life: int) -> None:
        """Close the sockets of the process with that number, unless that has been done."""
        if not host_stack.listening or host_stack.lives != life:
            return
        host_stack.listening = False
        sockets, host_stack.sockets = host_stack.sockets, {}
        for socket in sockets.values():
            socket.close()
