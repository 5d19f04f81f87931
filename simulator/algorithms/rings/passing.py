"""How messages go round a ring on which nodes fail: acknowledgements, nodes that are skipped, and where a message ends.

Without `maintenance` a node sends a message to its neighbour, and nothing else happens. With it, each message is
acknowledged. If the acknowledgement does not come in time, the message goes to the next node on its way. A suspected
node is skipped at once.

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

from simulator.algorithms.detectors import DETECTOR_MESSAGES, make_detector
from simulator.algorithms.rings.config import RingConfig
from simulator.protocol import Algorithm, Host, Message, NodeId, describe, message

ONWARD, BACK = 1, -1  # The two directions round the ring.
# Timers. There is a HOP for each message that waits for its acknowledgement.
HOP = "hop"
REMEMBERED = 4  # How many message numbers are remembered for each node of the ring, so that none is handled twice.


@message
class Acknowledgement:
    """The sender has received the message with this number, and passes it on."""

    of: int


@dataclass(frozen=True, slots=True)
class _Passing:
    """A message that this node has sent on, until it is acknowledged."""

    message: Message
    origin: NodeId
    way: int
    place: int  # The index in `others[way]` of the node to which the message was sent.


class PassingNode(Algorithm):
    """A node that passes messages on round the ring, past the nodes that are down.

    Every message of an algorithm has a field `number`. It is set here, and is 0 without maintenance. The table `ends`
    maps each type of message to the handler that is called when such a message ends at this node: because its origin
    comes next and has crashed, or because no other node is up.
    """

    ends: ClassVar[Mapping[type, Callable[[Any, Any], None]]] = {}
    directions: ClassVar[tuple[int, ...]] = (ONWARD,)

    def __init__(self, host: Host, config: RingConfig, durable: Mapping[str, Any]) -> None:
        super().__init__(host, config, durable)
        members = sorted((host.me, *host.peers))
        order = config.order or tuple(members)
        if sorted(order) != members:
            raise ValueError(f"order: must name each of the {len(members)} nodes once")
        place = order.index(host.me)
        after = (*order[place + 1 :], *order[:place])
        self.others = {ONWARD: after, BACK: after[::-1]}
        self.detector = make_detector(host, config.detector, self)
        self._passing: dict[int, _Passing] = {}
        self._made = host.now()  # A counter that gives each message of this node a number of its own.
        # The numbers of the last messages that this node has handled, the oldest first.
        self._seen: dict[int, None] = {}

    def view(self) -> Mapping[str, object]:
        return {
            "unacknowledged": tuple(describe(passing.message) for passing in self._passing.values()),
            "detector": self.detector.view(),
        }

    # --- For subclasses

    def on_opinion(self, node: NodeId, down: bool) -> None:
        """A neighbour is suspected, or trusted again."""
        raise NotImplementedError

    def _skipped(self, node: NodeId) -> None:
        """A node that is not suspected has not acknowledged a message in time, and is skipped."""
        raise NotImplementedError

    def _acknowledged(self, node: NodeId) -> None:
        """A node has acknowledged a message, perhaps late."""
        raise NotImplementedError

    # --- Messages

    def on_message(self, sender: NodeId, message: Message) -> None:
        if type(message) in self.ends and message.number:
            self.host.send(sender, Acknowledgement(message.number))
            if message.number in self._seen:
                return
            self._remember(message.number)
        super().on_message(sender, message)

    def _pass_on(self, message: Message, origin: NodeId, way: int = ONWARD) -> None:
        """Send a message to the next node on its way that is up.

        The message ends here if its origin is the next node, or if no node is up.
        """
        if self.config.maintenance and not message.number:
            self._made += 1
            message = replace(message, number=self._made * (len(self.host.peers) + 1) + self.host.me)
        self._offer(_Passing(message, origin, way, 0))

    def _offer(self, passing: _Passing) -> None:
        """Send a message on, past suspected nodes. The origin of a message gets it even if the origin is suspected,
        since the origin may be back.
        """
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

    def _is_hop(self, timer: str) -> bool:
        """Whether a timer with this name waits for an acknowledgement."""
        return timer.startswith(HOP)

    def _on_hop(self, timer: str) -> None:
        """No acknowledgement came in time."""
        self._skip(self._passing.pop(int(timer.rpartition(" ")[2])))

    def _skip(self, passing: _Passing) -> None:
        """A node has not acknowledged a message in time: skip it. The detector finds out whether it is down."""
        node = self.others[passing.way][passing.place]
        if node not in self.detector.suspected:
            self._skipped(node)
        if node == passing.origin:
            self.ends[type(passing.message)](self, passing.message)
        else:
            self._offer(replace(passing, place=passing.place + 1))

    def _on_acknowledgement(self, sender: NodeId, message: Acknowledgement) -> None:
        """The receiver, or one that was skipped because it was late, has the message and passes it on."""
        self._acknowledged(sender)
        if self._passing.pop(message.of, None) is not None:
            self.host.cancel_timer(f"{HOP} {message.of}")

    def _remember(self, number: int) -> None:
        self._seen[number] = None
        if len(self._seen) > REMEMBERED * (len(self.host.peers) + 1):
            del self._seen[next(iter(self._seen))]

    # --- Detector

    def _watch(self) -> None:
        """Watch, in each direction, the nodes up to the first one that is not suspected."""
        watched: dict[NodeId, None] = {}
        for way in self.directions:
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
