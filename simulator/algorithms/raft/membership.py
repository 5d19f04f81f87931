"""The configuration that a server uses (dissertation, 4.1): the latest one in its log, whether committed or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from simulator.algorithms.raft.config import RaftConfig
from simulator.algorithms.raft.configuration import Configuration
from simulator.algorithms.raft.log import Log
from simulator.protocol import Host, NodeId


class Membership:
    """The configuration in use, its index in the log, and what follows from it: peers, voters and the quorum.

    Before the first configuration in the log, the options give it. By default everybody votes.

    A server that is asked for a vote answers, whatever its own configuration says: the candidate's may be newer, and
    decides whose votes count (4.1). etcd and TiKV let learners vote for the same reason (etcd-io/etcd#10998,
    tikv/raft-rs#57).
    """

    def __init__(self, host: Host, config: RaftConfig, log: Log | None) -> None:
        self.me = host.me
        self.log = log
        # The group that this server is in. All nodes share the tuple of its members while every server is a voter.
        self.group, servers = next((name, tuple(nodes)) for name, nodes in host.groups.items() if host.me in nodes)
        voters = tuple(node for node in servers if node not in config.learners) if config.learners else servers
        self.initial = Configuration(config.voters or voters, config.learners)
        self.index, self.current = self._latest
        self.peers: Sequence[NodeId] = host.peers  # The servers that this one leads when it leads.
        self.other_voters: Sequence[NodeId] = host.peers  # The servers that this server asks for votes.
        self.is_voter = True  # Whether this server's own vote counts.
        self.quorum = len(servers) // 2 + 1
        # Whether the configuration differs from "every server votes".
        self.is_special = self.current != Configuration(servers)
        if self.is_special:
            self.apply()

    def follow_log(self) -> bool:
        """The log has changed: use the latest configuration in it. Return whether it is another one than before."""
        latest = self._latest
        if latest == (self.index, self.current):
            return False
        self.index, self.current = latest
        self.apply()
        return True

    def apply(self) -> None:
        """Derive from the configuration whom this server leads and asks, and how many votes it needs."""
        voters = self.current.voters
        self.peers = tuple(node for node in self.current.members if node != self.me)
        self.other_voters = tuple(node for node in voters if node != self.me)
        self.is_voter = self.me in voters
        self.quorum = self.current.quorum

    def add_peer(self, node: NodeId) -> None:
        """Lead one more server, which is to become a voter later."""
        if node not in self.peers:
            self.peers = (*self.peers, node)

    def may_campaign(self, commit_index: int) -> bool:
        """Whether this server may campaign. Learners may not.

        A voter that was removed may until it knows that its removal is committed: the cluster may need it (4.2.2).
        """
        if self.me in self.current.members:
            return self.me in self.current.voters
        return commit_index < self.index and any(self.me in earlier.voters for earlier in self._all)

    def is_majority(self, others: set[NodeId]) -> bool:
        """Whether these servers, and this one if it votes, are a majority of the voters."""
        is_enough = len(others) + 1 >= self.quorum  # Quick to deny.
        return is_enough and len(others.intersection(self.other_voters)) + self.is_voter >= self.quorum

    def view(self) -> Mapping[str, object]:
        """What a page may show of it, in plain values."""
        return {"voters": self.current.voters, "learners": self.current.learners, "quorum": self.quorum}

    @property
    def counted(self) -> Sequence[NodeId]:
        """The servers whose copies of an entry count."""
        return (*self.other_voters, self.me) if self.is_voter else self.other_voters

    @property
    def _latest(self) -> tuple[int, Configuration]:
        return self.log.configurations[-1] if self.log is not None and self.log.configurations else (0, self.initial)

    @property
    def _all(self) -> Sequence[Configuration]:
        return [self.initial, *(earlier for _, earlier in (self.log.configurations if self.log is not None else ()))]
