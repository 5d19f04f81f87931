"""A node of a ring: how it holds elections and follows a leader, and how the ring is maintained when nodes fail.

All nodes know all members and their order on the ring. A node sends only to its successor and, if an algorithm needs
both directions, to its predecessor. How messages go round, past nodes that are down, is in `passing.py`. Without
`maintenance`, nothing else happens. With it:

- A node's failure detector watches the nodes that follow, up to the first one that it trusts, which is the successor.
  If a node suspects its leader, there is an election. There is also an election if a suspected node comes back, since
  it may have missed one.
- A node that takes part in an election, but does not learn the outcome in time, holds another election. So does a node
  that has skipped a node without finding it down, since the skipped node may have missed an election.
- A node that has begun an election begins no other until messages have had the time for one round. Otherwise, if
  messages take longer than expected, each message could cause more than one new message, without end.
- A node tells its successor from time to time which leader it follows (Check). If the successor follows another, it
  holds an election. Without this, a ring could disagree for ever: a message that was held back may tell some nodes of
  an old leader after the last election, and it may be lost with a node before it reaches one that objects.

If there are no faults, no Check ever leads to an election: all nodes on the ring follow one leader between elections.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from simulator.algorithms.detectors import TIMELY_NETWORK, watching
from simulator.algorithms.rings.config import RingConfig, election_time
from simulator.algorithms.rings.passing import ONWARD, PassingNode
from simulator.protocol import (
    CANDIDATE,
    FOLLOWER,
    LEADER,
    Guarantee,
    Host,
    Nanoseconds,
    NodeId,
    Role,
    message,
)
from simulator.quiet import Beat, Quiet

# Timers. There is a MISSED for each node that was skipped without being suspected. BEGUN is set while an election of
# this node is too recent to begin another.
ELECTION, MISSED, BEGUN, CHECK = "election", "missed", "begun", "check"


@message
class Check:
    """The sender, which takes part in no election, follows `leader`. From a node to its successor."""

    leader: NodeId


class RingNode(PassingNode):
    """The base of the ring algorithms.

    A node is a candidate from the start of its election until it knows the leader.
    """

    guarantees: ClassVar = frozenset({Guarantee.AGREEMENT, Guarantee.HIGHEST_ID})
    assumes: ClassVar = TIMELY_NETWORK
    rounds: ClassVar[int]  # How often the messages of an election go round, at most, until all nodes know the leader.

    def __init__(self, host: Host, config: RingConfig, durable: Mapping[str, Any]) -> None:
        super().__init__(host, config, durable)
        self.role: Role = FOLLOWER
        self.leader: NodeId | None = None
        # Whether this node waits for the outcome of an election, its own or that of another node.
        self.taking_part = False
        self._begun = False  # Whether an election of this node is less than a round old.
        self._called = False  # Whether another election follows when the present one is over.

    # --- Inputs

    def on_start(self) -> None:
        """A node that starts or restarts learns by an election which node leads."""
        self.host.transition(FOLLOWER, 0, None)
        if self.config.maintenance:
            self._watch()
            self.detector.show(self.host.peers)
            self.host.set_timer(CHECK, self.config.check_interval)
        if not self.config.initiators or self.host.me in self.config.initiators:
            self._call_election()
        else:
            self._set_timeout()

    def on_timer(self, name: str) -> None:
        if self.detector.owns(name):
            self.detector.on_timer(name)
        elif self._is_hop(name):
            self._on_hop(name)
        elif name == CHECK:
            self._check()
        elif name == BEGUN:
            self._begun = False
            if self._called:
                self._call_election()
        else:  # The node that held the election, or one with a message of it, has crashed; or a node was skipped.
            self._call_election()

    def view(self) -> Mapping[str, object]:
        return {
            "role": self.role,
            "leader": self.leader,
            "taking part": self.taking_part,
            **super().view(),
        }

    def quiet(self) -> Quiet | None:
        if self.taking_part or self._begun or self._passing or not self.config.maintenance:
            return None
        successor = self._successor
        to = () if successor is None else (successor,)
        check = Beat(timer=CHECK, period_ns=self.config.check_interval, message=Check, to=to)
        return watching(self.leader, self.detector.quiet(), [check])

    def on_skipped(self, elapsed: Nanoseconds, running: frozenset[NodeId]) -> None:
        self.detector.on_skipped(elapsed)

    # --- For the algorithms

    def _call_election(self) -> None:
        """Hold an election now, or as soon as the last one that this node has begun is a round old."""
        self._called = self._begun
        if not self._begun:
            self._begun = self.config.maintenance
            self._set_timeout(BEGUN, rounds=1)
            self._hold_election()

    def _hold_election(self) -> None:
        """Initiate an election. A leader may announce itself again instead, and does not step down."""
        raise NotImplementedError

    def _take_part(self) -> None:
        """Wait for the outcome of an election. Further messages do not extend the wait, or it might never end."""
        if not self.taking_part:
            self._await_outcome()

    def _believes(self, leader: NodeId) -> bool:
        """Accept an announced leader, and return whether it was accepted. If the announced leader is doubtful, hold an
        election.

        An announced leader is doubtful if this node takes part in no election, and the leader is lower than this node
        or than a leader that this node trusts. Then a higher node was skipped, or this announcement comes late: after a
        later one.
        """
        trusted = 0 if self.leader in self.detector.suspected else self.leader or 0
        if not self.taking_part and leader < max(self.host.me, trusted):
            self._call_election()
            return False
        if leader < self.host.me:
            # This node takes part in an election, and an election with this node cannot elect a lower one.
            return False
        if leader == self.host.me:
            self._become_leader()
        else:
            self._become_follower(leader)
        return True

    # --- Roles

    def _become_candidate(self) -> None:
        """From follower or candidate."""
        assert self.role is not LEADER
        self.role, self.leader = CANDIDATE, None
        self.host.transition(CANDIDATE, 0, None)
        self._await_outcome()

    def _become_leader(self) -> None:
        self._know_outcome()
        if self.role is not LEADER:
            self.role, self.leader = LEADER, self.host.me
            self.host.transition(LEADER, 0, self.host.me)

    def _become_follower(self, leader: NodeId) -> None:
        """From any role: a leader steps down for a higher node."""
        self._know_outcome()
        # The leader may be back: trust the leader again, and give it a whole timeout.
        if leader in self.detector.suspected:
            self.detector.watch(node for node in self.detector.watched if node != leader)
            self._watch()
        if (self.role, self.leader) != (FOLLOWER, leader):
            self.role, self.leader = FOLLOWER, leader
            self.host.transition(FOLLOWER, 0, leader)

    def _await_outcome(self) -> None:
        self.taking_part = True
        self._set_timeout()

    def _set_timeout(self, timer: str = ELECTION, rounds: int | None = None) -> None:
        if self.config.maintenance:
            nodes = len(self.host.peers) + 1
            self.host.set_timer(timer, election_time(self.config, nodes, rounds or self.rounds))

    def _know_outcome(self) -> None:
        self.taking_part = False
        self.host.cancel_timer(ELECTION)

    # --- Maintenance

    def on_opinion(self, node: NodeId, down: bool) -> None:
        self.host.cancel_timer(f"{MISSED} {node}")
        self._watch()
        if not down:
            self._call_election()
        elif node == self.leader:
            self.host.note("suspected", leader=node)
            self._call_election()

    def _skipped(self, node: NodeId) -> None:
        """The detector finds out whether the node is down. If it does not, the node may have missed an election."""
        self._set_timeout(f"{MISSED} {node}")

    def _acknowledged(self, node: NodeId) -> None:
        self.host.cancel_timer(f"{MISSED} {node}")

    def _check(self) -> None:
        """Tell the successor which leader this node follows. A node that waits for an outcome follows nobody yet."""
        self.host.set_timer(CHECK, self.config.check_interval)
        successor = self._successor
        if successor is not None and self.leader is not None and not self.taking_part:
            self.host.send(successor, Check(self.leader))

    @property
    def _successor(self) -> NodeId | None:
        return next((node for node in self.others[ONWARD] if node not in self.detector.suspected), None)

    def _on_check(self, sender: NodeId, message: Check) -> None:
        """Hold an election if this node follows another leader than the node before it, and waits for no outcome."""
        if self.leader not in (None, message.leader) and not self.taking_part:
            self._call_election()

    receive: ClassVar = {Check: _on_check, **PassingNode.receive}
