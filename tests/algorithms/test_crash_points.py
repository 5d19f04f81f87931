"""Every algorithm elects again after a crash at any single step of an election (issue 5, "Common ground")."""

from __future__ import annotations

from dataclasses import replace

import pytest

from simulator.algorithms.raft import Raft
from simulator.algorithms.raft.messages import RequestVote
from simulator.algorithms.registry import REGISTRY
from simulator.protocol import SECOND, Message, NodeId
from tests.support.crash_cases import CASES
from tests.support.crash_points import BOOT, Case, Window, crash_at, enumerate_crash_points, leader_crash
from tests.support.crash_watch import NEVER

RAFT = REGISTRY["raft"]
VERY_LONG = {"etcd-election"}  # The fast tests try every 80th step of three nodes.
# Of the three windows of these algorithms, the fast tests try one. `zookeeper-ensemble` has the others of `zookeeper`.
LONG = {
    ("hirschberg-sinclair", "boot"),
    ("hirschberg-sinclair", "leader-return"),
    ("pacemaker", "boot"),
    ("pacemaker", "leader-return"),
    ("zookeeper", "boot"),
    ("zookeeper", "leader-crash"),
}
AGREED_AT_ONCE = {"omega"}  # At boot everybody trusts everybody, and so names the first: there is no election to crash.


def _fewest_steps(case: Case) -> int:
    """Whoever comes to follow hears of the leader, by a message sent and delivered; whoever starts takes that step.

    What a node hears that has come back may have been sent before.
    """
    if case.window.name == "leader-return":
        return 2
    starts = case.nodes if case.window.name == "boot" else 0
    return starts + 2 * (case.nodes - case.window.down - 1)


def _is_long(case: Case) -> bool:
    """A case of many steps or long runs. `make verify` tries it. The fast tests try three nodes, and four of two
    algorithms.
    """
    name, window = case.registration.name, case.window.name
    if (name, window) in LONG or name in VERY_LONG:
        return True
    return case.nodes > (4 if name in ("raft", "bully") else 3)


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, marks=pytest.mark.verify) if _is_long(case) else case for case in CASES],
    ids=str,
)
def test_elects_again_after_a_crash_at_any_step(case: Case) -> None:
    """Issue 5: "each message delivered, each timer fired, each point in the middle of a broadcast", n = 3, 4, 5."""
    found = enumerate_crash_points(case)
    assert not found.failures, "\n".join(map(str, found.failures[:5]))
    assert len(found.steps) >= _fewest_steps(case)
    back = sum(map(case.can_elect, case.backs))
    assert found.runs == 1 + back * len(found.steps) and back >= 2  # That which returns can always be elected with.


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.registration.name in VERY_LONG and case.nodes == 3], ids=str
)
def test_elects_again_after_a_crash_at_some_steps(case: Case) -> None:
    """The same for every 80th step: an extract of the cases that `make verify` tries in full."""
    found = enumerate_crash_points(case, every=80)
    assert not found.failures, "\n".join(map(str, found.failures[:5]))
    assert found.runs > 1


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_every_algorithm_has_its_windows(name: str) -> None:
    """Issue 5: every algorithm; n = 3, 4 and 5; an election from the boot, and one for a leader that is lost."""
    windows = ("leader-crash",) if name in AGREED_AT_ONCE else ("boot", "leader-crash")
    tried = {(case.nodes, case.window.name) for case in CASES if case.registration.name == name}
    assert tried >= {(nodes, window) for nodes in (3, 4, 5) for window in windows}


def test_no_step_is_left_out() -> None:
    """The steps of Raft's first election among three, counted by hand from Figure 2 of the paper.

    Three start. One times out, saves its term and vote, asks both others, and its own vote is on disk (1 timer,
    1 write, 2 sent, 1 on disk). Each of them
    handles that, saves its vote and answers (2 delivered, 2 writes, 2 sent). The first answer makes a majority, and the
    new leader sends two heartbeats (1 delivered, 2 sent); the second comes too late (1 delivered). A follower handles
    the heartbeat and answers (1 delivered, 1 sent), and when the other handles its own, all agree (1 delivered).
    """
    found = enumerate_crash_points(Case(registration=RAFT, nodes=3, window=BOOT, bound=SECOND))
    counted = 3 + (1 + 1 + 2 + 1) + (2 + 2 + 2) + (1 + 2) + 1 + (1 + 1) + 1
    assert len(found.steps) == counted, "\n".join(map(str, found.steps))
    assert found.runs == 1 + 3 * counted  # It never comes back; at once; after a while.


def test_the_run_of_a_crash_point_is_the_run_without_it_up_to_there() -> None:
    """ "Same scenario, seed and versions, same digest" (design.md, section 4): so a step names one point for good.

    What the node would have done next is not done: of two heartbeats, one is sent where it dies after the first.
    """
    case = Case(registration=RAFT, nodes=3, window=BOOT, bound=SECOND)
    steps = enumerate_crash_points(case).steps
    first = next(step for step in steps if "sent AppendEntries" in step.act)
    _, trace = crash_at(case, first, NEVER, journal=True)
    sent = [row.to for row in trace.messages if row.type == "AppendEntries" and row.sent_ns == first.time_ns]
    assert len(sent) == 1
    crashed = [(row.time_ns, row.node) for row in trace.rows if row.kind == "crashed"]
    assert crashed == [(first.time_ns, first.node)]


class _Forgetful(Raft):
    """Whoever has voted waits for a heartbeat, for ever: it elects, unless the candidate dies."""

    def on_message(self, sender: NodeId, message: Message) -> None:
        super().on_message(sender, message)
        if isinstance(message, RequestVote) and self.voted_for == sender:
            self.host.cancel_timer("election")


@pytest.mark.parametrize("window", [BOOT, leader_crash(at=SECOND)], ids=lambda window: window.name)
def test_an_algorithm_that_hangs_after_one_crash_is_found(window: Window) -> None:
    """Issue 5 of the peers: they "hang when the next-highest node dies after answering"; this one, after its vote.

    It elects where nobody dies, so only an enumeration can convict it; and a failure says where, and how to replay it.
    """
    mutant = replace(RAFT, algorithm=_Forgetful)
    found = enumerate_crash_points(Case(registration=mutant, nodes=5, window=window, bound=3 * SECOND, seed=2))
    hung = [failure for failure in found.failures if failure.back is NEVER]
    assert 0 < len(hung) < len(found.steps)
    text, step = str(hung[0]), hung[0].step
    assert step is not None  # Without a crash it elects.
    assert "nobody claims to lead" in text
    assert f"python -m tests.support.crash_points raft 5 {window.name} 2 {step.number} never" in text


def test_an_algorithm_that_never_elects_is_found_without_a_crash() -> None:
    """The run that the crash points are taken from must agree itself: else none would be enumerated, and none fail."""

    class Silent(Raft):
        def on_timer(self, name: str) -> None:
            pass

    found = enumerate_crash_points(
        Case(registration=replace(RAFT, algorithm=Silent), nodes=3, window=BOOT, bound=SECOND)
    )
    assert [failure.step for failure in found.failures] == [None]
    assert "nobody dies" in str(found.failures[0])


def test_a_window_whose_fault_does_not_strike_is_a_failure() -> None:
    """A fault that is left out leaves a window in which nothing is lost."""
    found = enumerate_crash_points(Case(registration=RAFT, nodes=3, window=leader_crash(at=SECOND // 10), bound=SECOND))
    assert "skipped" in str(found.failures[0])
