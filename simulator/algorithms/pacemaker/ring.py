"""The token of one ring as one member handles it: it orders messages, repeats lost ones, and is held if nobody sends.

Source: corosync, exec/totemsrp.c, `message_handler_orf_token`, `orf_token_rtr`, `orf_token_mcast`,
`message_handler_token_hold_cancel`, `timer_function_token_hold_retransmit_timeout`.
"""

from __future__ import annotations

from simulator.algorithms.pacemaker.config import PacemakerConfig
from simulator.algorithms.pacemaker.messages import CommitToken, HoldCancel, MergeDetect, Multicast, RingId, Token
from simulator.algorithms.pacemaker.ordering import Received
from simulator.protocol import Host, Message, NodeId

# The timers of this part.
LOSS, RETRANSMIT, HOLD, MERGE = "token-loss", "token-retransmit", "token-hold", "merge"
_ROTATIONS = 2  # Rotations in which all members have all messages of their old rings. Then the ring works.


class Ring:
    """The ring that a node is in or forms, and the messages that the node has to send."""

    def __init__(self, host: Host, config: PacemakerConfig, ring: RingId) -> None:
        self.host = host
        self.config = config
        self.nodes = 1 + len(host.peers)
        self.id = ring
        self.members: tuple[NodeId, ...] = (host.me,)
        self.queue: list[Message] = []  # What this node will send when it has the token.
        self.to_itself: list[Message] = []  # Messages of this node to this node.
        self.enter(ring, (host.me,))

    def enter(self, ring: RingId, members: tuple[NodeId, ...]) -> None:
        """Begin to form this ring."""
        self.id, self.members = ring, members
        self.received = Received()
        self.repeating: list[Multicast] = []  # Messages of the old ring that some member may lack.
        self.sent_token: Token | CommitToken | None = None  # The last token that it sent, for repetition.
        self.pass_number = 0  # The number of the last token that it received.
        self.all_have = 0  # The last token said that all members have all messages up to this number.
        self.last_sequence = 0
        self.unchanged = 0  # Successive passes in which no member sent a message.
        self.holding = False  # Whether the representative holds the token, as this node sees it.
        self.merge_pending = False  # Whether the timer MERGE runs.
        self.recovering = False  # Whether a member still repeats messages of its old ring, by the token.
        self.says_recovering = False  # Whether this node has set that flag in the token.
        self.passes_recovered = 0
        self.installed_at = 0
        self.rotations = 0

    @property
    def is_representative(self) -> bool:
        """Whether this node is the lowest member."""
        return self.id.representative == self.host.me

    @property
    def successor(self) -> NodeId:
        """The next member in the order of ids; the node itself if it is alone."""
        return self.members[(self.members.index(self.host.me) + 1) % len(self.members)]

    # --- Sending

    def multicast(self, content: Message) -> None:
        """Send to all members, this node included, when this node has the token. A token that is held is released."""
        self.queue.append(content)
        if self.holding:
            self.holding = False
            self.broadcast(HoldCancel(ring=self.id))
            if self.is_representative:
                self.release()

    def broadcast(self, message: Message) -> None:
        """Send to all configured nodes. Nodes of other rings learn from the message that this ring exists."""
        for peer in self.host.peers:
            self.host.send(peer, message)

    def send_token(self, token: Token | CommitToken, *, forward: bool = True) -> None:
        """Pass the token on, and keep a copy for repetition."""
        self.sent_token = token
        if forward:
            self._send(token)

    def repeat_token(self) -> None:
        """Send the last token again: no later token has arrived, or the hold time is over."""
        if self.sent_token is not None:
            self._send(self.sent_token)

    def begin(self) -> None:
        """The representative sends the first token of a ring on which all agree."""
        self.says_recovering = bool(self.repeating)
        self.send_token(
            Token(
                ring=self.id,
                pass_number=1,
                sequence=0,
                received=0,
                held_back_by=self.host.me,
                missing=(),
                recovering=self.says_recovering,
            )
        )

    def restart_token_timers(self) -> None:
        """Restart both timers, because the token has arrived or was sent."""
        self.host.set_timer(LOSS, self.config.token_timeout(self.nodes))
        self.host.set_timer(RETRANSMIT, self.config.retransmit_timeout(self.nodes))

    def release(self) -> None:
        """Pass on a token that is held."""
        self.unchanged = 0
        self.repeat_token()
        self.host.set_timer(RETRANSMIT, self.config.retransmit_timeout(self.nodes))

    def _send(self, message: Token | CommitToken) -> None:
        if self.successor == self.host.me:
            self.to_itself.append(message)
        else:
            self.host.send(self.successor, message)

    # --- The token

    def note_traffic(self, token: Token) -> None:
        """Count passes without a message. After enough of them the representative holds the token.

        This counts every token that arrives, a repeated one as well.
        """
        if token.sequence == self.last_sequence:
            if not self.merge_pending:
                self.merge_pending = True
                self.host.set_timer(MERGE, self.config.merge)
            self.unchanged += 1
        else:
            self.stop_merge_timer()
            self.host.cancel_timer(HOLD)
            self.unchanged = 0
        self.last_sequence = token.sequence
        least = self.config.unchanged_passes + self.is_representative
        self.holding = self.unchanged >= least

    def stop_merge_timer(self) -> None:
        """Do not announce the ring for now."""
        self.merge_pending = False
        self.host.cancel_timer(MERGE)

    def merge_due(self, operational: bool) -> None:
        """The ring has had no message for a while: the representative announces it."""
        self.merge_pending = False
        if operational and self.is_representative:
            self.broadcast(MergeDetect(ring=self.id))

    def is_new(self, token: Token) -> bool:
        """Whether the token is of this ring and not a repetition."""
        return token.ring == self.id and token.pass_number > self.pass_number

    def handle(self, token: Token, *, operational: bool) -> bool:
        """Send waiting messages, and pass the token on. Return whether recovery ends with this pass."""
        self.pass_number = token.pass_number
        sequence = token.sequence
        missing, repeated = self._answer_requests(token)
        sequence += self._send_queued(sequence, operational=operational, most=self.config.max_messages - repeated)
        missing += [
            number for number in self.received.missing(token.sequence, self.config.misses) if number not in missing
        ]
        received, held_back_by = token.received, token.held_back_by
        if self.received.all_up_to < received or held_back_by in (None, self.host.me):
            received = self.received.all_up_to
            held_back_by = None if received == sequence else self.host.me
        recovered = not operational and self._follow_recovery(token, sequence, received)
        forward = not (self.is_representative and self.holding)
        passed_on = Token(
            ring=self.id,
            pass_number=token.pass_number + 1,
            sequence=sequence,
            received=received,
            held_back_by=held_back_by,
            missing=tuple(missing),
            recovering=self.recovering,
        )
        self.send_token(passed_on, forward=forward)
        if operational:
            self.received.forget(
                min(self.all_have, token.received)
            )  # Two rotations: each member could lower the number.
        self.all_have = token.received
        self.restart_token_timers()
        if not forward:
            self.host.set_timer(HOLD, self.config.hold_timeout(self.nodes))
        return recovered

    def _answer_requests(self, token: Token) -> tuple[list[int], int]:
        """Repeat messages that others lack. Return the numbers still missing, and how many messages were repeated."""
        missing = []
        repeated = 0
        for number in token.missing:
            message = self.received.by_number.get(number)
            if message is None or repeated >= self.config.max_messages:
                missing.append(number)
            else:
                self.broadcast(message)
                repeated += 1
        return missing, repeated

    def _send_queued(self, sequence: int, *, operational: bool, most: int) -> int:
        """Send waiting messages: those of the old ring while the ring recovers, and own messages when it works."""
        sent = 0
        while sent < most and (self.queue if operational else self.repeating):
            number = sequence + sent + 1
            if operational:
                message = Multicast(ring=self.id, number=number, origin=self.host.me, content=self.queue.pop(0))
            else:
                old = self.repeating.pop(0)
                message = Multicast(
                    ring=self.id,
                    number=number,
                    origin=old.origin,
                    content=old.content,
                    old_ring=old.ring,
                    old_number=old.number,
                )
            self.received.add(message)
            self.broadcast(message)
            sent += 1
        return sent

    def _follow_recovery(self, token: Token, sequence: int, received: int) -> bool:
        """Whether recovery is over: for two rotations, all members have repeated and received all messages."""
        self.recovering = token.recovering
        if self.repeating:
            if not self.recovering:
                self.recovering = self.says_recovering = True
        elif self.recovering and self.says_recovering:
            self.recovering = self.says_recovering = False
        self.passes_recovered = 0 if self.recovering else self.passes_recovered + 1
        if self.passes_recovered == 2:
            self.installed_at = sequence
        complete = self.passes_recovered >= 3 and self.installed_at <= received
        self.rotations = self.rotations + 1 if complete else 0
        return self.rotations == _ROTATIONS
