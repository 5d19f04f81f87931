"""Highest alive: of the nodes that are heard in time, the highest id leads. Costs n (n - 1) messages an interval."""

from dataclasses import dataclass
from typing import Any, ClassVar

from simulator.algorithms.registration import Registration
from simulator.protocol import FOLLOWER, LEADER, MILLISECOND, Algorithm, Duration, NodeId, message, option


@message
class Alive:
    """I am up."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a scenario may set: with units there, in nanoseconds here."""

    interval: Duration = option(50 * MILLISECOND, "How often a node says that it is up.")
    timeout: Duration = option(200 * MILLISECOND, "How long a node may be silent until it is taken to be down.")


class HighestAlive(Algorithm):
    """One node. A crash throws the object away, a restart makes a new one."""

    leader: NodeId = 0  # 0 means no node: ids start at 1.

    def on_start(self) -> None:
        self.alive = {self.host.me}
        self.elect()
        self.on_timer("beat")

    def on_timer(self, name: str) -> None:
        if name == "beat":
            for peer in self.host.peers:
                self.host.send(peer, Alive())
            self.host.set_timer("beat", self.config.interval)
        else:  # The timer of a node that has been silent for too long.
            if int(name) == self.leader:
                self.host.note("suspected", leader=self.leader)  # The detection time ends here.
            self.alive.discard(int(name))
            self.elect()

    def on_alive(self, sender: NodeId, message: Alive) -> None:
        self.host.set_timer(str(sender), self.config.timeout)  # In place of the one that was set before.
        self.alive.add(sender)
        self.elect()

    def elect(self) -> None:
        if max(self.alive) != self.leader:
            self.leader = max(self.alive)
            self.host.transition(LEADER if self.leader == self.host.me else FOLLOWER, 0, self.leader)

    receive: ClassVar[Any] = {Alive: on_alive}


HIGHEST_ALIVE = Registration(name="highest-alive", algorithm=HighestAlive, config=Options, quorum=False)
