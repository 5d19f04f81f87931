"""What Raft's options promise over simulated trials: leases end, the cut off disturb nobody, and elections end."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from simulator.algorithms.raft import DIALECTS, RaftConfig
from simulator.algorithms.registry import REGISTRY
from simulator.checks.safety import violations
from simulator.cluster.cluster import run_trial
from simulator.cluster.distributions import Constant, Uniform
from simulator.cluster.faults.link_degradation import Heal
from simulator.cluster.faults.node_faults import Restart, Resume
from simulator.cluster.faults.partitions import Isolate
from simulator.cluster.faults.schedule import Scheduled, WithoutTarget
from simulator.cluster.network.network import NetworkSpec
from simulator.cluster.spec import ClusterSpec, DiskSpec, LogSpec
from simulator.metrics.leadership import claims
from simulator.protocol import CANDIDATE, FOLLOWER, LEADER, PRE_CANDIDATE, SECOND, Nanoseconds
from simulator.randomness import Streams
from simulator.testing import InteractionBench
from simulator.trace import event_types
from simulator.trace.trace import Trace
from tests.support.raft_options import MS, WAYS, any_options, dialect_options
from tests.verify.randomised import LEAST_TIMEOUT, pick, some_faults

RAFT = REGISTRY["raft"]
LATENCY = Uniform(MS, 3 * MS)
CUT = SECOND
TRIALS = 40


def simulate(
    options: dict[str, Any],
    trial: int,
    *faults: Scheduled,
    nodes: int = 5,
    duration: Nanoseconds,
    logs: LogSpec | None = None,
) -> Trace:
    spec = ClusterSpec(
        registration=RAFT,
        config=RaftConfig(**options),
        nodes=nodes,
        duration=duration,
        network=NetworkSpec(latency=LATENCY),
        disk=DiskSpec(write=Uniform(0, MS)),
        faults=faults,
        logs=logs,
    )
    return run_trial(spec, 4, trial)


# --- Elections end


def options_of(kind: str, trial: int) -> dict[str, Any]:
    """Those of a dialect, at timeouts of about 100 ms; or any, in a range that splits few votes."""
    if kind != "any options":
        return dialect_options(kind, LEAST_TIMEOUT)
    source = Streams(5, trial).python("options")
    times = {"election_timeout": (LEAST_TIMEOUT, 2 * LEAST_TIMEOUT), "heartbeat_interval": 25 * MS}
    return {**times, **any_options(partial(pick, source))}


@pytest.mark.parametrize("kind", [*DIALECTS, "any options"])
def test_once_the_network_is_fair_somebody_leads(kind: str) -> None:
    """Dissertation, 4.2.3: stickiness "does not affect normal elections"; paper, 5.4 and 5.6: a leader, eventually.

    Two seconds with any faults, then a time in which every node runs and every message arrives, within a small part of
    the least timeout: at its end one leads, whom all follow. Four seconds are enough, but for one trial in a thousand
    or so: two servers of which one can be elected, and the other refuses whoever deposes it.
    """
    trials = 400 if kind == "any options" else 100
    for trial in range(trials):
        ends = (all_follow_one(kind, trial, duration * SECOND) for duration in (6, 60))
        assert any(ends), f"{kind}, trial {trial}: {options_of(kind, trial)}"


def all_follow_one(kind: str, trial: int, duration: Nanoseconds) -> bool:
    source, options = Streams(6, trial).python("faults"), options_of(kind, trial)
    nodes = pick(source, 2, 3, 4, 5, 7)
    quiet = (Heal(), Restart("all"), Resume("all"))
    troubles = (replace(fault, without_target=WithoutTarget.SKIP) for fault in some_faults(source, nodes))
    faults = (*troubles, *(Scheduled(at=Constant(2 * SECOND), fault=fault) for fault in quiet))
    logs = None if starves(options) else pick(source, None, LogSpec(lengths=tuple(range(nodes)), permuted=True))
    trace = simulate(options, trial, *faults, nodes=nodes, duration=duration, logs=logs)
    last = {row.node: row for row in trace.of_type(event_types.TRANSITION)}
    leading = [row.node for row in last.values() if row.role is LEADER]
    return len(last) == nodes and len(leading) == 1 and {row.leader for row in last.values()} == set(leading)


def starves(options: dict[str, Any]) -> bool:
    """Whether a candidate that nobody may elect, its log being short, can keep all others from ever standing.

    It stands again before they would, and each of its terms puts them off anew. etcd's timeouts are alike for all.
    """
    puts_off = options.get("step_down_resets_timer") == "anybody" or "tick" in options
    return puts_off and options.get("candidate_timeout") is not None


def test_a_closed_connection_wakes_the_poll_loop() -> None:
    """PySyncObj as measured: deadlines are seen in a loop; "incoming messages and closed connections also wake" it."""
    config = RaftConfig(election_timeout=(410 * MS, 410 * MS), poll_interval=50 * MS)
    bench = InteractionBench(RAFT, 3, config=config)
    bench.advance(420 * MS)  # The loop has looked at 400 ms, and will at 450.
    assert {transition.role for transition in bench.transitions} == {FOLLOWER}
    algorithm = bench.node(1).algorithm
    assert algorithm is not None
    algorithm.on_disconnect(2, "closed")
    assert bench.transitions[-1].role is CANDIDATE


def test_an_opened_connection_wakes_the_poll_loop() -> None:
    """PySyncObj, `__onNewConnection` and `__processConnection`: a socket that is open ends the poller's wait."""
    config = RaftConfig(election_timeout=(410 * MS, 410 * MS), poll_interval=50 * MS)
    bench = InteractionBench(RAFT, 3, config=config)
    bench.advance(420 * MS)
    algorithm = bench.node(1).algorithm
    assert algorithm is not None
    algorithm.on_connect(2)
    assert bench.transitions[-1].role is CANDIDATE


def test_poll_loops_drift_apart() -> None:
    """Issue 13: "each process also has turns of its own length …, or all survivors poll in step after a kill".

    All loops look at the same instant. Ten turns of 50 ms later, loops without `poll_delay` look together again.
    """

    def tenth_looks(delay: tuple[int, int, int] | None) -> set[Nanoseconds]:
        config = RaftConfig(election_timeout=(SECOND, SECOND), poll_interval=50 * MS, poll_delay=delay)
        bench = InteractionBench(RAFT, 3, config=config)
        looks: dict[int, list[Nanoseconds]] = {1: [], 2: [], 3: []}
        while min(map(len, looks.values())) < 10:
            waits = {me: bench.node(me).timers["poll"] for me in looks}
            bench.fire_next()
            for me, wait in waits.items():
                if bench.node(me).timers["poll"] is not wait:
                    looks[me].append(bench.now())
        return {instants[9] for instants in looks.values()}

    assert tenth_looks(None) == {500 * MS}
    drifted = tenth_looks((MS // 10, MS // 5, 7 * MS // 10))
    assert len(drifted) == 3
    assert min(drifted) > 501 * MS


def test_a_delay_of_turns_needs_turns() -> None:
    """ "Bad input: a one-line error that names … the remedy" (brief of issue 13)."""
    with pytest.raises(ValueError, match="poll_delay: needs poll_interval; give both, or leave poll_delay out"):
        RaftConfig(poll_delay=(0, MS, MS))


# --- Leases


@pytest.mark.parametrize("slides", [False, True])
@pytest.mark.parametrize("way", WAYS, ids=lambda way: next(iter(way), "paper"))
def test_a_leader_that_hears_nobody_steps_down_within_its_lease(way: dict[str, Any], slides: bool) -> None:
    """Dissertation, 6.2: "steps down if an election timeout elapses without a successful round of heartbeats".

    A lease that slides runs from the last answer; else it may end just after one, and the next is spent in vain.
    """
    times = {"election_timeout": (100 * MS, 200 * MS), "heartbeat_interval": 25 * MS, "check_quorum": True}
    options = {**times, **way, "lease_slides": slides}
    lease = 100 * MS
    late = 2 * (LATENCY.high + MS) + options.get("poll_interval", 0) + options.get("tick", 0)
    for trial in range(TRIALS):
        trace = simulate(options, trial, Scheduled(at=Constant(CUT), fault=Isolate("leader")), duration=2 * SECOND)
        (current_leader,) = [claim for claim in claims(trace) if claim.start_ns <= CUT < claim.end_ns]
        held_on = current_leader.end_ns - CUT
        assert held_on <= (lease if slides else 2 * lease) + late
        assert held_on >= lease - 25 * MS * 2 - late if slides else held_on > 0


def test_without_check_quorum_a_leader_that_hears_nobody_leads_on() -> None:
    """The paper, 5.2: only a higher term ends a claim."""
    trace = simulate({}, 0, Scheduled(at=Constant(CUT), fault=Isolate("leader")), duration=4 * SECOND)
    (current_leader,) = [claim for claim in claims(trace) if claim.start_ns <= CUT < claim.end_ns]
    assert current_leader.end_ns == trace.end_ns


# --- Who is cut off


@pytest.mark.parametrize("way", WAYS, ids=lambda way: next(iter(way), "paper"))
def test_with_pre_vote_who_was_cut_off_raises_no_term(way: dict[str, Any]) -> None:
    """Dissertation, 9.6: "While a server is partitioned, it won't be able to increment its term"; nor after that."""
    options = {"election_timeout": (100 * MS, 200 * MS), "heartbeat_interval": 25 * MS, "pre_vote": True, **way}
    wishes = 0
    for trial in range(TRIALS):
        faults = Scheduled(at=Constant(CUT), fault=Isolate("follower")), Scheduled(at=Constant(2 * CUT), fault=Heal())
        trace = simulate(options, trial, *faults, duration=3 * SECOND)
        rows = [row for row in trace.of_type(event_types.TRANSITION) if row.time_ns >= CUT]
        wishes += sum(row.role is PRE_CANDIDATE for row in rows)
        current_leader = [claim for claim in claims(trace) if claim.end_ns == trace.end_ns]
        assert len(current_leader) == 1 and current_leader[0].start_ns < CUT
        assert {row.term for row in rows} <= {current_leader[0].term}
    assert wishes >= TRIALS  # It did wish.


# --- The first entry of a leader whose log is not replicated


def test_a_first_entry_delays_the_first_heartbeat_by_one_write() -> None:
    """LogCabin, becomeLeader (2013): a new leader appends an entry, and holds its lock while the disk writes it.

    Hops take 1 ms, writes 3 ms. From the claim, others hear of the leader after one hop; with a first entry, after one
    write and one hop.
    """
    options: dict[str, Any] = {"election_timeout": (100 * MS, 200 * MS), "heartbeat_interval": 50 * MS}
    for first_entry, heard_after in ((False, MS), (True, 4 * MS)):
        spec = ClusterSpec(
            registration=RAFT,
            config=RaftConfig(**options, first_entry=first_entry),
            nodes=5,
            duration=2 * SECOND,
            network=NetworkSpec(latency=Constant(MS)),
            disk=DiskSpec(write=Constant(3 * MS), blocking=True),
            logs=LogSpec(lengths=(5, 4, 3, 2, 1)),
        )
        rows = run_trial(spec, 4, 0).of_type(event_types.TRANSITION)
        claim = next(row for row in rows if row.role is LEADER)
        heard = next(row for row in rows if row.leader == claim.node and row.role is FOLLOWER)
        assert heard.time_ns - claim.time_ns == heard_after


def test_first_entries_keep_what_raft_guarantees() -> None:
    """Paper, figure 3 (election safety) and 5.4.1, whatever the first entries do to the logs, under any faults."""
    options = {"election_timeout": (50 * MS, 100 * MS), "heartbeat_interval": 25 * MS, "first_entry": True}
    elected = 0
    for trial in range(200):
        source = Streams(8, trial).python("faults")
        nodes = pick(source, 3, 4, 5)
        troubles = [replace(fault, without_target=WithoutTarget.SKIP) for fault in some_faults(source, nodes)]
        logs = LogSpec(lengths=tuple(range(nodes)), permuted=True)
        trace = simulate(options, trial, *troubles, nodes=nodes, duration=3 * SECOND, logs=logs)
        assert violations(trace, RAFT.algorithm.guarantees) == []
        elected += len(claims(trace))
    assert elected > 400


def test_a_first_entry_is_for_logs_that_are_not_replicated() -> None:
    """Two options for one entry would be a contradiction: the message says which of them goes with replication."""
    with pytest.raises(ValueError, match=r"first_entry: .*use no_op"):
        RaftConfig(replication=True, first_entry=True)
