"""Members in a scenario: the first voters, and membership changes, must fit the cluster (issue 4, chapter 4)."""

from __future__ import annotations

import pytest

from simulator.cluster.faults.operator_commands import AddServer, RemoveServer
from simulator.scenario import ScenarioError, loads

GROWS = """version: 1
name: grows
algorithm:
  name: raft
  replication: true
  no_op: true
  voters: [n1, n2]
  learners: [n3]
cluster: {nodes: 4}
faults:
  - {at: 1s, add_server: [n3, n4]}
  - {at: 2s, remove_server: leader}
duration: 4s
"""


def test_members_are_read_and_written_as_names() -> None:
    """design.md, section 3: nodes are integers in the program, and n1, n2, … in YAML."""
    scenario = loads(GROWS, "x.yaml")
    spec = scenario.cluster_spec()
    assert (spec.config.voters, spec.config.learners) == ((1, 2), (3,))
    assert list[object](entry.fault for entry in spec.faults) == [AddServer((3, 4)), RemoveServer("leader")]
    assert scenario.model_dump(mode="json")["algorithm"]["voters"] == ["n1", "n2"]


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("[n1, n2]", "[n1, n9]", "x.yaml:7: algorithm.voters.1: n9 is not a node; the nodes are n1 to n4"),
        ("[n1, n2]", "[n1, two]", "x.yaml:7: algorithm.voters: two is not a node; nodes are called n1, n2, and so on"),
        ("[n1, n2]", "[n1, 2]", "x.yaml:7: algorithm.voters: 2 is not a node; nodes are called n1, n2, and so on"),
        (
            "[n1, n2]",
            "[]",
            "x.yaml:7: algorithm.voters: [] is refused: no server could be elected; name at least one",
        ),
        ("[n1, n2]", "[n1, n1]", "x.yaml:7: algorithm.voters: [n1, n1] is refused: a node is named twice"),
        (
            "[n3]",
            "[n2]",
            "x.yaml:8: algorithm.learners: [n2] is refused: n2 is a voter as well; name it in one list",
        ),
        (
            "[n3]",
            "[n3]\n  ineligible: [n9]",
            "algorithm.ineligible.0: n9 is not a node; the nodes are n1 to n4",
        ),
        (
            "[n3]",
            "[n3]\n  ineligible: [n2, n1]",
            "algorithm.ineligible: [n2, n1] is refused: nobody could be elected; leave out at least one voter",
        ),
        (
            "[n3]",
            "[n3]\n  priorities: [1, 2]",
            "algorithm.priorities: gives 2 priorities for 4 nodes; give one for each",
        ),
        ("add_server: [n3, n4]", "add_server: n9", "faults.0.add_server: n9 is not a node"),
        ("  no_op: true\n", "", "faults.0.add_server: would wait until somebody writes; give algorithm.no_op: true"),
        (
            "  replication: true\n  no_op: true\n",
            "",
            "faults.0.add_server: the change could not be logged; give algorithm.replication: true",
        ),
    ],
)
def test_mistakes_are_explained(old: str, new: str, complaint: str) -> None:
    """House rules: an error names file, line, field, value and remedy."""
    assert old in GROWS
    with pytest.raises(ScenarioError) as caught:
        loads(GROWS.replace(old, new), "x.yaml")
    assert complaint in str(caught.value)


def test_learners_alone_are_refused() -> None:
    """Raft's dissertation, section 4.2.1: learners do not count for majorities, so that they alone elect no leader."""
    text = GROWS.replace("  voters: [n1, n2]\n", "").replace("[n3]", "[n1, n2, n3, n4]")
    with pytest.raises(ScenarioError, match="leaves nobody to elect"):
        loads(text, "x.yaml")
