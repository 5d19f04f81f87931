"""One trial: a cluster of virtual nodes on a simulated network, from its start to its end."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from simulator.cluster.distributions import durations
from simulator.cluster.electorate import Others
from simulator.cluster.faults import play
from simulator.cluster.kernel import Kernel
from simulator.cluster.links import Cut
from simulator.cluster.network import JournallingNetwork, Network
from simulator.cluster.node import Node
from simulator.cluster.reign import Claim, Reign
from simulator.cluster.spec import ClusterSpec
from simulator.cluster.stop import StopWhen
from simulator.protocol import LEADER, Host, NodeId, Role
from simulator.randomness import Streams
from simulator.trace import kinds
from simulator.trace.recorder import Recorder
from simulator.trace.trace import Trace

_STATES: Mapping[str, Callable[[Node], bool]] = {
    "present": lambda _: True,
    "running": lambda node: node.running,
    "awake": lambda node: node.awake,
    "paused": lambda node: node.paused,
    "down": lambda node: not node.running,
}


def run_trial(spec: ClusterSpec, seed: int, trial: int, *, journal: bool = False) -> Trace:
    """Simulate one trial. With `journal`, the trace also holds every message; its digest is the same.

    Raises EventLimitError for a runaway.
    """
    return Cluster(spec, seed, trial, journal=journal).run()


class Cluster:
    """The nodes, their network and what befalls them: the `Patient` of faults and the `Observer` of nodes."""

    def __init__(self, spec: ClusterSpec, seed: int, trial: int, *, journal: bool = False) -> None:
        self.spec = spec
        self.streams = Streams(seed, trial)
        self.kernel = Kernel()
        message_types = list(spec.registration.algorithm.receive)
        self.network = (JournallingNetwork if journal else Network)(
            spec.network, self.kernel, self.streams, message_types
        )
        self.recorder = Recorder(self.network.sent)
        members = tuple(range(1, spec.nodes + 1))
        self.group = spec.registration.group
        self.directory: Mapping[str, Sequence[NodeId]] = {self.group: members}
        self.nodes = self._build_nodes(members)
        self.reign = Reign(members, lambda node: self.nodes[node].awake, self.network.links.two_way, self._record_reign)
        self._named: dict[NodeId, NodeId | None] = {}  # The leader that each running node knows of.
        self._change = self.kernel.event()
        self._faults_to_come = len(spec.faults)

    def _build_nodes(self, members: tuple[NodeId, ...]) -> dict[NodeId, Node]:
        spec = self.spec
        write = spec.disk.write
        logs = self._logs(members)
        return {
            me: Node(
                me=me,
                peers=Others(members, index),
                directory=self.directory,
                build=self._build_algorithm,
                kernel=self.kernel,
                network=self.network,
                observer=self,
                source=self.streams.python(f"n{me} algorithm"),
                durable=logs.get(me, {}),
                write_times=None if write is None else durations(write, self.streams, f"n{me} disk"),
                blocking_disk=spec.disk.blocking,
            )
            for index, me in enumerate(members)
        }

    def _build_algorithm(self, host: Host, durable: Mapping[str, Any]) -> Any:
        return self.spec.registration.algorithm(host, self.spec.config, durable)

    def _logs(self, members: Sequence[NodeId]) -> Mapping[NodeId, Mapping[str, Any]]:
        logs, durable_log = self.spec.logs, self.spec.registration.durable_log
        if logs is None or durable_log is None:
            return {}
        lengths = list(logs.lengths)
        if logs.permuted:
            self.streams.python("logs").shuffle(lengths)
        return {node: durable_log(length) for node, length in zip(members, lengths, strict=True)}

    def run(self) -> Trace:
        self._schedule()
        collecting = gc.isenabled()
        gc.disable()  # Entries die young and in no cycles: looking for cycles costs a tenth of the time.
        try:
            self.kernel.run_until(self.spec.duration, self.spec.event_limit)
        finally:
            if collecting:
                gc.enable()
        return Trace(
            rows=tuple(self.recorder.rows),
            end_ns=int(self.kernel.now),
            groups=self.directory,
            headline_group=self.group,
            message_types=tuple(kind.__name__ for kind in self.network.sent),
            sent=tuple(self.network.sent.values()),
            messages=tuple(self.network.journal) if isinstance(self.network, JournallingNetwork) else (),
        )

    def _schedule(self) -> None:
        starts = durations(self.spec.start, self.streams, "start")
        for node, delay in zip(self.nodes, starts, strict=False):
            if node not in self.spec.absent:
                self.kernel.push(delay, self._start_on_time, node)
        for number, scheduled in enumerate(self.spec.faults, start=1):
            at_ns = next(durations(scheduled.at, self.streams, f"fault {number} at"))
            source = self.streams.python(f"fault {number} targets")
            self.kernel.process(play(scheduled.fault, at_ns, self, source, self.kernel.timeout))

    # --- What faults ask for (`Patient`)

    def leader(self) -> NodeId | None:
        return self.reign.leader

    def size(self) -> int:
        return self.spec.nodes

    def where(self, state: str) -> Sequence[NodeId]:
        """The nodes that are `running` (paused or not), `awake`, `paused`, `down`, or `present` in any state."""
        here = [node for node in self.nodes.values() if node.me not in self.spec.absent]
        return [node.me for node in here if _STATES[state](node)]

    def start(self, node: NodeId) -> None:
        self.recorder.note(self._now(), kinds.STARTED, node, {"incarnation": self.nodes[node].incarnation})
        self.nodes[node].start()
        self._changed()

    def crash(self, node: NodeId) -> None:
        self.nodes[node].crash()
        self._named.pop(node, None)
        self.recorder.note(self._now(), kinds.CRASHED, node, {})
        self.reign.crashed(node)
        self._changed()

    def pause(self, node: NodeId) -> None:
        self.nodes[node].pause()
        self.recorder.note(self._now(), kinds.PAUSED, node, {})
        self._changed()

    def resume(self, node: NodeId) -> None:
        self.recorder.note(self._now(), kinds.RESUMED, node, {})
        self.nodes[node].paused = False
        self.reign.recheck()  # The leader is back before it hears what has happened meanwhile.
        self.nodes[node].resume()
        self._changed()

    def wipe(self, node: NodeId) -> None:
        self.nodes[node].durable = {}

    def cut(self, cut: Cut, name: str | None = None) -> None:
        self.network.cut(cut, name)
        self._changed()

    def heal(self, name: str | None = None) -> None:
        self.network.heal(name)
        self._changed()

    def changed(self) -> Any:
        """An event that succeeds when anything changes that a target may depend on."""
        return self._change

    def struck(self, fault: str, nodes: object) -> None:
        self._faults_to_come -= 1
        self.recorder.note(self._now(), kinds.FAULT, None, {"fault": fault, "nodes": nodes})
        self._stop_if_done()

    # --- What nodes declare (`Observer`)

    def on_transition(self, node: NodeId, role: Role, term: int, leader: NodeId | None, group: str) -> None:
        self.recorder.transition(self._now(), kinds.TRANSITION, node, term, role, leader, group)
        self._named[node] = leader
        if role is LEADER:
            self.reign.claimed(node, term, self._now())
            self._changed()
        else:
            self.reign.stepped_down(node)
            self._stop_if_done()

    def on_note(self, node: NodeId, kind: str, fields: Mapping[str, object]) -> None:
        self.recorder.note(self._now(), kind, node, fields)

    # --- Inside

    def _now(self) -> int:
        return int(self.kernel._now)

    def _record_reign(self, kind: str, leader: NodeId, cause: str) -> None:
        self.recorder.note(self._now(), kind, leader, {"cause": cause})

    def _changed(self) -> None:
        self.reign.recheck()
        change, self._change = self._change, self.kernel.event()
        change.succeed()
        self._stop_if_done()

    def _start_on_time(self, node: NodeId, _: None) -> None:
        if not self.nodes[node].running and self.nodes[node].incarnation == 0:  # No fault has started it before.
            self.start(node)

    def _stop_if_done(self) -> None:
        claim = self.reign.untroubled
        if self.spec.stop_when is None or self._faults_to_come or claim is None:
            return
        if self.spec.stop_when is StopWhen.LEADER_STABLE:
            stable_ns = max(self._now(), claim.since_ns + self.spec.stable_after)
            self.kernel.push(stable_ns, self._stop_if_still, claim)
        elif self.spec.stop_when is StopWhen.LEADER_CLAIMED or self._is_announced(claim.node):
            self.kernel.stop()

    def _stop_if_still(self, claim: Claim, _: None) -> None:
        if claim == self.reign.untroubled:
            self.kernel.stop()

    def _is_announced(self, leader: NodeId) -> bool:
        """Whether everybody who can hear of this leader, and answer, names it."""
        hearers = (node for node in self.where("awake") if self.network.links.two_way(leader, node))
        return all(self._named.get(node) == leader for node in hearers)
