"""An algorithm of your own, under faults: `python examples/own_algorithm.py`

The lowest id that is heard leads. It has no terms and asks for no votes, so a partition gives it two leaders: see how
often. docs/write-an-algorithm.md builds a better one step by step.
"""

import sys
from dataclasses import dataclass
from typing import Any, ClassVar

import simulator
from simulator.algorithms.registration import Registration
from simulator.protocol import FOLLOWER, LEADER, MILLISECOND, Algorithm, Duration, NodeId, message, option


@message
class Alive:
    """The sender is running."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a scenario may set."""

    interval: Duration = option(50 * MILLISECOND, "How often a node says that it is running.")
    timeout: Duration = option(200 * MILLISECOND, "How long a node may be silent before it counts as down.")


class LowestAlive(Algorithm):
    """One node: it follows the lowest id among the nodes that it has heard of in time."""

    leader: NodeId = 0  # No node yet: ids begin with 1.

    def on_start(self) -> None:
        """Begin alone: the node hears of the others by their messages."""
        self.alive = {self.host.me}
        self.elect()
        self.on_timer("beat")

    def on_timer(self, name: str) -> None:
        """Say that this node is running; or count a node that was silent for too long as down."""
        if name == "beat":
            for peer in self.host.peers:
                self.host.send(peer, Alive())
            self.host.set_timer("beat", self.config.interval)
            return
        if int(name) == self.leader:
            self.host.note("suspected", leader=self.leader)
        self.alive.discard(int(name))
        self.elect()

    def on_alive(self, sender: NodeId, message: Alive) -> None:
        """The sender is running; wait for its next message from now on."""
        self.host.set_timer(str(sender), self.config.timeout)
        self.alive.add(sender)
        self.elect()

    def elect(self) -> None:
        """Declare role and leader, if they have changed."""
        if min(self.alive) != self.leader:
            self.leader = min(self.alive)
            self.host.transition(LEADER if self.leader == self.host.me else FOLLOWER, 0, self.leader)

    receive: ClassVar[Any] = {Alive: on_alive}


SCENARIO = """
version: 1
name: lowest-alive-partitioned
algorithm: {name: lowest-alive}
cluster: {nodes: 5}
network: {latency: {uniform: [5ms, 15ms]}}
faults:
  - {at: 1s, partition: [[n1, n2]], lasts: 1s}
duration: 4s
seed: 7
"""


def main(trials: int = 50) -> None:
    """Print how often a partition gave the algorithm two leaders, and for how long."""
    simulator.register(Registration(name="lowest-alive", algorithm=LowestAlive, config=Options, quorum=False))
    result = simulator.run(simulator.loads(SCENARIO), trials=trials)
    partitioned = result.overlaps[result.overlaps["start_s"] > 1]
    print(f"two leaders in {partitioned['trial'].nunique()} of {trials} trials,", end=" ")
    print(f"for {(partitioned['end_s'] - partitioned['start_s']).median():.2f} s in the median")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
