"""A candidate of ZooKeeper's election recipe: the candidate with the lowest znode leads.

The ZooKeeper Recipes, "Leader Election": each candidate creates an ephemeral, sequential child of one znode, and the
lowest number leads. A candidate watches only the next lower znode, so that the end of one znode wakes one candidate. In
the variant that the recipe warns of, the herd, all candidates watch the parent. When the session of a leader ends, its
znode is deleted, and the next candidate is told.

Sequence numbers are never reused and only grow, so the number is a fencing token: a client can refuse an old leader for
a newer one. The term of a leader is its number plus one, since term 0 means an algorithm without terms. The candidate
with the lowest znode learns that only when it reads, and others do not know when it has. So a leader creates a second
znode, which all watch, as the recipe suggests (`announce`).

A client learns late what the ensemble decides. A leader that is disconnected does not know whether its session still
exists. It stops leading at once (`stop_leading: disconnect`), or by its own clock (`expiry`): when the timeout of its
session has passed since it sent the last request that was answered, connected or not. Both need a correct clock and a
process that runs: a leader that is paused goes on leading for too long.

Guaranteed are the tokens: no two candidates lead with the same one, whatever happens. Nothing else is; how long two
candidates lead at once is measured. Costs, with n candidates and s servers: a write takes 3(s - 1) messages, and 2 for
the client, or 3 if its server is not the leader. An election takes the end of a session (a write without a client), an
event, and a read. To announce it takes a write, and for each candidate two events and three reads. The herd takes an
event and a read for each candidate. Besides, there are 2n pings every third of the session's timeout, and 2(s - 1)
every half tick."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NamedTuple

from simulator.algorithms.coordination import candidate as coordination
from simulator.algorithms.zookeeper.client import Client
from simulator.algorithms.zookeeper.client_config import ZooKeeperConfig
from simulator.algorithms.zookeeper.client_messages import (
    TO_CLIENTS,
    Create,
    Exists,
    GetChildren,
    GetData,
    Reply,
)
from simulator.algorithms.zookeeper.service import ELECTION
from simulator.algorithms.zookeeper.tree import Code
from simulator.algorithms.zookeeper.watches import Change
from simulator.protocol import LEADER, Host, Message, NodeId

ENSEMBLE_GROUP = "ensemble"  # The group of servers.
ANNOUNCEMENT = "/leader"

# What a candidate asks the ensemble for: the purposes of its operations.
CREATED, CHILDREN, PREDECESSOR = "created", "children", "predecessor"
ANNOUNCED, ANNOUNCEMENT_READ, ANNOUNCEMENT_AWAITED = "announced", "announcement read", "announcement awaited"


class Volunteer(NamedTuple):
    """A candidate, as the name of its znode describes it. The lowest one leads."""

    sequence: int
    node: NodeId
    session: int
    name: str

    @classmethod
    def named(cls, name: str) -> Volunteer:
        """Read `n3-1f-n_0000000012`: the node, its session in hexadecimal digits, and the sequence number."""
        node, session, sequence = name.split("-")
        return cls(int(sequence.removeprefix("n_")), int(node.removeprefix("n")), int(session, 16), name)

    @property
    def term(self) -> int:
        """The term in which the candidate leads."""
        return self.sequence + 1


class Candidate(coordination.Candidate):
    """One candidate. A crash loses everything that it knows; its session expires later."""

    def __init__(self, host: Host, config: ZooKeeperConfig, durable: Mapping[str, Any]) -> None:
        super().__init__(host, config, durable)
        self.config: ZooKeeperConfig = config
        self.client = Client(host, host.groups[ENSEMBLE_GROUP], config, self)
        self.own: Volunteer | None = None  # The candidate's own znode, at the last read.
        self.predecessor: Volunteer | None = None  # The next lower znode, if there is one.
        self.lowest: Volunteer | None = None
        self.announced = False  # Whether the candidate has announced its lead in this session.

    def view(self) -> Mapping[str, object]:
        own, predecessor = self.own, self.predecessor
        return {
            **super().view(),
            "session": self.client.session,
            "connected": self.client.connected,
            "own znode": None if own is None else own.name,
            "watched znode": None if predecessor is None else predecessor.name,
        }

    # --- Inputs

    def on_start(self) -> None:
        self._become_follower(None)
        self.client.connect()

    def on_message(self, sender: NodeId, message: Message) -> None:
        self.client.on_message(sender, message)

    def on_timer(self, name: str) -> None:
        if name == "lead-ends":
            self._on_lead_ends()
        else:
            self.client.on_timer(name)

    def on_disconnect(self, peer: NodeId, reason: str) -> None:
        self.client.on_disconnect(peer)

    # --- The session (`User`)

    def on_connected(self, *, new: bool) -> None:
        """A session that continues may already have a znode of which the candidate does not know, so it reads first."""
        if self.role is not LEADER:
            self.host.cancel_timer("lead-ends")
        if new:
            self._volunteer()
        else:
            self._read()
        if self.config.announce:
            self._look_for_announcement()

    def on_disconnected(self) -> None:
        if self.config.stop_leading == "disconnect":
            self._become_follower(None)
        else:
            self._watch_session()

    def on_expired(self) -> None:
        self.host.cancel_timer("lead-ends")
        self.own = self.predecessor = self.lowest = None
        self.announced = False
        self._become_follower(None)

    def on_notification(self, path: str, change: Change) -> None:
        if path == ANNOUNCEMENT:
            if change is Change.DELETED and self.leader is not None and self.role is not LEADER:
                self._suspect(self.leader)
                self._become_follower(None)
            self._look_for_announcement()
        else:
            gone, own = self.predecessor, self.own
            if self.config.watch == "predecessor" and own is not None and gone is not None and gone == self.lowest:
                if self.leader is not None:
                    self._suspect(self.leader)
                self._become_candidate(own.term)
            self._read()

    def on_reply(self, purpose: str, reply: Reply) -> None:
        self.replies[purpose](self, reply)

    # --- The end of the session by the candidate's own clock (`stop_leading: expiry`)

    def _watch_session(self) -> None:
        self.host.set_timer("lead-ends", max(self.client.time_left, 0))

    def _on_lead_ends(self) -> None:
        """If a request was answered meanwhile, the session lasts longer. Else the candidate stops leading, and reads
        again if a server still serves it."""
        if self.client.time_left > 0:
            self._watch_session()
            return
        self._become_follower(None)
        if self.client.connected:
            self._read()

    # --- The recipe

    def _volunteer(self) -> None:
        """Create a znode. The session's number in its name identifies it if the reply to its creation is lost."""
        path = f"{ELECTION}/n{self.host.me}-{self.client.session:x}-n_"
        self.client.ask(Create, path, "", True, True, purpose=CREATED)

    def _on_created(self, reply: Reply) -> None:
        self._read()

    def _read(self) -> None:
        herd = self.config.watch == "parent"
        self.client.ask(GetChildren, ELECTION, herd, purpose=CHILDREN)

    def _on_children(self, reply: Reply) -> None:
        volunteers = sorted(map(Volunteer.named, reply.value))
        own = next((candidate for candidate in volunteers if candidate.session == self.client.session), None)
        if own is None:
            self._volunteer()
            return
        place = volunteers.index(own)
        self.own, self.lowest = own, volunteers[0]
        self.predecessor = volunteers[place - 1] if place else None
        if self.predecessor is None:
            self._lead(own)
            return
        if not self.config.announce:
            self._follow(self.lowest.node, self.lowest.term)
        if self.config.watch == "predecessor":
            path = f"{ELECTION}/{self.predecessor.name}"
            self.client.ask(Exists, path, True, purpose=PREDECESSOR)

    def _on_predecessor(self, reply: Reply) -> None:
        # The znode was deleted between the two reads. The watch for its creation never triggers.
        if reply.code is Code.NO_NODE:
            self._read()

    def _lead(self, own: Volunteer) -> None:
        expiry = self.config.stop_leading == "expiry"
        if expiry and self.client.time_left <= 0:  # The answer took so long that the session may have ended since.
            self._read()
            return
        if self.role is not LEADER:
            self._become_candidate(own.term)
            self._become_leader(own.term, own.sequence)
            if expiry:
                self._watch_session()
        # The ensemble refuses the znode if an earlier announcement exists, whose reply was lost.
        if self.config.announce and not self.announced:
            self.client.ask(Create, ANNOUNCEMENT, own.name, True, purpose=ANNOUNCED)

    def _on_announced(self, reply: Reply) -> None:
        self.announced = True

    # --- The leader that it follows

    def _look_for_announcement(self) -> None:
        self.client.ask(GetData, ANNOUNCEMENT, True, purpose=ANNOUNCEMENT_READ)

    def _on_announcement(self, reply: Reply) -> None:
        if reply.code is Code.OK:
            leader = Volunteer.named(str(reply.value))
            self._follow(leader.node, leader.term)
        else:
            self.client.ask(Exists, ANNOUNCEMENT, True, purpose=ANNOUNCEMENT_AWAITED)

    def _on_awaited(self, reply: Reply) -> None:
        if reply.code is Code.OK:  # The znode was created between the two reads.
            self._look_for_announcement()

    receive: ClassVar = dict.fromkeys(TO_CLIENTS, on_message)
    replies: ClassVar[Mapping[str, Callable[[Any, Reply], None]]] = {
        CREATED: _on_created,
        CHILDREN: _on_children,
        PREDECESSOR: _on_predecessor,
        ANNOUNCED: _on_announced,
        ANNOUNCEMENT_READ: _on_announcement,
        ANNOUNCEMENT_AWAITED: _on_awaited,
    }
