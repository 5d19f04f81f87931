"""What faults and operators may ask of a cluster while a trial runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from simulator.cluster.network.rules import LinkRule
from simulator.cluster.node.clock import Skew
from simulator.protocol import Nanoseconds, NodeId


class ClusterControl(Protocol):
    """The cluster as faults see it: what they need to find their targets, and what they may do to nodes and links."""

    def leader(self, group: str | None = None) -> NodeId | None:
        """The current leader of a group, or None. Without a name, the primary group is meant."""
        ...

    def members(self, group: str | None = None) -> Sequence[NodeId]:
        """All nodes of a group, whatever their state. Without a name, the primary group is meant."""
        ...

    def voters(self) -> Sequence[NodeId]:
        """The members whose majority counts, in the configuration that the current leader uses."""
        ...

    def nodes_in_state(self, state: str) -> Sequence[NodeId]:
        """The nodes that are `running` (paused or not), `awake` (running and not paused), `paused`, `down`, or
        `present` (in any state). Nodes that are absent from the cluster are never among them.
        """
        ...

    def zone(self, name: str) -> Sequence[NodeId]:
        """The nodes in a zone."""
        ...

    def zone_of(self, node: NodeId) -> str | None:
        """The zone of a node; None where there are no zones."""
        ...

    def disruptions(self, node: NodeId) -> int:
        """How often the node has died or been paused. A repair compares it with its value at the injection, so that it
        ends only the crash or the pause that it belongs to.
        """
        ...

    # Processes and hosts.
    def start(self, node: NodeId) -> None: ...
    def crash(self, node: NodeId) -> None: ...
    def kill(self, node: NodeId) -> None: ...
    def wipe(self, node: NodeId) -> None:
        """Empty the disk of a node that is down."""
        ...

    def pause(self, node: NodeId) -> None: ...
    def resume(self, node: NodeId) -> None: ...

    def command(self, node: NodeId, verb: str, argument: object) -> None:
        """Give a node one of the commands that its algorithm takes (`Registration.commands`)."""
        ...

    # Slowdowns and wrong clocks. Each adds its part to what is in force, and returns the call that takes it away again.
    def slow_node(self, node: NodeId, service_times: Iterator[int]) -> Callable[[], None]: ...
    def slow_disk(self, node: NodeId, write_times: Iterator[int]) -> Callable[[], None]: ...
    def stall_disk(self, node: NodeId) -> Callable[[], None]: ...
    def skew_clock(self, node: NodeId, skew: Skew) -> Callable[[], None]: ...

    # Links.
    def add_rule(self, rule: LinkRule) -> None:
        """Put a rule in force on the links that it selects."""
        ...

    def remove_rule(self, rule: LinkRule) -> bool:
        """Remove a rule. False if it was removed before."""
        ...

    def remove_labelled(self, label: str | None, kind: type[LinkRule] = LinkRule) -> None:
        """Remove all rules of that kind and that label; without a label, all of that kind."""
        ...

    def switch(self, rule: LinkRule, stops: bool) -> bool:
        """Let a rule stop packets, or let them pass. False if it was removed before."""
        ...

    def call_after(self, delay_ns: Nanoseconds, call: Callable[[], None]) -> None:
        """Call a function when that much simulated time has passed."""
        ...
