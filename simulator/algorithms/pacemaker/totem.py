"""Totem's membership: a node loses the token, gathers who answers, commits to a new ring with them, and recovers.

Source: corosync, exec/totemsrp.c: `memb_state_gather_enter`, `memb_join_process`, `memb_state_commit_enter`,
`memb_state_recovery_enter`, `memb_state_operational_enter`. A node that cannot receive, though the token reaches it
(`fail_recv_const`), is not modelled.
"""

from __future__ import annotations

from simulator.algorithms.pacemaker.config import PacemakerConfig
from simulator.algorithms.pacemaker.listener import Listener
from simulator.algorithms.pacemaker.messages import (
    CommitToken,
    Entry,
    HoldCancel,
    Join,
    MergeDetect,
    Multicast,
    RingId,
    Token,
)
from simulator.algorithms.pacemaker.ordering import OldRing
from simulator.algorithms.pacemaker.ring import HOLD, LOSS, MERGE, RETRANSMIT, Ring
from simulator.algorithms.pacemaker.states import State
from simulator.protocol import MICROSECOND, Host, Message, Nanoseconds, NodeId

JOIN, CONSENSUS, PAUSE, TO_ITSELF = "join", "consensus", "pause", "to-itself"
TIMERS = frozenset((LOSS, RETRANSMIT, HOLD, MERGE, JOIN, CONSENSUS, PAUSE, TO_ITSELF))
_NUMBERS_APART = 4  # The number of a new ring is the highest known number plus this.
_TO_ITSELF_NS: Nanoseconds = 10 * MICROSECOND  # The time of a message from a node to itself.


class Totem:
    """One node of Totem. `saved_number` is the number of the last ring that it committed to."""

    def __init__(self, host: Host, config: PacemakerConfig, listener: Listener, saved_number: int) -> None:
        self.host = host
        self.config = config
        self.listener = listener
        self.state = State.GATHER
        self.ring = Ring(host, config, RingId(saved_number, host.me))
        self.highest_number = saved_number
        self.members: frozenset[NodeId] = frozenset()  # The members of the last ring that worked.
        self.alone = frozenset({host.me})
        self.processors = self.alone
        self.failed: frozenset[NodeId] = frozenset()
        self.agreeing: frozenset[NodeId] = frozenset()
        self.old: OldRing | None = None  # The last ring that worked, while another is formed.
        self.transitional: frozenset[NodeId] = frozenset()
        self.ignores_tokens = False
        self.has_begun = False  # The representative has sent the first token.
        self.delivery_is_due = False  # Whether the timer TO_ITSELF runs.
        self.awake_at: Nanoseconds = 0

    def start(self) -> None:
        """Look for other nodes."""
        self._mark_awake()
        self._gather()

    @property
    def operational(self) -> bool:
        """Whether a ring works."""
        return self.state is State.OPERATIONAL

    def multicast(self, content: Message) -> None:
        """Send to all members of the ring, this node included, in one order for all."""
        self.ring.multicast(content)

    # --- Timers

    def on_timer(self, name: str) -> None:
        """One of Totem's timers is due."""
        if name == TO_ITSELF:
            self._take_own()
        elif name == LOSS:
            self._token_lost()
        elif name == RETRANSMIT:
            if self.state is not State.GATHER:
                self.ring.repeat_token()
                self.host.set_timer(RETRANSMIT, self.config.retransmit_timeout(self.ring.nodes))
        elif name == HOLD:
            if self.state in (State.OPERATIONAL, State.RECOVERY):
                self.ring.repeat_token()
        elif name == MERGE:
            self.ring.merge_due(self.operational)
        elif name == JOIN:
            self._send_join()
        elif name == CONSENSUS:
            self._consensus_expired()
        else:
            self._mark_awake()

    def _token_lost(self) -> None:
        if self.operational:
            self.host.note("token-lost", ring=self.ring.id.number)
        elif self.state is State.GATHER:
            self._consensus_expired()
        self._gather()
        self.ignores_tokens = True

    def _consensus_expired(self) -> None:
        """The time of the consensus is over: the nodes that have not agreed count as failed."""
        if self._agreed():
            self.agreeing = self.alone
            self.host.set_timer(LOSS, self.config.token_timeout(self.ring.nodes))
        else:
            self.failed |= self.processors - self.agreeing
            self._gather()

    def _mark_awake(self) -> None:
        self.awake_at = self.host.monotonic()
        self.host.set_timer(PAUSE, self.config.token_timeout(self.ring.nodes) // 5)

    # --- Gather: find the nodes that answer

    def _gather(self) -> None:
        self.ignores_tokens = True
        self.has_begun = False
        if self.host.me not in self.processors:
            self.processors |= self.alone
        self._send_join()
        self.host.set_timer(CONSENSUS, self.config.consensus_timeout(self.ring.nodes))
        for timer in (RETRANSMIT, LOSS):
            self.host.cancel_timer(timer)
        self.ring.stop_merge_timer()
        self.agreeing = self.alone
        self.state = State.GATHER

    def _send_join(self) -> None:
        join = Join(processors=self.processors, failed=self.failed, ring_number=self.ring.id.number)
        self.ring.broadcast(join)
        self.ring.to_itself.append(join)
        self.host.set_timer(JOIN, self.config.join)

    def on_join(self, sender: NodeId, join: Join) -> None:
        """A node says which nodes it knows of, and which have failed."""
        if self.host.monotonic() - self.awake_at > self.config.token_timeout(self.ring.nodes) // 2:
            return  # This process was paused, and joins from that time are outdated.
        self.highest_number = max(self.highest_number, join.ring_number)
        if self.operational:
            outdated = sender in self.members and join.ring_number < self.ring.id.number
            if self.host.me not in join.failed and not outdated:
                self._process_join(sender, join)
        elif self.state is State.GATHER:
            self._process_join(sender, join)
        elif sender in self.ring.members and join.ring_number >= self.ring.id.number:
            self._process_join(sender, join)
            self._gather()

    def _process_join(self, sender: NodeId, join: Join) -> None:
        if join.processors == self.processors and join.failed == self.failed:
            self.agreeing |= {sender}
            remaining = self.processors - self.failed
            if self._agreed() and min(remaining) == self.host.me:
                self._create_commit_token(remaining)
                return
        if self._learns_from(sender, join) or self.operational:
            self._gather()

    def _learns_from(self, sender: NodeId, join: Join) -> bool:
        """Add what the join says to this node's two sets. Return whether a set has changed.

        Without a change the node does not gather anew: otherwise two nodes can gather in turn without end.
        """
        before = self.processors, self.failed
        if sender not in self.failed:
            self.processors |= join.processors
            if self.host.me in join.failed:
                self.failed |= {sender}
            elif sender in self.members:
                self.failed |= join.failed
        return (self.processors, self.failed) != before

    def _agreed(self) -> bool:
        return self.processors - self.failed <= self.agreeing

    # --- Commit and recovery: the new ring

    def _create_commit_token(self, members: frozenset[NodeId]) -> None:
        ring = RingId(self.highest_number + _NUMBERS_APART, self.host.me)
        self._commit(CommitToken(ring=ring, members=tuple(sorted(members)), entries=()))

    def _commit(self, token: CommitToken) -> None:
        if self.old is None:
            self.old = OldRing(self.ring.id, self.ring.received)
        entry = Entry(self.old.ring, self.old.received.all_up_to)
        for timer in (JOIN, CONSENSUS):
            self.host.cancel_timer(timer)
        self.ring.enter(token.ring, token.members)
        self.highest_number = token.ring.number
        self.host.save(ring_number=token.ring.number)
        self.state = State.COMMIT
        self.ring.send_token(CommitToken(token.ring, token.members, (*token.entries, entry)))
        self.ring.restart_token_timers()

    def on_commit_token(self, token: CommitToken) -> None:
        """A new ring is offered, confirmed, or ready."""
        complete = len(token.entries) == len(token.members)
        if self.state is State.GATHER:
            agreed = set(token.members) == self.processors - self.failed
            if agreed and not complete and token.ring.number > self.ring.id.number:
                self._commit(token)
        elif self.state is State.COMMIT:
            if complete and token.ring == self.ring.id:
                self._recover(token)
        elif self.state is State.RECOVERY and self.ring.is_representative and not self.has_begun:
            self.has_begun = True
            self.ring.begin()
            self.ring.restart_token_timers()

    def _recover(self, token: CommitToken) -> None:
        self.ignores_tokens = False
        assert self.old is not None
        entries = dict(zip(token.members, token.entries, strict=True))
        self.transitional = frozenset(
            member for member, entry in entries.items() if member in self.members and entry.old_ring == self.old.ring
        )
        if self.transitional:
            self.ring.repeating = self.old.after(min(entries[member].received for member in self.transitional))
        self.ring.send_token(token)
        self.ring.restart_token_timers()
        self.state = State.RECOVERY

    def _become_operational(self) -> None:
        assert self.old is not None
        old = self.old.rest(self.ring.received.deliver())
        now = frozenset(self.ring.members)
        left, joined = self.members - self.transitional, now - self.transitional
        self.members, self.processors, self.failed, self.agreeing = now, now, frozenset(), frozenset()
        self.old = None
        self.state = State.OPERATIONAL
        self._mark_awake()
        for message in old:
            self.listener.on_delivery(message.origin, message.content)
        self.listener.on_membership(self.ring.members, left, joined)

    # --- The ring at work

    def on_token(self, token: Token) -> None:
        """The token has arrived: send, and pass it on."""
        if self.ignores_tokens:
            return
        self.ring.note_traffic(token)
        if self.state is not State.COMMIT and self.ring.is_new(token):
            recovered = self.ring.handle(token, operational=self.operational)
            if recovered:
                self._become_operational()
            self._deliver()

    def on_multicast(self, sender: NodeId, message: Multicast) -> None:
        """A message has arrived, of this ring or of another."""
        if message.ring == self.ring.id:
            self.ring.received.add(message)
            self._deliver()
        else:
            self._heard_of(sender)

    def on_merge_detect(self, sender: NodeId, message: MergeDetect) -> None:
        """Another ring exists."""
        if message.ring != self.ring.id:
            self._heard_of(sender)

    def on_hold_cancel(self, message: HoldCancel) -> None:
        """A member wants the token that the representative holds."""
        if message.ring == self.ring.id:
            self.ring.unchanged = 0
            if self.ring.is_representative and self.state is not State.GATHER:
                self.ring.release()

    def _heard_of(self, sender: NodeId) -> None:
        """A node of another ring is there."""
        if self.operational or (self.state is State.GATHER and sender not in self.processors):
            self.processors |= {sender}
            self._gather()

    def _deliver(self) -> None:
        while self.operational:
            message = next(self.ring.received.deliver(), None)
            if message is None:
                return
            self.listener.on_delivery(message.origin, message.content)

    # --- What a node sends to itself

    def send_to_itself(self) -> None:
        """Have this node's messages to itself delivered. Its owner calls this after each input."""
        if self.ring.to_itself and not self.delivery_is_due:
            self.delivery_is_due = True
            self.host.set_timer(TO_ITSELF, _TO_ITSELF_NS)

    def _take_own(self) -> None:
        self.delivery_is_due = False
        own, self.ring.to_itself = self.ring.to_itself, []
        for message in own:
            if isinstance(message, Join):
                self.on_join(self.host.me, message)
            elif isinstance(message, CommitToken):
                self.on_commit_token(message)
            else:
                self.on_token(message)
