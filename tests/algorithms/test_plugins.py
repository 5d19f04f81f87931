"""Algorithms of a user's own: `simulator.register`, and entry points of the group `simulator.algorithms` (issue 5).

docs/write-an-algorithm.md, which tests/docs/test_write_an_algorithm.py runs, has what works; here is what does not.
"""

from __future__ import annotations

import pickle
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import simulator
from simulator.algorithms import registry
from simulator.algorithms.registration import Registration
from simulator.algorithms.registry import REGISTRY, PluginError, Registry
from simulator.cli import main
from simulator.cli.starters.highest_alive import HIGHEST_ALIVE, HighestAlive, Options
from simulator.scenario import json_schema
from simulator.scenario.algorithms import ALGORITHMS

MINE = replace(HIGHEST_ALIVE, name="mine")


@pytest.fixture(autouse=True)
def nothing_stays(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test registers is gone after it."""
    monkeypatch.setattr(REGISTRY, "_added", {})
    monkeypatch.setattr(REGISTRY, "_loaded", {})
    yield
    REGISTRY.__dict__.pop("_plugins", None)


def install(place: Path, package: str, entries: str, code: str = "") -> None:
    """What pip would leave of a package: its metadata, and a module of its name."""
    metadata = place / f"{package}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[{registry.GROUP}]\n{entries}\n")
    (place / f"{package}.py").write_text(code)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where packages may be installed, for this test."""
    monkeypatch.syspath_prepend(str(tmp_path))
    REGISTRY.__dict__.pop("_plugins", None)
    return tmp_path


def test_a_registered_algorithm_is_one_like_any_other() -> None:
    simulator.register(MINE)
    scenario = simulator.load("leader-crash", ["algorithm.timeout=100ms"], algorithm="mine")
    assert scenario.cluster_spec().config == Options(timeout=100_000_000)
    assert any("mine" in str(option) for option in json_schema()["properties"]["algorithm"]["anyOf"])
    with pytest.raises(simulator.ScenarioError, match=r"algorithm.tmeout: unknown key; did you mean timeout\?"):
        simulator.load("leader-crash", ["algorithm.tmeout=1s"], algorithm="mine")


def test_its_class_of_options_may_be_called_like_another() -> None:
    simulator.register(MINE)
    simulator.register(replace(HIGHEST_ALIVE, name="another", config=RaftConfig))
    parts = json_schema()["$defs"]
    for name in ("mine", "another", "raft"):
        assert parts[name]["properties"]["name"]["const"] == name
    assert "election_timeout" in parts["raft"]["properties"]
    assert "election_timeout" not in parts["another"]["properties"]


def test_it_may_be_registered_anew() -> None:
    """As a notebook does whose cell is run again."""
    simulator.register(MINE)
    simulator.register(replace(MINE, paper="the second draft"))
    assert ALGORITHMS["mine"].registration.paper == "the second draft"


@dataclass(frozen=True)
class RaftConfig:
    pass


class Unreadable:
    pass


@dataclass(frozen=True)
class UnreadableOptions:
    thing: Unreadable = Unreadable()  # noqa: RUF009 - What a scenario cannot write.


@pytest.mark.parametrize(
    ("registration", "says"),
    [
        (replace(MINE, name="raft"), "raft is the name of another algorithm; choose one that is free"),
        (replace(MINE, name="My Own"), "'My Own' is not a name; write small letters"),
        (
            replace(MINE, stabilization_bound=lambda config, nodes: 1),
            "mine cannot be pickled, and so not be sent to worker pro",
        ),
        (replace(MINE, config=Unreadable), "the config of mine is not a dataclass of options"),
        (
            replace(MINE, config=UnreadableOptions),
            "the options of mine cannot be read: Unable to generate pydantic-core",
        ),
        (HighestAlive, "type is not a Registration"),
    ],
)
def test_what_could_not_run_is_refused_at_once(registration: Any, says: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - Its text is what matters.
        simulator.register(registration)
    assert str(caught.value).startswith(says)
    assert "mine" not in REGISTRY


GOOD = "from dataclasses import replace\nfrom simulator.cli.starters.highest_alive import HIGHEST_ALIVE\n"


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("import nowhere", "cannot be imported (broken:MINE): ModuleNotFoundError: No module named 'nowhere'"),
        ("MINE = 1 +", "cannot be imported (broken:MINE): SyntaxError: invalid syntax"),
        ("YOURS = 1", "cannot be imported (broken:MINE): AttributeError: module 'broken' has no attribute 'MINE'"),
        ("MINE = 1", ": broken:MINE: int is not a Registration (simulator.algorithms.registration)"),
        (GOOD + "MINE = HIGHEST_ALIVE", ": the entry point mine is a registration of highest-alive"),
        (
            GOOD + "MINE = replace(HIGHEST_ALIVE, name='mine', stabilization_bound=lambda config, nodes: 1)",
            ": broken:MINE: mine cannot be pickled",
        ),
    ],
)
def test_a_broken_package_is_named_in_one_line(
    site: Path, monkeypatch: pytest.MonkeyPatch, code: str, says: str
) -> None:
    monkeypatch.delitem(sys.modules, "broken", raising=False)
    install(site, "broken", "mine = broken:MINE", code)
    outcome = CliRunner().invoke(main, ["run", "leader-crash", "--algorithm", "mine"])
    assert (outcome.exit_code, outcome.stderr.count("\n")) == (2, 1)
    assert "mine cannot be used: the package broken 1.0" in outcome.stderr
    assert says in outcome.stderr
    # The others go on as if it were not there.
    listed = CliRunner().invoke(main, ["algorithms"])
    assert "\nraft " in listed.stdout
    assert listed.stderr.splitlines()[0].startswith("electsim: mine cannot be used: the package broken 1.0")
    assert CliRunner().invoke(main, ["algorithms", "mine"]).exit_code == 2
    assert json_schema()["$defs"]["raft"]
    monkeypatch.delitem(sys.modules, "broken", raising=False)


def test_two_packages_of_one_algorithm_are_both_named(site: Path) -> None:
    install(site, "one", "mine = one:MINE")
    install(site, "two", "mine = two:MINE")
    with pytest.raises(PluginError, match=r"the package one 1.0 and the package two 1.0 both name an algorithm mine"):
        REGISTRY["mine"]


def test_a_package_cannot_change_what_our_own_names_mean(site: Path) -> None:
    install(site, "thief", "raft = thief:RAFT")
    own = Registry(REGISTRY.built_in.values())
    assert own["raft"] is REGISTRY.built_in["raft"]
    assert list(own) == list(REGISTRY.built_in)


def test_a_plug_in_is_imported_when_it_is_named_and_not_before(site: Path) -> None:
    install(site, "lazy", "mine = lazy:MINE", GOOD + "MINE = replace(HIGHEST_ALIVE, name='mine')")
    assert "mine" in REGISTRY
    assert len(REGISTRY) == len(REGISTRY.built_in) + 1
    simulator.load("raft-leader-crash")
    assert "lazy" not in sys.modules
    assert isinstance(REGISTRY["mine"], Registration)
    assert simulator.load("leader-crash", algorithm="mine").algorithm.registration is REGISTRY["mine"]


@pytest.mark.parametrize("name", list(REGISTRY.built_in))
def test_our_own_are_held_to_the_same(name: str) -> None:
    """Worker processes are handed them, too."""
    own = REGISTRY.built_in[name]
    Registry([]).check(own)
    assert pickle.loads(pickle.dumps(own)).algorithm is own.algorithm
