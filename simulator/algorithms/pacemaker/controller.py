"""Pacemaker's controllers elect the DC (designated controller): a node whose candidacy no other node opposes.

A controller votes for itself. Who has used more processor time opposes with a vote of its own, and otherwise says that
it does not; equal times go by name. The DC's loss, a second DC, or the wait for one at a start begin an election.

Source: pacemaker, lib/cluster/election.c; daemons/controld/controld_election.c, controld_callbacks.c,
controld_membership.c, controld_fsa.c, controld_join_client.c.
"""

from __future__ import annotations

from collections.abc import Sequence

from simulator.algorithms.pacemaker.config import PacemakerConfig
from simulator.algorithms.pacemaker.messages import Announce, NoVote, Offer, Vote
from simulator.protocol import MICROSECOND, SECOND, Host, Message, Nanoseconds, NodeId, uniform

DEADTIME, TIMEOUT = "dc-deadtime", "election-timeout"  # The timers of this part.
_DAMPENED_S = 2  # A controller that has lost opposes nobody for so many whole seconds (LOSS_DAMPEN).


class Controller:
    """One controller. `outgoing` holds the messages that its owner must send to all members, this node included."""

    def __init__(self, host: Host, config: PacemakerConfig) -> None:
        self.host = host
        self.config = config
        self.members: frozenset[NodeId] = frozenset()
        self.dc: NodeId | None = None
        self.in_election = False
        self.waiting = False  # Whether it waits for the offer of a DC.
        self.election = 0  # The number of its last election.
        self.approvals: frozenset[NodeId] = frozenset()
        self.lost_at_s: int | None = None
        self.outgoing: list[Message] = []
        used = uniform(host.random, (0, config.processor_time))
        self.processor_time: Nanoseconds = used // MICROSECOND * MICROSECOND

    def start(self) -> None:
        """Wait for the offer of a DC."""
        self._wait_for_a_dc()

    @property
    def is_dc(self) -> bool:
        """Whether this node is DC."""
        return self.dc == self.host.me

    # --- What happens

    def on_membership(self, members: Sequence[NodeId], left: frozenset[NodeId], joined: frozenset[NodeId]) -> None:
        """The membership has changed. A node that has left and come back is in both `left` and `joined`."""
        self.members = frozenset(members)
        self.approvals -= left
        if self.dc in left and not self.is_dc:
            self.host.note("suspected", leader=self.dc)
            self.lost_at_s = None
            self._begin_election()
        elif self.in_election:
            self._count_approvals()
        if self.is_dc:
            self.outgoing.append(Offer())
        elif self.dc is None and not self.in_election and joined:
            self.outgoing.append(Announce())

    def on_timer(self, name: str) -> None:
        """The wait for the offer of a DC is over, or the wait for answers to a candidacy."""
        if name == DEADTIME:
            self.waiting = False
            if not self.in_election:
                self._begin_election()
        elif self.in_election:
            self._win()

    def on_vote(self, sender: NodeId, vote: Vote) -> None:
        """A controller wants to be DC. A controller's own candidacy counts as its approval."""
        if sender == self.host.me:
            if self.in_election and vote.election == self.election:
                self.approvals |= {sender}
                self._count_approvals()
        elif sender in self.members:
            if self._is_preferred_to(sender, vote) and not self._lost_lately():
                self.lost_at_s = None
                self._begin_election()
            else:
                self._lose(sender, vote.election)

    def on_no_vote(self, sender: NodeId, no_vote: NoVote) -> None:
        """A controller does not oppose. Its answer counts if it names the latest election of this controller."""
        if self.in_election and no_vote.owner == self.host.me and no_vote.election == self.election:
            self.approvals |= {sender}
            self._count_approvals()

    def on_offer(self, sender: NodeId) -> None:
        """Join the DC that offers. If this node is DC as well, as after a partition, an election begins."""
        if sender == self.host.me or sender not in self.members:
            return
        if self.is_dc:
            self._begin_election()
        elif not self.in_election and self.dc in (None, sender):
            self.dc = sender
            self._wait_no_more()
        elif not self.in_election:  # It keeps its DC, and asks again. If no offer follows, it begins an election.
            self.outgoing.append(Announce())
            self._wait_for_a_dc()

    def on_announce(self, sender: NodeId) -> None:
        """A controller looks for a DC."""
        if self.is_dc and sender != self.host.me:
            self.outgoing.append(Offer())

    # --- The election

    def _begin_election(self) -> None:
        """Vote for this node. A DC remains DC until it loses an election."""
        if not self.is_dc:
            self.dc = None
        self.in_election = True
        self._wait_no_more()
        self.approvals = frozenset()
        self.election += 1
        self.outgoing.append(Vote(election=self.election, processor_time=self.processor_time))
        self.host.set_timer(TIMEOUT, self.config.dc_election_timeout)

    def _count_approvals(self) -> None:
        if self.approvals and len(self.approvals) >= len(self.members):
            self._win()

    def _win(self) -> None:
        self._end_election()
        self.dc = self.host.me
        self.outgoing.append(Offer())

    def _lose(self, owner: NodeId, election: int) -> None:
        self._end_election()
        self.lost_at_s = self._now_s()
        self.dc = None
        self.outgoing.append(NoVote(owner=owner, election=election))
        self._wait_for_a_dc()

    def _wait_for_a_dc(self) -> None:
        if not self.waiting:
            self.waiting = True
            self.host.set_timer(DEADTIME, self.config.dc_deadtime)

    def _wait_no_more(self) -> None:
        self.waiting = False
        self.host.cancel_timer(DEADTIME)

    def _end_election(self) -> None:
        self.in_election = False
        self.approvals = frozenset()
        self.host.cancel_timer(TIMEOUT)

    def _is_preferred_to(self, sender: NodeId, vote: Vote) -> bool:
        """The node with more processor time is preferred. Equal times are decided by name as text: n10 before n2."""
        if self.processor_time != vote.processor_time:
            return self.processor_time > vote.processor_time
        return f"n{self.host.me}" < f"n{sender}"

    def _lost_lately(self) -> bool:
        return self.lost_at_s is not None and self._now_s() - self.lost_at_s <= _DAMPENED_S

    def _now_s(self) -> int:
        return self.host.now() // SECOND
