"""The size of a message on the wire, from the types and values of its fields."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache
from operator import attrgetter
from typing import Any

from simulator.protocol import Message

HEADER_BYTES = 40  # The headers of a TCP/IP packet without options: 20 for IPv4, 20 for TCP.
_NUMBER_BYTES, _FLAG_BYTES = 8, 1
_FIELD_BYTES = {**dict.fromkeys(("int", "float", "NodeId", "Nanoseconds"), _NUMBER_BYTES), "bool": _FLAG_BYTES}
_NOTHING = object()  # A value that differs from every value that a message can hold.


@dataclass(frozen=True, slots=True)
class WireLayout:
    """How many bytes messages of one type take.

    Most types hold only numbers and truth values, so all their messages have the same size: `parts` is None. Otherwise
    `parts` returns the fields of a message whose size varies.
    """

    usual_bytes: int  # Header included; fields of varying size count with their default values.
    parts: Callable[[Message], Any] | None = None
    usual_parts: Any = None

    def extra_bytes(self, parts: Any) -> int:
        """The bytes that a message with these parts takes beyond `usual_bytes`."""
        return _value_bytes(parts) - (0 if self.usual_parts is _NOTHING else _value_bytes(self.usual_parts))


@cache
def wire_layout(kind: type) -> WireLayout:
    """The layout of a message type, derived from the declared types of its fields. Cached."""
    if not is_dataclass(kind) or hasattr(kind, "wire_bytes"):
        return WireLayout(HEADER_BYTES, lambda message: message, _NOTHING)
    known = [(part, _declared_bytes(part.type)) for part in fields(kind)]
    fixed = HEADER_BYTES + sum(size for _, size in known if size is not None)
    varying = [part for part, size in known if size is None]
    if not varying:
        return WireLayout(fixed)
    parts = attrgetter(*(part.name for part in varying))
    if any(part.default is MISSING for part in varying):
        return WireLayout(fixed, parts, _NOTHING)
    usual = varying[0].default if len(varying) == 1 else tuple(part.default for part in varying)
    return WireLayout(fixed + _value_bytes(usual), parts, usual)


def _declared_bytes(declared: Any) -> int | None:
    """The bytes of a field declared with this type, such as `int | None`; None if they depend on the value."""
    name = declared if isinstance(declared, str) else getattr(declared, "__name__", str(declared))
    kinds = [kind.strip() for kind in name.split("|")]
    sizes = [_FIELD_BYTES.get(kind) for kind in kinds if kind != "None"]
    if len(sizes) != 1 or sizes[0] is None:
        return None
    return sizes[0] + (_FLAG_BYTES if "None" in kinds else 0)


def wire_size(message: Message | None) -> int:
    """The size of a message in bytes: the sizes of its fields plus a header of 40. None is a packet without contents.

    A number takes 8 bytes and a truth value 1. A number or truth value that may be None takes 1 byte more, None or not.
    Text takes its UTF-8 bytes. An object with an attribute `wire_bytes` takes that many. Any other sequence or message
    takes the sum of its parts.
    """
    if message is None:
        return HEADER_BYTES
    kind: type = type(message)
    layout = wire_layout(kind)
    return layout.usual_bytes + (0 if layout.parts is None else layout.extra_bytes(layout.parts(message)))


def _value_bytes(value: Any) -> int:
    if value is None or isinstance(value, bool):
        return _FLAG_BYTES
    if isinstance(value, int | float):
        return _NUMBER_BYTES
    if isinstance(value, str):
        return len(value.encode())
    if hasattr(value, "wire_bytes"):
        return int(value.wire_bytes)
    parts = (getattr(value, part.name) for part in fields(value)) if is_dataclass(value) else value
    return sum(map(_value_bytes, parts))
