"""Leases for reads under faults: no two leaders hold one at once, and the check sees where they would (6.4.1)."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from simulator.algorithms.raft import Raft
from simulator.algorithms.raft.election_timer import LED
from simulator.algorithms.raft.lease import Lease
from simulator.algorithms.raft.membership import Membership
from simulator.algorithms.registration import Registration
from simulator.algorithms.registry import REGISTRY
from simulator.checks.leases import leases
from simulator.checks.safety import violations
from simulator.checks.violation import Violation
from simulator.cluster.cluster import run_trial
from simulator.cluster.distributions import Constant
from simulator.cluster.faults.link_degradation import Heal
from simulator.cluster.faults.node_faults import Crash, Restart
from simulator.cluster.faults.operator_commands import TransferLeadership
from simulator.cluster.faults.partitions import Partition
from simulator.cluster.faults.schedule import Scheduled
from simulator.cluster.faults.slowdowns import SkewClock
from simulator.cluster.spec import ClusterSpec
from simulator.cluster.workload import Workload
from simulator.protocol import FOLLOWER, MILLISECOND, Guarantee, NodeId
from simulator.protocol import uniform as draw
from simulator.randomness import Streams
from simulator.trace import event_types
from simulator.trace.trace import Row, Trace
from tests.checks.membership import random_members
from tests.verify.randomised import pick

MS = MILLISECOND
SEED = 1
TRIALS = 150  # `make verify` tries 400.
MOST_TRIALS = 1500  # As far as a mutant is looked at.
BOUND = 1.1


def leased(registration: Registration, trial: int, *, greatest_drift_ppb: int = 0) -> ClusterSpec:
    """A randomised trial with changes of members, transfers and cut-off leaders. Clocks drift up to so much."""
    spec = random_members(registration, SEED, trial)
    source = Streams(SEED, trial).python("leases")
    config = replace(
        spec.config,
        lease_reads=True,
        clock_drift_bound=BOUND,
        leader_stickiness=pick(source, "refuse", "ignore"),
        **pick(source, {}, {}, {"tick": 5 * MS}, {"least_silence": 60 * MS}, {"poll_interval": 10 * MS}),
    )
    faults = _drift(greatest_drift_ppb, draw(source, (200 * MS, 400 * MS)))
    for _ in range(pick(source, 0, 1, 3)):
        start = draw(source, (200 * MS, spec.duration - 300 * MS))
        faults.append(Scheduled(at=Constant(start), fault=TransferLeadership(target="leader")))
        faults.append(Scheduled(at=Constant(start + draw(source, (0, 20 * MS))), fault=Partition((("leader",),))))
    if trial % 2:
        return _exchange(replace(spec, config=config), source, faults)
    return replace(spec, config=config, faults=(*faults, *spec.faults))


def _exchange(spec: ClusterSpec, source: random.Random, faults: Sequence[Scheduled]) -> ClusterSpec:
    """A node is cut off until it stands; it is let in when the leader is cut off, and the others may restart just then.

    Clients write little, so that its log can win.
    """
    start = draw(source, (300 * MS, 600 * MS))
    end = start + draw(source, (200 * MS, 500 * MS))
    crash = end - draw(source, (0, 10 * MS))
    crashes = pick(source, 0, 1, 2)
    outsider = draw(source, (1, spec.nodes))
    plan = (
        Scheduled(at=Constant(start), fault=Partition(((outsider,),))),
        *(Scheduled(at=Constant(crash), fault=Crash("follower")) for _ in range(crashes)),
        Scheduled(at=Constant(end), fault=Heal()),
        Scheduled(at=Constant(end), fault=Partition((("leader",),))),
        Scheduled(at=Constant(end), fault=Restart("all")),
    )
    config = replace(spec.config, voters=None, learners=())
    return replace(spec, config=config, faults=(*faults, *plan), workload=Workload(rate_per_s=1), logs=None)


def _drift(greatest_ppb: int, start: int) -> list[Scheduled]:
    """The clocks of a majority begin to run faster than whoever leads."""
    skew = SkewClock(target="majority-without-leader", drift_ppb=greatest_ppb)
    return [Scheduled(at=Constant(start), fault=skew)] if greatest_ppb else []


def judged(spec: ClusterSpec, trial: int) -> tuple[Trace, list[Violation]]:
    trace = run_trial(spec, SEED, trial)
    return trace, violations(trace, Raft.guarantees)


@pytest.mark.parametrize("trials", [TRIALS, pytest.param(400, marks=pytest.mark.verify)])
def test_leases_of_two_leaders_are_disjoint_while_clocks_keep_the_bound(trials: int) -> None:
    """Dissertation, 6.4.1. Clocks are right, or differ by nearly as much as they may."""
    seen: Counter[str] = Counter()
    for trial in range(trials):
        drift = (0, 99_000_000)[trial // 2 % 2]
        trace, found = judged(leased(REGISTRY["raft"], trial, greatest_drift_ppb=drift), trial)
        assert not found, f"trial {trial}: {found[0]}"
        every = leases(trace)
        seen["leases"] += len(every)
        seen["successions"] += len({lease.node for lease in every}) > 1
    print(dict(seen))
    assert seen["leases"] > 2 * trials
    assert seen["successions"] > trials / 4


def hunt(name: str, specs: Iterator[ClusterSpec]) -> None:
    for trial, spec in enumerate(specs):
        if any(violation.guarantee is Guarantee.DISJOINT_LEASES for violation in judged(spec, trial)[1]):
            print(f"{name}: seen in trial {trial}, the first of {trial + 1}")
            return
    pytest.fail(f"{MOST_TRIALS} trials do not show it")


def test_clocks_beyond_the_bound_break_it() -> None:
    """ "If the assumption is violated, the system could return arbitrarily stale information": 6.4.1, of the bound."""
    raft = REGISTRY["raft"]
    hunt("clocks", (leased(raft, trial, greatest_drift_ppb=1_500_000_000) for trial in range(MOST_TRIALS)))


class ForgetsThePromise(Raft):
    """A restarted server votes at once, though it may have heard a leader a moment ago (6.4.1, 4.2.3)."""

    def on_start(self) -> None:
        super().on_start()
        self.timer.leader_was_heard = False
        self.host.cancel_timer(LED)


class Unsticky(Raft):
    """Who has heard a leader votes for another all the same (4.2.3: what leases rest on)."""

    def _is_sticky(self, candidate: NodeId) -> bool:
        return False


class _NeverRevoked(Lease):
    def revoke(self) -> None:
        pass


class KeepsItThroughATransfer(Raft):
    """A leader that has told another to stand goes on reading (3.10, 6.4.1)."""

    def __init__(self, host: Any, config: Any, durable: Mapping[str, Any]) -> None:
        super().__init__(host, config, durable)
        assert self.lease is not None
        self.lease.__class__ = _NeverRevoked


class _FromTheAnswerOn(Lease):
    def on_response(self, peer: NodeId, number: int, membership: Membership) -> None:
        slot = number % self._slots
        if slot in self._rounds:
            self._rounds[slot].sent_ns = self.host.now()
            self.host.set_timer(f"lease {slot}", self.span_ns)
        super().on_response(peer, number, membership)


class CountsFromTheAnswer(Raft):
    """A lease lasts from the majority's answers on, not from the sending of what they answer (6.4.1)."""

    def __init__(self, host: Any, config: Any, durable: Mapping[str, Any]) -> None:
        super().__init__(host, config, durable)
        assert self.lease is not None
        self.lease.__class__ = _FromTheAnswerOn


# The last one takes the longest to show.
@pytest.mark.parametrize(
    "fault",
    [
        *(ForgetsThePromise, Unsticky, KeepsItThroughATransfer),
        pytest.param(CountsFromTheAnswer, marks=pytest.mark.verify),
    ],
)
def test_a_deliberate_fault_of_leases_is_seen(fault: type[Raft]) -> None:
    """Each mutant's docstring cites the rule that it breaks."""
    registration = replace(REGISTRY["raft"], name=fault.__name__, algorithm=fault)
    hunt(fault.__name__, (leased(registration, trial) for trial in range(MOST_TRIALS)))


STEPPED_DOWN, CRASHED = Row(150, event_types.TRANSITION, 1, 2, FOLLOWER, None), Row(150, event_types.CRASHED, 1)


@pytest.mark.parametrize("end", [STEPPED_DOWN, CRASHED])
def test_a_lease_ends_with_the_leadership(end: Row) -> None:
    """Dissertation, 6.4.1: the lease is the leader's. It lasts from 100 to 300, unless the leader is none any more."""
    granted = Row(100, event_types.LEASE, 1, detail=(("term", 1), ("lasts_ns", 200)))
    trace = Trace(rows=[granted, end], end_ns=1000, groups={})
    assert [(lease.start_ns, lease.end_ns) for lease in leases(trace)] == [(100, 150)]


@pytest.mark.parametrize(("begins", "broken"), [(299, [(299, (1, 2))]), (300, [])])
def test_leases_of_two_leaders_overlap_from_their_first_common_instant_on(begins: int, broken: list[object]) -> None:
    """Dissertation, 6.4.1: the lease of n1 lasts from 100 to 300. That of n2 may begin then, and not before."""
    granted = [
        Row(time_ns, event_types.LEASE, node, detail=(("term", node), ("lasts_ns", 200)))
        for time_ns, node in ((100, 1), (begins, 2))
    ]
    found = violations(Trace(rows=granted, end_ns=1000, groups={}), {Guarantee.DISJOINT_LEASES})
    assert [(violation.time_ns, violation.nodes) for violation in found] == broken
