"""What Totem tells the layer above it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from simulator.protocol import Message, NodeId


class Listener(Protocol):
    """What Totem tells the layer above it."""

    def on_membership(self, members: Sequence[NodeId], left: frozenset[NodeId], joined: frozenset[NodeId]) -> None:
        """A new ring works. `left` and `joined` are its differences from the last ring that worked."""

    def on_delivery(self, origin: NodeId, content: Message) -> None:
        """A message of the ring, in the order in which all members get it."""
