"""The liveness verdict on traces written by hand, on Raft under a nemesis, and on copies of it that never recover.

Issue 3: "after the last fault heals, a leader that a majority follows within a bound the scenario states, else a
reported failure with the command that replays it".
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import simulator
from simulator.algorithms.raft import Raft
from simulator.algorithms.raft.election_timer import ELECTION
from simulator.algorithms.registry import REGISTRY
from simulator.checks.liveness import LIVENESS, Recovery, Verdict, liveness, recovery
from simulator.cluster.cluster import run_trial
from simulator.cluster.spec import ClusterSpec
from simulator.experiment.trial import simulate
from simulator.protocol import FOLLOWER, LEADER, Role
from simulator.trace import event_types
from simulator.trace.trace import Row, Trace
from tests.support.trace_text import MS, parse_trace

# n1 leads n2 and n3 from 120 on.
LED = """
0 start 1 2 3
100 1 candidate 1
120 1 leader 1
130 2 follower 1 of 1
140 3 follower 1 of 1
"""


def judged(
    text: str,
    *marks: tuple[int, str],
    within_ms: int = 100,
    end_ms: int = 2000,
    nodes: int = 3,
    all_nodes: bool = False,
) -> Recovery:
    """The verdict on a story, with marks of the schedule: (instant in ms, `fault` or `repaired`)."""
    told = parse_trace(text, end_ms=end_ms, nodes=nodes)
    rows = [*told.rows, *(Row(at_ms * MS, kind, None, detail=(("fault", "x"),)) for at_ms, kind in marks)]
    trace = replace(told, rows=sorted(rows, key=lambda row: row.time_ns))
    return recovery(trace, within_ms * MS, all_nodes=all_nodes)


def test_a_leader_whom_a_majority_follows_at_once() -> None:
    # The fault at 500 leaves everything as it is: two of three, and the leader itself.
    assert judged(LED, (500, event_types.FAULT)) == Recovery(Verdict.RECOVERED, 500 * MS, 500 * MS, 1)


def test_without_faults_the_time_counts_from_the_start() -> None:
    # n1 claims at 120, but only with n2, at 130, two of three follow it.
    assert judged(LED, within_ms=130) == Recovery(Verdict.RECOVERED, 0, 130 * MS, 1)
    assert judged(LED, within_ms=129).verdict is Verdict.FAILED


def test_a_new_leader_in_time_and_too_late() -> None:
    # The crash of 500 is the last fault; n2 claims at 700, and n3 names it at 720: 220 after the fault.
    text = LED + "500 crash 1\n500 lost 1 crash\n650 2 candidate 2\n700 2 leader 2\n720 3 follower 2 of 2"
    assert judged(text, (500, event_types.FAULT), within_ms=220) == Recovery(Verdict.RECOVERED, 500 * MS, 720 * MS, 2)
    assert judged(text, (500, event_types.FAULT), within_ms=219) == Recovery(Verdict.FAILED, 500 * MS, 720 * MS, 2)


def test_the_last_that_strikes_or_is_undone_is_what_counts() -> None:
    text = LED + "500 crash 1\n500 lost 1 crash\n700 2 leader 2\n720 3 follower 2 of 2"
    assert judged(text, (500, event_types.FAULT), (600, event_types.REPAIRED), within_ms=120).since_ns == 600 * MS
    assert (
        judged(text, (500, event_types.FAULT), (600, event_types.REPAIRED), within_ms=120).verdict is Verdict.RECOVERED
    )
    assert judged(text, (500, event_types.FAULT), (590, event_types.FAULT), within_ms=120).verdict is Verdict.FAILED


@pytest.mark.parametrize(
    ("end_ms", "verdict"), [(600, Verdict.FAILED), (599, Verdict.UNDECIDED), (500, Verdict.UNDECIDED)]
)
def test_a_trial_that_ends_before_the_time_is_over_decides_nothing(end_ms: int, verdict: Verdict) -> None:
    # 100 after the fault at 500; the end of a trial is not observed, and what would happen then is not asked for.
    text = LED + "500 crash 1\n500 lost 1 crash"
    assert judged(text, (500, event_types.FAULT), end_ms=end_ms) == Recovery(verdict, 500 * MS, None, None)


NOT_FOLLOWED = {
    "a claim alone": "500 crash 1\n500 lost 1 crash\n510 2 leader 2",
    "by one that is down": "500 crash 1\n500 lost 1 crash\n510 3 follower 2 of 2\n520 crash 3\n530 2 leader 2",
    "by one that is paused": "500 crash 1\n500 lost 1 crash\n510 pause 3\n520 2 leader 2\n520 3 follower 2 of 2",
    "one that only others call leader": "500 1 follower 2\n500 lost 1 step-down",
    "one that is paused": "500 pause 1\n500 lost 1 pause",
    "one that is cut off": "500 lost 1 cut-off",
    "one that is down": "500 crash 1\n500 lost 1 crash",
}


@pytest.mark.parametrize("text", NOT_FOLLOWED.values(), ids=NOT_FOLLOWED)
def test_who_is_not_followed(text: str) -> None:
    """ "names, the claimant included, running and awake, with a two-way path"."""
    assert judged(LED + text, (500, event_types.FAULT)).verdict is Verdict.FAILED


def test_a_leader_that_does_not_reign_need_not_be_lost_to_be_no_leader() -> None:
    # Of losses, the trace tells only those of the current leader; here n1, which two others name, does not reign.
    paused = "400 2 leader 2\n400 3 follower 1 of 1\n410 2 follower 2 of 1\n500 pause 1"
    assert judged(LED + "150 4 follower 1 of 1\n" + paused, (500, event_types.FAULT), nodes=4).verdict is Verdict.FAILED
    told = parse_trace(LED, end_ms=2000)
    rows = [row._replace(leader=3) if row.role is Role.LEADER else row for row in told.rows]
    assert recovery(replace(told, rows=rows), 1000 * MS).verdict is Verdict.FAILED  # It claims, and names another.


def test_who_is_followed_again() -> None:
    back = "500 lost 1 cut-off\n550 back 1 cut-off"
    assert judged(LED + back, (500, event_types.FAULT)).recovered_ns == 550 * MS
    resumed = "500 pause 1\n500 lost 1 pause\n550 resume 1\n550 back 1 pause"
    assert judged(LED + resumed, (500, event_types.FAULT)).recovered_ns == 550 * MS
    again = "500 1 follower 1\n500 lost 1 step-down\n550 1 leader 2"  # The others have named it all the while.
    assert judged(LED + again, (500, event_types.FAULT)).recovered_ns == 550 * MS


def test_a_majority_is_one_of_the_configuration() -> None:
    # Of five members, three follow n1, then two; n4 and n5 have never started.
    assert judged(LED, (500, event_types.FAULT), nodes=5).verdict is Verdict.RECOVERED
    assert judged(LED + "400 crash 3", (500, event_types.FAULT), nodes=5).verdict is Verdict.FAILED
    assert judged(LED + "400 crash 3", (500, event_types.FAULT), nodes=4).verdict is Verdict.FAILED


def test_what_is_undone_at_the_instant_at_which_it_is_done_was_never_the_case() -> None:
    # The paused n1 is back at 600, hears of a higher term at once, and steps down.
    text = LED + "500 pause 1\n500 lost 1 pause\n600 resume 1\n600 back 1 pause\n600 1 follower 2\n600 lost 1 step-down"
    assert judged(text, (500, event_types.FAULT), within_ms=200).verdict is Verdict.FAILED


def test_a_failure_says_when_and_what_came_of_it() -> None:
    text = LED + "500 crash 1\n500 lost 1 crash\n700 2 leader 2\n720 3 follower 2 of 2"
    (violation,) = liveness(judged(text, (500, event_types.FAULT)), 100 * MS)
    assert (violation.guarantee, violation.nodes) == (LIVENESS, (2,))
    assert str(violation) == (
        "liveness at 0.600000 s: no leader is followed by a majority since the last fault at 0.500000 s; "
        "n2 is, at 0.720000 s"
    )
    (never,) = liveness(judged(LED + "500 crash 1", (500, event_types.FAULT)), 100 * MS)
    assert str(never).endswith("since the last fault at 0.500000 s")
    assert list(liveness(judged(LED, (500, event_types.FAULT)), 100 * MS)) == []


# --- Raft, and copies of it that do not recover, under a nemesis

HAUNTED = """
version: 1
name: haunted
algorithm: {name: raft}
cluster: {nodes: 5, disk: {write: {uniform: [100us, 1ms]}}}
network: {latency: {uniform: [1ms, 10ms]}, loss: 0.01}
nemesis:
  mix:
    - {crash: leader}
    - {kill: random}
    - {bounce: random}
    - {pause: random}
    - {slow_node: random, service: 10ms}
    - {slow_disk: random, write: 50ms}
    - {stall_disk: random}
    - {skew_clock: random, drift_ppm: 100000, jump: -10s}
    - {partition: [[leader-and-minority]]}
    - {partition_oneway: {senders: leader}}
    - {partition_oneway: {senders: [random, random], receivers: leader}}
    - {cut_link: [leader, follower]}
    - {isolate: minority}
    - {bridge: random}
    - {majorities_ring: all}
    - {degrade: {senders: leader}, latency: {exponential: 100ms}, loss: 0.3, duplication: 0.3}
    - {flap: leader, down: 100ms, up: 200ms}
    - {hold: random}
  time_to_failure: 300ms
  time_to_repair: 1s
  at_most: all
  quiet: 5s
  swarm: true
liveness: {within: 5s}
duration: 12s
trials: 150
"""


def run_with_nemesis(*overrides: str) -> simulator.Scenario:
    return simulator.loads(HAUNTED, "haunted.yaml", overrides)


def test_raft_recovers_from_a_nemesis_that_may_strike_everybody() -> None:
    """Within 5 s, when `broadcastTime << electionTimeout << MTBF` holds again (Raft, section 5.6).

    A round of 5 fails with a probability well below 1/2, and takes 300 ms at most: 16 in a row are not seen.
    """
    result = simulator.run(run_with_nemesis())
    assert result.violations == []
    assert result.summary["liveness"]["recovered"] == 150
    assert result.summary["liveness"]["recovery"]["max"]["value"] > 0.1  # It had something to recover from.
    assert result.trials["losses"].sum() > 300


class NeverStandsAgain(Raft):
    """Stands once in each life, and never again: "If election timeout elapses: start new election" (figure 2)."""

    def on_timer(self, name: str) -> None:
        if name == ELECTION and self.term > 0:
            return
        super().on_timer(name)


class DoesNotTell(Raft):
    """A leader that sends no heartbeats: "upon election: send initial empty AppendEntries RPCs" (figure 2)."""

    def _send_heartbeats(self) -> None:
        return


def mutated(algorithm: type[Raft], *overrides: str) -> ClusterSpec:
    registration = replace(REGISTRY["raft"], name=algorithm.__name__, algorithm=algorithm)
    return replace(run_with_nemesis(*overrides).cluster_spec(), registration=registration)


@pytest.mark.parametrize("mutant", [NeverStandsAgain, DoesNotTell])
def test_a_raft_that_does_not_recover_is_caught(mutant: type[Raft]) -> None:
    spec = mutated(mutant)
    results = [simulate(spec, 1, trial) for trial in range(20)]
    failed = [result for result in results if result.row["liveness"] == "failed"]
    assert len(failed) > 10
    for result in failed:
        (violation,) = result.violations  # It breaks no promise: safety is all that Raft promises.
        assert violation.guarantee == LIVENESS
        assert violation.time_ns <= spec.duration
    # And the trial fails again, on its own.
    again = simulate(spec, 1, failed[-1].trial)
    assert (again.violations, again.digest) == (failed[-1].violations, failed[-1].digest)


def test_the_verdict_agrees_with_a_search_through_every_instant() -> None:
    """The same question asked of each instant anew, from all rows before it, as slowly as can be."""
    spec = mutated(Raft, "duration=7s", "nemesis.time_to_repair=300ms", "nemesis.quiet=5s")
    for trial in range(15):
        trace = run_trial(spec, 1, trial)
        found = recovery(trace, 5000 * MS)
        instants = sorted({row.time_ns for row in trace.rows if row.time_ns >= found.since_ns})
        assert found.recovered_ns == next((time for time in instants if _followed(trace, time)), None)


def _followed(trace: Trace, time_ns: int) -> bool:
    told: dict[int, Any] = {}
    up: set[int] = set()
    awake: set[int] = set()
    lost: set[int] = set()
    for row in trace.rows:
        if row.time_ns > time_ns or row.node is None:
            continue
        if row.kind == event_types.TRANSITION:
            told[row.node] = (row.role, row.leader)
            lost -= {row.node}
        up |= {row.node} if row.kind == event_types.STARTED else set()
        up -= {row.node} if row.kind == event_types.CRASHED else set()
        awake |= {row.node} if row.kind in (event_types.STARTED, event_types.RESUMED) else set()
        awake -= {row.node} if row.kind in (event_types.CRASHED, event_types.PAUSED) else set()
        lost |= {row.node} if row.kind == event_types.LEADER_LOST else set()
        lost -= {row.node} if row.kind == event_types.LEADER_BACK else set()
        if row.kind == event_types.CRASHED:
            told[row.node] = (FOLLOWER, None)
    leaders = [node for node in up & awake - lost if told.get(node, (None, None)) == (Role.LEADER, node)]
    return any(sum(told[node][1] == leader for node in up & awake if node in told) >= 3 for leader in leaders)


# --- All nodes (issue 13: "all that run, are members, and can reach a majority; clients: a server")


def judged_of_all(text: str, *marks: tuple[int, str], within_ms: int = 100, end_ms: int = 2000) -> Recovery:
    return judged(text, *marks, within_ms=within_ms, end_ms=end_ms, all_nodes=True)


FAULT_AT_500 = (500, event_types.FAULT)


def test_all_follow_only_when_the_last_one_does() -> None:
    # n2 follows n1 from 130 on, which makes a majority; n3 from 140 on.
    assert judged_of_all(LED, within_ms=140) == Recovery(Verdict.RECOVERED, 0, 140 * MS, 1, True)
    assert judged_of_all(LED, within_ms=139) == Recovery(Verdict.FAILED, 0, 140 * MS, 1, True)
    assert judged_of_all(LED, FAULT_AT_500).recovered_ns == 500 * MS


def test_that_they_agree_at_an_instant_before_the_time_is_over_is_not_enough() -> None:
    """Issue 13: what was held back arrives after the last repair, at whose instant all still agree."""
    parted = LED + "510 3 follower 1 of 2"
    assert judged(parted, FAULT_AT_500).verdict is Verdict.RECOVERED
    assert judged_of_all(parted, FAULT_AT_500) == Recovery(Verdict.FAILED, 500 * MS, None, None, True)
    together = parted + "\n590 3 follower 1 of 1"
    assert judged_of_all(together, FAULT_AT_500) == Recovery(Verdict.RECOVERED, 500 * MS, 590 * MS, 1, True)
    later = together + "\n600 2 candidate 2"  # At the last instant that counts.
    assert judged_of_all(later, FAULT_AT_500).verdict is Verdict.FAILED
    too_late = together + "\n601 2 candidate 2"
    assert judged_of_all(too_late, FAULT_AT_500).verdict is Verdict.RECOVERED


def test_another_leader_begins_the_time_anew() -> None:
    text = LED + "550 1 follower 2 of 2\n550 lost 1 step-down\n550 2 leader 2\n550 3 follower 2 of 2"
    assert judged_of_all(text, FAULT_AT_500) == Recovery(Verdict.RECOVERED, 500 * MS, 550 * MS, 2, True)


def test_who_must_follow() -> None:
    """Not those that are down, paused, or cannot reach a majority; but those that have just started or resumed."""
    for silent in ("crash 3", "pause 3", "reachless 3"):
        assert judged_of_all(LED + f"400 3 candidate 2\n450 {silent}", FAULT_AT_500).verdict is Verdict.RECOVERED
    for back in ("crash 3\n550 start 3", "pause 3\n550 resume 3", "reachless 3\n550 reachable 3"):
        assert judged_of_all(LED + f"400 3 candidate 2\n450 {back}", FAULT_AT_500).verdict is Verdict.FAILED
    # A member that has never started; and a leader that is lost, or names another.
    assert judged(LED, FAULT_AT_500, nodes=4, all_nodes=True).verdict is Verdict.RECOVERED
    for text in ("500 lost 1 cut-off", "500 pause 1", "500 crash 1"):
        assert judged_of_all(LED + text, FAULT_AT_500).verdict is Verdict.FAILED


def test_who_is_no_member_need_not_follow() -> None:
    """A removed server runs on, and hears of no later leader (Ongaro 2014, 4.2.3)."""
    told = parse_trace(LED + "400 3 candidate 1", end_ms=2000)
    members = Row(300 * MS, event_types.CONFIGURATION, 1, detail=(("voters", (1,)), ("learners", (2,))))
    fault = Row(500 * MS, event_types.FAULT, None, detail=(("fault", "x"),))
    trace = replace(told, rows=sorted([*told.rows, members, fault], key=lambda row: row.time_ns))
    assert recovery(trace, 100 * MS, all_nodes=True).verdict is Verdict.RECOVERED
    learner = replace(trace, rows=[*trace.rows, Row(550 * MS, "transition", 2, 1, FOLLOWER, None, "electorate")])
    assert recovery(learner, 100 * MS, all_nodes=True).verdict is Verdict.FAILED


@pytest.mark.parametrize(("parted", "verdict"), [("", Verdict.RECOVERED), ("510 3 candidate 1", Verdict.UNDECIDED)])
def test_a_trial_that_ends_early_is_judged_by_its_end(parted: str, verdict: Verdict) -> None:
    assert judged_of_all(LED + parted, FAULT_AT_500, end_ms=599).verdict is verdict


def test_a_failure_of_all_says_so() -> None:
    (violation,) = liveness(judged_of_all(LED + "510 3 candidate 1", FAULT_AT_500), 100 * MS)
    assert violation.text == "no leader is followed by all nodes since the last fault at 0.500000 s"


def test_the_trace_shows_which_nodes_cannot_reach_a_majority() -> None:
    """Only where all must follow, and of clients: which cannot reach a server that has a quorum."""
    text = """
version: 1
name: cut
algorithm: {name: raft}
cluster: {nodes: 5}
faults:
  - {at: 1s, partition: [[n1, n2]], lasts: 1s}
  - {at: 3s, isolate: n3}
  - {at: 4s, pause: n3, lasts: 1s}
duration: 8s
liveness: {within: 2s, who: all}
"""
    spec = simulator.loads(text, "cut.yaml").cluster_spec()
    trace = run_trial(spec, 1, 0)
    found = [
        (row.time_ns // MS, row.kind, row.node)
        for row in trace.rows
        if row.kind in (event_types.MAJORITY_LOST, event_types.MAJORITY_BACK) and row.time_ns > 0
    ]
    lost, back = event_types.MAJORITY_LOST, event_types.MAJORITY_BACK
    cut = [(1000, lost, 1), (1000, lost, 2), (2000, back, 1), (2000, back, 2)]
    assert found == [*cut, (3000, lost, 3), (5000, lost, 3)]
    assert recovery(trace, 2000 * MS, all_nodes=True).verdict is Verdict.RECOVERED
    without = run_trial(replace(spec, liveness_of_all=False), 1, 0)
    assert not without.of_type(lost)
    assert recovery(without, 2000 * MS, all_nodes=True).verdict is Verdict.FAILED  # n3 would count.


def test_the_verdict_of_all_agrees_with_a_search_through_every_instant() -> None:
    """The same question asked of each instant anew, from all rows before it, as slowly as can be."""
    spec = replace(mutated(Raft, "duration=7s", "nemesis.time_to_repair=300ms"), liveness_of_all=True)
    for trial in range(10):
        trace = run_trial(spec, 1, trial)
        found = recovery(trace, 5000 * MS, all_nodes=True)
        deadline = found.since_ns + 5000 * MS
        instants = sorted({row.time_ns for row in trace.rows if found.since_ns <= row.time_ns <= deadline})
        agreed = [_all_name(trace, time) for time in instants]
        since = next((i for i in range(len(agreed)) if agreed[i] and len({*agreed[i:]}) == 1), None)
        assert found.recovered_ns == (None if since is None else instants[since])


def _all_name(trace: Trace, time_ns: int) -> int | None:
    told, without = _told(trace, time_ns)
    leaders = {leader for node, (_, leader) in told.items() if node not in without}
    leader = leaders.pop() if len(leaders) == 1 else None
    return leader if leader is not None and _followed(trace, time_ns) else None


def _told(trace: Trace, time_ns: int) -> tuple[dict[int, Any], set[int]]:
    """What each node that is awake says, and which nodes cannot reach a majority."""
    told: dict[int, Any] = {}
    asleep: set[int] = set()
    without: set[int] = set()
    for row in trace.rows:
        if row.time_ns > time_ns or row.node is None:
            continue
        if row.kind == event_types.TRANSITION:
            told[row.node] = (row.role, row.leader)
        elif row.kind == event_types.STARTED:
            told[row.node] = (FOLLOWER, None)
        elif row.kind == event_types.CRASHED:
            told.pop(row.node)
        asleep |= {row.node} if row.kind == event_types.PAUSED else set()
        asleep -= {row.node} if row.kind in (event_types.RESUMED, event_types.CRASHED) else set()
        without |= {row.node} if row.kind == event_types.MAJORITY_LOST else set()
        if row.kind in (event_types.MAJORITY_BACK, event_types.CRASHED, event_types.PAUSED):
            without -= {row.node}
    return {node: said for node, said in told.items() if node not in asleep}, without


def test_who_is_no_member_need_not_follow_and_other_rows_change_nothing() -> None:
    """docs/scenario.md: the nodes of the primary group. n4 is of another group: it starts, and names nobody.

    What else is written about a member (n2 leads another group, n1 commits) neither begins nor ends a claim.
    """
    told = parse_trace(LED, end_ms=2000)
    begun = Row(0, event_types.STARTED, 4, detail=(("incarnation", 0),))
    elsewhere = Row(145 * MS, event_types.TRANSITION, 2, 9, LEADER, 2, "another group")
    commits = Row(150 * MS, event_types.COMMIT, 1, detail=(("term", 1), ("index", 1)))
    fault = Row(500 * MS, event_types.FAULT, None, detail=(("fault", "x"),))
    found = recovery(replace(told, rows=[begun, *told.rows, elsewhere, commits, fault]), 100 * MS, all_nodes=True)
    assert (found.verdict, found.recovered_ns, found.leader) == (Verdict.RECOVERED, 500 * MS, 1)
