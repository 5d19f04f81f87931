"""What a network has been given to carry, by type of message, whether it was lost or not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import NamedTuple

from simulator.cluster.network.message_size import WireLayout, wire_layout
from simulator.protocol import Message


class Plan(NamedTuple):
    """Where each type of message is counted, and what is known of it: once for all trials."""

    slots: Mapping[type, int]
    layouts: list[WireLayout]
    varies: list[bool]  # Whether messages of the type may differ in size.


@cache
def _plan(kinds: tuple[type, ...]) -> Plan:
    layouts = [wire_layout(kind) for kind in kinds]
    return Plan(
        {kind: slot for slot, kind in enumerate(kinds)}, layouts, [layout.parts is not None for layout in layouts]
    )


class Traffic:
    """Counts the messages of each type, and weighs those that may be larger than others of theirs."""

    def __init__(self, kinds: Iterable[type]) -> None:
        self.kinds = tuple(kinds)
        self.slots, self.layouts, self.varies = _plan(self.kinds)
        self.messages = [0] * len(self.kinds)
        self.extra_bytes = [0] * len(self.kinds)  # The bytes beyond those of the same number of messages of usual size.

    def count(self, message: Message) -> None:
        """Count a message and its bytes."""
        slot = self.slots[type(message)]
        self.messages[slot] += 1
        if self.varies[slot]:
            self.weigh(slot, message)

    def weigh(self, slot: int, message: Message) -> Message | None:
        """Add the bytes by which a message exceeds its type's usual size. Return it if it exceeds that by none."""
        layout = self.layouts[slot]
        parts = layout.parts(message)  # type: ignore[misc] # A type of varying size has fields that vary.
        if parts == layout.usual_parts:
            return message
        self.extra_bytes[slot] += layout.extra_bytes(parts)
        return None
