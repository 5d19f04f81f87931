"""Randomised trials in which members come and go in the middle of faults, and Raft with faults in how they do."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from simulator.algorithms.raft import Raft, RaftConfig
from simulator.algorithms.raft.membership import Membership
from simulator.algorithms.raft.membership_change import MembershipChange
from simulator.algorithms.registration import Registration
from simulator.algorithms.registry import REGISTRY
from simulator.cluster.distributions import Constant
from simulator.cluster.faults import operator_commands as requests
from simulator.cluster.faults.link_degradation import Heal
from simulator.cluster.faults.node_faults import Crash, Restart
from simulator.cluster.faults.partitions import Partition
from simulator.cluster.faults.schedule import LEADER_ELECTED, Scheduled, WithoutTarget
from simulator.cluster.spec import ClusterSpec
from simulator.cluster.workload import Workload
from simulator.protocol import MILLISECOND
from simulator.protocol import uniform as draw
from simulator.randomness import Streams
from tests.verify.randomised import DURATION, LEAST_TIMEOUT, pick, random_spec

MS = MILLISECOND


def random_members(registration: Registration, seed: int, trial: int) -> ClusterSpec:
    """A randomised trial of a cluster that begins with some of its nodes, and is asked for others again and again."""
    if trial % 4 == 3:
        return duel(registration, seed, trial)
    spec = random_spec(registration, seed, trial)
    source = Streams(seed, trial).python("randomised members")
    nodes = max(4, spec.nodes)
    voters = draw(source, (2, nodes))
    every = list(range(1, nodes + 1))
    source.shuffle(every)
    learners = every[voters : voters + pick(source, 0, 0, 1)]
    config = replace(
        _papers(source),
        replication=True,
        no_op=pick(source, True, True, False),
        pre_vote=pick(source, False, True),
        check_quorum=pick(source, False, True),
        leader_stickiness=pick(source, "off", "refuse", "ignore"),
        voters=tuple(sorted(every[:voters])),
        learners=tuple(sorted(learners)),
    )
    return replace(
        spec,
        nodes=nodes,
        absent=frozenset(),
        logs=None,
        config=config,
        faults=(*spec.faults, *_changes(source, nodes), *_lonely_changes(source, nodes)),
        workload=Workload(rate_per_s=pick(source, 30, 300)),
        duration=2 * DURATION,
    )


def _papers(source: random.Random) -> RaftConfig:
    """The paper's options, with timeouts so close together that votes often split."""
    return RaftConfig(
        election_timeout=(LEAST_TIMEOUT, LEAST_TIMEOUT + pick(source, 5, 20, 50, 100) * MS),
        heartbeat_interval=pick(source, 25, 50) * MS,
    )


def duel(registration: Registration, seed: int, trial: int) -> ClusterSpec:
    """A leader adds a server and is cut off with it; its successor, no sooner elected, removes one; and they meet.

    The schedule of the mistake that its author found in 2015, with random instants and hosts.
    """
    spec = random_spec(registration, seed, trial)
    source = Streams(seed, trial).python("duel of changes")
    config = replace(_papers(source), replication=True, no_op=pick(source, False, True), voters=(1, 2, 3, 4))
    start = 300 * MS
    cut = start + draw(source, (5 * MS, 60 * MS))
    ally = draw(source, (1, 4))

    def elected(fault: Any, delay: int = 0) -> Scheduled:
        return Scheduled(fault=fault, at=Constant(delay), after=LEADER_ELECTED, occurrence=2)

    faults = (
        Scheduled(fault=requests.AddServer(5), at=Constant(start)),
        Scheduled(fault=Partition((("leader", 5),)), at=Constant(cut)),
        elected(Heal()),
        elected(Partition((("leader", ally),))),
        elected(requests.RemoveServer(draw(source, (1, 4)))),
        elected(Heal(), draw(source, (300 * MS, 900 * MS))),
    )
    return replace(
        spec,
        nodes=5,
        absent=frozenset(),
        logs=None,
        config=config,
        faults=faults,
        workload=Workload(rate_per_s=20),
        duration=2 * DURATION,
    )


def _changes(source: random.Random, nodes: int) -> list[Scheduled]:
    """An operator who cannot make up their mind."""
    return [
        Scheduled(at=Constant(draw(source, (0, 2 * DURATION - 100 * MS))), fault=_change(source, nodes))
        for _ in range(pick(source, 4, 12, 24))
    ]


def _change(source: random.Random, nodes: int) -> Any:
    kind = pick(source, requests.AddServer, requests.RemoveServer)
    return kind(pick(source, draw(source, (1, nodes)), draw(source, (1, nodes)), "leader"))


def _lonely_changes(source: random.Random, nodes: int) -> list[Scheduled]:
    """A leader is asked for two changes in a row, and is then cut off with one other node, or alone, for a while."""
    faults = []
    for _ in range(pick(source, 0, 1, 2)):
        start = draw(source, (200 * MS, 2 * DURATION - 400 * MS))
        company = pick(source, ("leader",), ("leader", draw(source, (1, nodes))))
        faults += [Scheduled(at=Constant(start), fault=_change(source, nodes)) for _ in range(2)]
        faults.append(Scheduled(at=Constant(start + draw(source, (0, 30 * MS))), fault=Partition((company,))))
        faults.append(Scheduled(at=Constant(start + draw(source, (150 * MS, 400 * MS))), fault=Heal()))
    return faults


def with_transfers(spec: ClusterSpec, seed: int, trial: int) -> ClusterSpec:
    """The same trial with an operator who moves leadership to and fro, often to a node that has just restarted.

    Messages may overtake each other, so TimeoutNow may come before the first AppendEntries, or long after its term.
    """
    source = Streams(seed, trial).python("transfers")
    faults = list(spec.faults)
    for _ in range(pick(source, 3, 8, 20)):
        start = draw(source, (100 * MS, spec.duration - 100 * MS))
        target = pick(source, None, *(draw(source, (1, spec.nodes)) for _ in range(3)))
        asked = pick(source, "leader", "leader", "random")
        transfer = requests.TransferLeadership(asked, to=target)
        if target is not None and pick(source, False, True):
            faults.append(_skipped(Crash(target), start - draw(source, (5 * MS, 25 * MS))))
            faults.append(_skipped(Restart(target), start - draw(source, (0, 5 * MS))))
        faults.append(_skipped(transfer, start))
    return replace(spec, faults=tuple(faults))


def _skipped(fault: Any, at: int) -> Scheduled:
    return Scheduled(at=Constant(max(0, at)), fault=fault, without_target=WithoutTarget.SKIP)


class TwoAtOnce(MembershipChange):
    """A change begins before the one before it is committed (4.1: majorities of the two need not overlap)."""

    def may_begin(self, term: int, is_transferring: bool) -> bool:
        return self.has_committed(term)


class BeforeItsOwnEntry(MembershipChange):
    """A leader changes members before it has committed an entry of its own term (raft-dev, 2015: the correction)."""

    def may_begin(self, term: int, is_transferring: bool) -> bool:
        return self.is_committed


class AddsAtOnce(Raft):
    """A new server votes before anybody has heard of it: the leader needs no majority for it, and no log (4.1, 4.2.1).

    A configuration that is appended counts as committed.
    """

    def _proceed_with_change(self) -> None:
        before = self.membership.index
        super()._proceed_with_change()
        if self.membership.index > before and self.replication is not None:
            self.replication.commit_index = max(self.replication.commit_index, self.membership.index)
            self._proceed_with_change()


class CountsItselfThoughRemoved(Membership):
    """A leader that is to go still counts itself (4.2.2: it is in no majority)."""

    def apply(self) -> None:
        super().apply()
        self.is_voter = True


class KeepsItsQuorum(Membership):
    """Whoever joins, as many votes and copies are enough as at first (4.1: majorities of the new configuration)."""

    def apply(self) -> None:
        super().apply()
        self.quorum = min(self.initial.quorum, self.current.quorum)


class AsksLearners(Membership):
    """Learners' votes and copies count (4.2.1: they have none)."""

    def apply(self) -> None:
        super().apply()
        self.other_voters = self.peers


Fault: TypeAlias = type[MembershipChange] | type[Membership] | type[Raft]
FAULTS: Sequence[Fault] = (
    TwoAtOnce,
    BeforeItsOwnEntry,
    AddsAtOnce,
    CountsItselfThoughRemoved,
    KeepsItsQuorum,
    AsksLearners,
)


def mutant(fault: Fault) -> Registration:
    """Raft with one such fault."""
    if issubclass(fault, Raft):
        return replace(REGISTRY["raft"], name=fault.__name__, algorithm=fault)

    class Mutant(Raft):
        def __init__(self, host: Any, config: Any, durable: Any) -> None:
            super().__init__(host, config, durable)
            for part in (self.membership_change, self.membership):
                if part is not None and issubclass(fault, type(part)):
                    part.__class__ = fault
            if self.membership.is_special:
                self.membership.apply()

    return replace(REGISTRY["raft"], name=fault.__name__, algorithm=Mutant)
