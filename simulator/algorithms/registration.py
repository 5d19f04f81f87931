"""An algorithm under its name: which nodes run what, with which options, and what users should know of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from simulator.protocol import ELECTORATE, Algorithm, Assumption, Guarantee, Message, Nanoseconds, NodeId


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Nodes besides the electorate: an ensemble's servers, a monitor. They are numbered after it, group by group.

    All groups share the algorithm's options, of which `size` makes the number of nodes. `quorum` is that of
    `Registration`; all others depend on an `essential` group's nodes (`Assumption.MONITOR_RUNS`).
    """

    name: str
    algorithm: type[Algorithm]
    size: Callable[[Any], int]
    quorum: bool = True
    essential: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """An algorithm: its class, its options, its groups, and what a log of some length leaves on disk.

    The headline group, `group`, has as many nodes as the scenario's `cluster.nodes`: the metrics speak of it.
    `quorum` says whether a leader is lost without a two-way path to a majority of all members, or only to one of those
    that run; where `served_by` names a group, it is lost without a path to one of its servers that has such a majority.

    `dialects` are sets of options by name, the first of which changes none. `commands` has, by its verb, what makes
    each command that the algorithm takes: of an operator, under the name of the fault that gives it
    (`transfer_leadership` to a node or None, `add_server` and `remove_server` with a node), and of a client (`propose`
    with a number of bytes). `assumes` is what the algorithm assumes with such options,
    besides what it always does. `delay_bound` is the longest that a message may take, with its handling, for the
    promises to hold that assume a bounded delay; `settles` is how long the algorithm needs in
    peace, at most, until it agrees on a leader. Both are functions of the options, the latter also of the group's size.
    """

    name: str
    algorithm: type[Algorithm]
    config: type[Any]
    paper: str = ""  # Whom it is from, as people cite it.
    cost: str = ""  # In messages and time, with n nodes.
    page: str = ""  # That of the documentation which says more, such as raft.md.
    group: str = ELECTORATE
    groups: tuple[Group, ...] = ()
    quorum: bool = True
    served_by: str | None = None
    counted_terms: bool = True  # Whether a term is a round, so that terms beyond one tell of rounds that failed.
    streams: bool = False  # Whether it needs connections, which it is told of: the transport stream.
    durable_log: Callable[[int], Mapping[str, Any]] | None = None  # None: the algorithm keeps no log.
    dialects: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    commands: Mapping[str, Callable[[Any], Message]] = field(default_factory=dict)
    assumes: Callable[[Any], frozenset[Assumption]] | None = None
    delay_bound: Callable[[Any], Nanoseconds] | None = None
    settles: Callable[[Any, int], Nanoseconds] | None = None
    bytes_per_pair: int = 0  # Memory that each node keeps for each other node, measured; for `limits.memory`.

    def __post_init__(self) -> None:
        """A promise that could not be checked is none. Raises ValueError."""
        promises, assumes = self.algorithm.guarantees, self.algorithm.assumes
        if promises & {Guarantee.AGREEMENT, Guarantee.HIGHEST_ID} and self.settles is None:
            raise ValueError(f"{self.name} promises to agree in peace: say how long it needs (settles)")
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
        return list(dict.fromkeys(kind for one in classes for kind in one.receive))

    def members(self, nodes: int, config: Any) -> Mapping[str, tuple[NodeId, ...]]:
        """The nodes of every group by name, with so many in the electorate."""
        found = {self.group: tuple(range(1, nodes + 1))}
        first = nodes + 1
        for group in self.groups:
            size = group.size(config)
            found[group.name] = tuple(range(first, first + size))
            first += size
        return found

    def needs(self, group: str) -> tuple[bool, str | None]:
        """`quorum` and `served_by` of a group."""
        other = next((other for other in self.groups if other.name == group), None)
        return (self.quorum, self.served_by) if other is None else (other.quorum, None)

    def assumed(self, group: str, config: Any) -> frozenset[Assumption]:
        """All that the algorithm of a group assumes."""
        always = self.class_of(group).assumes
        return always if self.assumes is None or group != self.group else always | self.assumes(config)

    def class_of(self, group: str) -> type[Algorithm]:
        """What the nodes of a group run."""
        return next((other.algorithm for other in self.groups if other.name == group), self.algorithm)
