"""What is written: the JSON Schema for editors, and the resolved scenario beside every result."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from simulator.scenario import json_schema, json_schema_text, load, loads, resolved, resolved_text
from simulator.scenario.algorithms import ALGORITHMS
from simulator.scenario.durations.distributions import DISTRIBUTIONS
from simulator.scenario.faults.forms import SCHEDULED_FORMS
from simulator.scenario.text.tree import parse
from tests.support.scenarios import RICH, ROOT, SHIPPED, SMALL, WIDE

EDITOR = jsonschema.Draft202012Validator(json_schema())


def test_the_committed_schema_is_up_to_date() -> None:
    """Editors read the file; `electsim schema > scenario.schema.json` brings it up to date."""
    assert (ROOT / "scenario.schema.json").read_text(encoding="utf-8") == json_schema_text()


def test_the_schema_is_one() -> None:
    """An editor ignores a file that is not a valid JSON Schema of draft 2020-12."""
    jsonschema.Draft202012Validator.check_schema(json.loads(json_schema_text()))


@pytest.mark.parametrize("text", [SMALL, RICH, WIDE], ids=["small", "rich", "wide"])
def test_editors_accept_what_loads(text: str) -> None:
    """ "so editors complete and check scenarios" (issue 2): an editor must never mark a scenario that runs."""
    loads(text)
    assert [error.message for error in EDITOR.iter_errors(parse(text, "x.yaml").tree)] == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("loss: 0.001", "loss: 1.5"),
        ("loss:", "los:"),
        ("duration: 4s", "duration: 4"),
        ("duration: 4s", "duration: 4sec"),
        ("crash: leader", "crash: leder"),
        ("crash: leader", "crush: leader"),
        ("name: raft", "name: paxos"),
        ("[150ms, 300ms]", "[150ms]"),
        ("heartbeat_interval:", "heartbeat:"),
        ("{spread: 100ms}", "togethr"),
        ("  nodes: 5\n", ""),
    ],
)
def test_editors_mark_mistakes(old: str, new: str) -> None:
    """A schema that accepts anything would pass every other test here."""
    assert old in RICH
    assert list(EDITOR.iter_errors(parse(RICH.replace(old, new), "x.yaml").tree))


def test_the_schema_names_everything_that_is_registered() -> None:
    """ "so editors complete and check scenarios" (issue 2): every option with the sentence that says what it does."""
    definitions = json_schema()["$defs"]
    for options_form in ALGORITHMS.values():
        options = definitions[options_form.__name__]["properties"]
        assert set(options) == set(options_form.model_fields)
        assert all(option.get("description") for name, option in options.items() if name != "name")
    for key, form in {**DISTRIBUTIONS, **SCHEDULED_FORMS}.items():
        assert key in definitions[form.__name__]["properties"]
        assert definitions[form.__name__]["description"]
    assert definitions["raft"]["properties"]["election_timeout"]["default"] == ["150ms", "300ms"]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_scenario_is_valid_and_teaches(path: Path) -> None:
    """Issue 2: a shipped scenario asks a question, and its first line lets an editor find the schema."""
    text = path.read_text(encoding="utf-8")
    assert load(path).name == path.stem  # So that results can be found by the name of the file.
    assert load(path).about.endswith("?")
    assert text.startswith("# yaml-language-server: $schema=../scenario.schema.json\n")
    assert [error.message for error in EDITOR.iter_errors(parse(text, path.name).tree)] == []


@pytest.mark.parametrize("text", [SMALL, RICH, WIDE, *(path.read_text(encoding="utf-8") for path in SHIPPED)])
def test_a_resolved_scenario_is_the_same_scenario(text: str) -> None:
    """It is written beside the results, to repeat them (issue 2, "What a user can do"), and needs no file any more."""
    scenario = loads(text, folder=ROOT / "scenarios")
    written = resolved_text(scenario)
    assert loads(written) == scenario
    assert loads(written).cluster_spec() == scenario.cluster_spec()
    assert resolved_text(loads(written)) == written
    assert list(EDITOR.iter_errors(parse(written, "x.yaml").tree)) == []
    assert json.loads(json.dumps(resolved(scenario))) == resolved(scenario)  # Plain values, fit for JSON, too.


def test_a_resolved_scenario_holds_every_default() -> None:
    """A later version with other defaults must still repeat the result."""
    written = resolved(loads(SMALL))
    assert written["algorithm"]["election_timeout"] == ["150ms", "300ms"]
    assert written["network"] == {
        "topology": "full-mesh",
        "latency": "5ms",
        "loss": 0.0,
        "duplication": 0.0,
        "bandwidth": None,
        "transport": "datagram",
    }
    assert written["cluster"]["start"] == "together"
    assert written["stable_after"] == "800ms"
    assert written["limits"] == {"events": 50_000_000, "memory": "4GiB"}


@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.sampled_from(["1e3", "on", "1:30", "010", "~"])
)
def test_any_text_survives_being_written_and_read(text: str) -> None:
    """Text that looks like a number, in YAML 1.1 or 1.2, must come back as text."""
    scenario = loads(SMALL).model_copy(update={"about": text})
    written = resolved_text(scenario)
    assert loads(written) == scenario
    assert yaml.safe_load(written)["about"] == text  # As other YAML readers see it.


def test_scenarios_load_without_the_slow_libraries() -> None:
    """pandas, SciPy and matplotlib take a second to import, and `electsim validate` needs none of them."""
    slow = "{'pandas', 'scipy', 'matplotlib', 'pyarrow'}"
    code = f"import sys, simulator.scenario; assert not {slow} & set(sys.modules), {slow} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
