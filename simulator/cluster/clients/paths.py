"""The networks between clients and servers, and between servers and the resource. They are streams, always.

They are apart from the cluster's own network, so that neither the latencies nor the traffic of the cluster depends on
its clients. A fault of links acts on these paths only if it names the clients, or the resource (`group:clients`,
`group:resource`).
"""

from __future__ import annotations

from collections.abc import Iterable

from simulator.cluster.clients.spec import PathSpec
from simulator.cluster.kernel import Kernel
from simulator.cluster.network.network import NetworkInterface, NetworkSpec, Transport
from simulator.cluster.network.rules import LinkRule, LinkRules
from simulator.cluster.network.tcp.stream_network import StreamNetwork
from simulator.protocol import NodeId
from simulator.randomness import Streams


class _NamedRules(LinkRules):
    """Rules that hold on a link only if they name the end that is outside the cluster."""

    def __init__(self, outside: frozenset[NodeId]) -> None:
        super().__init__()
        self._outside = outside

    def on(self, sender: NodeId, to: NodeId) -> list[LinkRule]:
        end = sender if sender in self._outside else to
        return [rule for rule in super().on(sender, to) if end in rule.links.named]


class PathNetwork(StreamNetwork):
    """The links between nodes outside the cluster and its servers."""

    def __init__(
        self,
        spec: PathSpec,
        name: str,
        outside: Iterable[NodeId],
        kernel: Kernel,
        streams: Streams,
        message_types: Iterable[type],
    ) -> None:
        network = NetworkSpec(latency=spec.latency, loss=spec.loss, transport=Transport.STREAM)
        super().__init__(network, kernel, streams.of(name), message_types)
        self.outside = frozenset(outside)
        self.rules = _NamedRules(self.outside)

    def disconnect(self, interface: NetworkInterface, peer: NodeId) -> None:
        """Give up the connection with a peer. What waits in it is not sent, and the peer is not told."""
        socket = self._host_stacks[interface.node].sockets.pop(peer, None)
        if socket is not None:
            socket.abandon()
