"""Assembles what is outside the cluster: clients, the resource, and their networks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Any

from simulator.algorithms.registration import Registration
from simulator.clients.client import Client
from simulator.clients.config import ClientConfig
from simulator.clients.messages import Reply, Request
from simulator.clients.resource import Decision, Resource, ResourceRequest
from simulator.clients.sureness import Sureness
from simulator.cluster.clients.address import Address
from simulator.cluster.clients.claims import ClaimService
from simulator.cluster.clients.ledger import Ledger
from simulator.cluster.clients.nodes import ClientNode, RequestInterface, ServingNode
from simulator.cluster.clients.paths import PathNetwork
from simulator.cluster.clients.spec import CLIENTS, RESOURCE, AddressSpec, ClientsSpec, ResourceSpec
from simulator.cluster.distributions import Constant, durations
from simulator.cluster.kernel import Kernel
from simulator.cluster.leadership import LeadershipTracker
from simulator.cluster.network.rules import LinkRule
from simulator.cluster.node.node import Node
from simulator.protocol import Algorithm, Host, NodeId, uniform
from simulator.randomness import Streams


class Outside:
    """The clients and the resource of one trial. Their nodes are numbered after those of the cluster."""

    def __init__(
        self,
        spec: ClientsSpec,
        resource: ResourceSpec | None,
        groups: Mapping[str, tuple[NodeId, ...]],
        servers: Sequence[NodeId],
        kernel: Kernel,
        streams: Streams,
    ) -> None:
        self.spec = spec
        self.resource = resource
        self.groups = groups
        clients = groups[CLIENTS]
        self.ledger = Ledger(kernel, clients)
        self._kernel = kernel
        self._streams = streams
        self._known = spec.servers or tuple(servers)
        self.client_paths = PathNetwork(spec.paths, CLIENTS, clients, kernel, streams, (Request, Reply))
        self.networks = [self.client_paths]
        self.addresses: list[Address] = []
        self.nodes: dict[NodeId, Node] = {client: self._client(client) for client in clients}
        if resource is not None:
            (node,) = groups[RESOURCE]
            types = (ResourceRequest, Decision)
            self.resource_paths = PathNetwork(resource.paths, RESOURCE, (node,), kernel, streams, types)
            self.networks.append(self.resource_paths)
            self.nodes[node] = self._resource(node, fencing=resource.fencing == "token")

    def serve(self, node: ServingNode, tracker: LeadershipTracker, registration: Registration) -> None:
        """Connect a server to the clients, and to the resource if there is one."""
        node.client_port = RequestInterface(node, self.client_paths)
        if self.resource is not None:
            node.resource_port = RequestInterface(node, self.resource_paths)
            (resource,) = self.groups[RESOURCE]
            ask = node.resource_port.send
            node.claims = ClaimService(node.me, tracker, resource, registration, ask, node.answer, Sureness(node))

    def schedule(self, start: Callable[[NodeId], None]) -> None:
        """Let the resource start at once, and the clients when their time has come."""
        for name, nodes in self.groups.items():
            at_ns = self.spec.start if name == CLIENTS else 0
            for node in nodes:
                self._kernel.push(at_ns, lambda node, _: start(node), node)

    # --- What happens to servers, clients and links

    def server_started(self, node: NodeId) -> None:
        """A server's process is about to start, or a client's."""
        for network in self._networks_of_server(node):
            network.process_started(network.interfaces[node], ())

    def host_died(self, node: NodeId) -> None:
        """The host of a server or a client has crashed."""
        for network in self._networks_of_server(node):
            network.host_died(network.interfaces[node])
        self.ledger.client_died(node)

    def process_died(self, node: NodeId) -> None:
        """The process of a server or a client was killed."""
        for network in self._networks_of_server(node):
            network.process_died(network.interfaces[node])
        self.ledger.client_died(node)

    def add_rule(self, rule: LinkRule) -> None:
        """Put a rule in force on those paths whose outer ends it names."""
        for network in self.networks:
            if not network.outside.isdisjoint(rule.links.named):
                network.add_rule(rule)

    def remove_rules(self, *rules: LinkRule) -> None:
        """Remove rules from all paths on which they are in force."""
        for network in self.networks:
            network.remove_rule(*rules)

    def _networks_of_server(self, node: NodeId) -> Sequence[PathNetwork]:
        return () if node in self.nodes else [network for network in self.networks if node in network.interfaces]

    # --- Assembly

    def _client(self, me: NodeId) -> Node:
        spec = self.spec
        config = ClientConfig(
            servers=self._known,
            closed_loop=spec.closed_loop,
            reads=spec.reads,
            consistency=spec.consistency,
            stale_reads_for=spec.stale_reads_for,
            keys=spec.keys,
            size_bytes=spec.size_bytes,
            timeout=spec.timeout,
            attempts=spec.attempts,
            backoff=spec.backoff,
            finds=spec.finds,
        )
        gaps = durations(spec.gaps, self._streams, f"n{me} gaps")
        if not spec.closed_loop and isinstance(spec.gaps, Constant):  # Clients are not in step with each other.
            gaps = chain([uniform(self._streams.python(f"n{me} phase"), (0, spec.gaps.value - 1))], gaps)
        build = partial(_build_client, config, gaps, self._address_of(me, spec.address))
        return self._node(me, self.client_paths, build)

    def _address_of(self, client: NodeId, spec: AddressSpec | None) -> Address | None:
        """The address that a client uses: its own, or that of all clients."""
        if spec is None:
            return None
        if spec.each_client or not self.addresses:
            whose = f"n{client} " if spec.each_client else ""
            delays = durations(spec.delay, self._streams, f"{whose}address delay")
            self.addresses.append(Address(self._kernel, delays, self._known[0]))
        return self.addresses[-1]

    def on_claim(self, node: NodeId) -> None:
        """A node of the cluster begins to lead."""
        for address in self.addresses:
            address.on_claim(node)

    def _resource(self, me: NodeId, *, fencing: bool) -> Node:
        return self._node(me, self.resource_paths, lambda host, durable: Resource(host, fencing, durable))

    def _node(self, me: NodeId, network: PathNetwork, build: Callable[[Host, Mapping[str, Any]], Algorithm]) -> Node:
        return ClientNode(
            me=me,
            peers=(),
            groups=self.groups,
            build=build,
            kernel=self._kernel,
            network=network,
            observer=self.ledger,
            source=self._streams.python(f"n{me} client"),
            durable={},
            write_times=None,
            blocking_disk=False,
            service_times=None,
        )


def _build_client(
    config: ClientConfig, gaps: Iterator[int], address: Address | None, host: Host, durable: Mapping[str, Any]
) -> Algorithm:
    server = None if address is None else lambda: address.server
    return Client(host, config, durable, gaps, server)  # type: ignore[arg-type] # The host is a `ClientNode`.
