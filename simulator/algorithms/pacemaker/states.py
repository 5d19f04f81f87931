"""The states of Totem's membership."""

from __future__ import annotations

import enum


class State(enum.StrEnum):
    """Where a node stands in Totem's membership."""

    OPERATIONAL = "operational"
    GATHER = "gather"
    COMMIT = "commit"
    RECOVERY = "recovery"
