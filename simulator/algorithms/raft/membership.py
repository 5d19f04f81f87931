"""The configuration that a server uses (dissertation, 4.1): always the latest in its log, committed or not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from simulator.algorithms.raft.config import RaftConfig
from simulator.algorithms.raft.configuration import Configuration
from simulator.algorithms.raft.log import Log
from simulator.protocol import ELECTORATE, Host, NodeId


class Server(Protocol):
    """What a configuration decides: whom a server leads, whom it asks for votes, and how many it needs."""

    peers: Sequence[NodeId]
    electors: Sequence[NodeId]
    counts_itself: bool
    quorum: int


class Membership:
    """Where it is in the log, and what it says. Before the first in the log, the one that the options give.

    A server that is asked votes, whatever its configuration says: the candidate's may be newer, and decides whose votes
    count (4.1; etcd and TiKV let learners answer for the same reason: etcd-io/etcd#10998, tikv/raft-rs#57).
    """

    def __init__(self, host: Host, config: RaftConfig, server: Server, log: Log | None) -> None:
        self.host = host
        self.server = server
        self.log = log
        everybody = tuple(host.groups[ELECTORATE])  # Shared by all nodes.
        others = tuple(node for node in everybody if node not in config.learners) if config.learners else everybody
        self.given = Configuration(config.voters or others, config.learners)
        self.index, self.current = self._latest
        self.is_special = self.current != Configuration(everybody)
        if self.is_special:
            self.apply()

    def start(self) -> None:
        """Tell the trace, unless everybody votes."""
        if self.is_special:
            self._tell()

    def follow_log(self) -> bool:
        """The log has changed: use the latest configuration in it. Whether that is another one."""
        latest = self._latest
        if latest == (self.index, self.current):
            return False
        self.index, self.current = latest
        self.apply()
        self._tell()
        return True

    def apply(self) -> None:
        """Let the server know whom it leads and asks."""
        me, voters = self.host.me, self.current.voters
        self.server.peers = tuple(node for node in self.current.members if node != me)
        self.server.electors = tuple(node for node in voters if node != me)
        self.server.counts_itself = me in voters
        self.server.quorum = self.current.quorum

    def may_stand(self, commit_index: int) -> bool:
        """Learners do not; a voter that was removed does, until it knows that this is committed: it may still be needed
        until then (4.2.2).
        """
        me = self.host.me
        if me in self.current.members:
            return me in self.current.voters
        return commit_index < self.index and any(me in earlier.voters for earlier in self._all)

    @property
    def _latest(self) -> tuple[int, Configuration]:
        return self.log.configurations[-1] if self.log is not None and self.log.configurations else (0, self.given)

    @property
    def _all(self) -> Sequence[Configuration]:
        return [self.given, *(earlier for _, earlier in (self.log.configurations if self.log is not None else ()))]

    def _tell(self) -> None:
        self.host.note("configuration", voters=self.current.voters, learners=self.current.learners)
