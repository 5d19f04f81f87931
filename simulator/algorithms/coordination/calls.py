"""A client's requests that have had no reply yet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

Call = TypeVar("Call")


class Calls(Generic[Call]):
    """What a client has asked for, by the number of the request. A client never uses a number twice."""

    def __init__(self) -> None:
        self._last = 0
        self._pending: dict[int, Call] = {}

    def open(self, call: Call) -> int:
        """Note a request that is about to be sent. Returns its number."""
        self._last += 1
        self._pending[self._last] = call
        return self._last

    def close(self, number: int) -> Call | None:
        """The request of this number has been answered, or is given up. Returns None if it is not awaited any more."""
        return self._pending.pop(number, None)

    def get(self, number: int) -> Call | None:
        """The request of this number, if its reply is awaited."""
        return self._pending.get(number)

    def replace(self, number: int, call: Call) -> None:
        """Change what is noted of a request whose reply is awaited."""
        assert number in self._pending
        self._pending[number] = call

    def awaits(self, number: int) -> bool:
        """Whether the reply to the request of this number is still awaited."""
        return number in self._pending

    def clear(self) -> None:
        """No reply will come to any of them."""
        self._pending.clear()

    def __iter__(self) -> Iterator[tuple[int, Call]]:
        """The awaited requests with their numbers, in the order in which they were made."""
        return iter(tuple(self._pending.items()))
