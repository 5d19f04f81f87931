"""What an algorithm asks of a failure detector, whichever it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Protocol

from simulator.protocol import Host, Message, Nanoseconds, NodeId

WATCHES = "watches"  # Notes to the trace. The other two are the S- and T-transitions of Chen, Toueg and Aguilera.
SUSPECTS, TRUSTS = "suspects", "trusts"


class Bounds(Protocol):
    """What the options of every detector say of it, for clocks that are right and nodes that never pause."""

    def tolerates(self) -> Nanoseconds:
        """The longest that messages may take, if none is lost, for nobody who is up ever to be suspected.

        Negative where even messages that take no time do not keep it from mistakes.
        """
        ...

    def detects_within(self, delay: Nanoseconds) -> Nanoseconds:
        """How long it takes at most until a watched node that is down is suspected for good.

        No message is lost, or takes longer than `delay`; counted from its death, or from when it began to be watched.
        """
        ...


class DetectorListener(Protocol):
    """An algorithm that has a failure detector."""

    def on_opinion(self, node: NodeId, down: bool) -> None:
        """The detector's opinion of a watched node has changed: from now on it is suspected (`down`) or trusted."""
        ...


class Detector:
    """One node's opinion of which of the nodes that it watches are down.

    It lives inside an algorithm, which hands it the messages of its table `receive` and the timers that are its own.
    Whoever is watched must show that it is up, by whatever means the detector has: a pushing one sends heartbeats to
    those named to `show`, a pulling one answers whoever asks. A node that begins to be watched is trusted, as if it had
    been heard at that instant.
    """

    receive: ClassVar[Mapping[type, Callable[[Any, NodeId, Any], None]]] = {}
    timer: ClassVar[str] = "detector"  # What the names of all of its timers begin with.

    def __init__(self, host: Host, options: Any, listener: DetectorListener) -> None:
        self.host = host
        self.options = options
        self.watched: tuple[NodeId, ...] = ()  # In the order given.
        self.suspected: set[NodeId] = set()
        self._listener = listener

    def watch(self, nodes: Iterable[NodeId]) -> None:
        """Watch these nodes, and no others, from now on."""
        before, self.watched = self.watched, tuple(nodes)
        if set(before) != set(self.watched):
            self.host.note(WATCHES, nodes=self.watched)
        for node in before:
            if node not in self.watched:
                self.suspected.discard(node)
                self._end(node)
        for node in self.watched:
            if node not in before:
                self._begin(node)

    def show(self, to: Iterable[NodeId]) -> None:
        """Let these nodes, and no others, know from now on that this one is up."""

    def owns(self, timer: str) -> bool:
        return timer.startswith(self.timer)

    def on_timer(self, name: str) -> None:
        raise NotImplementedError

    def on_message(self, sender: NodeId, message: Message) -> None:
        self.receive[type(message)](self, sender, message)

    def view(self) -> Mapping[str, object]:
        """What a page may show of it, in plain values: the nodes that are watched, and those that are suspected."""
        return {"watched": self.watched, "suspected": tuple(sorted(self.suspected))}

    # --- For detectors

    def _begin(self, node: NodeId) -> None:
        """This node is watched from now on."""

    def _end(self, node: NodeId) -> None:
        """It is not any more."""

    def _suspect(self, node: NodeId) -> None:
        if node not in self.suspected:
            self.suspected.add(node)
            self.host.note(SUSPECTS, node=node)
            self._listener.on_opinion(node, True)

    def _trust(self, node: NodeId) -> None:
        if node in self.suspected:
            self.suspected.discard(node)
            self.host.note(TRUSTS, node=node)
            self._listener.on_opinion(node, False)
