"""A duration made of parts that come and go: what a disk, or a message's handling, takes."""

from __future__ import annotations

from collections.abc import Iterator

from simulator.protocol import Nanoseconds


class SumOfDelays:
    """The sum of a draw from each of several supplies. `none` while there are no supplies."""

    __slots__ = ("_supplies", "none")

    def __init__(self, base: Iterator[int] | None) -> None:
        self._supplies: list[Iterator[int]] = [] if base is None else [base]
        self.none = base is None

    def draw(self) -> Nanoseconds:
        return sum(map(next, self._supplies))

    def add(self, supply: Iterator[int]) -> None:
        self._supplies.append(supply)
        self.none = False

    def remove(self, supply: Iterator[int]) -> None:
        self._supplies = [other for other in self._supplies if other is not supply]
        self.none = not self._supplies
