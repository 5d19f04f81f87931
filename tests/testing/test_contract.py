"""The contract of `simulator.protocol`: "An algorithm's state is plain attributes that can be copied and compared: no
generators, no closures. The testing bench checks it" (docs/architecture.md; the plan, section 3)."""

from __future__ import annotations

import json
import random
from collections import deque
from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import partial
from itertools import count
from threading import Lock
from types import MappingProxyType
from typing import Any

import pytest

from simulator.algorithms.detectors import DETECTORS
from simulator.algorithms.omega import OMEGA
from simulator.algorithms.pacemaker.config import PacemakerConfig
from simulator.algorithms.registry import REGISTRY
from simulator.protocol import LEADER, MILLISECOND, Algorithm
from simulator.testing import (
    InteractionBench,
    InteractionError,
    check_contract,
    check_state,
    check_view,
    copy_state,
    state_difference,
)
from tests.testing.echo import ECHO

# By default, a node waits 20 s for a DC.
QUICK = {
    "pacemaker": PacemakerConfig(
        token=300 * MILLISECOND, token_coefficient=0, dc_deadtime=500 * MILLISECOND, unchanged_passes=1
    )
}


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_every_registered_algorithm_keeps_the_contract(name: str) -> None:
    """The issue: "an algorithm's state is plain attributes that can be copied and compared (no generators, no
    closures), which the testing bench checks for every registered algorithm". A leader is elected, crashes and comes
    back meanwhile."""
    bench = check_contract(REGISTRY[name], config=QUICK.get(name), steps=120)
    assert any(declared.role is LEADER for declared in bench.transitions)
    assert max(node.incarnation for node in bench.nodes.values()) == 1
    for node in bench.nodes.values():
        assert node.algorithm is not None and node.algorithm.view()
        json.dumps(node.algorithm.view())  # What a page is given.


@pytest.mark.parametrize("name", sorted(DETECTORS))
def test_every_failure_detector_keeps_the_contract(name: str) -> None:
    """A bug: detectors kept a bound method of their algorithm, so a copy reported to the original."""
    options, _ = DETECTORS[name]
    check_contract(OMEGA, config=OMEGA.config(detector=options()), steps=100)


def state_of(**attributes: Any) -> Algorithm:
    algorithm = InteractionBench(ECHO, 2).node(1).algorithm
    assert algorithm is not None
    vars(algorithm).update(attributes)
    return algorithm


class Part:
    """A part of an algorithm, with one attribute."""

    def __init__(self, held: object) -> None:
        self.held = held


@pytest.mark.parametrize(
    ("held", "what"),
    [
        (iter([1]), "an iterator or generator"),
        ((number for number in (1, 2)), "an iterator or generator"),
        (count(), "an iterator or generator"),
        (lambda: None, "a function"),
        (partial(max, 1), "a function"),
        (len, "a function"),
        (Part(0).__init__, "a bound method"),  # type: ignore[misc]
        (random.Random(1), "a source of random numbers: ask the host for its own"),
        (MappingProxyType({}), "a mappingproxy, which cannot be copied"),
        (Lock(), "a lock, which cannot be copied"),
    ],
)
@pytest.mark.parametrize(
    ("wrap", "path"),
    [
        (lambda held: held, ""),
        (lambda held: {"retry": [held]}, "['retry'][0]"),
        (lambda held: deque([(held,)]), "[0][0]"),
        (Part, ".held"),
    ],
    ids=["itself", "in a dict", "in a deque", "in a part"],
)
def test_what_cannot_be_copied_and_compared_is_refused(
    held: object, what: str, wrap: Callable[[object], object], path: str
) -> None:
    """The plan, section 3: "no generators, no closures"; the message names the attribute."""
    with pytest.raises(InteractionError) as refused:
        check_state(state_of(attribute=wrap(held)))
    assert str(refused.value).startswith(f"Echo.attribute{path} is {what}")


def test_plain_state_is_accepted_and_its_copy_is_equal_and_independent() -> None:
    """The plan, section 3: "plain attributes that can be copied and compared"."""
    algorithm = state_of(log=(1, "a", None), votes={1, 2}, part=Part({3: [4.5]}), queue=deque([b"x"]))
    vars(algorithm)["itself"] = Part(algorithm)  # A part may know its algorithm.
    check_state(algorithm)
    copy = copy_state(algorithm)
    assert copy.host is algorithm.host and copy.config is algorithm.config
    assert state_difference(algorithm, copy) is None
    vars(algorithm)["part"].held[3].append(6)
    assert state_difference(algorithm, copy) == ".part.held[3][1]"
    assert vars(copy)["part"].held == {3: [4.5]} and vars(copy)["itself"].held is copy


@pytest.mark.parametrize(
    ("before", "after", "path"),
    [
        (1, 2, ".at"),
        (1, True, ".at"),
        ([1], [1, 2], ".at[1]"),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, ".at['a']"),  # The order of a dict decides in which order it is walked.
        ({1, 2}, {1, 3}, ".at"),
        (Part(1), Part(2), ".at.held"),
        ([Part(1)], [Part((1,))], ".at[0].held"),
    ],
)
def test_states_that_differ_are_told_apart(before: object, after: object, path: str) -> None:
    """The issue: state "that can be copied and compared"."""
    assert state_difference(state_of(at=before), state_of(at=after)) == path
    assert state_difference(state_of(at=before), state_of(at=deepcopy(before))) is None


class Counter:
    """A part that shares itself with its copy, and is no constant."""

    def __init__(self) -> None:
        self.count = 0

    def __deepcopy__(self, memo: object) -> Counter:
        return self


class Sharing(ECHO.algorithm):  # type: ignore[misc,name-defined]
    """Counts its inputs in a part that its copies share."""

    def __init__(self, host: Any, config: Any, durable: Mapping[str, Any]) -> None:
        super().__init__(host, config, durable)
        self.inputs = Counter()

    def on_timer(self, name: str) -> None:
        self.inputs.count += 1
        self.host.set_timer("again", 1)

    def on_start(self) -> None:
        self.host.set_timer("again", 1)


def test_a_part_that_a_copy_shares_is_found() -> None:
    """The issue: state "that can be copied": a copy must not change when the original goes on."""
    registration = type(ECHO)(name="sharing", algorithm=Sharing, config=ECHO.config)
    with pytest.raises(InteractionError, match=r"node 1: Sharing\.inputs\.count is shared"):
        check_contract(registration, 1)


@pytest.mark.parametrize(
    ("view", "message"),
    [
        ({"log": [1, (2, {"a": {"b": {3}}})]}, r"Echo.view\(\)\['log'\]\[1\]\[1\]\['a'\]\['b'\] is a set"),
        ({"votes": Part(1)}, r"Echo.view\(\)\['votes'\] is a Part"),
        ({"next": {(1, 2): 3}}, r"Echo.view\(\)\['next'\] is a dict"),
    ],
)
def test_a_view_holds_plain_values_only(view: object, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The issue: "`view()` returns what a page may show of a node (plain values: log, votes, sessions, timers'
    names)"."""
    monkeypatch.setattr(ECHO.algorithm, "view", lambda self: view)
    with pytest.raises(InteractionError, match=message):
        check_view(state_of())
    monkeypatch.setattr(ECHO.algorithm, "view", lambda self: {"role": LEADER, "log": ((1, "x"),), "next": {2: None}})
    check_view(state_of())
