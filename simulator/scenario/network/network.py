"""How a scenario writes the network: latency, loss, duplication and bandwidth of links, and the transport."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    Field,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    model_serializer,
    model_validator,
)

from simulator.cluster.network.network import NetworkSpec, StreamSpec, Transport
from simulator.cluster.network.tcp.sockets import LONGEST_TIMEOUT
from simulator.protocol import Nanoseconds
from simulator.scenario.durations.distributions import AnyDistribution, ConstantForm
from simulator.scenario.durations.form import DistributionForm
from simulator.scenario.network.loss import AnyLoss, ProbabilityForm
from simulator.scenario.network.topology import AnyTopology, FullMeshForm
from simulator.scenario.text.errors import reject
from simulator.scenario.text.fields import Duration, Flag, Model, Probability
from simulator.scenario.text.rates import Rate
from simulator.scenario.text.units import format_duration

_USUAL = NetworkSpec()
_USUAL_STREAM = StreamSpec()


def _not_too_long(timeout: Nanoseconds) -> Nanoseconds:
    if timeout > LONGEST_TIMEOUT:
        longest = format_duration(LONGEST_TIMEOUT)
        raise ValueError(f"{format_duration(timeout)} is above {longest}, at which the timeout no longer doubles")
    return timeout


class Stream(Model):
    """How the connections of the stream transport behave (docs/transport.md)."""

    retransmit_after: Annotated[Duration, Field(gt=0), AfterValidator(_not_too_long)] = Field(
        default=_USUAL_STREAM.retransmit_after,
        description="The first retransmission timeout. Each further timeout is twice as long.",
    )
    give_up_after: Annotated[Duration, Field(gt=0)] = Field(
        default=_USUAL_STREAM.give_up_after,
        description="The time without an answer after which a connection is closed.",
    )
    notice: AnyDistribution = Field(
        default=ConstantForm(constant=0),
        description="How long a host takes to close the connections of a process that has died.",
    )
    open_at_start: Flag = Field(
        default=_USUAL_STREAM.open_at_start,
        description="true: a process opens its connections to all nodes when it starts; false: when it first sends.",
    )
    idle_timeout: Annotated[Duration, Field(gt=0)] | None = Field(
        default=_USUAL_STREAM.idle_timeout,
        description="A process drops a connection over which nothing has come for longer than this, at the next "
        "message that it sends or is to read. That message is lost. null: never.",
    )
    reopen_after: Annotated[Duration, Field(gt=0)] | None = Field(
        default=_USUAL_STREAM.reopen_after,
        description="The node of the higher number opens a connection when it starts and when the connection ends, "
        "but tries only this often. Messages without a connection are lost. null: a message opens a connection.",
    )

    def spec(self) -> StreamSpec:
        """The options in the form that the cluster uses."""
        return StreamSpec(
            retransmit_after=self.retransmit_after,
            give_up_after=self.give_up_after,
            notice=self.notice.value(),
            open_at_start=self.open_at_start,
            idle_timeout=self.idle_timeout,
            reopen_after=self.reopen_after,
        )


def _latency(data: dict[str, Any]) -> DistributionForm:
    """The default latency. With a topology it is 0, since the topology has a base latency."""
    return ConstantForm(constant="5ms" if isinstance(data.get("topology"), FullMeshForm) else 0)  # type: ignore[arg-type]


def _stream(data: dict[str, Any]) -> Stream | None:
    return Stream() if data.get("transport") is Transport.STREAM else None


def _default_if_null(stream: Stream | None, info: ValidationInfo) -> Stream | None:
    """Fill in the default if the transport is stream and the value is null, so that the resolved scenario shows it."""
    return _stream(info.data) if stream is None and "transport" in info.data else stream


class Network(Model):
    """The latency, loss, duplication and bandwidth of every link, and the transport of messages."""

    topology: AnyTopology = Field(
        default=FullMeshForm(),
        description="The zones in which nodes are, and a base latency from each zone to each zone.",
    )
    latency: AnyDistribution = Field(
        default_factory=_latency,
        description="The one-way latency, above the base of the topology. The default is 5ms; with a topology, 0.",
    )
    loss: AnyLoss = Field(
        default=ProbabilityForm(probability=0.0),
        description="The probability that a packet is lost, or a model of bursts.",
    )
    duplication: Probability = Field(default=0.0, description="The probability that a packet arrives twice.")
    bandwidth: Rate | None = Field(
        default=None,
        description="The bandwidth of each link and direction. Messages queue behind others; null: no limit.",
    )
    transport: Transport = Field(
        default=_USUAL.transport,
        description="datagram: each message may be lost, late or duplicated. stream: messages arrive in order, and "
        "lost ones are sent again. The default is datagram, or stream if the algorithm requires connections.",
    )
    stream: Annotated[Stream | None, AfterValidator(_default_if_null)] = Field(
        default_factory=_stream, description="The options of connections, for the transport stream only."
    )

    def over_streams(self) -> Network:
        """A copy of the network with the transport stream and its default options."""
        return self.model_copy(update={"transport": Transport.STREAM, "stream": Stream()})

    def zones(self) -> tuple[str, ...]:
        """The names of the zones. Empty if the network has no topology."""
        return self.topology.zones()

    def longest(self, nodes: int) -> Nanoseconds | None:
        """The longest latency of a packet in nanoseconds, in a cluster of this size. None if unbounded."""
        _, longest = self.latency.bounds()
        topology = self.topology.value(nodes)
        base = 0 if topology is None else max(max(row) for row in topology.base)
        return None if longest is None or self.bandwidth is not None else base + longest

    def spec(self, nodes: int) -> NetworkSpec:
        """The network in the form that a cluster of this size uses."""
        return NetworkSpec(
            latency=self.latency.value(),
            loss=self.loss.value(),
            duplication=self.duplication,
            topology=self.topology.value(nodes),
            bandwidth=self.bandwidth,
            transport=self.transport,
            stream=_USUAL_STREAM if self.stream is None else self.stream.spec(),
        )

    @model_validator(mode="after")
    def _check(self) -> Network:
        if self.stream is not None and self.transport is not Transport.STREAM:
            reject([(("stream",), "is for the transport stream only; write transport: stream, or leave this out")])
        if self.stream is None and self.transport is Transport.STREAM:  # The scenario says null.
            object.__setattr__(self, "stream", Stream())
        return self

    @model_serializer(mode="wrap")
    def _write(self, handler: SerializerFunctionWrapHandler) -> Any:
        written = handler(self)
        return written if self.stream is not None else {key: part for key, part in written.items() if key != "stream"}
