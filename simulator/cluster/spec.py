"""All that one trial needs, but for its seed: frozen, and picklable for worker processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from simulator.algorithms.registration import Registration
from simulator.cluster.clients.spec import CLIENTS, RESOURCE, ClientsSpec, ResourceSpec
from simulator.cluster.distributions import Constant, Distribution
from simulator.cluster.faults.nemesis import Nemesis
from simulator.cluster.faults.schedule import Scheduled
from simulator.cluster.memory import DEFAULT_MEMORY_LIMIT_BYTES
from simulator.cluster.network.network import NetworkSpec
from simulator.cluster.stop import StopWhen
from simulator.cluster.workload import Workload
from simulator.protocol import Algorithm, Guarantee, Nanoseconds, NodeId

DEFAULT_EVENT_LIMIT = 50_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskSpec:
    """How long a write takes, and whether the node is deaf meanwhile. None: writing takes no time."""

    write: Distribution | None = None
    blocking: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSpec:
    """The lengths of the nodes' logs, in id order; in a random permutation, drawn for each trial, if `permuted`."""

    lengths: tuple[int, ...]
    permuted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSpec:
    """A cluster, its network, and its faults."""

    registration: Registration
    config: Any  # An instance of the registration's `config` class.
    nodes: int  # The nodes of the primary group, n1 to n<nodes>; those of other groups are numbered after them.
    duration: Nanoseconds
    absent: frozenset[NodeId] = frozenset()  # Members of the configuration that never start.
    start: Distribution = Constant(0)  # When each node starts.
    logs: LogSpec | None = None
    disk: DiskSpec = field(default_factory=DiskSpec)
    service: Distribution | None = None  # The time that a node needs to handle a message; None: no time.
    network: NetworkSpec = field(default_factory=NetworkSpec)
    faults: tuple[Scheduled, ...] = ()
    nemesis: Nemesis | None = None
    longest_delay_ns: Nanoseconds | None = (
        None  # The longest time to deliver and handle a message without faults; None: unbounded.
    )
    workload: Workload | None = None
    clients: ClientsSpec | None = None
    resource: ResourceSpec | None = None  # What leaders write to; None: as `resource_of_leaders` says.
    stop_when: StopWhen | None = None
    stable_after: Nanoseconds = 0  # How long a claim must last to count as stable.
    # The time within which the cluster must recover from the last fault; None: no bound.
    liveness_within: Nanoseconds | None = None
    liveness_of_all: bool = False  # Whether all nodes must name one leader then, and not only a majority.
    waived: frozenset[Guarantee] = frozenset()  # Guarantees whose violations are counted separately.
    event_limit: int = DEFAULT_EVENT_LIMIT
    fast_forward: bool = True  # Whether keep-alives of quiet periods may be skipped, which changes no result.
    memory_limit_bytes: int = DEFAULT_MEMORY_LIMIT_BYTES  # The limit holds for one trial, and so for each worker.

    @property
    def groups(self) -> Mapping[str, tuple[NodeId, ...]]:
        """The nodes of every group by name, the electorate first."""
        return self.registration.members(self.nodes, self.config)

    @property
    def resource_of_leaders(self) -> ResourceSpec | None:
        """What leaders write clients' requests to; without a log, there always is one. None: to their own log."""
        return ResourceSpec() if self.resource is None and self.serving_class is None else self.resource

    @property
    def serving_class(self) -> type[Algorithm] | None:
        """What the nodes run that serve clients from a log of their own; None if there is no log, or a resource."""
        return None if self.resource is not None else self.registration.serving_class(self.config)

    @property
    def outside(self) -> Mapping[str, tuple[NodeId, ...]]:
        """The nodes outside the cluster by group: clients, and the resource. The nodes of these groups are numbered
        after the nodes of the cluster.
        """
        if self.clients is None:
            return {}
        first = 1 + sum(map(len, self.groups.values()))
        after = first + self.clients.count
        groups = {CLIENTS: tuple(range(first, after))}
        return groups if self.resource_of_leaders is None else groups | {RESOURCE: (after,)}

    @property
    def stabilization_ns(self) -> Nanoseconds | None:
        """How long the algorithm needs at most to agree if no fault occurs; None if it does not guarantee this."""
        stabilization_bound = self.registration.stabilization_bound
        return None if stabilization_bound is None else stabilization_bound(self.config, self.nodes)
