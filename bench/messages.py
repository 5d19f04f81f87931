"""Who delivers more messages per second: our network, bare SimPy timeouts, or a process and a Store per message."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, ClassVar

import simpy

from simulator.algorithms.raft import RaftConfig
from simulator.algorithms.registration import Registration
from simulator.algorithms.registry import REGISTRY
from simulator.cluster.cluster import run_trial
from simulator.cluster.distributions import Constant
from simulator.cluster.network.network import NetworkSpec
from simulator.cluster.spec import ClusterSpec
from simulator.protocol import MILLISECOND, Algorithm, Message, NodeId, message

LATENCY_NS = 5 * MILLISECOND
THEIR_LATENCY = 5  # Theirs count in milliseconds, as a SimPy model would: small integers are a little faster.
NODES = 10
IN_FLIGHT = NODES * (NODES - 1)  # One ball for each ordered pair of nodes, always on its way.
RAFT_PEERS = 4


@message
class Ball:
    """What two nodes throw to and fro."""


class PingPong(Algorithm):
    """Throws a ball to every other node, and each that comes back again, for ever."""

    def on_start(self) -> None:
        """Throw the first balls."""
        for peer in self.host.peers:
            self.host.send(peer, Ball())

    def on_message(self, sender: NodeId, message: Message) -> None:
        """Throw a ball back."""
        self.host.send(sender, message)

    receive: ClassVar = {Ball: on_message}  # The network counts the types that it finds here.


def flood(count: int) -> int:
    """About `count` messages from node to node through our network; how many were delivered."""
    spec = ClusterSpec(
        registration=Registration(name="ping-pong", algorithm=PingPong, config=object),
        config=None,
        nodes=NODES,
        duration=count * LATENCY_NS // IN_FLIGHT,
        network=NetworkSpec(latency=Constant(LATENCY_NS)),
    )
    return sum(run_trial(spec, seed=7, trial=0).sent) - IN_FLIGHT


def raft_steady_state(count: int) -> int:
    """About `count` heartbeats and their replies in a Raft cluster of five with a leader (its election included)."""
    config = RaftConfig()
    spec = ClusterSpec(
        registration=REGISTRY["raft"],
        config=config,
        nodes=RAFT_PEERS + 1,
        duration=count * config.heartbeat_interval // (2 * RAFT_PEERS),
        network=NetworkSpec(latency=Constant(LATENCY_NS)),
    )
    return sum(run_trial(spec, seed=7, trial=0).sent) - RAFT_PEERS  # At most so many are still on their way.


def bare_timeouts(count: int, pending: int = IN_FLIGHT) -> int:
    """The plainest loop that SimPy allows: a timeout whose callback sets the next, `pending` of them at any time."""
    environment = simpy.Environment()
    timeout = environment.timeout
    left = count

    def ring(_: object) -> None:
        nonlocal left
        left -= 1
        if left >= pending:
            timeout(THEIR_LATENCY).callbacks.append(ring)

    for _ in range(pending):
        timeout(THEIR_LATENCY).callbacks.append(ring)
    environment.run()
    return count


def process_per_message(count: int) -> int:
    """The usual SimPy idiom: a process carries each message to its receiver's Store, which another process empties."""
    environment = simpy.Environment()
    inboxes = [simpy.Store(environment) for _ in range(NODES)]
    delivered = 0

    def send_packet(sender: int, to: int) -> Generator[Any, Any, None]:
        yield environment.timeout(THEIR_LATENCY)
        inboxes[to].put(sender)

    def receive(me: int) -> Generator[Any, Any, None]:
        nonlocal delivered
        while True:
            sender = yield inboxes[me].get()
            delivered += 1
            environment.process(send_packet(me, sender))

    for me in range(NODES):
        environment.process(receive(me))
        for to in range(NODES):
            if to != me:
                environment.process(send_packet(me, to))
    environment.run(until=count * THEIR_LATENCY // IN_FLIGHT)
    return delivered
