"""The interface between an algorithm and a failure detector of any kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Protocol

from simulator.protocol import Assumption, Host, Message, Nanoseconds, NodeId
from simulator.quiet import Watch

# Notes to the trace. SUSPECTS and TRUSTS are the S- and T-transitions of Chen, Toueg and Aguilera.
WATCHES, SUSPECTS, TRUSTS = "watches", "suspects", "trusts"

# The assumption of an algorithm that relies on a detector without mistakes.
TIMELY_NETWORK = frozenset(
    {
        Assumption.NO_LOSS,
        Assumption.BOUNDED_DELAY,
        Assumption.NO_PARTITION,
        Assumption.NO_PAUSE,
        Assumption.GOOD_CLOCKS,
        Assumption.MONITOR_RUNS,
    }
)


class Bounds(Protocol):
    """Bounds that the options of every detector give, if clocks are right and no node is ever paused."""

    def delay_bound(self) -> Nanoseconds:
        """The longest time that messages may take so that no running node is ever suspected, if none is lost.

        Negative if the detector makes mistakes even when messages take no time.
        """
        ...

    def detection_bound(self, delay: Nanoseconds) -> Nanoseconds:
        """How long it takes at most until a watched node that is down is suspected, and stays suspected.

        The time is counted from the crash of the node, or from the instant at which watching began. No message may be
        lost or take longer than `delay`.
        """
        ...


class DetectorListener(Protocol):
    """An algorithm that has a failure detector."""

    def on_opinion(self, node: NodeId, down: bool) -> None:
        """The detector's opinion of a watched node has changed: from now on it is suspected (`down`) or trusted."""
        ...


class Detector:
    """The part of an algorithm that suspects those of the watched nodes that seem to be down.

    The algorithm passes on the messages of the table `receive` and the timers that the detector owns. A node that is
    watched must show that it is up: some detectors send heartbeats to the nodes given to `show`, others answer when
    they are asked. A node is trusted when it begins to be watched, as if it had been heard from at this instant."""

    receive: ClassVar[Mapping[type, Callable[[Any, NodeId, Any], None]]] = {}
    timer: ClassVar[str] = "detector"  # The names of all timers of a detector begin with this prefix.

    def __init__(self, host: Host, options: Any, listener: DetectorListener) -> None:
        self.host = host
        self.options = options
        self.watched: tuple[NodeId, ...] = ()  # In the order given.
        self.suspected: set[NodeId] = set()
        self._listener = listener

    def watch(self, nodes: Iterable[NodeId]) -> None:
        """Watch exactly these nodes from now on."""
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
        """Show exactly these nodes from now on that this node is up."""

    def owns(self, timer: str) -> bool:
        """Whether a timer with this name belongs to this detector."""
        return timer.startswith(self.timer)

    def on_timer(self, name: str) -> None:
        """Handle one of the detector's own timers."""
        raise NotImplementedError

    def on_message(self, sender: NodeId, message: Message) -> None:
        """Handle a message of a type in `receive`."""
        self.receive[type(message)](self, sender, message)

    def view(self) -> Mapping[str, object]:
        """What a page may show of it, in plain values: the nodes that are watched, and those that are suspected."""
        return {"watched": self.watched, "suspected": tuple(sorted(self.suspected))}

    def quiet(self) -> Watch | None:
        """What the detector does if nothing new happens (`simulator.quiet`); None if it does not say."""
        return None

    def on_skipped(self, elapsed: Nanoseconds) -> None:
        """So much time was skipped, in which all messages of `quiet` were sent."""

    # --- For subclasses

    def _begin(self, node: NodeId) -> None:
        """Begin to watch a node."""

    def _end(self, node: NodeId) -> None:
        """Stop watching a node."""

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
