"""Each group is held to the promises of its own algorithm (design.md, section 3: "claims are compared only within a
group, so two electorates never look like split-brain"; rule 7: "an algorithm promises only what its paper promises").
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import pytest

from simulator.algorithms.registration import Group, Registration
from simulator.cluster.cluster import run_trial
from simulator.cluster.faults.node_faults import Pause
from simulator.cluster.spec import ClusterSpec
from simulator.experiment.trial import TrialResult, measure
from simulator.protocol import ELECTORATE, FOLLOWER, LEADER, MILLISECOND, Algorithm, Assumption, Guarantee, NodeId
from simulator.trace.trace import Row, Trace
from tests.support.probe import at

MS = MILLISECOND


@dataclass(frozen=True)
class Claims:
    """Who claims, and in which term."""

    claims: tuple[tuple[NodeId, int], ...]


class Claimant(Algorithm):
    """It claims in its own group, as it is told to."""

    def on_start(self) -> None:
        group = next(name for name, members in self.host.groups.items() if self.host.me in members)
        self.host.transition(FOLLOWER, 0, None, group)
        for node, term in self.config.claims:
            if node == self.host.me:
                self.host.note("vote", term=term, voter=min(self.host.groups[group]))
                self.host.transition(LEADER, term, node, group)


class Client(Claimant):
    guarantees: ClassVar = frozenset({Guarantee.ELECTION_SAFETY})


class Server(Claimant):
    guarantees: ClassVar = frozenset({Guarantee.ONE_CLAIM, Guarantee.ONE_VOTE})
    assumes: ClassVar = frozenset({Assumption.NO_PAUSE})


SERVED = Registration(
    name="served",
    algorithm=Client,
    config=Claims,
    groups=(Group(name="servers", algorithm=Server, size=lambda _: 2),),
    quorum=False,
)


def measured(*claims: tuple[NodeId, int], registration: Registration = SERVED, **others: Any) -> TrialResult:
    """Of clients n1 to n3 and servers n4 and n5."""
    spec = ClusterSpec(registration=registration, config=Claims(claims), nodes=3, duration=100 * MS, **others)
    return measure(run_trial(spec, 1, 0), spec, 0)


@pytest.mark.parametrize(
    ("claims", "broken"),
    [
        (((1, 7), (4, 7)), []),  # One leader in each group: with the same term, and with two votes of one term.
        (((1, 7), (2, 8)), []),  # Two clients at once: they promise no more than one for each term.
        (((1, 7), (2, 7)), [(Guarantee.ELECTION_SAFETY, (1, 2))]),
        (((4, 7), (5, 8)), [(Guarantee.ONE_CLAIM, (4, 5))]),
        (((4, 7), (5, 7)), [(Guarantee.ONE_VOTE, (4, 4, 5)), (Guarantee.ONE_CLAIM, (4, 5))]),
        (((1, 7), (2, 7), (4, 7), (5, 8)), [(Guarantee.ELECTION_SAFETY, (1, 2)), (Guarantee.ONE_CLAIM, (4, 5))]),
    ],
)
def test_a_group_is_held_to_its_own_promises(
    claims: tuple[tuple[NodeId, int], ...], broken: list[tuple[Guarantee, tuple[NodeId, ...]]]
) -> None:
    assert [(violation.guarantee, violation.nodes) for violation in measured(*claims).violations] == broken


def test_an_assumption_frees_the_group_that_makes_it() -> None:
    """Rule 7. The servers assume that nobody pauses; the clients' promise holds whoever does."""
    result = measured((1, 7), (2, 7), (4, 7), (5, 8), faults=(at(10, Pause(1)),))
    assert [violation.guarantee for violation in result.violations] == [Guarantee.ELECTION_SAFETY]
    assert result.row["assumptions_broken"] == "no-pause"
    assert measured(faults=(at(10, Pause(1)),), registration=_alone()).row["assumptions_broken"] == ""


def _alone() -> Registration:
    return replace(SERVED, groups=())


def test_a_waived_promise_is_waived_in_every_group() -> None:
    """docs/nemesis.md: "A waived promise is still checked. Where it is broken, it is counted and shown"."""
    result = measured((1, 7), (2, 7), (4, 7), (5, 8), waived=frozenset({Guarantee.ONE_CLAIM}))
    assert [violation.guarantee for violation in result.violations] == [Guarantee.ELECTION_SAFETY]
    assert [violation.guarantee for violation in result.waived] == [Guarantee.ONE_CLAIM]


def test_the_headline_metrics_are_of_the_headline_group() -> None:
    """Issue 5: "For zookeeper, cluster.nodes counts the candidates": what servers elect is no election of theirs."""
    result = measured((2, 7), (4, 7), (5, 9))
    assert [row["winner"] for row in result.elections] == [2]
    assert result.row["overlaps_stale_leader"] == result.row["overlaps_same_term"] == 0


def test_a_groups_part_of_a_trace() -> None:
    """What its nodes tell, and what befalls anybody: a server that dies may well disturb its clients."""
    rows = [
        Row(0, "started", 1),
        Row(0, "started", 4),
        Row(1, "transition", 1, 1, LEADER, 1, ELECTORATE),
        Row(1, "vote", 4, detail=(("term", 1), ("voter", 4))),
        Row(1, "transition", 4, 1, LEADER, 4, "servers"),
        Row(2, "fault", None, detail=(("fault", "crash"),)),
        Row(2, "crashed", 4),
    ]
    trace = Trace(rows=rows, end_ns=9, groups={ELECTORATE: (1, 2, 3), "servers": (4, 5)})
    clients, servers = trace.of_group(ELECTORATE), trace.of_group("servers")
    assert list(clients.rows) == [*rows[:3], *rows[5:]]
    assert list(servers.rows) == [*rows[:2], *rows[3:]]
    assert (servers.groups, servers.primary_group) == ({"servers": (4, 5)}, "servers")
    assert servers.of_group("servers") is servers  # One group is all there is.
