"""Raft's entry in the registry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulator.algorithms.raft.config import RaftConfig
from simulator.algorithms.raft.dialects import DIALECTS
from simulator.algorithms.raft.messages import AddServer, Propose, RemoveServer, Transfer
from simulator.algorithms.raft.node import Raft
from simulator.algorithms.raft.quiet import never_quiet
from simulator.algorithms.raft.serving import ServingRaft
from simulator.algorithms.registration import Registration


def _log_of(index: int) -> Mapping[str, Any]:
    """Return the saved values of a server in term 1 whose log has this many entries, all of term 1."""
    return {"term": 1, "last_log": (1, index)}


def _serving(config: RaftConfig) -> type[Raft] | None:
    """Return what serves clients: a server with a log."""
    return ServingRaft if config.replication else None


RAFT = Registration(
    name="raft",
    algorithm=Raft,
    config=RaftConfig,
    paper="Ongaro, Ousterhout: In Search of an Understandable Consensus Algorithm, 2014; Ongaro's dissertation, 2014",
    cost="2(n - 1) messages a round, if no vote splits, and n - 1 to announce; one timeout to detect, one round trip",
    page="raft.md",
    durable_log=_log_of,
    never_quiet=never_quiet,
    serving=_serving,
    consistencies=("leader", "lease", "read_index", "stale"),
    fencing_token="term",
    commands={
        "transfer_leadership": Transfer,
        "add_server": AddServer,
        "remove_server": RemoveServer,
        "propose": Propose,
    },
    dialects={name: dialect.options for name, dialect in DIALECTS.items()},
)
