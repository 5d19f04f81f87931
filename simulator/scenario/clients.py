"""How a scenario writes clients, and the resource that leaders write to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from simulator.clients.config import Backoff
from simulator.clients.messages import Consistency
from simulator.cluster.clients.spec import AddressSpec, ClientsSpec, PathSpec, ResourceSpec
from simulator.cluster.distributions import Constant, Distribution, Exponential
from simulator.protocol import SECOND
from simulator.scenario.durations.distributions import AnyDistribution, ConstantForm
from simulator.scenario.text.errors import reject
from simulator.scenario.text.fields import Duration, Flag, Integer, KeywordForm, Model, Number, Probability
from simulator.scenario.text.tagged_unions import KeyTaggedUnion
from simulator.scenario.text.targets import NodeName, node_id


def _constant(duration: str) -> ConstantForm:
    return ConstantForm.model_validate({"constant": duration})


class ThinkForm(Model):
    """A closed loop: a client sends its next request when the last one has ended, after this pause."""

    think: AnyDistribution

    def gaps(self) -> Distribution:
        """The pause after each request."""
        return self.think.value()


class RateForm(Model):
    """An open loop: each client sends so many requests a second on average, with exponential times between them."""

    rate_per_s: Annotated[Number, Field(gt=0, le=1_000_000)]

    def gaps(self) -> Distribution:
        """The time between two requests of one client."""
        return Exponential(round(SECOND / self.rate_per_s))


class EveryForm(Model):
    """An open loop: each client sends a request at this interval, from a random phase on."""

    every: Annotated[Duration, Field(gt=0)]

    def gaps(self) -> Distribution:
        """The time between two requests of one client."""
        return Constant(self.every)


LOADS: Mapping[str, type[Model]] = {"think": ThinkForm, "rate_per_s": RateForm, "every": EveryForm}
AnyLoad = Annotated[ThinkForm | RateForm | EveryForm, KeyTaggedUnion(LOADS, what="a load")]


class LeaderForm(KeywordForm):
    """The leader that a server names, or else the next server in the client's own random order."""

    leader: None = None


class NextForm(KeywordForm):
    """The next server in the client's own random order, whatever leader a server names."""

    next: None = None


class AddressForm(Model):
    """An address, a name or a proxy that leads to the node that claimed to lead last, this long after its claim."""

    address: AnyDistribution
    each_client: Flag = Field(
        default=False, description="Whether each client learns of it after a delay of its own, as with cached names."
    )


FINDS: Mapping[str, type[Model]] = {"leader": LeaderForm, "next": NextForm, "address": AddressForm}
AnyFind = Annotated[
    LeaderForm | NextForm | AddressForm,
    KeyTaggedUnion(FINDS, keywords=("leader", "next"), what="a way to find a server"),
]

_USUAL_BACKOFF = Backoff()
_USUAL = PathSpec()


class ClientBackoff(Model):
    """How long a client waits before it repeats a request."""

    first: Duration = Field(default=_USUAL_BACKOFF.first, description="The wait after the first attempt.")
    most: Duration = Field(
        default=_USUAL_BACKOFF.most, description="The longest wait. Each wait is twice as long as the one before."
    )
    jitter: Probability = Field(
        default=_USUAL_BACKOFF.jitter, description="The share of each wait that is random; 1: from 0 to the whole."
    )

    def value(self) -> Backoff:
        """The backoff as a client knows it."""
        return Backoff(first=self.first, most=self.most, jitter=self.jitter)

    @model_validator(mode="after")
    def _check(self) -> ClientBackoff:
        if self.most < self.first:
            reject([(("most",), "is shorter than the first wait; give a longer one")])
        return self


class PathOptions(Model):
    """The links to clients, or to the resource. They are streams. A fault acts on them only if it names that group."""

    latency: AnyDistribution = Field(default=_constant("1ms"), description="The one-way latency.")
    loss: Probability = Field(default=_USUAL.loss, description="The probability that a packet is lost.")

    def value(self) -> PathSpec:
        """The paths as the cluster knows them."""
        return PathSpec(latency=self.latency.value(), loss=self.loss)


class Clients(Model):
    """Clients of the cluster: a group of nodes, `group:clients`, with paths of their own."""

    nodes: Annotated[Integer, Field(ge=1, le=10_000)] = Field(default=1, description="The number of clients.")
    load: AnyLoad = Field(default=ThinkForm(think=_constant("10ms")), description="When each client sends requests.")
    start: Duration = Field(default=0, description="When the clients start.")
    reads: Probability = Field(default=0.0, description="The share of requests that read. The others write.")
    consistency: Consistency = Field(
        default=Consistency.DEFAULT,
        description="How a server with a log serves reads: leader, by its own belief; lease; read_index, after a "
        "majority has confirmed its lead; stale, from any server; default, as the algorithm's systems do it.",
    )
    stale_reads_for: Annotated[Duration, Field(gt=0)] | None = Field(
        default=None,
        description="Read-only mode: for how long a server that knows no leader, or a leader that has no quorum, "
        "answers reads from its own state, marked as stale. It refuses writes. null: there is no such mode.",
    )
    keys: Annotated[Integer, Field(ge=1, le=1_000_000)] = Field(
        default=1, description="The number of registers. Each request takes one of them at random."
    )
    size_bytes: Annotated[Integer, Field(ge=1, le=1 << 30)] = Field(default=100, description="The size of a write.")
    timeout: Annotated[Duration, Field(gt=0)] = Field(
        default=SECOND, description="How long a client waits for the answer to an attempt."
    )
    attempts: Annotated[Integer, Field(ge=1)] | None = Field(
        default=None, description="After how many attempts a client gives a request up; null: never."
    )
    backoff: ClientBackoff = Field(default=ClientBackoff(), description="How long a client waits between attempts.")
    finds: AnyFind = Field(default=LeaderForm(), description="Whom a client asks after a server that did not serve it.")
    servers: tuple[NodeName, ...] | None = Field(
        default=None, description="The servers that clients know; null: all.", examples=[["n1", "n2"]]
    )
    paths: PathOptions = Field(default=PathOptions(), description="The links between clients and servers.")

    def value(self) -> ClientsSpec:
        """The clients as the cluster knows them."""
        finds = self.finds
        return ClientsSpec(
            count=self.nodes,
            gaps=self.load.gaps(),
            closed_loop=isinstance(self.load, ThinkForm),
            start=self.start,
            reads=self.reads,
            consistency=self.consistency,
            stale_reads_for=self.stale_reads_for,
            keys=self.keys,
            size_bytes=self.size_bytes,
            timeout=self.timeout,
            attempts=self.attempts,
            backoff=self.backoff.value(),
            finds="next" if isinstance(finds, NextForm) else "leader",
            servers=tuple(map(node_id, self.servers or ())),
            address=_address(finds),
            paths=self.paths.value(),
        )


def _address(finds: Model) -> AddressSpec | None:
    if not isinstance(finds, AddressForm):
        return None
    return AddressSpec(delay=finds.address.value(), each_client=finds.each_client)


class LeaderResource(Model):
    """What leaders write to, `group:resource`: storage, a database, an API."""

    fencing: Literal["none", "token"] = Field(
        default="none",
        description="Whether the resource rejects a request whose token (the leader's term) is lower than one that it "
        "has seen.",
    )
    paths: PathOptions = Field(default=PathOptions(), description="The links between servers and the resource.")

    def value(self) -> ResourceSpec:
        """The resource as the cluster knows it."""
        return ResourceSpec(fencing=self.fencing, paths=self.paths.value())
