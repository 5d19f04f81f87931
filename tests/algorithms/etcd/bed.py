"""Members of etcd and candidates on the bench: messages take no time, to within a step of the clock."""

from __future__ import annotations

from typing import Any

from simulator.algorithms.etcd.config import EtcdElectionConfig
from simulator.algorithms.etcd.recipe import Candidate
from simulator.algorithms.etcd.registration import ETCD_ELECTION
from simulator.algorithms.etcd.server import EtcdServer
from simulator.protocol import MILLISECOND, SECOND, Nanoseconds, NodeId
from simulator.testing import InteractionBench
from simulator.testing.bench import Envelope

MS = MILLISECOND


class Scene(InteractionBench):
    """Candidates 1 to n, and members after them. What nodes send to a silent node, or it sends, is lost."""

    def __init__(self, candidates: int, *, seed: int = 0, **options: Any) -> None:
        self.silent: set[NodeId] = set()
        self.sent_at: list[tuple[Nanoseconds, Envelope]] = []
        super().__init__(ETCD_ELECTION, candidates, config=EtcdElectionConfig(**options), seed=seed)

    def candidate(self, node: NodeId) -> Candidate:
        algorithm = self.node(node).algorithm
        assert isinstance(algorithm, Candidate)
        return algorithm

    def member(self, node: NodeId) -> EtcdServer:
        algorithm = self.node(node).algorithm
        assert isinstance(algorithm, EtcdServer)
        return algorithm

    @property
    def members(self) -> list[EtcdServer]:
        """Those that run."""
        return [self.member(node) for node in self.groups["etcd"] if self.node(node).running]

    @property
    def primary(self) -> NodeId:
        """The member that leads, of the highest term."""
        leading = [member for member in self.members if member.member.leads]
        return max(leading, key=lambda member: member.raft.term).host.me

    @property
    def leaders(self) -> list[NodeId]:
        """The candidates that lead."""
        nodes = [self.node(node) for node in self.groups["electorate"]]
        return [node.me for node in nodes if node.declared is not None and node.declared.role == "leader"]

    def send_segment(self, sender: NodeId, to: NodeId, message: Any) -> None:
        super().send_segment(sender, to, message)
        self.sent_at.append((self.now(), self.sent[-1]))

    def let_pass(self, seconds: float, step: Nanoseconds = 5 * MS) -> None:
        """Let time pass, with all the messages that it brings."""
        for _ in range(round(seconds * SECOND) // step):
            self.deliver_all()
            self.advance(step)
        self.deliver_all()

    def deliver_all(self) -> None:
        """Deliver what is in flight, in order. What concerns a silent node is lost."""
        while self.in_flight:
            first = self.in_flight[0]
            lost = {first.sender, first.to} & self.silent
            (self.drop if lost else self.deliver)(first)

    def kill(self, node: NodeId) -> None:
        """Kill the process of a node, whose host closes its connections."""
        self.node(node).crash()
        for other in self.nodes.values():
            if other.running:
                other.disconnect(node, "closed")

    def hear_again(self, node: NodeId) -> None:
        """A silent node is silent no more. Its connections have ended meanwhile, since what was sent was lost."""
        self.silent.discard(node)
        for other in self.nodes.values():
            if other.me != node:
                other.disconnect(node, "timeout")
                self.node(node).disconnect(other.me, "timeout")

    def deletions(self) -> list[Nanoseconds]:
        """When members have told clients that a key was deleted."""
        return [at for at, one in self.sent_at if one.text.startswith("WatchResponse") and "deleted=True" in one.text]

    def times(self, kind: str, sender: NodeId) -> list[float]:
        """When a node has sent messages of this type, in seconds."""
        return [at / SECOND for at, one in self.sent_at if one.sender == sender and type(one.message).__name__ == kind]


def scene(candidates: int = 3, *, seconds: float = 4, **options: Any) -> Scene:
    """A scene in which a candidate leads, and all have keys."""
    bench = Scene(candidates, **options)
    bench.let_pass(seconds)
    return bench
