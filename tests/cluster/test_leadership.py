"""When a leader is lost and when it is back: design.md, section 5, `loss`; the host writes it to the trace."""

from __future__ import annotations

from dataclasses import replace

from simulator.algorithms.registration import Group, Registration
from simulator.cluster.faults.link_degradation import Heal
from simulator.cluster.faults.node_faults import Crash, Pause, Restart, Resume
from simulator.cluster.faults.partitions import CutLink, Partition
from simulator.cluster.faults.schedule import Scheduled
from simulator.metrics.elections import Cause, elections
from simulator.metrics.leadership import leadership
from simulator.protocol import FOLLOWER, LEADER
from simulator.trace.event_types import CRASH, CRASHED, CUT_OFF, LEADER_BACK, LEADER_LOST, PAUSE, STEP_DOWN
from tests.support.probe import MS, PROBE, Deed, Probe, Script, at, every, play, send, timer


def claim(term: int) -> Deed:
    return lambda host: host.transition(LEADER, term, host.me)


def step_down(term: int) -> Deed:
    return lambda host: host.transition(FOLLOWER, term, None)


def trackers(
    script: Script, *faults: Scheduled, nodes: int = 5, registration: Registration = PROBE
) -> list[tuple[float, str, int | None, str]]:
    """The rows of losses and returns: (instant in ms, kind, leader, cause)."""
    trace = play(script, *faults, nodes=nodes, registration=registration)
    return [
        (row.time_ns / MS, row.kind, row.node, row.field("cause"))
        for row in trace.rows
        if row.kind in (LEADER_LOST, LEADER_BACK)
    ]


N1_LEADS = Script(start={1: timer("claim", 1)}, on={"timer claim": claim(1)})


def test_a_crash_loses_the_leader() -> None:
    assert trackers(N1_LEADS, at(10, Crash("leader"))) == [(10, LEADER_LOST, 1, CRASH)]


def test_a_pause_loses_the_leader_and_a_resume_brings_it_back() -> None:
    """The metric `failover`: "if the same leader comes back first (resumed, healed)"."""
    expected = [(10, LEADER_LOST, 1, PAUSE), (30, LEADER_BACK, 1, PAUSE)]
    assert trackers(N1_LEADS, at(10, Pause(1)), at(30, Resume(1))) == expected


def test_a_leader_is_back_before_it_handles_what_came_due() -> None:
    """A resumed leader that then hears of its successor was back, for no time, and steps down."""
    # The letter of 22 makes n1 step down on its resume at 30: paused, back, lost again by stepping down.
    script = Script(
        start={1: timer("claim", 1), 2: timer("write", 20)},
        on={"timer claim": claim(1), "timer write": send(1, "a higher term"), "letter a higher term": step_down(2)},
    )
    expected = [(10, LEADER_LOST, 1, PAUSE), (30, LEADER_BACK, 1, PAUSE), (30, LEADER_LOST, 1, STEP_DOWN)]
    assert trackers(script, at(10, Pause(1)), at(30, Resume(1))) == expected


def test_stepping_down_loses_the_leader() -> None:
    script = Script(
        start={1: every(timer("claim", 1), timer("end", 10))}, on={"timer claim": claim(1), "timer end": step_down(2)}
    )
    assert trackers(script) == [(10, LEADER_LOST, 1, STEP_DOWN)]


def test_a_leader_in_a_minority_is_cut_off_until_the_cut_heals() -> None:
    """ "has no two-way path to a majority of the configuration" """
    expected = [(10, LEADER_LOST, 1, CUT_OFF), (30, LEADER_BACK, 1, CUT_OFF)]
    assert trackers(N1_LEADS, at(10, Partition(((1, 2),))), at(30, Heal())) == expected


def test_a_leader_that_keeps_a_majority_is_not_lost() -> None:
    assert trackers(N1_LEADS, at(10, Partition(((1, 2, 3),))), at(30, Heal())) == []


def test_two_of_four_are_no_majority() -> None:
    assert trackers(N1_LEADS, at(10, Partition(((1, 2),))), nodes=4) == [(10, LEADER_LOST, 1, CUT_OFF)]


def test_members_that_are_down_are_at_the_end_of_no_path() -> None:
    # n1 and two more of five are a majority, until n3, the third of them to go, is down at 12; n5 brings it back at 20.
    faults = (at(10, Crash(5)), at(11, Crash(4)), at(12, Crash(3)), at(20, Restart(5)))
    assert trackers(N1_LEADS, *faults) == [(12, LEADER_LOST, 1, CUT_OFF), (20, LEADER_BACK, 1, CUT_OFF)]


def test_absent_members_count_in_the_majority() -> None:
    """A quorum counts the configuration, not those who happen to run."""
    trace = play(N1_LEADS, at(10, Crash(2)), nodes=3, absent=frozenset({3}))
    assert [(row.time_ns / MS, row.node) for row in trace.of_type(LEADER_LOST)] == [(10, 1)]


def test_a_lost_leader_is_lost_once() -> None:
    """A leader that is cut off and then crashes was lost at the cut."""
    assert trackers(N1_LEADS, at(10, Partition(((1,),))), at(20, Crash(1))) == [(10, LEADER_LOST, 1, CUT_OFF)]


def test_a_lost_leader_that_another_has_replaced_does_not_come_back() -> None:
    """The current leader is the one of the "highest term, then latest claim": n2, from 20 on."""
    script = Script(
        start={1: timer("claim", 1), 2: timer("claim later", 20)},
        on={"timer claim": claim(1), "timer claim later": claim(2)},
    )
    assert trackers(script, at(10, Pause(1)), at(30, Resume(1))) == [(10, LEADER_LOST, 1, PAUSE)]
    # And it is n2's crash that loses a leader then, not n1's.
    again = trackers(script, at(10, Pause(1)), at(30, Resume(1)), at(40, Crash(1)), at(50, Crash(2)))
    assert again == [(10, LEADER_LOST, 1, PAUSE), (50, LEADER_LOST, 2, CRASH)]


def test_a_stale_leader_reigns_again_when_its_successor_is_gone() -> None:
    """By the definition, the only claimant left is the one of the highest term; its crash is a loss."""
    # n1 claims term 1 and is cut off at 10; n2 claims term 2 at 20 and crashes at 30; the cut heals at 40: n1, which
    # has heard of nothing, leads a majority again, until it crashes at 50.
    script = Script(
        start={1: timer("claim", 1), 2: timer("claim later", 20)},
        on={"timer claim": claim(1), "timer claim later": claim(2)},
    )
    faults = (at(10, Partition(((1,),))), at(30, Crash(2)), at(40, Heal()), at(50, Crash(1)))
    rows = trackers(script, *faults)
    assert rows[:2] == [(10, LEADER_LOST, 1, CUT_OFF), (30, LEADER_LOST, 2, CRASH)]
    assert rows[-1] == (50, LEADER_LOST, 1, CRASH)


def test_of_two_claimants_the_fault_means_the_one_of_the_highest_term() -> None:
    """ "With two claimants, `leader` is the one of the highest term, then the latest claim" (design.md, section 6)."""
    # n1 claims term 5 at 1, n2 claims term 2 at 20, n3 claims term 5, too, at 25.
    script = Script(
        start={1: timer("five", 1), 2: timer("two", 20), 3: timer("five", 25)},
        on={"timer five": claim(5), "timer two": claim(2)},
    )
    # An older claimant, which nothing troubles, reigns again at once.
    assert trackers(script, at(22, Crash("leader"))) == [(22, LEADER_LOST, 1, CRASH), (22, LEADER_BACK, 2, CRASH)]
    assert trackers(script, at(27, Crash("leader"))) == [(27, LEADER_LOST, 3, CRASH), (27, LEADER_BACK, 1, CRASH)]


# --- Algorithms that need no majority of the configuration, such as Bully

NO_QUORUM = replace(PROBE, quorum=False)


def test_without_a_quorum_a_leader_needs_a_majority_of_those_that_run() -> None:
    """Bully's coordinator leads whoever is up (Garcia-Molina, 1982): the death of others takes nothing away.

    Cut off from most of those that run, it is of no use to them, and they elect another.
    """
    crashes = (at(10, Crash(5)), at(11, Crash(4)), at(12, Crash(3)))
    assert trackers(N1_LEADS, *crashes, registration=NO_QUORUM) == []
    # Of n1 and n2, which are left, one is no majority: 1 of 2.
    cut = at(20, Partition(((1,),)))
    assert trackers(N1_LEADS, *crashes, cut, registration=NO_QUORUM) == [(20, LEADER_LOST, 1, CUT_OFF)]
    # Once n2 is down, too, n1 leads all that run.
    alone = [(20, LEADER_LOST, 1, CUT_OFF), (30, LEADER_BACK, 1, CUT_OFF)]
    assert trackers(N1_LEADS, *crashes, cut, at(30, Crash(2)), registration=NO_QUORUM) == alone


def test_a_claim_on_the_smaller_side_takes_nothing_from_the_leader_on_the_larger() -> None:
    """docs/priority.md, section 2: each side of a partition elects a leader; the larger side has had one all the time.

    "Quorum leadership: … that the leader has a two-way path to a majority" (design.md, section 5).
    """
    script = Script(
        start={1: timer("claim", 1), 4: timer("claim later", 20)},
        on={"timer claim": claim(0), "timer claim later": claim(0)},
    )
    apart = at(10, Partition(((4, 5),)))
    both = [(20, LEADER_LOST, 4, CUT_OFF), (20, LEADER_BACK, 1, CUT_OFF)]
    assert trackers(script, apart, registration=NO_QUORUM) == both
    # When n1 dies, n4 reigns, but is lost until the network is whole.
    dies = [*both, (30, LEADER_LOST, 1, CRASH), (40, LEADER_BACK, 4, CUT_OFF)]
    assert trackers(script, apart, at(30, Crash(1)), at(40, Heal()), registration=NO_QUORUM) == dies
    # A leader that pauses gives way to another claimant, too.
    paused = [(30, LEADER_LOST, 4, PAUSE), (30, LEADER_BACK, 1, PAUSE)]
    assert trackers(script, at(30, Pause(4)), registration=NO_QUORUM) == paused
    measured = leadership(play(script, apart, nodes=5, registration=NO_QUORUM))
    assert measured.quorum_leaderless_ns == 0
    # With a quorum, a later term is proof of a following: nobody follows the older claimant any more.
    assert trackers(script, apart) == [(20, LEADER_LOST, 4, CUT_OFF)]


# --- Candidates that an ensemble serves, as in ZooKeeper's recipe: n1 and n2, and the servers n3, n4 and n5

SERVED = replace(
    PROBE, groups=(Group(name="ensemble", algorithm=Probe, size=lambda _: 3),), coordination_group="ensemble"
)


def test_a_served_leader_is_lost_without_a_server_that_has_a_majority_of_the_ensemble() -> None:
    """A client of ZooKeeper works with any one server that is in a quorum (Hunt et al., 2010, section 2)."""

    def lost(*faults: Scheduled) -> list[tuple[float, str, int | None, str]]:
        return trackers(N1_LEADS, *faults, nodes=2, registration=SERVED)

    assert lost(at(10, CutLink((1, 2))), at(11, CutLink((1, 3))), at(12, CutLink((1, 4)))) == []  # n5 is left.
    assert lost(at(10, Crash(3)), at(20, Crash(4))) == [(20, LEADER_LOST, 1, CUT_OFF)]  # No quorum is left.
    apart = at(10, Partition(((1, 3), (2, 4, 5))))  # n3 is there, but alone.
    assert lost(apart, at(30, Heal())) == [(10, LEADER_LOST, 1, CUT_OFF), (30, LEADER_BACK, 1, CUT_OFF)]


def test_each_group_has_a_leader_of_its_own() -> None:
    """ "Claims are compared only within a group, so two electorates never look like split-brain" (design.md)."""
    leads = claim(1)
    served = lambda host: host.transition(LEADER, 7, host.me, "ensemble")  # noqa: E731
    script = Script(
        start={1: timer("claim", 1), 4: timer("serve", 1)}, on={"timer claim": leads, "timer serve": served}
    )
    crash = at(10, Crash("leader-of:ensemble"))
    assert trackers(script, crash, nodes=2, registration=SERVED) == [(10, LEADER_LOST, 4, CRASH)]
    assert trackers(script, at(10, Crash("leader")), nodes=2, registration=SERVED) == [(10, LEADER_LOST, 1, CRASH)]
    trace = play(script, crash, nodes=2, registration=SERVED)
    assert [row.node for row in trace.of_type(CRASHED)] == [4]
    assert leadership(trace).overlaps == []
    assert [election.cause for election in elections(trace)] == [Cause.BOOT]  # n4's loss is not the candidates'.


def test_descriptions_mean_members_of_the_electorate_and_groups_are_named() -> None:
    for target, injected in (("highest-id", [2]), ("group:ensemble", [3, 4, 5]), ("all", [1, 2, 3, 4, 5])):
        trace = play(N1_LEADS, at(10, Crash(target)), nodes=2, registration=SERVED)
        assert [row.node for row in trace.of_type(CRASHED)] == injected
