"""Old names: "old paths of these warn for one version" (the issue, of `simulator.protocol`, `simulator.testing` and
`Registration`)."""

from __future__ import annotations

import pickle
import subprocess
import sys
import warnings
from dataclasses import replace
from typing import Any

import pytest

from simulator.algorithms.registration import Group, Registration
from simulator.protocol import Message, Nanoseconds, NodeId, message
from simulator.testing import InteractionBench
from tests.support.probe import PROBE, Probe, Script, play

# What a program wrote for version 0.2, `electsim new --algorithm` among them.
OLD_PROGRAM = """
from simulator.workbench import BenchNode, Workbench, WorkbenchError, replay
from simulator.workbench.script import replay as again
import simulator.workbench.node
from simulator import testing

assert (Workbench, WorkbenchError) == (testing.InteractionBench, testing.InteractionError)
assert again is replay is testing.replay and simulator.workbench.node.BenchNode is BenchNode
"""


def test_the_old_path_of_the_bench_works_and_warns() -> None:
    """Issue: "old paths of these warn for one version"."""
    old = subprocess.run(
        [sys.executable, "-W", "always", "-c", OLD_PROGRAM], capture_output=True, text=True, check=False
    )
    assert old.returncode == 0, old.stderr
    assert "<string>:2: DeprecationWarning: simulator.workbench is called simulator.testing" in old.stderr


def bound(config: Any, nodes: int) -> Nanoseconds:
    return nodes


@message
class Add:
    node: NodeId


def propose(size: int) -> Message:
    return size


@pytest.mark.parametrize(
    ("old", "value", "field", "expected"),
    [
        ("streams", True, "requires_connections", True),
        ("served_by", "ensemble", "coordination_group", "ensemble"),
        ("counted_terms", False, "terms_count_rounds", False),
        ("settles", bound, "stabilization_bound", bound),
        ("add_server", Add, "commands", {"add_server": Add}),
        ("propose", propose, "commands", {"propose": propose}),
        ("propose", None, "commands", {}),
        ("transfer", Add, "commands", {"transfer_leadership": Add}),
    ],
)
def test_old_fields_of_a_registration_work_and_warn(old: str, value: object, field: str, expected: object) -> None:
    """Issue: "old paths of these warn for one version": the fields were renamed by the plan's table of words."""
    given: dict[str, Any] = {"name": "probe", "algorithm": Probe, "config": Script, old: value}
    with pytest.warns(DeprecationWarning, match=f"the field {old} of a registration is called") as warned:
        registration = Registration(**given)
    assert warned[0].filename == __file__
    assert getattr(registration, field) == expected
    assert pickle.loads(pickle.dumps(registration)) == registration


def test_the_old_field_of_a_group_works_and_warns() -> None:
    """Issue: as above; and a registration by its present names warns of nothing."""
    given: dict[str, Any] = {"name": "monitor", "algorithm": Probe, "size": len, "essential": True}
    with pytest.warns(DeprecationWarning, match="the field essential of a registration is called"):
        assert Group(**given).single_point_of_failure
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        replace(PROBE, requires_connections=True)


def test_the_old_name_of_a_hosts_groups_works_and_warns() -> None:
    """Issue: `simulator.protocol` stays: on the bench and in a cluster, `Host.directory` is `Host.groups`."""
    seen: list[object] = []

    def look(host: Any) -> None:
        with pytest.warns(DeprecationWarning, match="Host.directory is called Host.groups"):
            seen.append(host.directory)

    look(InteractionBench(PROBE, 2, config=Script()).node(1))
    play(Script(start={1: look}))
    assert seen == [{"electorate": (1, 2)}] * 2
