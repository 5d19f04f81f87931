"""Scenarios can name a new algorithm as soon as it is registered: its options come from its configuration class."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Annotated, Any

import pytest
from pydantic import ValidationError

from simulator.algorithms.registration import Registration
from simulator.cluster.spec import LogSpec
from simulator.protocol import MILLISECOND, SECOND, Algorithm, Duration, DurationRange, DurationSpread, OneOf, option
from simulator.scenario import ScenarioError, loads
from simulator.scenario.algorithms import options_form
from simulator.scenario.loading import check
from tests.support.scenarios import SMALL

MS = MILLISECOND


class Policy(enum.StrEnum):
    EAGER = "eager"
    LAZY = "lazy"


@dataclass(frozen=True, slots=True, kw_only=True)
class NovelConfig:
    lease: Duration  # Without a default: the scenario must give it.
    backoff: DurationRange | None = option((MS, 2 * MS), "How long to wait.")
    handling: DurationSpread = option((MS, 2 * MS, 5 * MS), "How long it takes to be ready.")
    delays: tuple[Duration, ...] = option((MS,), "One after another.")
    priorities: tuple[int, ...] = ()
    sticky: bool = False
    factor: float = 1.5
    policy: Policy = Policy.LAZY
    names: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        if self.lease < MS:
            raise ValueError("lease: must be 1 ms or more")
        if self.sticky and self.factor < 1:
            raise ValueError("a sticky leader needs a factor of 1 or more")


NOVEL = options_form(Registration(name="novel", algorithm=Algorithm, config=NovelConfig))


def test_options_are_read_with_units_where_they_are_durations() -> None:
    """design.md, section 3: "durations with units (`150ms`) only in YAML": the class marks durations."""
    read = NOVEL.model_validate(
        {
            "name": "novel",
            "lease": "1.5s",
            "backoff": ["5ms", "10ms"],
            "handling": ["1ms", "4ms", "40ms"],
            "delays": ["1ms", "2ms", "3ms"],
            "priorities": [3, 1],
            "sticky": True,
            "factor": 2,
            "policy": "eager",
            "names": ["n1"],
        }
    )
    assert read.config() == NovelConfig(
        lease=1500 * MS,
        backoff=(5 * MS, 10 * MS),
        handling=(MS, 4 * MS, 40 * MS),
        delays=(MS, 2 * MS, 3 * MS),
        priorities=(3, 1),
        sticky=True,
        factor=2.0,
        policy=Policy.EAGER,
        names=("n1",),
    )
    assert NOVEL.model_validate(read.model_dump(mode="json")) == read


def test_options_left_out_have_the_defaults_of_the_class() -> None:
    """A default is stated once, in the configuration class of the algorithm."""
    assert NOVEL.model_validate({"name": "novel", "lease": "1s"}).config() == NovelConfig(lease=SECOND)


@pytest.mark.parametrize(
    ("options", "where", "says"),
    [
        ({}, ("lease",), "Field required"),
        ({"lease": 5}, ("lease",), "5 has no unit"),
        ({"lease": "1s", "delays": ["1ms", "x"]}, ("delays", 1), "x is not a duration"),
        ({"lease": "1s", "handling": ["1ms", "2ms"]}, ("handling",), "write [least, median, p99]"),
        ({"lease": "1s", "handling": ["1ms", "9ms", "2ms"]}, ("handling",), "[1ms, 9ms, 2ms] does not rise"),
        ({"lease": "1s", "sticky": 1}, ("sticky",), "valid boolean"),
        ({"lease": "1s", "priorities": [1.0]}, ("priorities", 0), "valid integer"),
        ({"lease": "1s", "policy": "late"}, ("policy",), "'eager' or 'lazy'"),
        # What the class itself refuses is laid at the field that it names, or at the algorithm.
        ({"lease": "1us"}, ("lease",), "1us is refused: must be 1 ms or more"),
        ({"lease": "1s", "sticky": True, "factor": 0.5}, (), "a sticky leader needs a factor"),
    ],
)
def test_options_that_do_not_fit_are_refused(options: dict[str, Any], where: tuple[Any, ...], says: str) -> None:
    """Issue 2, part 5: an error names the field, also for an algorithm that electsim does not know."""
    with pytest.raises(ValidationError) as caught:
        NOVEL.model_validate({"name": "novel", **options})
    (error,) = caught.value.errors()
    assert error["loc"] == where
    assert says in error["msg"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """A fixed timeout."""

    timeout: Duration = option(5 * MS, "How long to wait.")

    def __post_init__(self) -> None:
        if self.timeout < MS:
            raise ValueError("timeout: must be 1 ms or more")


@dataclass(frozen=True, slots=True, kw_only=True)
class Accrual:
    """A level of suspicion."""

    threshold: float = option(8.0, "From when on to suspect.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceConfig:
    detector: Annotated[Any, OneOf({"fixed": Fixed, "accrual": Accrual})] = option(Fixed(), "How to tell.")


CHOICE = options_form(Registration(name="choice", algorithm=Algorithm, config=ChoiceConfig))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ({}, Fixed()),
        ({"detector": "accrual"}, Accrual()),
        ({"detector": {"accrual": None}}, Accrual()),
        ({"detector": {"accrual": {"threshold": 3}}}, Accrual(threshold=3.0)),
        ({"detector": {"fixed": {"timeout": "2s"}}}, Fixed(timeout=2 * SECOND)),
    ],
)
def test_one_of_several_sets_of_options_is_named(written: dict[str, Any], meant: object) -> None:
    """Issue 5: a failure detector is chosen by name, and its options stand under that name."""
    read = CHOICE.model_validate({"name": "choice", **written})
    assert read.config() == ChoiceConfig(detector=meant)
    assert CHOICE.model_validate(read.model_dump(mode="json")) == read


@pytest.mark.parametrize(
    ("detector", "where", "says"),
    [
        ("phi", ("detector",), "phi is not a set of options; known: fixed, accrual"),
        ({"fixed": {"timeout": 3}}, ("detector", "fixed", "timeout"), "3 has no unit"),
        ({"fixed": {"timeout": "1us"}}, ("detector", "fixed"), "timeout: must be 1 ms or more"),
        ({"fixed": {"tmeout": "1s"}}, ("detector", "fixed", "tmeout"), "Extra inputs"),
        ({"fixed": {}, "accrual": {}}, ("detector",), "fixed and accrual cannot stand together"),
    ],
)
def test_a_set_of_options_that_does_not_fit_is_refused(detector: object, where: tuple[str, ...], says: str) -> None:
    """Issue 2, part 5: an error names the field, also within a set of options."""
    with pytest.raises(ValidationError) as caught:
        CHOICE.model_validate({"name": "choice", "detector": detector})
    (error,) = caught.value.errors()
    assert tuple(part for part in error["loc"] if isinstance(part, str)) == where
    assert says in error["msg"]


def test_what_needs_a_log_or_heartbeats_is_refused_without() -> None:
    """ "stabilisation time: … (by default 16 heartbeat intervals)" has no default where there are no heartbeats."""
    novel = NOVEL.model_validate({"name": "novel", "lease": "1s"})
    scenario = loads(SMALL, "x", ["stop_when=leader-stable", "cluster.logs={lengths: [1, 2, 3, 4, 5]}"])
    assert scenario.cluster.logs.value() == LogSpec(lengths=(1, 2, 3, 4, 5))
    with pytest.raises(ScenarioError) as caught:
        check(scenario.model_copy(update={"algorithm": novel, "stable_after": None}))
    assert [(problem.path, problem.message) for problem in caught.value.problems] == [
        (("cluster", "logs"), "novel keeps no log; leave this out"),
        (("stable_after",), "is missing; novel has no heartbeat interval, so say how long a stable leader lasts"),
    ]
