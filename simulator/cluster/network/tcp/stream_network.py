"""The network of the stream transport: which connection a message takes, and who answers for a process or a host."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from simulator.cluster.distributions import durations
from simulator.cluster.network.network import Endpoint, Network, NetworkInterface
from simulator.cluster.network.tcp.sockets import REFUSED, RESET, HostStack, Mark, Segment, Socket
from simulator.protocol import Message, Nanoseconds, NodeId


class StreamNetwork(Network):
    """Carries messages between ports over connections, which are opened by the first message or by a start."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.stream = self.spec.stream
        self._machines: dict[NodeId, HostStack] = {}

    def attach(self, node: NodeId, endpoint: Endpoint) -> NetworkInterface:
        interface = super().attach(node, endpoint)
        self._machines[node] = HostStack(interface, durations(self.stream.notice, self._streams, f"n{node} notice"))
        return interface

    def send_segment(self, interface: NetworkInterface, to: NodeId, message: Message) -> None:
        self.traffic.count(message)
        self._end(self._machines[interface.node], to).send(message)

    def process_started(self, interface: NetworkInterface, peers: Iterable[NodeId]) -> None:
        machine = self._machines[interface.node]
        self._close_sockets(machine, machine.lives)  # Of the process before, which has died, or this could not start.
        machine.up = machine.listening = True
        machine.lives += 1
        if self.stream.open_at_start:
            for peer in peers:
                self._end(machine, peer)

    def process_died(self, interface: NetworkInterface) -> None:
        """Until its sockets are closed, the host takes what comes for it, as it does for a process that is paused."""
        machine = self._machines[interface.node]
        self.call_at(self.now + next(machine.notices), self._close_sockets, machine, machine.lives)

    def host_died(self, interface: NetworkInterface) -> None:
        machine = self._machines[interface.node]
        machine.up = machine.listening = False
        machine.boots += 1
        ends, machine.ends = machine.ends, {}
        for end in ends.values():
            end.vanish()

    # --- What ends ask for

    @property
    def now(self) -> Nanoseconds:
        return self._kernel._now

    def call_at(self, at_ns: Nanoseconds, act: Callable[[Any, Any], None], one: Any, other: Any = None) -> None:
        self._kernel.push(at_ns, act, one, other)

    def carry_segment(self, segment: Segment) -> None:
        end = segment.end
        message = None if isinstance(segment.contents, Mark) else segment.contents
        self.send_packet(end.machine.interface, end.peer, message, segment.arrive, lambda: end.lose(segment))

    def arrived(self, segment: Segment) -> None:
        machine = self._machines[segment.end.peer]
        if not machine.up:
            segment.end.lose(segment)
        elif segment.contents is Mark.OPEN:
            self._open(machine, segment)
        elif segment.to is None or segment.to.gone or segment.to.other is not segment.end:
            self._answer(machine, segment, RESET)
        else:
            segment.to.receive(segment)

    # --- Inside

    def _end(self, machine: HostStack, peer: NodeId) -> Socket:
        end = machine.ends.get(peer)
        if end is None:
            end = machine.ends[peer] = Socket(self, machine, peer, known=True)
            end.ask()
        return end

    def _open(self, machine: HostStack, segment: Segment) -> None:
        opener = segment.end
        if opener.gone or opener.opened:
            return  # The host would accept, be told that there is no such connection, and its process hear of nothing.
        if not machine.listening:
            self._answer(machine, segment, REFUSED)
        else:
            end = opener.other
            if end is None or end.gone:
                end = self._join(machine, opener)
            end.accept()

    def _join(self, machine: HostStack, opener: Socket) -> Socket:
        """The end that accepts: where both ask at once, the one that asks, too. Theirs is one connection."""
        peer = opener.machine.interface.node
        own = machine.ends.get(peer)
        if own is not None and own.other is not None:
            own.drop(RESET)  # The peer has begun anew; and so has the process, perhaps, now that it has been told.
            own = machine.ends.get(peer)
        if own is None:
            own = machine.ends[peer] = Socket(self, machine, peer, known=False)
        own.other, opener.other = opener, own
        return own

    def _answer(self, machine: HostStack, segment: Segment, reason: str) -> None:
        """Tell who has sent a segment that there is nobody to take it."""
        end = segment.end

        def tell(_: NodeId, __: Message) -> None:
            if reason is RESET or not end.opened:
                end.drop(reason)

        self.send_packet(machine.interface, end.machine.interface.node, None, tell, lambda: end.lose(segment))

    def _close_sockets(self, machine: HostStack, life: int) -> None:
        """Of that life's process, unless it has been done before."""
        if not machine.listening or machine.lives != life:
            return
        machine.listening = False
        ends, machine.ends = machine.ends, {}
        for end in ends.values():
            end.close()
