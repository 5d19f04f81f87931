"""The models of a scenario: frozen values of its YAML file, with every default filled in.

Each field, and each model for itself, is checked when it is built. Whether the parts fit together, `consistency` checks
when a scenario is loaded or run.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from simulator.cluster.fast_forward import refusal
from simulator.cluster.memory import DEFAULT_MEMORY_LIMIT_BYTES
from simulator.cluster.network.bounds import is_bounded, longest
from simulator.cluster.spec import DEFAULT_EVENT_LIMIT, ClusterSpec
from simulator.cluster.stop import StopWhen
from simulator.protocol import SECOND, Guarantee, Nanoseconds, NodeId
from simulator.scenario.algorithms import AnyAlgorithm
from simulator.scenario.clients import Clients, LeaderResource
from simulator.scenario.cluster import Cluster
from simulator.scenario.faults.forms import AnyFault
from simulator.scenario.faults.nemesis import Nemesis
from simulator.scenario.faults.workload import WorkloadForm
from simulator.scenario.network.network import Network
from simulator.scenario.published import Published
from simulator.scenario.text.fields import Duration, Integer, Model
from simulator.scenario.text.sizes import Size
from simulator.scenario.text.targets import node_id
from simulator.scenario.text.units import LONGEST

STABLE_AFTER_HEARTBEATS = 16  # The default of stable_after (docs/metrics.md, stabilisation time).
_LARGEST_SEED = (1 << 63) - 1  # Results keep it in a column of 64-bit integers.


class Liveness(Model):
    """After the last fault and its repair, nodes must follow a leader within a given time."""

    within: Annotated[Duration, Field(gt=0)] = Field(description="The longest time that it may take.")
    who: Literal["majority", "all"] = Field(
        default="majority",
        description="The nodes that must follow one leader: a majority of the configuration, at any instant within the "
        "time; or, when the time is over, all members that run and can reach a majority (clients: a server).",
    )


class Limits(Model):
    """Bounds at which a trial ends with an error."""

    events: Annotated[Integer, Field(ge=1)] = Field(
        default=DEFAULT_EVENT_LIMIT, description="The greatest number of events in a trial."
    )
    memory: Size = Field(
        default=DEFAULT_MEMORY_LIMIT_BYTES,
        description="The greatest memory of a trial, and so of each worker. It changes no result.",
    )


def _reject_true(version: object) -> object:
    if version is True:  # True equals 1 in Python, and is no number here.
        raise ValueError("true is not a version; write 1")
    return version


def _stable_after(data: dict[str, Any]) -> int | None:
    interval = getattr(data.get("algorithm"), "heartbeat_interval", None)
    return None if interval is None else min(STABLE_AFTER_HEARTBEATS * int(interval), LONGEST)


class Scenario(Model):
    """An experiment: an algorithm on a cluster and a network, the faults injected, and the number of trials."""

    version: Annotated[Literal[1], BeforeValidator(_reject_true)] = Field(description="The version of this format.")
    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$")] = Field(
        description="A short name. The directory of the results is called by it."
    )
    about: str = Field(default="", description="The question that this scenario answers.")
    algorithm: AnyAlgorithm = Field(description="The name of the election algorithm, and its options.")
    cluster: Cluster = Field(description="The nodes.")
    network: Network = Field(default=Network(), description="The network between the nodes.")
    faults: tuple[AnyFault, ...] = Field(default=(), description="The schedule of faults.")
    nemesis: Nemesis | None = Field(
        default=None, description="Faults at random, in addition to the schedule; null: none."
    )
    workload: WorkloadForm | None = Field(default=None, description="The commands that clients write; null: none.")
    clients: Clients | None = Field(
        default=None, description="Clients that send requests to the servers, and repeat them; null: none."
    )
    resource: LeaderResource | None = Field(
        default=None,
        description="What leaders write clients' requests to. null: their log, or else a resource without fencing.",
    )
    duration: Annotated[Duration, Field(gt=0)] = Field(description="How long a trial lasts, unless stop_when ends it.")
    trials: Annotated[Integer, Field(ge=1, le=10**9)] = Field(
        default=1000, description="The number of trials. Each draws its own random numbers."
    )
    seed: Annotated[Integer, Field(ge=0, le=_LARGEST_SEED)] = Field(
        default=1, description="The seed of all random numbers. The same seed gives the same results."
    )
    stop_when: StopWhen | None = Field(
        default=None, description="The event that ends a trial early, after every fault has been injected; null: none."
    )
    stable_after: Duration | None = Field(
        default_factory=_stable_after,
        description="How long a node must lead to count as a stable leader. The default is 16 heartbeat intervals.",
    )
    liveness: Liveness | None = Field(
        default=None, description="The bound within which the cluster must recover from the last fault; null: no bound."
    )
    waive: tuple[Guarantee, ...] = Field(
        default=(),
        description="Guarantees of the algorithm that this scenario breaks on purpose, so that it is no error.",
        examples=[["one-vote", "election-safety"]],
    )
    fast_forward: Literal["auto", "off", "required"] = Field(
        default="auto",
        description="Whether keep-alives are skipped while nothing else happens, which changes no result. auto: where "
        "it is exact; off: never; required: the scenario is an error where it is impossible.",
    )
    limits: Limits = Field(default=Limits(), description="Bounds at which a trial ends with an error.")
    published: Published | None = Field(default=None, description="A published distribution to compare with.")

    @model_validator(mode="after")
    def _use_streams(self) -> Scenario:
        """If no transport is given, an algorithm that requires connections gets the transport stream."""
        if self.algorithm.registration.requires_connections and "transport" not in self.network.model_fields_set:
            object.__setattr__(self, "network", self.network.over_streams())
        return self

    @property
    def groups(self) -> Mapping[str, tuple[NodeId, ...]]:
        """The nodes of every group, by the name of the group. The voters come first."""
        return self.algorithm.registration.members(self.cluster.nodes, self.algorithm.config())

    @property
    def outside_groups(self) -> tuple[str, ...]:
        """The groups outside the cluster: `clients`, and `resource` if leaders write to one."""
        return () if self.clients is None else tuple(self.cluster_spec().outside)

    @property
    def size(self) -> int:
        """The number of nodes in all groups together."""
        return sum(map(len, self.groups.values()))

    @property
    def applicable_published(self) -> Published | None:
        """The published figures. None if there are none, or if an override changed a field that they hold for."""
        return None if self.published is None or self.published.changed else self.published

    @property
    def fast_forward_summary(self) -> Mapping[str, str | float | None]:
        """`mode`: the value of `fast_forward`; `refused`: why no trial skips anything, None if one may; `tail_from_s`:
        the latency that counts as the longest, though messages exceed it with a negligible probability, or None.
        """
        refused = "fast_forward: off" if self.fast_forward == "off" else refusal(self.cluster_spec())
        latency = self.network.latency.value()
        tail_ns = None if refused or is_bounded(latency) else longest(latency)
        return {
            "mode": self.fast_forward,
            "refused": refused,
            "tail_from_s": None if tail_ns is None else tail_ns / SECOND,
        }

    def longest_delay(self) -> Nanoseconds | None:
        """The longest time in nanoseconds from sending a message to its handling, without faults. None if unbounded.

        With a service time it is unbounded, since messages queue behind each other.
        """
        longest, write = self.network.longest(self.size), self.cluster.disk.write
        written = 0 if write is None else write.bounds()[1]
        return None if longest is None or written is None or self.cluster.service is not None else longest + written

    def cluster_spec(self) -> ClusterSpec:
        """The specification from which the cluster runs a trial."""
        cluster = self.cluster
        return ClusterSpec(
            registration=self.algorithm.registration,
            config=self.algorithm.config(),
            nodes=cluster.nodes,
            duration=self.duration,
            absent=frozenset(map(node_id, cluster.absent)),
            start=cluster.start.value(),
            logs=cluster.logs.value(),
            disk=cluster.disk.spec(),
            service=None if cluster.service is None else cluster.service.value(),
            network=self.network.spec(self.size),
            longest_delay_ns=self.longest_delay(),
            faults=tuple(fault.scheduled() for fault in self.faults),
            nemesis=None if self.nemesis is None else self.nemesis.value(cluster.nodes, self.duration),
            workload=None if self.workload is None else self.workload.value(),
            clients=None if self.clients is None else self.clients.value(),
            resource=None if self.resource is None else self.resource.value(),
            stop_when=self.stop_when,
            stable_after=self.stable_after or 0,
            liveness_within=None if self.liveness is None else self.liveness.within,
            liveness_of_all=self.liveness is not None and self.liveness.who == "all",
            waived=frozenset(self.waive),
            fast_forward=self.fast_forward != "off",
            event_limit=self.limits.events,
            memory_limit_bytes=self.limits.memory,
        )
