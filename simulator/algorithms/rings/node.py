"""A node of a ring: how messages go round the ring, and how the ring is maintained when nodes fail.

All nodes know all members and their order on the ring. A node sends only to its successor and, if an algorithm needs
both directions, to its predecessor. Without `maintenance`, nothing else happens. With it:

- Each message is acknowledged. If the acknowledgement does not come in time, the message goes to the next node on its
  way.
- A node's failure detector watches the nodes that follow, up to the first one that it trusts, which is the successor.
  A suspected node is skipped at once. If the suspected node was the leader, there is an election. There is also an
  election if a suspected node comes back, since it may have missed one.
- A node that takes part in an election, but does not learn the outcome in time, holds another election. So does a node
  that has skipped a node without finding it down, since the skipped node may have missed an election.
- A node that has begun an election begins no other until messages have had the time for one round. Otherwise, if
  messages take longer than expected, each message could cause more than one new message, without end.

Every message has an origin, and ends there when it has come round. If its origin has crashed, it ends at the node that
would have to skip the origin; that node handles the end of the message in the origin's place. So no message circles for
ever, whichever nodes crash and whatever nodes believe of each other, and no hop count is needed: on its way round, a
message passes the place of its origin, either by reaching it or by skipping it. A message keeps its number on its way,
and each node handles it only once. A copy, made by the network or because an acknowledgement was late or lost, ends at
the first node that has handled the message already.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from simulator.algorithms.detectors import DETECTOR_MESSAGES, TIMELY_NETWORK, make_detector
from simulator.algorithms.rings.config import RingConfig, election_time
from simulator.protocol import (
    CANDIDATE,
    FOLLOWER,
    LEADER,
    Algorithm,
    Guarantee,
    Host,
    Message,
    NodeId,
    Role,
    describe,
    message,
)

ONWARD, BACK = 1, -1  # The two directions round the ring.
# Timers. There is a HOP for each message that waits for its acknowledgement, and a MISSED for each node that was
# skipped without being suspected. BEGUN is set while an election of this node is too recent to begin another.
ELECTION, HOP, MISSED, BEGUN = "election", "hop", "missed", "begun"
REMEMBERED = 4  # How many message numbers are remembered for each node of the ring, so that none is handled twice.


@message
class Acknowledgement:
    """The sender has received the message of that number, and passes it on."""

    of: int


@dataclass(frozen=True, slots=True)
class _Passing:
    """A message that this node has sent on, until it is acknowledged."""

    message: Message
    origin: NodeId
    way: int
    place: int  # The index in `others[way]` of the node that it was sent to.


class RingNode(Algorithm):
    """The base of the ring algorithms. A node is a candidate from the start of its election until it knows the leader.

    Every message of an algorithm has a field `number`. It is set here, and is 0 without maintenance. The table `ends`
    maps each type of message to the handler that is called when such a message ends at this node: because its origin
    comes next and has crashed, or because no other node is up.
    """

    guarantees: ClassVar = frozenset({Guarantee.AGREEMENT, Guarantee.HIGHEST_ID})
    assumes: ClassVar = TIMELY_NETWORK
    ends: ClassVar[Mapping[type, Callable[[Any, Any], None]]] = {}
    ways: ClassVar[tuple[int, ...]] = (ONWARD,)
    rounds: ClassVar[int]  # How often the messages of an election go round, at most, until all nodes know the leader.

    def __init__(self, host: Host, config: RingConfig, durable: Mapping[str, Any]) -> None:
        super().__init__(host, config, durable)
        members = sorted((host.me, *host.peers))
        order = config.order or tuple(members)
        if sorted(order) != members:
            raise ValueError(f"order: must name each of the {len(members)} nodes once")
        place = order.index(host.me)
        after = (*order[place + 1 :], *order[:place])
        self.others = {ONWARD: after, BACK: after[::-1]}
        self.role: Role = FOLLOWER
        self.leader: NodeId | None = None
        self.taking_part = False  # Whether it waits for the outcome of an election, of its own or another node.
        self.detector = make_detector(host, config.detector, self)
        self._begun = False  # Whether an election of this node is less than a round old.
        self._called = False  # Whether another election is to follow then.
        self._passing: dict[int, _Passing] = {}
        self._made = 0  # The number of messages that this node has originated, plus an offset.
        self._seen: dict[int, None] = {}  # The numbers of the last messages that it has handled, the oldest first.

    # --- Inputs

    def on_start(self) -> None:
        """A node that starts or restarts learns by an election which node leads."""
        self._made = self.host.now()  # So no number is used again after a restart.
        self.host.transition(FOLLOWER, 0, None)
        if self.config.maintenance:
            self._watch()
            self.detector.show(self.host.peers)
        if not self.config.initiators or self.host.me in self.config.initiators:
            self._call_election()
        else:
            self._set_timeout()

    def on_message(self, sender: NodeId, message: Message) -> None:
        if type(message) in self.ends and message.number:
            self.host.send(sender, Acknowledgement(message.number))
            if message.number in self._seen:
                return
            self._remember(message.number)
        super().on_message(sender, message)

    def on_timer(self, name: str) -> None:
        if self.detector.owns(name):
            self.detector.on_timer(name)
        elif name.startswith(HOP):
            self._skip(self._passing.pop(int(name.rpartition(" ")[2])))
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
            "unacknowledged": tuple(describe(passing.message) for passing in self._passing.values()),
            "detector": self.detector.view(),
        }

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

    def _pass_on(self, message: Message, origin: NodeId, way: int = ONWARD) -> None:
        """Send a message to the next node on its way that is up.

        It ends here if its origin comes first, or no node is up.
        """
        if self.config.maintenance and not message.number:
            self._made += 1
            message = replace(message, number=self._made * (len(self.host.peers) + 1) + self.host.me)
        self._offer(_Passing(message, origin, way, 0))

    def _take_part(self) -> None:
        """Wait for the outcome of an election. Further messages do not extend the wait, or it might never end."""
        if not self.taking_part:
            self._await_outcome()

    def _believes(self, leader: NodeId) -> bool:
        """Accept an announced leader, and return whether it was accepted. If it is doubtful, hold an election.

        It is doubtful if it is lower than this node or its leader, and this node takes part in no election. Then a
        higher node was skipped, or this announcement has overtaken a later one.
        """
        if not self.taking_part and leader < max(self.host.me, self.leader or 0):
            self._call_election()
            return False
        if leader < self.host.me:
            return False  # This node takes part in an election, which cannot elect a lower node.
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
        if leader in self.detector.suspected:  # It may be back: trust it again, and give it a whole timeout.
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

    def _offer(self, passing: _Passing) -> None:
        """Send a message on, past suspected nodes. Its origin gets it even if it is suspected, since it may be back."""
        others = self.others[passing.way]
        place = passing.place
        while place < len(others) and others[place] in self.detector.suspected and others[place] != passing.origin:
            place += 1
        if place == len(others):
            self.ends[type(passing.message)](self, passing.message)
            return
        self.host.send(others[place], passing.message)
        if self.config.maintenance:
            number = passing.message.number
            self._passing[number] = replace(passing, place=place)
            self.host.set_timer(f"{HOP} {number}", self.config.acknowledgement_timeout)

    def _skip(self, passing: _Passing) -> None:
        """A node has not acknowledged a message in time: skip it. The detector finds out whether it is down."""
        node = self.others[passing.way][passing.place]
        if node not in self.detector.suspected:
            self._set_timeout(f"{MISSED} {node}")
        if node == passing.origin:
            self.ends[type(passing.message)](self, passing.message)
        else:
            self._offer(replace(passing, place=passing.place + 1))

    def _on_acknowledgement(self, sender: NodeId, message: Acknowledgement) -> None:
        """The receiver, or one that was skipped because it was late, has the message and passes it on."""
        self.host.cancel_timer(f"{MISSED} {sender}")
        if self._passing.pop(message.of, None) is not None:
            self.host.cancel_timer(f"{HOP} {message.of}")

    def _remember(self, number: int) -> None:
        self._seen[number] = None
        if len(self._seen) > REMEMBERED * (len(self.host.peers) + 1):
            del self._seen[next(iter(self._seen))]

    def on_opinion(self, node: NodeId, down: bool) -> None:
        """A neighbour is suspected, or trusted again."""
        self.host.cancel_timer(f"{MISSED} {node}")
        self._watch()
        if not down:
            self._call_election()
        elif node == self.leader:
            self.host.note("suspected", leader=node)
            self._call_election()

    def _watch(self) -> None:
        """Watch, in each direction, the nodes up to the first one that is not suspected."""
        watched: dict[NodeId, None] = {}
        for way in self.ways:
            for node in self.others[way]:
                watched[node] = None
                if node not in self.detector.suspected:
                    break
        self.detector.watch(watched)

    def _on_detector(self, sender: NodeId, message: Message) -> None:
        self.detector.on_message(sender, message)

    receive: ClassVar = {
        Acknowledgement: _on_acknowledgement,
        **dict.fromkeys(DETECTOR_MESSAGES, _on_detector),
    }
