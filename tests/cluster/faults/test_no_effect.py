"""Faults that changed nothing: "`stall_disk` without anything written does nothing and says nothing; `pause n1` while
it is down, and a partition with all on one side, are accepted in silence: the run says what never had an effect"
(issue 15).
"""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner

import simulator
from simulator.cli import main
from simulator.cluster.clients.spec import ClientsSpec
from simulator.cluster.distributions import Constant
from simulator.cluster.faults.node_faults import Crash, Pause
from simulator.cluster.faults.partitions import CutLink, Isolate, Partition, PartitionOneway
from simulator.cluster.faults.record import Fault
from simulator.cluster.faults.slowdowns import SlowDisk, StallDisk
from simulator.cluster.faults.targets import Target
from tests.support.probe import MS, Script, at, lasting, play, save, timer

WRITES_AT_30 = Script(start={1: timer("write", 30)}, on={"timer write": save(x=1)})
NO_LINK = "no link is between the nodes that it names"


def reasons(*faults: Any, **others: Any) -> list[tuple[int, str, str]]:
    return list(play(WRITES_AT_30, *faults, nodes=3, **others).without_effect)


def test_a_pause_of_a_node_that_is_down_changes_nothing() -> None:
    assert reasons(at(5, Crash(1)), at(10, Pause(1))) == [(2, "pause", "no node that it names was awake")]


@pytest.mark.parametrize("fault", [StallDisk(1), SlowDisk(1, write=Constant(MS))])
@pytest.mark.parametrize("write_ms", [None, 5])
def test_a_disk_fault_has_an_effect_only_if_something_is_written(fault: Fault, write_ms: int | None) -> None:
    """n1 writes at 30 ms, which takes 5 ms with a disk that takes time."""
    nothing = [(1, fault.name, "nothing was written")]
    assert reasons(lasting(10, 10, fault), write_ms=write_ms) == nothing
    assert reasons(lasting(10, 30, fault), write_ms=write_ms) == []
    assert reasons(at(40, fault), write_ms=write_ms) == nothing  # It lasts until the end of the trial.
    assert reasons(at(10, fault), write_ms=write_ms) == []


def test_a_stall_that_holds_a_write_from_before_it_has_an_effect() -> None:
    assert reasons(lasting(32, 10, StallDisk(1)), write_ms=5) == []


@pytest.mark.parametrize(
    ("groups", "reason"),
    [
        ((("all",),), NO_LINK),
        (((1, 2, 3), (1, 2, 3)), NO_LINK),
        (((1, 2), (2, 3)), None),
        (((1,),), None),
        (((1,), (2, 3)), None),
    ],
)
def test_a_partition_must_have_two_sides(groups: tuple[tuple[Target, ...], ...], reason: str | None) -> None:
    expected = [] if reason is None else [(1, "partition", reason)]
    assert reasons(lasting(10, 10, Partition(groups))) == expected


def test_links_need_two_ends() -> None:
    assert reasons(at(10, CutLink((1, 1)))) == [(1, "cut_link", NO_LINK)]
    assert reasons(at(10, PartitionOneway("all"))) == [(1, "partition_oneway", NO_LINK)]
    assert reasons(at(10, Isolate(1))) == []
    assert play(Script(), at(10, Isolate(1)), nodes=1).without_effect == ((1, "isolate", NO_LINK),)


def test_links_of_clients_count_if_they_are_named() -> None:
    clients = ClientsSpec(count=1, gaps=Constant(10 * MS))
    assert reasons(at(10, CutLink((1, "group:clients"))), clients=clients) == []


SCENARIO = """
version: 1
name: nothing
algorithm: {name: raft}
cluster: {nodes: 3}
faults:
  - {at: 100ms, crash: n1}
  - {at: 200ms, pause: n1}
  - {at: 1s, stall_disk: n2, lasts: 100ms}
duration: 2s
trials: 3
"""


def test_the_run_says_what_never_had_an_effect(tmp_path: Any) -> None:
    result = simulator.run(simulator.loads(SCENARIO))
    never = {"2 pause: no node that it names was awake": 3}
    assert result.summary["faults"]["without_effect"].items() >= never.items()
    assert simulator.run("raft-leader-crash", trials=2).summary["faults"] == {"never_struck": 0, "trials": 0}
    file = tmp_path / "nothing.yaml"
    file.write_text(SCENARIO, encoding="utf-8")
    output = CliRunner().invoke(main, ["run", str(file), "--results", str(tmp_path / "results")]).output
    assert "fault 2 of the schedule never had an effect (pause: no node that it names was awake)" in output
