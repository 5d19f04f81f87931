"""The error for each mistake: file, line, field, value and remedy, in one line (issue 2, part 5)."""

from __future__ import annotations

import pickle

import pytest

from simulator.cluster.faults.targets import DESCRIPTIONS
from simulator.scenario import ScenarioError, loads
from tests.support.scenarios import RICH


def complaint(text: str, *overrides: str) -> str:
    with pytest.raises(ScenarioError) as caught:
        loads(text, "x.yaml", overrides)
    return str(caught.value)


def test_reads_as_the_issue_asks() -> None:
    """The sentence is that of issue 2, part 5."""
    text = "version: 1\nname: x\n" + "#\n" * 8 + "network:\n  loss: 1.5\nalgorithm: {name: raft}\n"
    text += "cluster: {nodes: 3}\nduration: 1s\n"
    assert complaint(text) == (
        "x.yaml:12: network.loss: 1.5 is not a probability between 0 and 1; "
        "write 1 or less; 1.5 percent is 1.5% or 0.015"
    )


# What is replaced in the example, by what, and the complaint. Lines are those of the example.
MISTAKES = [
    # Unknown and missing keys
    ("loss:", "los:", "x.yaml:18: network.los: unknown key; did you mean loss?"),
    (
        "heartbeat_interval:",
        "heartbeat:",
        "x.yaml:7: algorithm.heartbeat: unknown key; did you mean heartbeat_spread or heartbeat_interval?",
    ),
    ("mean: 5ms, sd: 3ms", "mean: 5ms", "x.yaml:17: network.latency.normal.sd: is missing"),
    ("sd: 3ms", "sd: 3ms, x: 1", "x.yaml:17: network.latency.normal.x: unknown key; known: mean, sd"),
    ("crash: leader}", "crash: leader, att: 2}", "x.yaml:21: faults.0.att: unknown key; did you mean at?"),
    ("duration: 4s\n", "", "x.yaml:1: duration: is missing"),
    ("  nodes: 5\n", "", "x.yaml:10: cluster.nodes: is missing"),
    # Values of the wrong kind
    ("nodes: 5", "nodes: five", "x.yaml:11: cluster.nodes: five is not a whole number"),
    ("nodes: 5", "nodes: 5.0", "x.yaml:11: cluster.nodes: 5.0 is not a whole number"),
    ("nodes: 5", "nodes: 0", "x.yaml:11: cluster.nodes: 0 is below 1, the least allowed"),
    ("blocking: false", "blocking: 0", "x.yaml:15: cluster.disk.blocking: 0 is not true or false"),
    ("duration: 4s", "duration: 4", "x.yaml:27: duration: 4 has no unit; write 4ms or 4s, for example"),
    ("duration: 4s", "duration: 0s", "x.yaml:27: duration: 0s is not above 0"),
    ("name: rich", "name: 12", "x.yaml:2: name: 12 is not text; put it in quotes if it is meant as text"),
    (
        "name: rich",
        "name: ../rich",
        "x.yaml:2: name: ../rich is not a name; write letters, digits, dots, hyphens and underscores, 80 at most",
    ),
    (
        "loss: 0.001",
        "loss: 110%",
        "x.yaml:18: network.loss: 110% is not a probability between 0 and 1; "
        "write a number or a percentage, such as 0.05 or 5%",
    ),
    (
        "loss: 0.001",
        "loss: .nan",
        "x.yaml:18: network.loss: nan is not a probability between 0 and 1; "
        "write a number or a percentage, such as 0.05 or 5%",
    ),
    (
        "loss: 0.001",
        "loss: true",
        "x.yaml:18: network.loss: true is not a probability between 0 and 1; "
        "write a number or a percentage, such as 0.05 or 5%",
    ),
    (
        "loss: 0.001",
        "loss: 150%",
        "x.yaml:18: network.loss: 150% is not a probability between 0 and 1; "
        "write a number or a percentage, such as 0.05 or 5%",
    ),
    # "a tab, an exponent in a duration … get a remedy" (issue 12, C8).
    (
        "  loss: 0.001",
        "\tloss: 0.001",
        "x.yaml:18: not YAML: a tab, where YAML takes spaces only; write spaces in its place",
    ),
    (
        "duration: 4s",
        "duration: 4e3ms",
        "x.yaml:27: duration: 4e3ms has an exponent; write all digits, or another unit: 1500ms or 1.5s",
    ),
    ("sigma: 0.5", "sigma: .inf", "x.yaml:15: cluster.disk.write.lognormal.sigma: inf is not a finite number"),
    ("sigma: 0.5", "sigma: -1", "x.yaml:15: cluster.disk.write.lognormal.sigma: -1 is below 0, the least allowed"),
    ("absent: [n5]", "absent: n5", "x.yaml:12: cluster.absent: n5 is not a list; write [one, another]"),
    ("limits: {events: 1000000}", "limits: 9", "x.yaml:32: limits: 9 is not a mapping; write keys and values"),
    ("version: 1", "version: true", "x.yaml:1: version: true is not a version; write 1"),
    ("version: 1", "version: 2", "x.yaml:1: version: 2 is not known here; known: 1"),
    (
        "stop_when: leader-stable",
        "stop_when: stable",
        "x.yaml:30: stop_when: stable is not known here; did you mean leader-stable?",
    ),
    # Choices
    ("name: raft", "name: paxos", "x.yaml:5: algorithm.name: paxos is not an algorithm; known: bully"),
    ("  name: raft\n", "", "x.yaml:4: algorithm: has no name; known: bully"),
    (
        "{normal: {mean: 5ms, sd: 3ms}}",
        "{norml: {mean: 5ms, sd: 3ms}}",
        "x.yaml:17: network.latency.norml: is not a distribution; did you mean normal or lognormal?",
    ),
    ("crash: leader}", "crush: leader}", "x.yaml:21: faults.0.crush: is not a fault; did you mean crash?"),
    (
        "{at: 2s, heal: all}",
        "{at: 2s}",
        "x.yaml:25: faults.4: {at: 2s} is not a fault; give one of crash, kill, bounce, restart, a",
    ),
    (
        "heal: all",
        "heal: all, crash: n1",
        "x.yaml:25: faults.4: heal and crash cannot stand together; give one of",
    ),
    ("{spread: 100ms}", "togethr", "x.yaml:13: cluster.start: togethr is not a start; did you mean together?"),
    ("heal: all", "heal: n1", "x.yaml:25: faults.4.heal: n1 is the label of no fault of links; known: all"),
    # Numbers that do not fit each other
    (
        "[150ms, 300ms]",
        "[300ms, 150ms]",
        "x.yaml:6: algorithm.election_timeout: 300ms is above 150ms; write the less",
    ),
    ("[150ms, 300ms]", "150ms", "x.yaml:6: algorithm.election_timeout: 150ms is not a pair; write [least, greatest]"),
    (
        "[150ms, 300ms]",
        "[0, 300ms]",
        "x.yaml:6: algorithm.election_timeout: [0s, 300ms] is refused: the range must be positive",
    ),
    ("[1s, 1050ms]", "[1s, 1x]", "x.yaml:21: faults.0.at.uniform.1: 1x is not a duration; write a number and a"),
    ("mean: 5ms, sd", "mean: 0, sd", "x.yaml:17: network.latency.normal.mean: 0s is not above 0; values of 0 and less"),
    (
        "sd: 3ms",
        "sd: 300000h",
        "x.yaml:17: network.latency.normal.sd: makes draws that exceed 146 years; give a l",
    ),
    ("median: 1ms", "median: 0", "x.yaml:15: cluster.disk.write.lognormal.median: 0s is not above 0; its logarithm"),
    (
        "[1, 2, 3, 4, 5]",
        "[1, 2]",
        "x.yaml:14: cluster.logs.permutation: gives 2 lengths for 5 nodes; give one for e",
    ),
    ("[1, 2, 3, 4, 5]", "[]", "x.yaml:14: cluster.logs.permutation: gives 0 lengths for 5 nodes; give one for each"),
    (
        "[0.5, 250ms]",
        "[0.5, 1ms]",
        "x.yaml:36: published.quantiles.1: [0.5, 1ms] does not rise from the pair before",
    ),
    # Nodes
    ("absent: [n5]", "absent: [n6]", "x.yaml:12: cluster.absent.0: n6 is not a node; the nodes are n1 to n5"),
    ("absent: [n5]", "absent: [n5, n5]", "x.yaml:12: cluster.absent.1: n5 is named twice"),
    ("absent: [n5]", "absent: [n1, n2, n3, n4, n5]", "x.yaml:12: cluster.absent: leaves nobody to elect; let at least"),
    ("absent: [n5]", "absent: [leader]", "x.yaml:12: cluster.absent.0: leader is not a node; nodes are called n1, n2"),
    ("pause: n2", "pause: n9", "x.yaml:23: faults.2.pause: n9 is not a node; the nodes are n1 to n5"),
    ("pause: n2", "pause: n5", "x.yaml:23: faults.2.pause: n5 is absent and never starts; name another node"),
    ("pause: n2", "pause: leder", "x.yaml:23: faults.2.pause: leder is not a target; did you mean leader?"),
    ("[n3]", "[n3, n7]", "x.yaml:22: faults.1.partition.1.1: n7 is not a node; the nodes are n1 to n5"),
    ("[n3]", "[n1]", "x.yaml:22: faults.1.partition.1.0: n1 is named twice"),
    # Time
    ("at: 2500ms", "at: 4s", "x.yaml:26: faults.5.at: 4s is not before the trial's end at 4s (duration)"),
    ("[1s, 1050ms]", "[1s, 5s]", "x.yaml:21: faults.0.at: 5s is not before the trial's end at 4s (duration)"),
    ("floor: 1s", "floor: 4s", "x.yaml:23: faults.2.at: 4s is not before the trial's end at 4s (duration)"),
]


@pytest.mark.parametrize(("old", "new", "says"), MISTAKES, ids=[says[7:60] for _, _, says in MISTAKES])
def test_a_mistake_is_explained_in_one_line(old: str, new: str, says: str) -> None:
    """Issue 2, part 5: file, line, field, value and remedy, in one line."""
    assert RICH.count(old) == 1
    found = complaint(RICH.replace(old, new))
    assert found.startswith(says)
    assert len(found.splitlines()) == 1


def test_every_mistake_is_reported_at_once() -> None:
    """The author of a file wants to mend all its mistakes at once, not one for each run."""
    text = RICH.replace("loss: 0.001", "loss: 2").replace("seed: 7", "seed: x").replace("crash: leader", "crash: n0")
    targets = ", ".join((*DESCRIPTIONS, "zone:NAME", "group:NAME", "leader-of:NAME", "n1"))
    assert complaint(text).splitlines() == [
        "x.yaml:18: network.loss: 2 is not a probability between 0 and 1; write 1 or less; 2 percent is 2% or 0.02",
        f"x.yaml:21: faults.0.crash: n0 is not a target; known: {targets}",
        "x.yaml:29: seed: x is not a whole number; write digits, such as 5",
    ]


def test_very_many_mistakes_are_counted() -> None:
    """A list of ten thousand bad entries must not fill the screen."""
    text = RICH.replace("absent: [n5]", f"absent: [{', '.join(['x'] * 500)}]")
    lines = complaint(text).splitlines()
    assert len(lines) == 21
    assert lines[-1] == "… and 480 more problems"


def test_an_error_survives_the_way_from_a_worker_process() -> None:
    """concurrent.futures pickles exceptions; one that cannot be built again from its arguments breaks the pool."""
    with pytest.raises(ScenarioError) as caught:
        loads("version: 3", "x.yaml")
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.problems) == (str(caught.value), caught.value.problems)
