"""Who watches what, at one server. Watches are kept in memory, by the server that the client is connected with."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterator
from typing import Generic, TypeVar

Watcher = TypeVar("Watcher", bound=Hashable)


class Watchers(Generic[Watcher]):
    """The watchers of each path or key, in the order in which they began to watch."""

    def __init__(self) -> None:
        self._watchers: dict[str, dict[Watcher, None]] = {}

    def add(self, path: str, watcher: Watcher) -> None:
        """Note that this watcher watches the path. Does nothing if it does so already."""
        self._watchers.setdefault(path, {})[watcher] = None

    def of(self, path: str) -> Collection[Watcher]:
        """The watchers of a path."""
        return tuple(self._watchers.get(path, ()))

    def pop(self, path: str) -> Collection[Watcher]:
        """The watchers of a path, which no longer watch it."""
        return tuple(self._watchers.pop(path, ()))

    def __iter__(self) -> Iterator[Watcher]:
        """All watchers."""
        return (watcher for watchers in self._watchers.values() for watcher in watchers)

    def forget(self, belongs: Callable[[Watcher], bool]) -> None:
        """Remove the watchers for which `belongs` returns True."""
        for path, watchers in list(self._watchers.items()):
            kept = {watcher: None for watcher in watchers if not belongs(watcher)}
            if kept:
                self._watchers[path] = kept
            else:
                del self._watchers[path]
