"""A node of a ring: how messages get round, and how the ring is kept whole where faults strike.

All know all members and their order on the ring. A node sends to its successor only, and, where an algorithm needs
both ways, to its predecessor. That is all as long as `maintenance` is off. With it,

- each message is acknowledged. Where that does not happen in time, the next node of the way gets it;
- a node's failure detector watches the nodes that follow, up to the first that it trusts: the successor. Who is
  suspected is passed by at once. If it led, there is an election; and if it comes back there is one, too, since it may
  have missed what there was;
- whoever takes part in an election and does not hear of its outcome in time holds another; so does whoever has passed a
  node by that is not found to be down, as that may have missed one;
- whoever has begun an election begins no other until messages have had the time for one round. Else, where they take
  longer than is allowed for, each message could lead to more than one, without end.

Every message has an origin, at which it ends when it has come round. If its origin is dead, it ends at the node that
would have to pass that by, and which answers for it. So no message circles for ever, whoever dies, whatever different
nodes believe of each other, and without a count of hops: on its way round it passes the place of its origin, by one
node or by that node's passing it by. It keeps its number on the way, and each node handles it once: copies, of the
network, or because an acknowledgement was late or lost, end where they meet the first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from simulator.algorithms.detectors import DETECTOR_MESSAGES, make_detector
from simulator.algorithms.rings.config import RingConfig, election_time
from simulator.protocol import (
    CANDIDATE,
    FOLLOWER,
    LEADER,
    Algorithm,
    Assumption,
    Guarantee,
    Host,
    Message,
    NodeId,
    Role,
    describe,
    message,
)

ONWARD, BACK = 1, -1  # The two ways round the ring.
# Timers: one for each message that waits for its acknowledgement, and each node that was passed by without any.
ELECTION, HOP, MISSED = "election", "hop", "missed"
BEGUN = "begun"  # And while it has begun an election so recently that it begins no other.
REMEMBERED = 4  # The numbers of so many messages for each node of the ring, lest one be handled twice.


@message
class Acknowledgement:
    """I have it, and pass it on: the answer to the message with that number."""

    of: int


@dataclass(frozen=True, slots=True)
class _Passing:
    """A message on its way past this node, until it is acknowledged."""

    message: Message
    origin: NodeId
    way: int
    place: int  # Whose turn it is, counted from this node in that way.


class RingNode(Algorithm):
    """What the ring algorithms share. A candidate is one from when it holds an election until it knows who leads.

    An algorithm's messages have a field `number`, which they get here, or 0 without maintenance. Its table `ends` says
    what happens to a message that ends here, since its origin is dead and comes next, or since nobody else is up.
    """

    guarantees: ClassVar = frozenset({Guarantee.AGREEMENT, Guarantee.HIGHEST_ID})
    assumes: ClassVar = frozenset(
        {
            Assumption.NO_LOSS,
            Assumption.BOUNDED_DELAY,
            Assumption.NO_PARTITION,
            Assumption.NO_PAUSE,
            Assumption.GOOD_CLOCKS,
            Assumption.MONITOR_RUNS,
        }
    )
    ends: ClassVar[Mapping[type, Callable[[Any, Any], None]]] = {}
    ways: ClassVar[tuple[int, ...]] = (ONWARD,)
    rounds: ClassVar[int]  # How many times an election's messages pass the whole ring, at most, until all know.

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
        self.taking_part = False  # Whether it waits for the outcome of an election, its own or another's.
        self.detector = make_detector(host, config.detector, self)
        self._begun = self._called = False  # Whether an election is less than a round old, and another is called for.
        self._passing: dict[int, _Passing] = {}
        self._made = 0  # How many messages this node has made, to begin with.
        self._seen: dict[int, None] = {}  # The numbers of the last messages, the oldest first.

    # --- Inputs

    def on_start(self) -> None:
        """A node that starts, or is back, finds out who leads by an election."""
        self._made = self.host.now()  # So that numbers do not come again after a restart.
        self.host.transition(FOLLOWER, 0, None)
        if self.config.maintenance:
            self._watch()
            self.detector.show(self.host.peers)
        if not self.config.initiators or self.host.me in self.config.initiators:
            self._call_election()
        else:
            self._set_patience()

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
            self._pass_by(self._passing.pop(int(name.rpartition(" ")[2])))
        elif name == BEGUN:
            self._begun = False
            if self._called:
                self._call_election()
        else:  # Whoever held it has died, or a message was lost with its holder; or a node has missed one.
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
        """Hold one, now, or as soon as the last that this node has begun is a round old."""
        self._called = self._begun
        if not self._begun:
            self._begun = self.config.maintenance
            self._set_patience(BEGUN, rounds=1)
            self._hold_election()

    def _hold_election(self) -> None:
        """Initiate one. A leader that is up and well may tell the others so instead, and does not step down."""
        raise NotImplementedError

    def _pass_on(self, message: Message, origin: NodeId, way: int = ONWARD) -> None:
        """To the next node that is up; it ends here if that is its origin, which is dead, or if nobody is up."""
        if self.config.maintenance and not message.number:
            self._made += 1
            message = replace(message, number=self._made * (len(self.host.peers) + 1) + self.host.me)
        self._offer(_Passing(message, origin, way, 0))

    def _take_part(self) -> None:
        """Wait for the outcome of an election. Another's message does not prolong that, or it might never end."""
        if not self.taking_part:
            self._await_outcome()

    def _believes(self, leader: NodeId) -> bool:
        """Follow, or be, the leader that is announced, unless there is reason for doubt: then an election tells.

        It may be lower than this node, or than the one that this node follows, though this node knows of no election
        since: another has been left out, or an announcement has overtaken a later one.
        """
        if not self.taking_part and leader < max(self.host.me, self.leader or 0):
            self._call_election()
            return False
        if leader < self.host.me:
            return False  # It takes part in an election that cannot end like that.
        if leader == self.host.me:
            self._become_leader()
        else:
            self._become_follower(leader)
        return True

    # --- Roles

    def _become_candidate(self) -> None:
        """From any role but leader, or again."""
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
        """From any role: a leader hears that a higher node leads."""
        self._know_outcome()
        if leader in self.detector.suspected:  # It may be back; it gets another chance, and a timeout of its own.
            self.detector.watch(node for node in self.detector.watched if node != leader)
            self._watch()
        if (self.role, self.leader) != (FOLLOWER, leader):
            self.role, self.leader = FOLLOWER, leader
            self.host.transition(FOLLOWER, 0, leader)

    def _await_outcome(self) -> None:
        self.taking_part = True
        self._set_patience()

    def _set_patience(self, timer: str = ELECTION, rounds: int | None = None) -> None:
        if self.config.maintenance:
            nodes = len(self.host.peers) + 1
            self.host.set_timer(timer, election_time(self.config, nodes, rounds or self.rounds))

    def _know_outcome(self) -> None:
        self.taking_part = False
        self.host.cancel_timer(ELECTION)

    # --- Maintenance

    def _offer(self, passing: _Passing) -> None:
        """Send it on. Its origin gets it even if it is suspected: it may be back."""
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

    def _pass_by(self, passing: _Passing) -> None:
        """The node whose turn it was has not acknowledged. Whether it is down, the detector will say."""
        node = self.others[passing.way][passing.place]
        if node not in self.detector.suspected:
            self._set_patience(f"{MISSED} {node}")
        if node == passing.origin:
            self.ends[type(passing.message)](self, passing.message)
        else:
            self._offer(replace(passing, place=passing.place + 1))

    def _on_acknowledgement(self, sender: NodeId, message: Acknowledgement) -> None:
        """Of the node whose turn it is, or late, of one before: whoever has the message passes it on."""
        self.host.cancel_timer(f"{MISSED} {sender}")
        if self._passing.pop(message.of, None) is not None:
            self.host.cancel_timer(f"{HOP} {message.of}")

    def _remember(self, number: int) -> None:
        self._seen[number] = None
        if len(self._seen) > REMEMBERED * (len(self.host.peers) + 1):
            del self._seen[next(iter(self._seen))]

    def on_opinion(self, node: NodeId, down: bool) -> None:
        """The detector has another opinion of a neighbour."""
        self.host.cancel_timer(f"{MISSED} {node}")
        self._watch()
        if not down:
            self._call_election()
        elif node == self.leader:
            self.host.note("suspected", leader=node)
            self._call_election()

    def _watch(self) -> None:
        """Each way, whoever is next, and beyond the suspected."""
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
