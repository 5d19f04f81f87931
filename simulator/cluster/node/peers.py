"""The other members of a group, without a list per node: n nodes would hold n² references."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import overload

from simulator.protocol import NodeId


class Peers(Sequence[NodeId]):
    """All of `members`, a tuple that every node shares, but the one at `index`."""

    __slots__ = ("_index", "_members")

    def __init__(self, members: tuple[NodeId, ...], index: int) -> None:
        self._members = members
        self._index = index

    def __len__(self) -> int:
        return len(self._members) - 1

    def __iter__(self) -> Iterator[NodeId]:
        return chain(islice(self._members, self._index), islice(self._members, self._index + 1, None))

    @overload
    def __getitem__(self, index: int) -> NodeId: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[NodeId]: ...
    def __getitem__(self, index: int | slice) -> NodeId | Sequence[NodeId]:
        if isinstance(index, slice):
            return tuple(self)[index]
        at = range(len(self))[index]
        return self._members[at + (at >= self._index)]

    def __repr__(self) -> str:
        return repr(tuple(self))
