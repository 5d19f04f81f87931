"""The messages of Totem, and what Pacemaker's controllers send through it."""

from __future__ import annotations

from typing import NamedTuple

from simulator.protocol import Message, Nanoseconds, NodeId, message


class RingId(NamedTuple):
    """A ring: its number, greater than that of every ring that its members were in, and its representative."""

    number: int
    representative: NodeId


class Entry(NamedTuple):
    """What a member says of the ring that it comes from, in the commit token."""

    old_ring: RingId
    received: int  # It has all messages of the old ring up to this one.


# --- Totem


@message
class Token:
    """Passed from member to member. Who has it may send.

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
    """One message of a ring, to all its members. With `old_ring` and `old_number`, one of an earlier ring, repeated."""

    ring: RingId
    number: int
    origin: NodeId
    content: Message
    old_ring: RingId | None = None
    old_number: int = 0


@message
class Join:
    """Whom the sender takes to be there, and whom to have failed; the number of its ring."""

    processors: frozenset[NodeId]
    failed: frozenset[NodeId]
    ring_number: int


@message
class CommitToken:
    """Goes round the new ring twice: each member adds its entry, then each knows those of all."""

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


# --- The controllers of Pacemaker, each of whose messages reaches all


@message
class Vote:
    """The sender wants to be DC: the number of its election, and how much processor time it has used."""

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
