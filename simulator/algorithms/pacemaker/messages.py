"""The messages of Totem, and what Pacemaker's controllers send through it."""

from __future__ import annotations

from typing import NamedTuple

from simulator.protocol import Message, Nanoseconds, NodeId, message


class RingId(NamedTuple):
    """The identity of a ring. `number` is greater than the number of every earlier ring of its members."""

    number: int
    representative: NodeId


class Entry(NamedTuple):
    """What a member reports in the commit token about the ring that it comes from."""

    old_ring: RingId
    received: int  # It has all messages of the old ring up to this one.


# --- Totem


@message
class Token:
    """The token. It is passed from member to member, and the member that has it may send.

    `sequence` counts messages, `pass_number` passes. `received` is what all members have, as far as is known;
    `held_back_by` is the member that has least, None if nobody lacks anything. `missing` asks for messages again.
    `recovering` holds while a member still repeats messages of its old ring.
    """

    ring: RingId
    pass_number: int
    sequence: int
    received: int
    held_back_by: NodeId | None
    missing: tuple[int, ...]
    recovering: bool


@message
class Multicast:
    """A message of a ring to all its members. `old_ring` and `old_number` are set if it repeats an older message."""

    ring: RingId
    number: int
    origin: NodeId
    content: Message
    old_ring: RingId | None = None
    old_number: int = 0


@message
class Join:
    """The nodes that the sender knows of, those of them that it takes to have failed, and the number of its ring."""

    processors: frozenset[NodeId]
    failed: frozenset[NodeId]
    ring_number: int


@message
class CommitToken:
    """The commit token. It goes round the new ring twice: each member adds its entry, then each reads all entries."""

    ring: RingId
    members: tuple[NodeId, ...]
    entries: tuple[Entry, ...]


@message
class MergeDetect:
    """The representative of a ring says that the ring exists."""

    ring: RingId


@message
class HoldCancel:
    """The sender has something to send: the representative must pass on the token that it holds."""

    ring: RingId


# --- Pacemaker's controllers: each of these messages reaches all members


@message
class Vote:
    """The sender wants to be DC. `election` is the number of its election, `processor_time` what it has used."""

    election: int
    processor_time: Nanoseconds


@message
class NoVote:
    """The sender does not oppose the owner's election."""

    owner: NodeId
    election: int


@message
class Offer:
    """The sender is DC, and offers all members to join it."""


@message
class Announce:
    """The sender looks for a DC."""


TOTEM = (Token, Multicast, Join, CommitToken, MergeDetect, HoldCancel)
