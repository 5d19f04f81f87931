"""How scenarios write a nemesis, the demand for liveness, and waivers: issue 3, and docs/nemesis.md."""

from __future__ import annotations

import re

import jsonschema  # type: ignore[import-untyped]
import pytest

import simulator
from simulator.cluster.faults.registry import FAULTS
from simulator.scenario import Scenario, ScenarioError, json_schema, loads
from simulator.scenario.faults.forms import WEIGHTED_FORMS
from simulator.scenario.text.tree import parse
from tests.support.scenarios import ROOT, SMALL

HAUNTED = """\
version: 1
name: haunted
algorithm: {name: raft}
cluster: {nodes: 5}
duration: 20s
nemesis:
  mix: [{weight: 3, crash: random}, {isolate: leader}]
  time_to_failure: 2s
  time_to_repair: 500ms
  quiet: 3s
liveness: {within: 2s}
"""


def complaint(text: str, *overrides: str) -> str:
    with pytest.raises(ScenarioError) as caught:
        loads(text, "x.yaml", overrides)
    return str(caught.value)


def test_what_is_left_out() -> None:
    plain = loads(SMALL).cluster_spec()
    assert (plain.nemesis, plain.liveness_within, plain.waived) == (None, None, frozenset())
    nemesis = loads(HAUNTED).cluster_spec().nemesis
    assert nemesis is not None
    assert (nemesis.start, nemesis.at_most, nemesis.swarm) == (0, 2, False)


@pytest.mark.parametrize(("at_most", "most"), [("minority", 2), ("majority", 3), ("all", 5), ("4", 4)])
def test_how_many_may_be_struck_at_once(at_most: str, most: int) -> None:
    nemesis = loads(HAUNTED, "x", [f"nemesis.at_most={at_most}"]).cluster_spec().nemesis
    assert nemesis is not None
    assert nemesis.at_most == most


def test_a_mix_has_every_fault_that_can_be_undone_and_amnesia() -> None:
    requests = {"transfer_leadership", "add_server", "remove_server"}
    assert set(FAULTS) - set(WEIGHTED_FORMS) == {"restart", "resume", "heal", "release", *requests}


MISTAKES = [
    ("nemesis.mix=[]", "nemesis.mix: holds 0; give at least 1"),
    ("nemesis.mix.0=crash", "nemesis.mix.0: crash is not a fault that a nemesis can repair; did you mean crash?"),
    ("nemesis.mix.0={crush: n1}", "nemesis.mix.0.crush: is not a fault that a nemesis can repair; did you mean crash?"),
    ("nemesis.mix.0={heal: all}", "nemesis.mix.0.heal: is not a fault that a nemesis can repair; "),
    ("nemesis.mix.0={crash: n1, at: 1s}", "nemesis.mix.0.at: unknown key; "),
    ("nemesis.mix.0={crash: n1, lasts: 1s}", "nemesis.mix.0.lasts: unknown key; "),
    ("nemesis.mix.0={isolate: n1, label: x}", "nemesis.mix.0.label: unknown key; known: weight, isolate"),
    ("nemesis.mix.0={crash: n1, weight: 0}", "nemesis.mix.0.weight: 0 is not above 0"),
    ("nemesis.mix.0={crash: n1, weight: -1}", "nemesis.mix.0.weight: -1 is not above 0"),
    ("nemesis.mix.0={crash: n1, weight: .nan}", "nemesis.mix.0.weight: nan is not a finite number"),
    ("nemesis.mix.0={crash: n6}", "nemesis.mix.0.crash: n6 is not a node; the nodes are n1 to n5"),
    ("nemesis.mix.0={crash: leder}", "nemesis.mix.0.crash: leder is not a target; did you mean leader"),
    ("nemesis.mix.0={crash: [n1, n1]}", "nemesis.mix.0.crash.1: n1 is named twice"),
    ("nemesis.mix.0={crash: 'zone:paris'}", "nemesis.mix.0.crash: there are no zones to name; give network.topology"),
    ("nemesis.mix.0={slow_node: n1}", "nemesis.mix.0.service: is missing"),
    ("nemesis.time_to_failure=2", "nemesis.time_to_failure: 2 has no unit; write 2ms or 2s, for example"),
    ("nemesis.time_to_failure=0s", "nemesis.time_to_failure: 0s is not above 0"),
    ("nemesis.time_to_repair=300000h", "nemesis.time_to_repair: 300000h is too long for a mean; at most 20015h"),
    (
        "nemesis.at_most=0",
        "nemesis.at_most: 0 is not a number of nodes; write minority, majority, all, or a number",
    ),
    ("nemesis.at_most=minorty", "nemesis.at_most: minorty is not a number of nodes; write minority, majority, all"),
    ("nemesis.at_most=6", "nemesis.at_most: 6 is more than the 5 nodes of the cluster; write all"),
    ("cluster.nodes=2", "nemesis.at_most: a minority of 2 is nobody; write all, or a number of nodes"),
    ("nemesis.swarm=1", "nemesis.swarm: 1 is not true or false"),
    ("nemesis.quiet=20s", "nemesis.quiet: a start at 0s and a quiet of 20s leave nothing of a trial of 20s (duration)"),
    ("nemesis.start=17s", "nemesis.quiet: a start at 17s and a quiet of 3s leave nothing of a trial of 20s (duration)"),
    ("nemesis.start=30s", "nemesis.start: a start at 30s and a quiet of 3s leave nothing of a trial of 20s (duration)"),
    (
        "nemesis.mix.0={crash: all}",
        "nemesis.mix.0.crash: affects 5 nodes, and at_most lets 2 be affected at once; name fewer, or allow more",
    ),
    ("nemesis.mix.0={isolate: [n1, n2, n3]}", "nemesis.mix.0.isolate: affects 3 nodes, and at_most lets 2 be"),
    ("nemesis.mix.0={majorities_ring: all}", "nemesis.mix.0.majorities_ring: affects 5 nodes, and at_most lets 2 be"),
    # Demands
    ("liveness.within=0s", "liveness.within: 0s is not above 0"),
    ("liveness={}", "liveness.within: is missing"),
    ("liveness=2s", "liveness: 2s is not a mapping; write keys and values"),
    (
        "liveness.within=3001ms",
        "liveness.within: 3.001s is longer than the quiet after the nemesis, 3s; give nemesis.quiet: 3.001s or more",
    ),
    (
        "faults=[{at: 18s, crash: n1, lasts: {uniform: [500ms, 2s]}}]",
        "liveness.within: 2s after the last fault, over at 18.5s at the earliest, is beyond the trial's end at 20s; "
        "give duration: 20.5s or more",
    ),
    (
        "faults=[{at: 19s, crash: n1, lasts: 5s}]",  # It is undone after the end: it counts from its strike.
        "liveness.within: 2s after the last fault, over at 19s at the earliest, is beyond the trial's end at 20s; give "
        "duration: 21s or more",
    ),
    (
        "stop_when=leader-claimed",
        "stop_when: leader-claimed ends a trial before anybody follows its leader; write leader-announced",
    ),
    ("waive=[one_vote]", "waive.0: one_vote is not known here; did you mean one-vote?"),
    ("waive=[liveness]", "waive.0: liveness is not known here; known: election-safety, one-vote, "),
    ("waive=one-vote", "waive: one-vote is not a list; write [one, another]"),
    ("waive=[one-vote, one-vote]", "waive.1: one-vote is named twice"),
]


@pytest.mark.parametrize(("override", "message"), MISTAKES, ids=[override for override, _ in MISTAKES])
def test_mistakes_are_one_line_with_a_remedy(override: str, message: str) -> None:
    text = complaint(HAUNTED, override)
    assert f": {message}" in text, text
    assert "\n" not in text


def test_a_nemesis_to_the_end_leaves_no_time_for_other_demands() -> None:
    text = HAUNTED.replace("  quiet: 3s\n", "").replace("liveness: {within: 2s}\n", "")
    message = "stop_when: never comes: the nemesis goes on until the end of the trial; give nemesis.quiet"
    assert complaint(text, "stop_when=leader-stable").endswith(message)
    loads(text)


def test_a_trial_without_faults_must_last_as_long_as_the_demand() -> None:
    message = "5s after the start is beyond the trial's end at 4s; give duration: 5s or more"
    assert complaint(SMALL, "liveness.within=5s").endswith(message)
    loads(SMALL, "x", ["liveness.within=4s"])


def test_what_may_be_decided_is_left_to_the_trials() -> None:
    # After an occasion nobody knows when; and of a uniform instant, an early one leaves time enough.
    loads(HAUNTED, "x", ["faults=[{after: leader-lost, crash: leader}]"])
    loads(HAUNTED, "x", ["faults=[{at: {uniform: [17s, 19s]}, crash: leader}]"])


def test_absent_nodes_are_neither_named_nor_counted() -> None:
    assert "n5 is absent" in complaint(HAUNTED, "cluster.absent=[n5]", "nemesis.mix.0={crash: n5}")
    text = complaint(HAUNTED, "cluster.absent=[n5]", "nemesis.at_most=3", "nemesis.mix.0={crash: all}")
    assert "affects 4 nodes, and at_most lets 3" in text


MATRIX = "{oslo: {oslo: 0, berlin: 20ms}, berlin: {oslo: 20ms, berlin: 0}}"
PLACED = "{oslo: [n1, n2, n3], berlin: [n4, n5]}"
ZONES = f"network.topology={{matrix: {MATRIX}, measured: one-way, placement: {PLACED}}}"


def test_zones_are_known_and_counted() -> None:
    unknown = complaint(HAUNTED, ZONES, "nemesis.mix.0={isolate: 'zone:bergen'}")
    assert "nemesis.mix.0.isolate: bergen is not a zone; " in unknown
    large = complaint(HAUNTED, ZONES, "nemesis.mix.0={isolate: 'zone:oslo'}")
    assert "nemesis.mix.0.isolate: affects 3 nodes, and at_most lets 2 be affected at once" in large
    loads(HAUNTED, "x", [ZONES, "nemesis.mix.0={isolate: 'zone:berlin'}"])
    # From the others' side, those in the lesser zone are cut off, whichever of the two is named.
    loads(HAUNTED, "x", [ZONES, "nemesis.mix.0={partition: [['zone:oslo']]}"])


def test_a_wrong_placement_is_told_alone() -> None:
    wrong = ZONES.replace("[n4, n5]", "[n4]")
    assert "nemesis" not in complaint(HAUNTED, wrong, "nemesis.mix.0={isolate: 'zone:oslo'}")


def test_editors_accept_a_nemesis_and_refuse_what_has_no_place_in_it() -> None:
    editor = jsonschema.Draft202012Validator(json_schema())
    tree = parse(HAUNTED, "x").tree
    assert list(editor.iter_errors(tree)) == []
    for entry in ({"heal": "all"}, {"crash": "n1", "at": "1s"}, {"crash": "n1", "weight": 0}):
        assert list(editor.iter_errors(tree | {"nemesis": tree["nemesis"] | {"mix": [entry]}}))


# --- The page on it


def test_examples_of_the_page_are_scenarios() -> None:
    """Every YAML block of docs/nemesis.md, laid over a small scenario, loads, and runs a trial."""
    page = (ROOT / "docs" / "nemesis.md").read_text(encoding="utf-8")
    examples = re.findall(r"```yaml\n(.*?)```", page, flags=re.DOTALL)
    assert len(examples) >= 3
    for example in examples:
        base = "version: 1\nname: page\nalgorithm: {name: raft}\ncluster: {nodes: 5}\nduration: 20s\n"
        given = set(re.findall(r"^(\w+):", example, flags=re.MULTILINE))
        scenario = loads("".join(line for line in base.splitlines(True) if line.split(":")[0] not in given) + example)
        assert isinstance(scenario, Scenario)
        assert len(simulator.run(scenario, trials=1).trials) == 1


def test_the_page_names_every_field() -> None:
    page = (ROOT / "docs" / "nemesis.md").read_text(encoding="utf-8")
    fields = json_schema()["$defs"]["Nemesis"]["properties"]
    assert [name for name in fields if f"`{name}`" not in page] == []
