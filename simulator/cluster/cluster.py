"""One trial: a cluster of virtual nodes on a simulated network, from its start to its end."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from simulator.cluster.distributions import durations
from simulator.cluster.faults.nemesis import run_nemesis
from simulator.cluster.faults.rng import RandomStreams
from simulator.cluster.faults.schedule import LEADER_ANNOUNCED, LEADER_ELECTED, LEADER_LOST, play
from simulator.cluster.faults.scheduler import TrialFaultScheduler
from simulator.cluster.kernel import Kernel
from simulator.cluster.leadership import Claim, LeadershipTracker, QuorumRule
from simulator.cluster.memory import MemoryCheck
from simulator.cluster.network.network import Network, Transport
from simulator.cluster.network.rules import LinkRule
from simulator.cluster.network.tcp.stream_network import StreamNetwork
from simulator.cluster.node.clock import Skew
from simulator.cluster.node.node import Node
from simulator.cluster.node.peers import Peers
from simulator.cluster.spec import ClusterSpec
from simulator.cluster.stop import StopWhen
from simulator.cluster.views import ViewedAlgorithm, ViewRecorder
from simulator.cluster.workload import ask
from simulator.protocol import LEADER, Algorithm, Host, Nanoseconds, NodeId, Role
from simulator.randomness import Streams
from simulator.trace import event_types
from simulator.trace.recorder import Recorder
from simulator.trace.trace import Trace

_STATES: Mapping[str, Callable[[Node], bool]] = {
    "present": lambda _: True,
    "running": lambda node: node.running,
    "awake": lambda node: node.awake,
    "paused": lambda node: node.paused,
    "down": lambda node: not node.running,
}
_SUSPICIONS = {
    event_types.SUSPECTED: "leader",
    event_types.SUSPECTS: "node",
}  # Notes, and the field that says who is suspected.


def run_trial(spec: ClusterSpec, seed: int, trial: int, *, journal: bool = False, views: bool = False) -> Trace:
    """Simulate one trial and return its trace.

    With `journal`, the trace also holds every message. With `views`, it also holds what each node shows of itself
    (`Algorithm.view`) after each change. The digest is the same with and without either.

    Raises EventLimitError for a trial of more events than `spec.event_limit`, and MemoryLimitError for one that takes
    more memory than `spec.memory_limit_bytes`.
    """
    return Cluster(spec, seed, trial, journal=journal, views=views).run()


class Cluster:
    """The nodes, their network and what befalls them: the `ClusterControl` of faults and the `Observer` of nodes."""

    def __init__(self, spec: ClusterSpec, seed: int, trial: int, *, journal: bool = False, views: bool = False) -> None:
        self.spec = spec
        self.streams = Streams(seed, trial)
        self.kernel = Kernel()
        message_types = spec.registration.receive
        carrier = StreamNetwork if spec.network.transport is Transport.STREAM else Network
        self.network = carrier(spec.network, self.kernel, self.streams, message_types, journal=journal)
        self.recorder = Recorder(self.network.traffic.messages, self.network.traffic.extra_bytes)
        self.group = spec.registration.group
        self.groups: Mapping[str, Sequence[NodeId]] = spec.groups
        self.nodes: dict[NodeId, Node] = {}
        self.views = ViewRecorder(self.kernel, self.nodes) if views else None
        self.nodes.update((node.me, node) for group in self.groups for node in self._build_nodes(group))
        for node in spec.absent:
            self.network.host_died(self.network.interfaces[node])
        self.trackers = {group: self._track_leadership(group) for group in self.groups}
        self.leadership = self.trackers[self.group]
        self._named: dict[NodeId, NodeId | None] = {}  # The leader that each running node knows of.
        nemeses = int(spec.nemesis is not None)
        self.scheduler = TrialFaultScheduler(self.kernel, spec.faults, nemeses, self._note_fault, self._stop_if_done)
        self._awaits_announcement = any(entry.after == LEADER_ANNOUNCED for entry in spec.faults)
        self._announced: Claim | None = None

    def _build_nodes(self, group: str) -> Iterator[Node]:
        spec = self.spec
        write, service = spec.disk.write, spec.service
        members = tuple(self.groups[group])
        logs = self._logs(members) if group == self.group else {}
        build = partial(self._build_algorithm, spec.registration.class_of(group))
        for index, me in enumerate(members):
            yield Node(
                me=me,
                peers=Peers(members, index),
                groups=self.groups,
                build=build,
                kernel=self.kernel,
                network=self.network,
                observer=self,
                source=self.streams.python(f"n{me} algorithm"),
                durable=logs.get(me, {}),
                write_times=None if write is None else durations(write, self.streams, f"n{me} disk"),
                blocking_disk=spec.disk.blocking,
                service_times=None if service is None else durations(service, self.streams, f"n{me} service"),
            )

    def _build_algorithm(self, algorithm: type[Algorithm], host: Host, durable: Mapping[str, Any]) -> Algorithm:
        built = algorithm(host, self.spec.config, durable)
        if self.views is None:
            return built
        self.views.forget(host.me)
        return ViewedAlgorithm(built, self.views.record)

    def _track_leadership(self, group: str) -> LeadershipTracker:
        quorum, served_by = self.spec.registration.needs(group)
        quorum_rule = QuorumRule(quorum=quorum, servers=None if served_by is None else self.groups[served_by])
        return LeadershipTracker(self.groups[group], quorum_rule, self, partial(self._record_leadership, group))

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
        memory = self._memory_check()
        collecting = gc.isenabled()
        gc.disable()  # Entries die young and in no cycles: looking for cycles costs a tenth of the time.
        try:
            self.kernel.run_until(self.spec.duration, self.spec.event_limit, memory.check, memory.events_between)
        finally:
            if collecting:
                gc.enable()
        self.scheduler.close()
        traffic = self.network.traffic
        return Trace(
            rows=tuple(self.recorder.rows),
            end_ns=int(self.kernel.now),
            groups=self.groups,
            primary_group=self.group,
            message_types=tuple(kind.__name__ for kind in traffic.kinds),
            sent=tuple(traffic.messages),
            usual_bytes=tuple(layout.usual_bytes for layout in traffic.layouts),
            extra_bytes=tuple(traffic.extra_bytes),
            messages=tuple(self.network.journal or ()),
            views=() if self.views is None else tuple(self.views.rows),
        )

    def _memory_check(self) -> MemoryCheck:
        return MemoryCheck(
            self.spec.memory_limit_bytes,
            len(self.nodes),
            self.spec.registration.bytes_per_pair,
            queue=self.kernel._queue,
            rows=self.recorder.rows,
        )

    def _schedule(self) -> None:
        starts = durations(self.spec.start, self.streams, "start")
        for node, delay in zip(self.nodes, starts, strict=False):
            if node not in self.spec.absent:
                self.kernel.push(delay, self._start_on_time, node)
        for number, entry in enumerate(self.spec.faults, start=1):
            self.kernel.process(play(entry, self, self.scheduler, RandomStreams(self.streams, f"fault {number}")))
        if self.spec.nemesis is not None:
            self.kernel.process(
                run_nemesis(self.spec.nemesis, self, self.scheduler, RandomStreams(self.streams, "nemesis"))
            )
        if self.spec.workload is not None:
            self.kernel.process(ask(self.spec.workload, self._propose, self.kernel.timeout, self.streams))

    # --- What faults ask for (`ClusterControl`)

    def leader(self, group: str | None = None) -> NodeId | None:
        return self.trackers[group or self.group].leader

    def members(self, group: str | None = None) -> Sequence[NodeId]:
        return self.groups[group or self.group]

    def voters(self) -> Sequence[NodeId]:
        return self.leadership.electorate

    def nodes_in_state(self, state: str) -> Sequence[NodeId]:
        """The nodes that are `running` (paused or not), `awake`, `paused`, `down`, or `present` in any state."""
        here = [node for node in self.nodes.values() if node.me not in self.spec.absent]
        return [node.me for node in here if _STATES[state](node)]

    def zone(self, name: str) -> Sequence[NodeId]:
        topology = self.spec.network.topology
        return () if topology is None else topology.nodes_in(name)

    def zone_of(self, node: NodeId) -> str | None:
        topology = self.spec.network.topology
        return None if topology is None else topology.zone_of(node)

    def disruptions(self, node: NodeId) -> int:
        return self.nodes[node].disruptions

    def start(self, node: NodeId) -> None:
        self.recorder.note(self._now(), event_types.STARTED, node, {"incarnation": self.nodes[node].incarnation})
        self.nodes[node].start()
        self._changed()

    def crash(self, node: NodeId) -> None:
        self.nodes[node].crash()
        self._died(node, event_types.CRASH, {})

    def kill(self, node: NodeId) -> None:
        self.nodes[node].kill()
        self._died(node, event_types.KILL, {"cause": event_types.KILL})

    def pause(self, node: NodeId) -> None:
        self.nodes[node].pause()
        self.recorder.note(self._now(), event_types.PAUSED, node, {})
        self._changed()

    def resume(self, node: NodeId) -> None:
        self.recorder.note(self._now(), event_types.RESUMED, node, {})
        self.nodes[node].paused = False
        self._recheck()  # The leader is back before it hears what has happened meanwhile.
        self.nodes[node].resume()
        self._changed()

    def wipe(self, node: NodeId) -> None:
        self.nodes[node].durable = {}

    def command(self, node: NodeId, verb: str, argument: object) -> None:
        self.nodes[node].command(self.spec.registration.commands[verb](argument))

    def slow_node(self, node: NodeId, service_times: Iterator[int]) -> Callable[[], None]:
        self.nodes[node].slow(service_times)
        return lambda: self.nodes[node].hasten(service_times)

    def slow_disk(self, node: NodeId, write_times: Iterator[int]) -> Callable[[], None]:
        times = self.nodes[node].disk.times
        times.add(write_times)
        return lambda: times.remove(write_times)

    def stall_disk(self, node: NodeId) -> Callable[[], None]:
        self.nodes[node].disk.stall()
        return self.nodes[node].disk.unstall

    def skew_clock(self, node: NodeId, skew: Skew) -> Callable[[], None]:
        self.nodes[node].skew(skew)
        return lambda: self.nodes[node].unskew(skew)

    def add_rule(self, rule: LinkRule) -> None:
        self.network.add_rule(rule)
        self._changed()

    def remove_rule(self, rule: LinkRule) -> bool:
        removed = self.network.remove_rule(rule)
        if removed:
            self._changed()
        return removed

    def remove_labelled(self, label: str | None, kind: type[LinkRule] = LinkRule) -> None:
        labelled = self.network.rules.labelled(label)
        self.network.remove_rule(*(rule for rule in labelled if isinstance(rule, kind)))
        self._changed()

    def switch(self, rule: LinkRule, stops: bool) -> bool:
        if rule not in self.network.rules.in_force:
            return False
        rule.stops = stops
        self._changed()
        return True

    def call_after(self, delay_ns: Nanoseconds, call: Callable[[], None]) -> None:
        self.kernel.push(self._now() + delay_ns, lambda _, __: call())

    # --- What nodes declare (`Observer`)

    def on_transition(self, node: NodeId, role: Role, term: int, leader: NodeId | None, group: str) -> None:
        self.recorder.transition(self._now(), event_types.TRANSITION, node, term, role, leader, group)
        leadership, headline = self.trackers[group], group == self.group
        if headline:
            self._named[node] = leader
        if role is LEADER:
            newly = node not in leadership.claims
            leadership.claimed(node, term, self._now())
            if newly and headline:
                self.scheduler.happened(LEADER_ELECTED)
            self._changed()
        else:
            leadership.stepped_down(node)
            self._stop_if_done()
        self._look_for_announcement()

    def on_note(self, node: NodeId, kind: str, fields: Mapping[str, object]) -> None:
        if kind in _SUSPICIONS and self._is_cut_off(node, fields[_SUSPICIONS[kind]]):
            fields = {**fields, "cut_off": True}
        self.recorder.note(self._now(), kind, node, fields)
        if kind == event_types.CONFIGURATION:
            self._tracker_of(node).configured(node, fields)

    # --- What is known of paths (`Connectivity`)

    def awake(self, node: NodeId) -> bool:
        return self.nodes[node].awake

    def reachable_both_ways(self, one: NodeId, other: NodeId) -> bool:
        return self.network.rules.reachable_both_ways(one, other)

    # --- Inside

    def _propose(self, size: int) -> None:
        """A client's command reaches the leader; where nobody leads, or the leader is not awake, it is given up."""
        leader, propose = self.leadership.leader, self.spec.registration.commands.get("propose")
        if leader is not None and self.nodes[leader].awake and propose is not None:
            self.nodes[leader].command(propose(size))

    def _now(self) -> int:
        return int(self.kernel._now)

    def _note_fault(self, kind: str, detail: Mapping[str, object]) -> None:
        self.recorder.note(self._now(), kind, None, detail)

    def _tracker_of(self, node: NodeId) -> LeadershipTracker:
        return self.trackers[next(group for group, members in self.groups.items() if node in members)]

    def _record_leadership(self, group: str, kind: str, leader: NodeId, cause: str) -> None:
        self.recorder.note(self._now(), kind, leader, {"cause": cause})
        if kind == event_types.LEADER_LOST and group == self.group:
            self.scheduler.happened(LEADER_LOST)

    def _died(self, node: NodeId, cause: str, detail: Mapping[str, object]) -> None:
        self._named.pop(node, None)
        self.recorder.note(self._now(), event_types.CRASHED, node, detail)
        self._tracker_of(node).died(node, cause)
        self._changed()

    def _is_cut_off(self, node: NodeId, other: object) -> bool:
        """Whether a node cannot talk with another that is awake: with it, or with the servers of both."""
        if not isinstance(other, NodeId) or not self.awake(other):
            return False
        if self.spec.registration.served_by is not None and node in self.groups[self.group]:
            return not (self.leadership.has_quorum(node) and self.leadership.has_quorum(other))
        return not self.reachable_both_ways(node, other)

    def _look_for_announcement(self) -> None:
        """By a transition; or because whoever has not heard of the leader is gone, or cut off."""
        if not self._awaits_announcement:
            return
        claim = self.leadership.untroubled
        if claim is not None and claim != self._announced and self._is_announced(claim.node):
            self._announced = claim
            self.scheduler.happened(LEADER_ANNOUNCED)

    def _recheck(self) -> None:
        for leadership in self.trackers.values():
            leadership.recheck()

    def _changed(self) -> None:
        self._recheck()
        self.scheduler.tell_change()
        self._look_for_announcement()
        self._stop_if_done()

    def _start_on_time(self, node: NodeId, _: None) -> None:
        if not self.nodes[node].running and self.nodes[node].incarnation == 0:  # No fault has started it before.
            self.start(node)

    def _stop_if_done(self) -> None:
        claim = self.leadership.untroubled
        if self.spec.stop_when is None or self.scheduler.to_come or claim is None:
            return
        if self.spec.stop_when is StopWhen.LEADER_STABLE:
            stable_ns = max(self._now(), claim.since_ns + self.spec.stable_after)
            self.kernel.push(stable_ns, self._stop_if_still, claim)
        elif self.spec.stop_when is StopWhen.LEADER_CLAIMED or self._is_announced(claim.node):
            self.kernel.stop()

    def _stop_if_still(self, claim: Claim, _: None) -> None:
        if claim == self.leadership.untroubled:
            self.kernel.stop()

    def _is_announced(self, leader: NodeId) -> bool:
        """Whether every member that can hear of this leader, and answer, names it."""
        members = self.leadership.members_of(leader)
        hearers = (node for node in self.nodes_in_state("awake") if node in members and self._hears(node, leader))
        return all(self._named.get(node) == leader for node in hearers)

    def _hears(self, node: NodeId, leader: NodeId) -> bool:
        """Whether a node can hear of a leader: from it, or from the servers that both talk to."""
        if self.spec.registration.served_by is None:
            return self.reachable_both_ways(leader, node)
        return self.leadership.has_quorum(node)
