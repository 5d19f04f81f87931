"""Watches one trial: what nodes declare, who leads, and whether the trial may end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from simulator.cluster.faults.schedule import LEADER_ANNOUNCED, LEADER_ELECTED, LEADER_LOST
from simulator.cluster.faults.scheduler import TrialFaultScheduler
from simulator.cluster.kernel import Kernel
from simulator.cluster.leadership import Claim, Connectivity, LeadershipTracker, QuorumRule
from simulator.cluster.spec import ClusterSpec
from simulator.cluster.stop import StopWhen
from simulator.protocol import LEADER, NodeId, Role
from simulator.trace import event_types
from simulator.trace.recorder import Recorder

# Notes that suspect a node, and the field that names it.
_SUSPICIONS = {event_types.SUSPECTED: "leader", event_types.SUSPECTS: "node"}


class TrialObserver:
    """The `Observer` of all nodes: writes what they declare to the trace, and tracks the leadership of every group.

    It tells the fault scheduler of the events that faults wait for, and ends the trial when `spec.stop_when` holds.
    """

    def __init__(self, spec: ClusterSpec, kernel: Kernel, recorder: Recorder, connectivity: Connectivity) -> None:
        self._spec = spec
        self._kernel = kernel
        self._recorder = recorder
        self._connectivity = connectivity
        self._primary_group = spec.registration.group
        self.trackers = {group: self._tracker(group) for group in spec.groups}
        self.leadership = self.trackers[self._primary_group]
        self._tracker_of = {node: tracker for tracker in self.trackers.values() for node in tracker.members}
        nemeses = int(spec.nemesis is not None)
        self.scheduler = TrialFaultScheduler(kernel, spec.faults, nemeses, self._record_fault, self.stop_if_done)
        self._awaits_announcement = any(entry.after == LEADER_ANNOUNCED for entry in spec.faults)
        self._announced: Claim | None = None
        self.on_claim: Callable[[NodeId], None] | None = None  # Called when a node of the primary group begins to lead.
        self._without_majority: set[NodeId] = set()

    def _tracker(self, group: str) -> LeadershipTracker:
        groups = self._spec.groups
        quorum, coordination_group = self._spec.registration.quorum_of(group)
        quorum_rule = QuorumRule(
            quorum=quorum, servers=None if coordination_group is None else groups[coordination_group]
        )
        return LeadershipTracker(groups[group], quorum_rule, self._connectivity, partial(self._record_loss, group))

    # --- What nodes declare (`Observer`)

    def on_transition(self, node: NodeId, role: Role, term: int, leader: NodeId | None, group: str) -> None:
        now_ns = self._kernel._now
        self._recorder.transition(now_ns, event_types.TRANSITION, node, term, role, leader, group)
        tracker = self.trackers[group]
        tracker.names_leader(node, leader)
        if role is LEADER:
            is_new = node not in tracker.claims
            tracker.claimed(node, term, now_ns)
            if is_new and group == self._primary_group:
                self.scheduler.happened(LEADER_ELECTED)
                if self.on_claim is not None:
                    self.on_claim(node)
            self.cluster_changed()
        else:
            tracker.stepped_down(node)
            self.stop_if_done()
        self._look_for_announcement()

    def on_note(self, node: NodeId, kind: str, fields: Mapping[str, object]) -> None:
        if kind in _SUSPICIONS and self._is_cut_off(node, fields[_SUSPICIONS[kind]]):
            fields = {**fields, "cut_off": True}
        self._recorder.note(self._kernel._now, kind, node, fields)
        if kind == event_types.CONFIGURATION:
            self._tracker_of[node].configured(node, fields)
            self._record_majorities()

    # --- What has changed

    def cluster_changed(self) -> None:
        """A node or a link has changed: look again at leaders, at faults that wait, and at the end of the trial."""
        for tracker in self.trackers.values():
            tracker.recheck()
        self._record_majorities()
        self.scheduler.tell_change()
        self._look_for_announcement()
        self.stop_if_done()

    def stop_if_done(self) -> None:
        """End the trial if no fault is left and `spec.stop_when` holds. A stable leader ends it later."""
        claim = self.leadership.current_claim
        if self._spec.stop_when is None or self.scheduler.to_come or claim is None:
            return
        if self._spec.stop_when is StopWhen.LEADER_STABLE:
            stable_ns = max(self._kernel._now, claim.since_ns + self._spec.stable_after)
            self._kernel.push(stable_ns, self._stop_if_unchanged, claim)
        elif self._spec.stop_when is StopWhen.LEADER_CLAIMED or self.leadership.is_announced(claim.node):
            self._kernel.stop()

    # --- Inside

    def _record_loss(self, group: str, kind: str, leader: NodeId, cause: str) -> None:
        """A leader is lost, or back."""
        self._recorder.note(self._kernel._now, kind, leader, {"cause": cause})
        if kind == event_types.LEADER_LOST and group == self._primary_group:
            self.scheduler.happened(LEADER_LOST)

    def _record_majorities(self) -> None:
        """Write which nodes of the primary group have lost their path to a majority, or have it back, if it matters."""
        if not self._spec.liveness_of_all:
            return
        awake = [node for node in self.leadership.members if self._connectivity.awake(node)]
        without = {node for node in awake if not self.leadership.has_quorum(node)}
        for node in awake:
            if (node in without) != (node in self._without_majority):
                kind = event_types.MAJORITY_LOST if node in without else event_types.MAJORITY_BACK
                self._recorder.note(self._kernel._now, kind, node, {})
        self._without_majority = without

    def _record_fault(self, kind: str, detail: Mapping[str, object]) -> None:
        self._recorder.note(self._kernel._now, kind, None, detail)

    def _is_cut_off(self, node: NodeId, suspected: object) -> bool:
        """Whether the suspected node is awake, and a link between both is cut.

        Clients of an ensemble are cut off from each other if one of them reaches no server that has a quorum.
        """
        if not isinstance(suspected, NodeId) or not self._connectivity.awake(suspected):
            return False
        if self._spec.registration.coordination_group is not None and node in self.leadership.members:
            return not (self.leadership.has_quorum(node) and self.leadership.has_quorum(suspected))
        return not self._connectivity.reachable_both_ways(node, suspected)

    def _look_for_announcement(self) -> None:
        """Tell waiting faults once for each claim that all nodes name its leader.

        A transition can make it so, and so can the crash or the cut of a node that has not heard of the leader.
        """
        if not self._awaits_announcement:
            return
        claim = self.leadership.current_claim
        if claim is not None and claim != self._announced and self.leadership.is_announced(claim.node):
            self._announced = claim
            self.scheduler.happened(LEADER_ANNOUNCED)

    def _stop_if_unchanged(self, claim: Claim, _: None) -> None:
        if claim == self.leadership.current_claim:
            self._kernel.stop()
