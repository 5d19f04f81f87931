"""The whole of ZooKeeper, on a simulated network: what becomes of a lead when a client, or the ensemble, is in trouble.

Issue 5: "leader client crashes, is killed (socket closes), pauses past its session and resumes, is partitioned from the
ensemble; ensemble leader crashes under the clients; ensemble loses its quorum and recovers".

Sessions last 2 s and ticks 0.5 s. From the client's last word, which is at most a third of 2 s old, it takes the whole
timeout and up to a tick until the leader ends a session (reference: "(⌊(last touch + timeout) / tick⌋ + 1)·tick"), and
half a tick more where the client's server has to tell it ("touched on the leader only with the learner's ping").
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from simulator.algorithms.registry import REGISTRY
from simulator.algorithms.zookeeper.client_config import ZooKeeperConfig
from simulator.algorithms.zookeeper.recipe import Volunteer
from simulator.algorithms.zookeeper.server import Server
from simulator.algorithms.zookeeper.service import Service
from simulator.cluster.cluster import Cluster
from simulator.cluster.distributions import Constant, Uniform
from simulator.cluster.faults.node_faults import Crash, Kill, Pause
from simulator.cluster.faults.partitions import Isolate, Partition
from simulator.cluster.faults.record import Fault
from simulator.cluster.faults.schedule import Scheduled
from simulator.cluster.faults.slowdowns import SkewClock
from simulator.cluster.network.network import NetworkSpec, Transport
from simulator.cluster.spec import ClusterSpec
from simulator.experiment.trial import TrialResult, measure
from simulator.protocol import FOLLOWER, LEADER, SECOND, Nanoseconds, NodeId
from simulator.protocol import MILLISECOND as MS
from simulator.trace import event_types
from simulator.trace.trace import Row, Trace

TIMEOUT, TICK, LATENCY = 2 * SECOND, 500 * MS, MS
STRUCK = 6 * SECOND
SERVERS = (4, 5, 6)
CONFIG = ZooKeeperConfig(tick_time=TICK, sync_limit=4, session_timeout=TIMEOUT)
SEEDS = range(12)


class Played:
    """A trial that has been run: its trace, its measures, and its nodes as they were at the end."""

    def __init__(self, seed: int, *faults: Scheduled, end: Nanoseconds = 14 * SECOND, **options: Any) -> None:
        self.spec = ClusterSpec(
            registration=REGISTRY["zookeeper"],
            config=replace(CONFIG, **options),
            nodes=3,
            duration=end,
            start=Uniform(0, SECOND),
            network=NetworkSpec(latency=Constant(LATENCY), transport=Transport.STREAM),
            faults=faults,
        )
        self.cluster = Cluster(self.spec, seed, 0)
        self.trace: Trace = self.cluster.run()
        self.result: TrialResult = measure(self.trace, self.spec, 0)
        assert self.result.violations == []

    def claims(self) -> list[tuple[NodeId, int]]:
        """Who claimed to lead the candidates, in which term, in order."""
        return [(row.node or 0, row.term or 0) for row in self.transitions() if row.role is LEADER]

    def transitions(self, node: NodeId | None = None) -> list[Row]:
        rows = [row for row in self.trace.of_type(event_types.TRANSITION) if row.group == "electorate"]
        return [row for row in rows if node in (None, row.node)]

    def at(self, kind: str, node: NodeId | None = None) -> list[Nanoseconds]:
        return [row.time_ns for row in self.trace.of_type(kind) if node in (None, row.node)]

    def line(self, server: NodeId) -> list[NodeId]:
        """The candidates in the order of their znodes, as a server that runs has them at the end."""
        algorithm: Any = self.cluster.nodes[server].algorithm
        assert isinstance(algorithm, Server) and isinstance(algorithm.replica, Service)
        return [one.node for one in sorted(map(Volunteer.named, algorithm.replica.tree.children("/election")))]

    @property
    def lost(self) -> dict[str, Any]:
        """The election after the first loss."""
        return next(dict(row) for row in self.result.elections if row["cause"] == "loss")


def inject(fault: Fault, *, at: Nanoseconds = STRUCK, lasts: Nanoseconds | None = None) -> Scheduled:
    return Scheduled(at=Constant(at), fault=fault, lasts=None if lasts is None else Constant(lasts))


@pytest.mark.parametrize("fault", [Crash("leader"), Kill("leader")], ids=["crash", "kill"])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_dead_leaders_session_ends_in_its_time_and_the_next_in_line_leads(fault: Fault, seed: int) -> None:
    """Guide, "ZooKeeper Sessions": expiration happens "when the cluster does not hear from the client within the
    specified session timeout period". A closed socket is no end of a session: a kill takes as long as a crash."""
    played = Played(seed, inject(fault))
    (dead, first), (heir, second) = played.claims()
    assert (first, second) == (1, 2)
    (ended,) = played.at("session-expired")
    told, committed, read = LATENCY, 2 * LATENCY, 4 * LATENCY
    assert TIMEOUT - TIMEOUT // 3 < ended - STRUCK <= TIMEOUT + TICK + TICK // 2 + 2 * told
    assert ended + committed <= round(played.lost["claimed_s"] * SECOND) <= ended + committed + read
    assert {tuple(played.line(server)) for server in SERVERS} == {tuple(played.line(4))}
    assert played.line(4)[0] == heir and dead not in played.line(4)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_leader_that_was_paused_stops_as_soon_as_it_goes_on(seed: int) -> None:
    """A process that is paused cannot stop leading: two lead from its heir's claim until it goes on, and not longer.

    Then it finds that it has heard nothing for two thirds of its session, before it hears that this has ended.
    """
    resumed = STRUCK + 5 * SECOND
    played = Played(seed, inject(Pause("leader"), lasts=5 * SECOND))
    (old, _), (_heir, _) = played.claims()
    assert played.result.row["overlaps_stale_leader"] == 1 and played.result.row["overlaps_same_term"] == 0
    claimed = round(played.lost["claimed_s"] * SECOND)
    assert round(played.result.row["overlap_s"] * SECOND) == resumed - claimed
    stopped = next(row for row in played.transitions(old) if row.time_ns >= STRUCK)
    assert (stopped.time_ns, stopped.role) == (resumed, FOLLOWER)
    assert played.line(4)[-1] == old  # It is a candidate again, behind all others.


@pytest.mark.parametrize("seed", SEEDS)
def test_a_leader_that_is_cut_off_stops_before_another_leads(seed: int) -> None:
    """Hunt et al., section 4.4: it gives its server up after 2s/3 without a word, and a session lives for s: "stop
    leading on disconnect" leaves a third of the session's timeout between the two, as long as clocks are right."""
    played = Played(seed, inject(Isolate("leader"), lasts=6 * SECOND), end=20 * SECOND)
    (old, _), (heir, _) = played.claims()
    stopped = next(row.time_ns for row in played.transitions(old) if row.time_ns >= STRUCK)
    claimed = round(played.lost["claimed_s"] * SECOND)
    assert TIMEOUT // 3 - 2 * LATENCY <= stopped - STRUCK <= 2 * TIMEOUT // 3 + LATENCY
    assert claimed - stopped >= TIMEOUT // 3 - LATENCY
    assert played.result.row["overlap_s"] == 0
    assert played.line(4)[0] == heir and played.line(4)[-1] == old


@pytest.mark.parametrize("seed", SEEDS)
def test_with_the_option_it_leads_until_its_own_clock_says_that_its_session_is_over(seed: int) -> None:
    """ "Or only at expiry: an option". Its clock counts from its server's last word, the leader's from its own last:
    what it has heard arrived a latency after the leader could count, so it stops at most that much too late."""
    played = Played(seed, inject(Isolate("leader")), stop_leading="expiry")
    old, _ = played.claims()[0]
    stopped = next(row.time_ns for row in played.transitions(old) if row.time_ns >= STRUCK)
    assert TIMEOUT - TIMEOUT // 3 - 2 * LATENCY <= stopped - STRUCK <= TIMEOUT + LATENCY
    assert played.result.row["overlap_s"] * SECOND <= 2 * LATENCY


@pytest.mark.parametrize("rule", ["disconnect", "expiry"])
def test_a_slow_clock_makes_two_leaders(rule: str) -> None:
    """Client and leader count from the client's last word, each by its own clock. At half speed two thirds of 2 s last
    2.67 s, and 2 s last 4 s; the session ends after 2 to 2.75 s. So the overlap is known, to within a few latencies."""
    slow = [inject(SkewClock(node, drift_ppb=-500_000_000), at=0) for node in (1, 2, 3)]
    overlaps = [
        Played(seed, *slow, inject(Isolate("leader")), stop_leading=rule).result.row["overlap_s"] for seed in SEEDS
    ]
    least, most = {"disconnect": (0, 2.67 - 2), "expiry": (4 - 2.75, 4 - 2)}[rule]
    assert max(overlaps) > 0.1
    assert all(least - 0.01 <= overlap <= most + 0.01 for overlap in overlaps), overlaps


@pytest.mark.parametrize("seed", SEEDS)
def test_leads_survive_the_ensembles_own_leader(seed: int) -> None:
    """Guide, "ZooKeeper Sessions": reconnected within the timeout, a session goes on, and with it its znodes: the same
    candidate leads, by the same token. If it could not find a server in time, the next in line does."""
    played = Played(seed, inject(Crash("leader-of:ensemble")), end=16 * SECOND)
    epochs = [row.term for row in played.trace.rows if row.group == "ensemble" and row.role is LEADER]
    assert len(epochs) == 2
    claims = played.claims()
    assert claims[0][1] == 1 and claims[-1][1] in (1, 2)
    if claims[-1][1] == 1:
        assert {node for node, _ in claims} == {claims[0][0]}
        assert not played.at("session-expired")
    running = [server for server in SERVERS if played.cluster.nodes[server].running]
    assert len(running) == 2
    assert {played.line(server)[0] for server in running} == {claims[-1][0]}
    assert played.result.row["overlap_s"] == 0


@pytest.mark.parametrize("rule", ["disconnect", "expiry"])
@pytest.mark.parametrize("seed", SEEDS)
def test_without_a_quorum_nobody_leads_and_no_session_ends(seed: int, rule: str) -> None:
    """Sessions are ended by an agreed transaction, and by a leader that counts from when it takes over: while nobody
    leads the ensemble, time stands still for them. Clients stop all the same, at once or by their own clocks, and the
    first to lead again is the one who led."""
    down, up = STRUCK, STRUCK + 5 * SECOND
    faults = [inject(Kill(server), lasts=5 * SECOND) for server in (5, 6)]
    played = Played(seed, *faults, end=20 * SECOND, stop_leading=rule)
    lasts = {"disconnect": 2 * LATENCY + CONFIG.sync_limit * TICK, "expiry": CONFIG.sync_limit * TICK + TIMEOUT}[rule]
    stopped = [row.time_ns for row in played.transitions() if row.role is FOLLOWER and row.time_ns > down]
    assert min(stopped) - down <= lasts
    assert not [row for row in played.transitions() if row.role is LEADER and down + lasts < row.time_ns < up]
    assert [when for when in played.at("session-expired") if when < up + TIMEOUT] == []
    claims = played.claims()
    assert claims[1] == claims[0]  # The same candidate, by the same token.
    assert played.result.row["overlap_s"] == 0


def test_a_lead_is_not_taken_for_lost_by_those_who_cannot_know() -> None:
    """A follower that is cut off names nobody, and suspects nobody: it has no opinion of a leader that others have.

    Where the leader's links to the ensemble alone are cut, it is of no use to anybody, though candidates reach each
    other: their suspicion of it is then no mistake (design.md, section 5, false suspicion).
    """
    alone = Played(1, inject(Isolate("follower"), lasts=3 * SECOND))
    assert alone.at(event_types.SUSPECTED) == [] and len(alone.claims()) == 1
    leader = alone.claims()[0][0]
    others = [node for node in (1, 2, 3) if node != leader]
    cut = Played(1, inject(Partition(((leader, *others), (*others, *SERVERS)))))
    assert len(cut.at(event_types.SUSPECTED)) == 2
    assert cut.result.row["false_suspicions"] == 0
