"""One trial: a cluster of virtual nodes on a simulated network, from its start to its end."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from simulator.cluster.clients.ledger import Ledger
from simulator.cluster.clients.nodes import ServingNode
from simulator.cluster.clients.outside import Outside
from simulator.cluster.clients.pathless import PathlessClient
from simulator.cluster.clients.spec import ClientsSpec
from simulator.cluster.control import ClusterControl
from simulator.cluster.distributions import durations
from simulator.cluster.fast_forward import FastForward, refusal
from simulator.cluster.faults.nemesis import run_nemesis
from simulator.cluster.faults.rng import RandomStreams
from simulator.cluster.faults.schedule import play
from simulator.cluster.kernel import EventLimitError, Kernel
from simulator.cluster.leadership import Connectivity
from simulator.cluster.memory import MemoryCheck
from simulator.cluster.network.network import Network, NetworkSpec, Transport
from simulator.cluster.network.supply import TooLongError
from simulator.cluster.network.tcp.kept_connections import KeptStreamNetwork
from simulator.cluster.network.tcp.stream_network import StreamNetwork
from simulator.cluster.node.node import Node
from simulator.cluster.node.peers import Peers
from simulator.cluster.observer import TrialObserver
from simulator.cluster.spec import ClusterSpec
from simulator.cluster.views import ViewedAlgorithm, ViewRecorder
from simulator.cluster.workload import run_workload
from simulator.protocol import Algorithm, Host, NodeId
from simulator.randomness import Streams
from simulator.trace.recorder import Recorder
from simulator.trace.trace import Trace


def run_trial(spec: ClusterSpec, seed: int, trial: int, *, journal: bool = False, views: bool = False) -> Trace:
    """Simulate one trial and return its trace.

    With `journal`, the trace also holds every message. With `views`, it also holds what each node shows of itself
    (`Algorithm.view`) after each change. The digest is the same with and without either.

    Raises EventLimitError for a trial of more events than `spec.event_limit`, and MemoryLimitError for one that takes
    more memory than `spec.memory_limit_bytes`.
    """
    try:
        return Cluster(spec, seed, trial, journal=journal, views=views).run()
    except _UnsureError:
        return Cluster(replace(spec, fast_forward=False), seed, trial).run()


class _UnsureError(Exception):
    """What was skipped may differ from the plain run, which decides.

    So many events were handled or skipped, some of which are not counted exactly, that the limit may be exceeded; or a
    skipped message travelled for longer than was taken for granted (`network.bounds`).
    """


def network_class(spec: NetworkSpec) -> type[Network]:
    """The network that does what the specification asks for, and nothing more."""
    if spec.transport is not Transport.STREAM:
        return Network
    keeps = spec.stream.idle_timeout is not None or spec.stream.reopen_after is not None
    return KeptStreamNetwork if keeps else StreamNetwork


class Cluster:
    """Assembles the parts of one trial, and runs them."""

    def __init__(self, spec: ClusterSpec, seed: int, trial: int, *, journal: bool = False, views: bool = False) -> None:
        self.spec = spec
        self.streams = Streams(seed, trial)
        self.kernel = Kernel()
        message_types = spec.registration.receive
        self.network = network_class(spec.network)(
            spec.network, self.kernel, self.streams, message_types, journal=journal
        )
        self.recorder = Recorder(self.network.traffic.messages, self.network.traffic.extra_bytes)
        self.groups: Mapping[str, Sequence[NodeId]] = spec.groups
        self.nodes: dict[NodeId, Node] = {}
        self.skipped_ns = 0  # How much simulated time was skipped (`fast_forward`).
        self.views = ViewRecorder(self.kernel, self.nodes) if views else None
        connectivity = Connectivity(self.nodes, self.network.rules)
        self.observer = TrialObserver(spec, self.kernel, self.recorder, connectivity)
        self.outside = None if spec.clients is None else self._build_outside(spec.clients)
        self.ledger = self._ledger()
        self.pathless: PathlessClient | None = None
        self.nodes.update((node.me, node) for group in self.groups for node in self._build_nodes(group))
        for node in spec.absent:
            self.network.host_died(self.network.interfaces[node])
        self.control = ClusterControl(
            registration=spec.registration,
            absent=spec.absent,
            kernel=self.kernel,
            network=self.network,
            nodes=self.nodes,
            recorder=self.recorder,
            trackers=self.observer.trackers,
            changed=self.observer.cluster_changed,
            outside=self.outside,
        )

    def run(self) -> Trace:
        """Simulate the trial, once, and return its trace. Raises EventLimitError and MemoryLimitError."""
        self._schedule()
        collecting = gc.isenabled()
        # Queue entries live for a short time and form no reference cycles. The search for cycles would cost a tenth of
        # the time.
        gc.disable()
        try:
            self._run_kernel()
        finally:
            if collecting:
                gc.enable()
        self.observer.scheduler.close()
        return self._trace()

    # --- Assembly

    def _build_nodes(self, group: str) -> Iterator[Node]:
        spec = self.spec
        write, service = spec.disk.write, spec.service
        members = tuple(self.groups[group])
        logs = self._logs(members) if group == spec.registration.group else {}
        serves = self.ledger is not None and group == spec.registration.group
        serving_class = spec.serving_class if serves else None
        build = partial(self._build_algorithm, serving_class or spec.registration.class_of(group))
        node_class: type[Node] = ServingNode if serves else Node
        for index, me in enumerate(members):
            node = node_class(
                me=me,
                peers=Peers(members, index),
                groups=self.groups,
                build=build,
                kernel=self.kernel,
                network=self.network,
                observer=self.observer,
                source=self.streams.python(f"n{me} algorithm"),
                durable=logs.get(me, {}),
                write_times=None if write is None else durations(write, self.streams, f"n{me} disk"),
                blocking_disk=spec.disk.blocking,
                service_times=None if service is None else durations(service, self.streams, f"n{me} service"),
            )
            if self.ledger is not None and isinstance(node, ServingNode):
                node.ledger = self.ledger
                if self.outside is not None:
                    self.outside.serve(node, self.observer.leadership, spec.registration)
            yield node

    def _ledger(self) -> Ledger | None:
        """Where requests are recorded; None if there are no clients, or only a workload that no log serves."""
        if self.outside is not None:
            return self.outside.ledger
        has_log = self.spec.workload is not None and self.spec.serving_class is not None
        return Ledger(self.kernel) if has_log else None

    def _proposer(self, ledger: Ledger | None) -> Callable[[int], None]:
        """What gives the leader the commands of a workload: a client without a path, if a log serves it."""
        if ledger is None or self.spec.serving_class is None:
            return self.control.propose
        taken = (*self.groups.values(), *self.spec.outside.values())
        self.pathless = PathlessClient(1 + sum(map(len, taken)), ledger, self.control)
        self.control.on_death = self.pathless.server_died
        for node in self.groups[self.spec.registration.group]:
            server = self.nodes[node]
            assert isinstance(server, ServingNode)
            server.pathless = self.pathless.on_reply
        return self.pathless.propose

    def _build_outside(self, clients: ClientsSpec) -> Outside:
        servers = self.groups[self.spec.registration.group]
        outside = Outside(clients, self.spec.resource_of_leaders, self.spec.outside, servers, self.kernel, self.streams)
        if outside.addresses:
            self.observer.on_claim = outside.on_claim
        return outside

    def _build_algorithm(self, algorithm: type[Algorithm], host: Host, durable: Mapping[str, Any]) -> Algorithm:
        built = algorithm(host, self.spec.config, durable)
        if self.views is None:
            return built
        self.views.forget(host.me)
        return ViewedAlgorithm(built, self.views.record)

    def _logs(self, members: Sequence[NodeId]) -> Mapping[NodeId, Mapping[str, Any]]:
        """What is on each node's disk at its first start: a log of the length that the scenario gives it."""
        logs, durable_log = self.spec.logs, self.spec.registration.durable_log
        if logs is None or durable_log is None:
            return {}
        lengths = list(logs.lengths)
        if logs.permuted:
            self.streams.python("logs").shuffle(lengths)
        return {node: durable_log(length) for node, length in zip(members, lengths, strict=True)}

    # --- The run

    def _schedule(self) -> None:
        """Put everything that begins by itself into the queue: nodes, faults, the nemesis and clients."""
        starts = durations(self.spec.start, self.streams, "start")
        for node, delay in zip(self.nodes, starts, strict=False):
            if node not in self.spec.absent:
                self.kernel.push(delay, self._start, node)
        control, scheduler = self.control, self.observer.scheduler
        for number, entry in enumerate(self.spec.faults, start=1):
            self.kernel.process(play(entry, control, scheduler, RandomStreams(self.streams, f"fault {number}")))
        if self.spec.nemesis is not None:
            fault_rng = RandomStreams(self.streams, "nemesis")
            self.kernel.process(run_nemesis(self.spec.nemesis, control, scheduler, fault_rng))
        if self.outside is not None:
            self.outside.schedule(control.start)
        if self.spec.workload is not None:
            propose = self._proposer(self.ledger)
            self.kernel.process(run_workload(self.spec.workload, propose, self.kernel.timeout, self.streams))

    def _start(self, node: NodeId, _: None) -> None:
        # Start the node, unless a fault has started it already.
        if not self.nodes[node].running and self.nodes[node].incarnation == 0:
            self.control.start(node)

    def _run_kernel(self) -> None:
        memory, end_ns, event_limit = self._memory_check(), self.spec.duration, self.spec.event_limit
        if not self._may_skip:
            self.kernel.run_until(end_ns, event_limit, memory.check, memory.events_between)
            return
        forward = FastForward(self.kernel, self.network, self.nodes, self.recorder.rows, memory)
        try:
            self.kernel.run_until(end_ns, event_limit, forward.look, forward.events_between)
        except (EventLimitError, TooLongError) as error:
            raise _UnsureError from error
        if self.kernel.events_left <= forward.unsure_events:
            raise _UnsureError
        self.skipped_ns = forward.skipped_ns

    @property
    def _may_skip(self) -> bool:
        """Whether keep-alives may be skipped. A trial with a journal or views shows each."""
        shows_each = self.network.journal is not None or self.views is not None
        return self.spec.fast_forward and not shows_each and refusal(self.spec) is None

    def _memory_check(self) -> MemoryCheck:
        return MemoryCheck(
            self.spec.memory_limit_bytes,
            len(self.nodes),
            self.spec.registration.bytes_per_pair,
            queue=self.kernel._queue,
            rows=self.recorder.rows,
        )

    def _trace(self) -> Trace:
        traffic, ledger = self.network.traffic, self.ledger
        if ledger is not None:
            ledger.close()
        return Trace(
            rows=tuple(self.recorder.rows),
            end_ns=int(self.kernel.now),
            groups=self.groups,
            primary_group=self.spec.registration.group,
            message_types=tuple(kind.__name__ for kind in traffic.kinds),
            sent=tuple(traffic.messages),
            usual_bytes=tuple(layout.usual_bytes for layout in traffic.layouts),
            extra_bytes=tuple(traffic.extra_bytes),
            messages=tuple(self.network.journal or ()),
            views=() if self.views is None else tuple(self.views.rows),
            without_effect=tuple(self.observer.scheduler.without_effect),
            clients=() if ledger is None else tuple(ledger.clients),
            pathless_client=None if self.pathless is None else self.pathless.me,
            requests=() if ledger is None else tuple(ledger.requests),
            writes=() if ledger is None else tuple(ledger.writes),
        )
