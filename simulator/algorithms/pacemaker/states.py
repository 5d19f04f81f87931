"""The states of Totem's membership."""

from __future__ import annotations

import enum


class State(enum.StrEnum):
    """The state of a node in Totem's membership."""

    OPERATIONAL = "operational"
    GATHER = "gather"
    COMMIT = "commit"
    RECOVERY = "recovery"
