"""The messages of the Invitation algorithm (`invitation.py`): the calls of the paper, and their answers."""

from __future__ import annotations

from simulator.protocol import NodeId, message


@message
class AYCoordinator:
    """Asks whether the receiver is the coordinator of a group that is complete."""


@message
class AYCoordinatorAnswer:
    """Whether the sender is such a coordinator, and the number of its group."""

    coordinator: bool
    group: int


@message
class AYThere:
    """Asks whether the receiver coordinates this group, and has the sender as a member."""

    group: int


@message
class AYThereAnswer:
    """The answer to AYThere."""

    group: int
    there: bool


@message
class Invitation:
    """Invites the receiver into a group. A coordinator that accepts passes it on to its members."""

    coordinator: NodeId
    group: int


@message
class Accept:
    """The sender joins the group."""

    group: int


@message
class Ready:
    """The group is complete: all nodes that join have joined."""

    group: int
