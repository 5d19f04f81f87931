"""What a fault is: one record, which says all that the program knows of this kind of fault.

A record is a frozen dataclass derived from `Fault`. Its class gives its name in scenarios, an example, the assumptions
that it breaks, and whether a nemesis may draw it. Its fields say what a scenario must or may give (`keyword`, `member`,
`parameter`). Its methods inject it, repair it, and find the nodes that it affects.

The forms of scenarios, the JSON Schema, `electsim faults`, the mix of a nemesis and the checks of assumptions are
derived from the record. The registry finds it in its module (`simulator.cluster.faults.registry`).
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from typing import Any, ClassVar, NamedTuple

from simulator.cluster.control import ClusterControl
from simulator.cluster.faults.rng import RandomStreams
from simulator.protocol import Assumption, NodeId

# Repairs a fault, and returns the nodes that it repaired, for the trace: none if the fault was over already.
Repair = Callable[[], object]
RepairOne = Callable[[], object]  # Repairs the fault at one node. Returns False if the fault was over already.


def _no_reason() -> None:
    pass


class Injected(NamedTuple):
    """The nodes that a fault was injected into, for the trace, and what repairs it; None if nothing does.

    `why_no_effect` is called when the fault is over, or the trial: it returns why the fault has changed nothing. None:
    it has, as far as is known.
    """

    nodes: object
    repair: Repair | None = None
    why_no_effect: Callable[[], str | None] = _no_reason


class ResolvedFault(NamedTuple):
    """A fault that names nodes in place of descriptions, and the nodes that it will affect."""

    fault: Fault
    affected_nodes: tuple[NodeId, ...]


class Family(enum.IntEnum):
    """What a fault happens to. Lists of faults have the families in this order."""

    NODES = 1
    LINKS = 2
    COMMANDS = 3  # Commands that an operator gives to the cluster.


class Kind(enum.Enum):
    """What a field of a record holds. `simulator.scenario.faults.values` says how a scenario writes each kind."""

    TARGETS = "one target, or a list of targets"  # In Python a `Target`: a list is a tuple.
    TARGET = "one target"
    PAIR = "two targets"
    GROUPS = "groups of targets"
    LINKS = "the links of some targets"  # In Python a `LinkTargets`.
    EVERYBODY = "the word all"
    LABEL = "the label of other faults"  # In Python None, if all are meant.
    DISTRIBUTION = "a duration, or a distribution of durations"
    DURATION = "a duration above 0"
    SIGNED_DURATION = "a duration, which may be below 0"
    PROBABILITY = "a number from 0 to 1"
    NUMBER = "a number"


class Place(enum.Enum):
    """Where a scenario writes a field of a record."""

    KEYWORD = enum.auto()  # In YAML, this field is the value of the fault's own keyword: `crash: leader`.
    MEMBER = enum.auto()  # In a mapping that is the value of the fault's name: `partition_oneway: {senders: leader}`.
    BESIDE = enum.auto()  # Under its own key, beside the fault's name: `slow_disk: n2, write: 5ms`.


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """How a scenario writes one field of a record. `parameters` fills in the last four, from the dataclass."""

    kind: Kind
    place: Place
    about: str | None = None  # The help text of the field.
    examples: tuple[Any, ...] = ()  # For editors.
    bounds: tuple[float, float] | None = None  # The least and the greatest number, both allowed.
    convert: Callable[[Any], Any] | None = None  # Converts the written value to the attribute's unit.
    attribute: str = ""
    key: str = ""
    required: bool = True
    default: Any = None  # The default, if the field is not required.


_METADATA_KEY = "parameter"


def keyword(kind: Kind, about: str | None = None, *, default: Any = MISSING, examples: tuple[Any, ...] = ()) -> Any:
    """A field that a scenario writes as the value of the fault's name: `crash: leader`."""
    return _field(Parameter(kind=kind, place=Place.KEYWORD, about=about, examples=examples), default)


def member(kind: Kind, about: str, *, default: Any = MISSING) -> Any:
    """A field that a scenario writes in a mapping under the fault's name: `partition_oneway: {senders: leader}`.

    A record has either one `keyword` or some members.
    """
    return _field(Parameter(kind=kind, place=Place.MEMBER, about=about), default)


def parameter(
    kind: Kind,
    about: str,
    *,
    default: Any = MISSING,
    key: str = "",
    bounds: tuple[float, float] | None = None,
    convert: Callable[[Any], Any] | None = None,
) -> Any:
    """A field that a scenario writes beside the fault's name, under its own name or that `key`.

    A default of None or () means that a scenario may leave the field out, or give null.
    """
    metadata = Parameter(kind=kind, place=Place.BESIDE, about=about, key=key, bounds=bounds, convert=convert)
    return _field(metadata, default)


def _field(metadata: Parameter, default: Any) -> Any:
    return field(default=default, metadata={_METADATA_KEY: metadata})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What the fields of a record ask of each other, for the program and for editors."""

    holds: Callable[[Any], bool]  # Tells whether a fault obeys the rule.
    error: str  # The error and its remedy if a fault breaks the rule; the text follows the fault's name.
    json_schema: Mapping[str, Any]  # The same rules, as far as JSON Schema can express them.


def at_least_one_of(*keys: str) -> Rule:
    """At least one of these keys must be given, with a value other than its default."""

    def holds(fault: Fault) -> bool:
        own = [parameter for parameter in parameters(type(fault)) if parameter.key in keys]
        return any(getattr(fault, parameter.attribute) != parameter.default for parameter in own)

    *first, last = [f"no {key}" for key in keys]
    rules = [{"required": [key], "properties": {key: {"not": {"type": "null"}}}} for key in keys]
    return Rule(
        holds=holds,
        error=f"gives {', '.join(first)} and {last}; give at least one",
        json_schema={"anyOf": rules},
    )


class Fault:
    """One kind of fault: its docstring is its help. Derive a frozen dataclass from it, or from a base for its family:
    `NodeFault`, `Slowdown`, `LinkFault`, `LinkRuleFault`, `OperatorCommand`.
    """

    __slots__ = ()

    name: ClassVar[str]  # The name of the fault in scenarios.
    example: ClassVar[str]  # An entry of a schedule, which a test loads and runs.
    family: ClassVar[Family]
    breaks: ClassVar[tuple[Assumption, ...]] = ()  # Metrics find deaths and pauses in the rows `crashed` and `paused`.
    repairable: ClassVar[bool] = True  # Whether a schedule may give the fault a duration.
    in_nemesis: ClassVar[bool] = True  # Whether a nemesis may draw the fault.
    duration_required: ClassVar[str | None] = None  # The remedy, if an entry of a schedule must say how long it lasts.
    # Descriptions of targets that never fit this fault, each with the reason and a remedy.
    impossible_targets: ClassVar[Mapping[str, str]] = {}
    rules: ClassVar[tuple[Rule, ...]] = ()

    def inject(self, control: ClusterControl, fault_rng: RandomStreams) -> Injected:
        """Do it. Raises NoTargetError, before anything is done, if a target does not exist at present."""
        raise NotImplementedError

    def resolve_targets(self, control: ClusterControl, fault_rng: RandomStreams) -> ResolvedFault:
        """The same fault with its targets replaced by the nodes that they mean now, and the nodes that it affects.

        No node is affected if none of those named is in a state that the fault applies to. A fault of links affects
        the nodes at its smaller end, without which nothing of it would be left: what affects a minority leaves a
        majority whose members are well and reach each other. Raises NoTargetError.
        """
        raise TypeError(f"{self.name} does not affect nodes of its own, and has no place in a nemesis")

    @classmethod
    def cluster_error(cls, size: int, present: int) -> str | None:
        """Why it makes no sense in a cluster of this size, of which this many nodes are present; None if it does."""
        return None


def parameters(record: type[Fault]) -> tuple[Parameter, ...]:
    """The fields of a record that a scenario writes, in the order of their definition."""
    return tuple(
        replace(
            found,
            attribute=own.name,
            key=record.name if found.place is Place.KEYWORD else found.key or own.name,
            required=own.default is MISSING,
            default=None if own.default is MISSING else own.default,
        )
        for own in fields(record)  # type: ignore[arg-type]  # Every record is a dataclass.
        if (found := own.metadata.get(_METADATA_KEY)) is not None
    )


def repair_each(repairs: Mapping[NodeId, RepairOne]) -> Repair | None:
    """Repairs one node after the other, and returns those that it repaired; None if there are no repairs."""
    return (lambda: tuple(node for node, repair in repairs.items() if repair() is not False)) if repairs else None
