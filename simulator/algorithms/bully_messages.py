"""The messages of the Bully algorithm (`bully.py`)."""

from __future__ import annotations

from simulator.protocol import NodeId, message


@message
class Election:
    """Asks whether the receiver is up. From a candidate to all higher nodes."""


@message
class Answer:
    """The sender is up, and higher than the candidate. The textbooks call it OK."""


@message
class Coordinator:
    """The sender leads. From the leader to all lower nodes."""


@message
class AreYouNormal:
    """Asks whether the receiver follows the sender. From the leader to all others (the paper's procedure Check)."""


@message
class NotNormal:
    """The sender does not follow the leader that asks; it follows `leader`, if any."""

    leader: NodeId | None
