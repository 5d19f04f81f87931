"""`electsim faults` lists every fault, with its fields and an example that validates (issue 6)."""

from __future__ import annotations

import json

import jsonschema  # type: ignore[import-untyped]
import pytest
from click.testing import CliRunner, Result

from simulator.cli import main
from simulator.cluster.faults.registry import FAULTS
from simulator.report.pages.faults import describe
from simulator.scenario import json_schema, loads
from simulator.scenario.faults.forms import SCHEDULED_FORMS
from simulator.scenario.text.tree import parse
from tests.support.scenarios import SMALL

# Members change, and leadership is handed over, where the algorithm can do so.
BEFORE = SMALL.replace("{name: raft}", "{name: raft, replication: true, no_op: true}")


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["faults", *arguments])


@pytest.mark.parametrize("name", FAULTS)
def test_its_example_is_valid_and_of_this_fault(name: str) -> None:
    text = f"{BEFORE}faults:\n  - {FAULTS[name].example}\n"
    (fault,) = loads(text).faults
    assert fault.keyword == name
    assert jsonschema.Draft202012Validator(json_schema()).is_valid(parse(text, "x").tree)


def test_all_are_described() -> None:
    descriptions = describe()
    assert [described["name"] for described in descriptions] == list(FAULTS)
    for described in descriptions:
        names = [field["name"] for field in (*described["fields"], *described["when"])]
        assert sorted(names) == sorted(SCHEDULED_FORMS[described["name"]].model_fields)
        assert described["about"]
        assert names[0] == described["name"]  # What it strikes comes first.


def test_one_is_described_with_its_fields() -> None:
    printed_text = " ".join(invoke("skew_clock").stdout.split())
    assert "- {at: 0, skew_clock: n1, drift_ppm: 200, jump: 150ms}" in printed_text
    assert "jump none How far the wall clock jumps ahead. (duration, also below 0)" in printed_text
    assert "without_target none What it does if its target does not exist" in printed_text


def test_json_has_them_all_or_one() -> None:
    listed = json.loads(invoke("--json").stdout)
    assert [described["name"] for described in listed] == list(FAULTS)
    assert json.loads(invoke("crash", "--json").stdout) == listed[0]
    printed_list = f"\n{invoke().stdout}"
    assert all(f"\n{name} " in printed_list for name in FAULTS)


def test_a_slip_is_one_line() -> None:
    outcome = invoke("crsh")
    assert (outcome.exit_code, outcome.stderr) == (2, "electsim: crsh is not a fault; did you mean crash?\n")
