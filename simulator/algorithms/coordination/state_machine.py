"""The state that a log is applied to."""

from __future__ import annotations

from typing import Any

from simulator.protocol import Message


class StateMachine:
    """The replicated state at one server. The default has no state.

    A new state machine is empty. Only committed commands are applied, each once, in the order of the log. So the state
    machines of two servers that have applied the same commands are equal.
    """

    def apply(self, number: Any, command: Message) -> object:
        """Apply a committed command, and return its result. `number` is its place in the log."""
        return None

    def snapshot(self) -> object:
        """The state as an immutable, hashable value, for a server that has missed too many commands."""
        return None

    def restore(self, snapshot: object) -> None:
        """Replace the state by that of a snapshot."""
