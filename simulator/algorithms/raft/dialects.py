"""Dialects of Raft: the sets of options that real systems and published experiments use, and their sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from simulator.algorithms.raft.config import RaftConfig
from simulator.protocol import MICROSECOND, MILLISECOND

MS = MILLISECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """A set of options: its name, what it models, its source, and the options that differ from the paper's."""

    name: str
    about: str
    options: Mapping[str, Any] = field(default_factory=dict)


DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {
        dialect.name: dialect
        for dialect in (
            Dialect(name="paper", about="Ongaro and Ousterhout 2014, Figure 2 and sections 5.1 to 5.6."),
            Dialect(
                name="availsim",
                about="AvailSim (dissertation, 9.3): on AppendEntries of a higher term, a server only steps down.",
                options={
                    "election_timeout": (300 * MS, 600 * MS),
                    "heartbeat_interval": 150 * MS,
                    "new_term_heartbeat_only_steps_down": True,
                },
            ),
            Dialect(
                name="logcabin",
                about="LogCabin (RaftConsensus.cc): a new term and a vote are two writes; a server that has heard a "
                "leader within the least timeout refuses votes of any term; a leader without a quorum steps down.",
                options={
                    "election_timeout": (500 * MS, 1000 * MS),
                    "heartbeat_interval": 250 * MS,
                    "separate_writes": True,
                    "check_quorum": True,
                    "leader_stickiness": "refuse",
                },
            ),
            Dialect(
                name="refloated",
                about="Howard et al., Raft Refloated (2015): a candidate that steps down starts a new timer, and does "
                "refuses the request for which it steps down.",
                options={"step_down_resets_timer": "candidate", "votes_after_stepping_down": False},
            ),
            Dialect(
                name="etcd",
                about="etcd's raft library (etcd-io/raft, raft.go): whole ticks, drawn when the role may change; "
                "CheckQuorum; requests within a leader's lease, or of an earlier term, are ignored; stale heartbeats "
                "are answered only under CheckQuorum or PreVote; a candidacy ends once too many voters have refused.",
                options={
                    "election_timeout": (1000 * MS, 1900 * MS),
                    "heartbeat_interval": 100 * MS,
                    "tick": 100 * MS,
                    "step_down_resets_timer": "anybody",
                    "check_quorum": True,
                    "leader_stickiness": "ignore_with_check_quorum",
                    "refusals_end_candidacy": True,
                    "refusals": "not_stale",
                },
            ),
            Dialect(
                name="hashicorp",
                about="hashicorp/raft (raft.go; DefaultConfig): heartbeats do not touch a follower's running timer; it "
                "campaigns only after a heartbeat timeout without contact; heartbeats at a random tenth to fifth of "
                "that; a server that knows a leader refuses votes; a leader's lease slides. Since 1.7.0, also PreVote.",
                options={
                    "election_timeout": (1000 * MS, 2000 * MS),
                    "candidate_timeout": (1000 * MS, 2000 * MS),
                    "least_silence": 1000 * MS,
                    "heartbeat_interval": 100 * MS,
                    "heartbeat_spread": 100 * MS,
                    "check_quorum": True,
                    "leader_lease": 500 * MS,
                    "lease_slides": True,
                    "leader_stickiness": "refuse",
                    "stickiness_lasts": "own_timeout",
                },
            ),
            Dialect(
                name="pysyncobj",
                about="PySyncObj (syncobj.py): a poll loop, which messages and connections wake, looks at the "
                "timeouts; a turn takes longer than its wait of 50 ms; refusals are never sent; a leader steps down "
                "after 30 s without a majority's answers.",
                options={
                    "election_timeout": (400 * MS, 1400 * MS),
                    "heartbeat_interval": 100 * MS,
                    "poll_interval": 50 * MS,
                    "poll_delay": (100 * MICROSECOND, 200 * MICROSECOND, 700 * MICROSECOND),
                    "refusals": "never",
                    "check_quorum": True,
                    "leader_lease": 30_000 * MS,
                    "lease_slides": True,
                },
            ),
        )
    }
)


def dialect(name: str, **options: Any) -> RaftConfig:
    """Return the options of a dialect, with some of them replaced.

    Raises KeyError for an unknown dialect, and ValueError for options that RaftConfig refuses.
    """
    return RaftConfig(**{**DIALECTS[name].options, **options})
