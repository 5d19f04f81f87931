"""The network. One function, `Network.send_packet`, decides the fate of a packet: stopped, lost, late or duplicated.

The fate is decided when the packet is sent: a packet that left before a partition still arrives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from heapq import heappush
from typing import Any

from simpy.events import NORMAL

from simulator.cluster.kernel import Kernel
from simulator.cluster.network.bounds import is_bounded, longest
from simulator.cluster.network.interface import Endpoint, NetworkInterface
from simulator.cluster.network.message_size import wire_size
from simulator.cluster.network.rules import Cut, Degradation, Hold, LinkRule, LinkRules
from simulator.cluster.network.spec import NetworkSpec, StreamSpec, Transport
from simulator.cluster.network.traffic import Traffic
from simulator.protocol import SECOND, Message, Nanoseconds, NodeId, describe
from simulator.randomness import Streams
from simulator.trace.trace import MessageRow

__all__ = ["Endpoint", "Network", "NetworkInterface", "NetworkSpec", "StreamSpec", "Transport"]


class Network:
    """Carries messages between interfaces as datagrams, and counts the messages sent by type, lost or not.

    With `journal`, it also records every packet that carries a message.
    """

    def __init__(
        self,
        spec: NetworkSpec,
        kernel: Kernel,
        streams: Streams,
        message_types: Iterable[type],
        *,
        journal: bool = False,
    ) -> None:
        self.traffic = Traffic(message_types)
        self._slots, self._messages, self._varies = self.traffic.slots, self.traffic.messages, self.traffic.varies
        self._usual: Message | None = (
            None  # A message of usual size, which need not be measured again for other receivers.
        )
        self.rules = LinkRules()
        self.interfaces: dict[NodeId, NetworkInterface] = {}
        self.journal: list[MessageRow] | None = [] if journal else None
        self.spec = spec
        self._placed = () if spec.topology is None else spec.topology.placed
        self._streams = streams
        self._kernel = kernel
        self._queue: list[Any] = kernel._queue
        self._order = kernel._eid
        self._plain = self._is_plain()
        # Above which latency a skipped message is an error; None: no latency can be.
        self._looked_at = None if is_bounded(spec.latency) else longest(spec.latency)

    @property
    def sent(self) -> Mapping[type, int]:
        """How many messages of each type have been sent, lost or not."""
        return dict(zip(self.traffic.kinds, self.traffic.messages, strict=True))

    def attach(self, node: NodeId, endpoint: Endpoint) -> NetworkInterface:
        """Connect a node. Packets for it are delivered to `endpoint`."""
        interface = self.interfaces[node] = NetworkInterface(node, self.spec, self._streams, endpoint)
        return interface

    def send_message(self, interface: NetworkInterface, to: NodeId, message: Message) -> None:
        """Send one message. The hot path: a packet that can only be late or lost costs one latency and one push."""
        slot = self._slots[type(message)]  # The same as `Traffic.count`, without the cost of a call.
        self._messages[slot] += 1
        if self._varies[slot] and message is not self._usual:
            self._usual = self.traffic.weigh(slot, message)
        if self._plain:
            arrives = self._kernel._now + next(interface.latencies)
            if interface.loses is None or not interface.loses(to):
                heappush(
                    self._queue,
                    (arrives, NORMAL, next(self._order), self.interfaces[to].deliver, interface.node, message),
                )
        else:
            self.send_packet(interface, to, message, self.interfaces[to].deliver)

    def send_packet(
        self,
        interface: NetworkInterface,
        to: NodeId,
        message: Message | None,
        arrive: Callable[[NodeId, Message], None],
        lost: Callable[[], None] | None = None,
        sent_ns: Nanoseconds | None = None,
    ) -> None:
        """Decide the fate of one packet: call `arrive(sender, message)` for each copy, or `lost()` at once.

        A cut loses the packet. A hold keeps it, and sends it when the hold ends; `sent_ns` is then its first sending.
        """
        rules = self.rules.on(interface.node, to) if self.rules.in_force else ()
        stop = _stopping_rule(rules) if rules else None
        if isinstance(stop, Hold):
            held_ns = self._kernel._now if sent_ns is None else sent_ns
            stop.held.append(partial(self.send_packet, interface, to, message, arrive, lost, held_ns))
            return
        arrivals = () if stop is not None else self._arrivals(interface, to, message, rules)
        if self.journal is not None and message is not None:
            self._record_packet(
                self._kernel._now if sent_ns is None else sent_ns, interface.node, to, message, arrivals
            )
        for arrives in arrivals:
            heappush(self._queue, (arrives, NORMAL, next(self._order), arrive, interface.node, message))
        if not arrivals and lost is not None:
            lost()

    def add_rule(self, rule: LinkRule) -> None:
        """Let a rule decide on packets of its links, until `remove_rule` is called with it."""
        self.rules.add_rule(rule)
        self._plain = False

    def remove_rule(self, *rules: LinkRule) -> bool:
        """Remove all these rules, then send the packets that they held. False if each was removed before."""
        removed = [rule for rule in rules if self.rules.remove_rule(rule)]
        self._plain = self._is_plain()
        for rule in removed:
            if isinstance(rule, Hold):
                for send_again in rule.held:
                    send_again()
        return bool(removed)

    def skip(self, interface: NetworkInterface, message: type, count: int) -> None:
        """Count messages of usual size that a node has sent in a quiet period. Draw and forget what they would draw.

        Raises TooLongError if one of them travels for longer than `bounds.longest` says.
        """
        self._messages[self._slots[message]] += count
        interface.supply.skip(count, self._looked_at)
        for flips in (interface.losses, interface.duplications):
            if flips is not None:
                flips.skip(count)

    # --- What happens to processes and hosts: datagrams are not affected

    def process_started(self, interface: NetworkInterface, peers: Iterable[NodeId]) -> None:
        """A process has started on a host that is up."""

    def process_resumed(self, interface: NetworkInterface) -> None:
        """A paused process runs again."""

    def process_died(self, interface: NetworkInterface) -> None:
        """The process has died. Its host is up, and closes the sockets."""

    def host_died(self, interface: NetworkInterface) -> None:
        """The host goes silent."""

    # --- Inside

    def _is_plain(self) -> bool:
        """Whether packets can only be late or lost: no rules, topology, bandwidth, duplication or journal."""
        spec = self.spec
        nothing_else = self.journal is None and spec.topology is None and spec.bandwidth is None
        return nothing_else and not (self.rules.in_force or spec.duplication)

    def _arrivals(
        self, interface: NetworkInterface, to: NodeId, message: Message | None, rules: Iterable[LinkRule]
    ) -> Sequence[Nanoseconds]:
        """The instants at which the copies of a packet arrive that no rule stops; empty if it is lost."""
        now = self._kernel._now
        base = now if interface.bases is None else now + interface.bases[self._placed[to - 1]]
        if self.spec.bandwidth is not None:
            base += self._sending(interface, to, message) - now
        latency = next(interface.latencies)
        lost = interface.loses is not None and interface.loses(to)
        twice = False
        for rule in rules:
            if isinstance(rule, Degradation):
                base += next(rule.later)  # A rule delays both copies of a duplicated packet.
                lost |= next(rule.lost)
                twice |= next(rule.duplicated)
        if lost:
            return ()
        if twice or (self.spec.duplication and next(interface.duplicates)):
            return base + latency, base + next(interface.duplicate_latencies)
        return (base + latency,)

    def _sending(self, interface: NetworkInterface, to: NodeId, message: Message | None) -> Nanoseconds:
        """When the packet's last byte has left, after all earlier packets on the same link."""
        assert self.spec.bandwidth is not None
        free_at = max(self._kernel._now, interface.wires_free_at.get(to, 0))
        sent_at = interface.wires_free_at[to] = free_at + round(wire_size(message) * SECOND / self.spec.bandwidth)
        return sent_at

    def _record_packet(
        self, sent_ns: Nanoseconds, sender: NodeId, to: NodeId, message: Message, arrivals: Sequence[Nanoseconds]
    ) -> None:
        assert self.journal is not None
        name, text = type(message).__name__, describe(message)
        for arrives_ns in arrivals or (None,):
            self.journal.append(MessageRow(sent_ns, arrives_ns, sender, to, name, text))


def _stopping_rule(rules: Iterable[LinkRule]) -> LinkRule | None:
    """The rule that stops a packet: a cut before a hold; None if no rule does."""
    stopping = [rule for rule in rules if rule.stops]
    cut = (rule for rule in stopping if isinstance(rule, Cut))
    return next(cut, stopping[0] if stopping else None)
