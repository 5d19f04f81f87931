"""What faults, operators and clients may do to a running cluster, and what they may know of it."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence

from simulator.algorithms.registration import Registration
from simulator.cluster.clients.nodes import ServingNode
from simulator.cluster.clients.outside import Outside
from simulator.cluster.kernel import Kernel
from simulator.cluster.leadership import LeadershipTracker
from simulator.cluster.network.network import Network
from simulator.cluster.network.rules import LinkRule
from simulator.cluster.node.clock import Skew
from simulator.cluster.node.node import Node
from simulator.protocol import Message, Nanoseconds, NodeId
from simulator.trace import event_types
from simulator.trace.recorder import Recorder

_STATES: Mapping[str, Callable[[Node], bool]] = {
    "present": lambda _: True,
    "running": lambda node: node.running,
    "awake": lambda node: node.awake,
    "paused": lambda node: node.paused,
    "down": lambda node: not node.running,
}


class ClusterControl:
    """The cluster as faults see it: what they need to find their targets, and what they may do to nodes and links.

    Each action is written to the trace where the trace has a row for it. `changed` is called after each action that may
    change who can lead or which nodes a target means.
    """

    def __init__(
        self,
        *,
        registration: Registration,
        absent: Container[NodeId],
        kernel: Kernel,
        network: Network,
        nodes: Mapping[NodeId, Node],
        recorder: Recorder,
        trackers: Mapping[str, LeadershipTracker],
        changed: Callable[[], None],
        outside: Outside | None = None,
    ) -> None:
        self._commands = registration.commands
        self._absent = absent
        self._kernel = kernel
        self._network = network
        self.on_death: Callable[[NodeId], None] | None = None  # Called when a node of the cluster crashes or is killed.
        self._inside = nodes
        self._outside = outside
        self._nodes = nodes if outside is None else {**nodes, **outside.nodes}
        self._recorder = recorder
        self._trackers = trackers
        self._changed = changed
        self._primary_group = registration.group
        self._tracker_of = {node: tracker for tracker in trackers.values() for node in tracker.members}

    # --- What a fault needs to find its targets

    def leader(self, group: str | None = None) -> NodeId | None:
        """The current leader of a group, or None. Without a name, the primary group is meant."""
        return self._trackers[group or self._primary_group].leader

    def members(self, group: str | None = None) -> Sequence[NodeId]:
        """All nodes of a group, whatever their state. Without a name, the primary group is meant."""
        if self._outside is not None and group is not None and group in self._outside.groups:
            return self._outside.groups[group]
        return self._trackers[group or self._primary_group].members

    def voters(self) -> Sequence[NodeId]:
        """The members whose majority counts, in the configuration that the current leader uses."""
        return self._trackers[self._primary_group].voters

    def nodes_in_state(self, state: str) -> Sequence[NodeId]:
        """The nodes that are `running` (paused or not), `awake` (running and not paused), `paused`, `down`, or
        `present` (in any state). Nodes that are absent from the cluster are never among them.
        """
        present = [node for node in self._inside.values() if node.me not in self._absent]
        return [node.me for node in present if _STATES[state](node)]

    def outside_in_state(self, state: str) -> Sequence[NodeId]:
        """The same of the nodes outside the cluster: clients, and the resource. Only `group:` targets mean them."""
        nodes = () if self._outside is None else self._outside.nodes.values()
        return [node.me for node in nodes if _STATES[state](node)]

    def zone(self, name: str) -> Sequence[NodeId]:
        """The nodes in a zone."""
        topology = self._network.spec.topology
        return () if topology is None else topology.nodes_in(name)

    def zone_of(self, node: NodeId) -> str | None:
        """The zone of a node; None if there are no zones."""
        topology = self._network.spec.topology
        return None if topology is None else topology.zone_of(node)

    def disruptions(self, node: NodeId) -> int:
        """How often the node has died or been paused. A repair compares it with its value at the injection, so that it
        ends only the crash or the pause that it belongs to.
        """
        return self._nodes[node].disruptions

    # --- Processes and hosts

    def start(self, node: NodeId) -> None:
        """Start the process of a node that is down."""
        self._note(event_types.STARTED, node, {"incarnation": self._nodes[node].incarnation})
        if self._outside is not None:
            self._outside.server_started(node)
        self._nodes[node].start()
        self._changed()

    def crash(self, node: NodeId) -> None:
        """End a node's process and silence its host: no peer is told."""
        self._nodes[node].crash()
        if self._outside is not None:
            self._outside.host_died(node)
        self._record_death(node, event_types.CRASH, {})

    def kill(self, node: NodeId) -> None:
        """End a node's process only: its host closes the process's connections."""
        self._nodes[node].kill()
        if self._outside is not None:
            self._outside.process_died(node)
        self._record_death(node, event_types.KILL, {"cause": event_types.KILL})

    def wipe(self, node: NodeId) -> None:
        """Empty the disk of a node that is down."""
        self._nodes[node].durable = {}

    def pause(self, node: NodeId) -> None:
        """Stop a node's process without ending it: what arrives waits until `resume`."""
        self._nodes[node].pause()
        self._note(event_types.PAUSED, node)
        self._changed()

    def resume(self, node: NodeId) -> None:
        """Let a paused node handle everything that came due during the pause."""
        self._note(event_types.RESUMED, node)
        self._nodes[node].paused = False
        for tracker in self._trackers.values():
            tracker.recheck()  # The leader counts as back before it handles the inputs that came due during the pause.
        self._nodes[node].resume()
        if node in self._inside:
            self._network.process_resumed(self._network.interfaces[node])
        self._changed()

    # --- Operators and clients

    def command(self, node: NodeId, name: str, argument: object) -> None:
        """Give a node one of the commands that its algorithm takes (`Registration.commands`)."""
        self._nodes[node].command(self._commands[name](argument))

    def request(self, node: NodeId, client: NodeId, request: Message) -> None:
        """Give a server a request of a client without a path (`ServingNode.request_at_once`)."""
        server = self._nodes[node]
        assert isinstance(server, ServingNode)
        server.request_at_once(client, request)

    def propose(self, size_bytes: int) -> None:
        """Give the leader a client's command of this size. The command is dropped if no leader is awake."""
        leader = self.leader()
        if leader is not None and self._nodes[leader].awake and "propose" in self._commands:
            self.command(leader, "propose", size_bytes)

    # --- Slowdowns and wrong clocks: each adds its part to those in force, and returns the call that removes it again

    def slow_node(self, node: NodeId, service_times: Iterator[int]) -> Callable[[], None]:
        """Add a duration to the handling of every message."""
        self._nodes[node].add_service_times(service_times)
        return lambda: self._nodes[node].remove_service_times(service_times)

    def slow_disk(self, node: NodeId, write_times: Iterator[int]) -> Callable[[], None]:
        """Add a duration to every write."""
        times = self._nodes[node].disk.times
        times.add(write_times)
        return lambda: times.remove(write_times)

    def disk_activity(self, nodes: Sequence[NodeId]) -> int:
        """How many writes of these nodes have begun or come due so far, on disks that take time or have stalled."""
        return sum(self._nodes[node].disk.activity for node in nodes)

    def stall_disk(self, node: NodeId) -> Callable[[], None]:
        """Let no write finish."""
        self._nodes[node].disk.stall()
        return self._nodes[node].disk.unstall

    def skew_clock(self, node: NodeId, skew: Skew) -> Callable[[], None]:
        """Let a node's clocks run wrong."""
        self._nodes[node].add_skew(skew)
        return lambda: self._nodes[node].remove_skew(skew)

    # --- Links

    def add_rule(self, rule: LinkRule) -> None:
        """Put a rule in force on the links that it selects. It holds for clients and the resource if it names them."""
        self._network.add_rule(rule)
        if self._outside is not None:
            self._outside.add_rule(rule)
        self._changed()

    def remove_rule(self, rule: LinkRule) -> bool:
        """Remove a rule. False if it was removed before."""
        removed = self._remove(rule)
        if removed:
            self._changed()
        return removed

    def remove_labelled(self, label: str | None, kind: type[LinkRule] = LinkRule) -> None:
        """Remove all rules of this kind and this label; without a label, all of this kind."""
        labelled = self._network.rules.labelled(label)
        self._remove(*(rule for rule in labelled if isinstance(rule, kind)))
        self._changed()

    def switch(self, rule: LinkRule, stops: bool) -> bool:
        """Let a rule stop packets, or let them pass. False if it was removed before."""
        if rule not in self._network.rules.in_force:
            return False
        rule.stops = stops
        self._changed()
        return True

    # --- Time

    def call_after(self, delay_ns: Nanoseconds, call: Callable[[], None]) -> None:
        """Call a function when this much simulated time has passed."""
        self._kernel.push(self._kernel._now + delay_ns, lambda _, __: call())

    # --- Inside

    def _record_death(self, node: NodeId, cause: str, detail: Mapping[str, object]) -> None:
        self._note(event_types.CRASHED, node, detail)
        if node in self._inside:
            if self.on_death is not None:
                self.on_death(node)
            self._tracker_of[node].died(node, cause)
            self._changed()

    def _remove(self, *rules: LinkRule) -> bool:
        if self._outside is not None:
            self._outside.remove_rules(*rules)
        return self._network.remove_rule(*rules)

    def _note(self, kind: str, node: NodeId, detail: Mapping[str, object] | None = None) -> None:
        """Write a row about a node of the cluster. What happens to clients and to the resource has no row here."""
        if node in self._inside:
            self._recorder.note(self._kernel._now, kind, node, detail or {})
