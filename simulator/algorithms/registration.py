"""What makes an algorithm known under a name: its classes, its options, its groups, and facts that users look up."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal, TypeAlias

from simulator.protocol import ELECTORATE, Algorithm, Assumption, Guarantee, Message, Nanoseconds, NodeId

NonLeaders: TypeAlias = Literal["redirect", "refuse", "silent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Nodes besides the primary group: the servers of an ensemble, a monitor.

    They are numbered after the nodes of the primary group, group by group. `size` returns the number of nodes for the
    algorithm's options, which all groups share. `quorum` means what it means in `Registration`. If the group is a
    `single_point_of_failure`, a crash of one of its nodes breaks `Assumption.MONITOR_RUNS`.
    """

    name: str
    algorithm: type[Algorithm]
    size: Callable[[Any], int]
    quorum: bool = True
    single_point_of_failure: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """An algorithm under its name.

    The primary group, `group`, has as many nodes as the scenario's `cluster.nodes`, and the primary metrics describe
    it. Its leader is lost when it has no two-way path to a majority: of all members if `quorum`, else of the running
    ones. If `coordination_group` names a group, such as ZooKeeper's servers, the leader is lost when it has no path to
    a node of that group that has such a majority.

    `commands` maps the name of each command that the algorithm takes to a function that makes its message. An
    operator's command has the name of the fault that gives it (`transfer_leadership` to a node or None, `add_server`
    and `remove_server` with a node). A client's command is `propose`, with a number of bytes.

    `serving` returns the class whose nodes serve clients from a log of their own (`Algorithm.on_request`), or None if
    with these options there is no log. Without a log, a node that claims to lead writes to the resource. Then
    `non_leaders` says what a node does with a request if it does not lead: it names the leader that it
    knows of, refuses the request, or says nothing.

    `assumes` returns what the algorithm assumes with these options, in addition to `Algorithm.assumes`. `delay_bound`
    returns the longest time that a message may take, handling included, under `Assumption.BOUNDED_DELAY`.
    `stabilization_bound` returns how long the algorithm needs without faults, at most, until all nodes agree on a
    leader. It takes the options and the number of nodes in the primary group.

    `never_quiet` returns why nodes with these options have no keep-alives that could be skipped, or None. Without it,
    `Algorithm.quiet` is not used.

    Raises ValueError if a guarantee or an assumption needs one of these functions, and it is missing.
    """

    name: str
    algorithm: type[Algorithm]
    config: type[Any]
    paper: str = ""  # Author and year, as papers are cited.
    cost: str = ""  # The cost in messages and time, with n nodes.
    page: str = ""  # The page of the documentation about it, such as raft.md.
    group: str = ELECTORATE
    groups: tuple[Group, ...] = ()
    quorum: bool = True
    coordination_group: str | None = None
    terms_count_rounds: bool = True  # Whether each election round takes a new term, so that terms count failed rounds.
    requires_connections: bool = False  # Whether the algorithm needs the stream transport and is told of connections.
    # The saved values of a node whose log has a given length.
    durable_log: Callable[[int], Mapping[str, Any]] | None = None
    # The options of each dialect by its name. The first dialect changes no option.
    dialects: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    commands: Mapping[str, Callable[[Any], Message]] = field(default_factory=dict)
    serving: Callable[[Any], type[Algorithm] | None] | None = None
    consistencies: tuple[str, ...] = ()  # The ways to read from that log (`Consistency`) besides the default.
    non_leaders: NonLeaders = "redirect"
    # The algorithm's name for its terms, if a later leader always has a higher term. Empty: it has none.
    fencing_token: str = ""
    assumes: Callable[[Any], frozenset[Assumption]] | None = None
    delay_bound: Callable[[Any], Nanoseconds] | None = None
    stabilization_bound: Callable[[Any, int], Nanoseconds] | None = None
    never_quiet: Callable[[Any], str | None] | None = None
    bytes_per_pair: int = 0  # Memory that each node keeps for each other node, measured; for `limits.memory`.

    def __post_init__(self) -> None:
        guarantees, assumes = self.algorithm.guarantees, self.algorithm.assumes
        if guarantees & {Guarantee.AGREEMENT, Guarantee.HIGHEST_ID} and self.stabilization_bound is None:
            raise ValueError(
                f"{self.name} guarantees agreement without faults: say how long it needs (stabilization_bound)"
            )
        if Assumption.BOUNDED_DELAY in assumes and self.delay_bound is None:
            raise ValueError(f"{self.name} assumes a bounded delay: say which (delay_bound)")

    @property
    def command_types(self) -> Sequence[type]:
        """The types of the commands that the algorithm takes."""
        return [command for command in self.commands.values() if isinstance(command, type)]

    @property
    def receive(self) -> Sequence[type]:
        """The types of the messages that nodes of any group receive, each once."""
        classes = (self.algorithm, *(group.algorithm for group in self.groups))
        return list(dict.fromkeys(kind for algorithm in classes for kind in algorithm.receive))

    def members(self, nodes: int, config: Any) -> Mapping[str, tuple[NodeId, ...]]:
        """The members of every group by its name. The primary group has this number of nodes."""
        members = {self.group: tuple(range(1, nodes + 1))}
        first = nodes + 1
        for group in self.groups:
            size = group.size(config)
            members[group.name] = tuple(range(first, first + size))
            first += size
        return members

    def serving_class(self, config: Any) -> type[Algorithm] | None:
        """What serves clients from a log with these options, with the rules of `algorithm`; None if there is no log.

        `serving` names a class for the algorithm as it is registered. If `algorithm` was replaced by a class derived
        from it, the result has the rules of both.
        """
        found = None if self.serving is None else self.serving(config)
        if found is None or issubclass(found, self.algorithm):
            return found
        return _serving_too(found, self.algorithm)  # type: ignore[arg-type] # Classes are hashable.

    def quorum_of(self, group: str) -> tuple[bool, str | None]:
        """`quorum` and `coordination_group` of a group."""
        other = next((other for other in self.groups if other.name == group), None)
        return (self.quorum, self.coordination_group) if other is None else (other.quorum, None)

    def assumptions_of(self, group: str, config: Any) -> frozenset[Assumption]:
        """Everything that the algorithm of a group assumes, with these options."""
        always = self.class_of(group).assumes
        return always if self.assumes is None or group != self.group else always | self.assumes(config)

    def class_of(self, group: str) -> type[Algorithm]:
        """The class of algorithm that the nodes of a group run."""
        return next((other.algorithm for other in self.groups if other.name == group), self.algorithm)


@cache
def _serving_too(serving: type[Algorithm], algorithm: type[Algorithm]) -> type[Algorithm]:
    """A class that serves as the one does, and has the rules of the other, which both derive from the same class."""
    shared = next(base for base in algorithm.__mro__ if issubclass(base, Algorithm) and issubclass(serving, base))
    own = {kind: handler for kind, handler in algorithm.receive.items() if handler is not shared.receive.get(kind)}
    return type(f"Serving{algorithm.__name__}", (serving, algorithm), {"receive": {**serving.receive, **own}})


# --- Names of version 0.2, which warn in this version and are to be removed in the next

_OLD_FIELDS = {
    "streams": "requires_connections",
    "served_by": "coordination_group",
    "counted_terms": "terms_count_rounds",
    "settles": "stabilization_bound",
    "essential": "single_point_of_failure",
}
_OLD_COMMANDS = {
    "transfer": "transfer_leadership",
    "propose": "propose",
    "add_server": "add_server",
    "remove_server": "remove_server",
}


def _rename_old_fields(keywords: dict[str, Any]) -> dict[str, Any]:
    """The fields given to a constructor under their present names. Warns of each old name."""
    fields: dict[str, Any] = {}
    commands: dict[str, Any] = dict(keywords.pop("commands", {}))
    for name, value in keywords.items():
        if name in _OLD_FIELDS:
            fields[_OLD_FIELDS[name]] = value
            _warn_of(name, _OLD_FIELDS[name])
        elif name in _OLD_COMMANDS:
            commands |= {} if value is None else {_OLD_COMMANDS[name]: value}
            _warn_of(name, f"commands={{{_OLD_COMMANDS[name]!r}: …}}")
        else:
            fields[name] = value
    return fields | ({"commands": commands} if commands else {})


def _warn_of(old: str, new: str) -> None:
    warnings.warn(f"the field {old} of a registration is called {new}", DeprecationWarning, stacklevel=4)


def _take_old_fields(kind: type[Any]) -> None:
    """Let the constructor of a class take fields under their old names."""
    present = kind.__init__

    def construct(self: Any, **keywords: Any) -> None:
        present(self, **_rename_old_fields(keywords))

    kind.__init__ = construct


_take_old_fields(Group)
_take_old_fields(Registration)
