"""The algorithms that a scenario can name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from simulator.algorithms.raft import DIALECTS, AddServer, Propose, Raft, RaftConfig, RemoveServer, Transfer
from simulator.protocol import ELECTORATE, Algorithm, Message, NodeId


def _raft_log(index: int) -> Mapping[str, Any]:
    """A log of that many entries, all written in term 1: the term that a server must then have reached, too."""
    return {"term": 1, "last_log": (1, index)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """An algorithm under its name: its class, its options, its group, and what a log of some length leaves on disk.

    `dialects` are sets of options by name, the first of which changes none. `transfer` makes the command that asks for
    another leader, `add_server` and `remove_server` for another configuration, `propose` that of a client with so many
    bytes; None where the algorithm takes no such command.
    """

    name: str
    algorithm: type[Algorithm]
    config: type[Any]
    group: str = ELECTORATE
    durable_log: Callable[[int], Mapping[str, Any]] | None = None  # None: the algorithm keeps no log.
    dialects: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    transfer: Callable[[NodeId | None], Message] | None = None
    propose: Callable[[int], Message] | None = None
    add_server: Callable[[NodeId], Message] | None = None
    remove_server: Callable[[NodeId], Message] | None = None

    @property
    def commands(self) -> Sequence[type]:
        """The types of the commands that the algorithm takes."""
        made = (self.transfer, self.propose, self.add_server, self.remove_server)
        return [command for command in made if isinstance(command, type)]


REGISTRY: Mapping[str, Registration] = {
    registration.name: registration
    for registration in (
        Registration(
            name="raft",
            algorithm=Raft,
            config=RaftConfig,
            durable_log=_raft_log,
            transfer=Transfer,
            propose=Propose,
            add_server=AddServer,
            remove_server=RemoveServer,
            dialects={name: dialect.options for name, dialect in DIALECTS.items()},
        ),
    )
}
