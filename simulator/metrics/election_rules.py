"""The rules by which a trial's trace is divided into elections: state × event → next state and action.

`simulator.metrics.elections` follows `RULES`, and docs/metrics.md prints them (`simulator.report.pages.metrics`).
An event for which a state has no rule changes nothing.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class _Described(enum.Enum):
    """A member of an enumeration, with the words that docs/metrics.md prints for it."""

    def __init__(self, label: str, meaning: str) -> None:
        self.label = label
        self.meaning = meaning


class State(_Described):
    """What a group does, as far as elections go. In every state but LED, one election is open."""

    BOOT = "boot", "An election is open, and no node has led yet."
    LED = "led", "No election is open. The current leader is fine."
    CHALLENGED = "challenged", "A spurious election is open: a node suspects a leader that is fine."
    DEPOSED = "deposed", "A spurious election is open, and the leader has stepped down for a rival."
    LOST = "lost", "An election is open because the leader was lost."
    TRANSFER = "transfer", "An election is open because the leader hands over."


class Event(_Described):
    """What happens to a group that may open or close an election."""

    SUSPICION = "suspicion", "A node suspects the current leader or begins a campaign."
    UNINFORMED_SUSPICION = (
        "uninformed suspicion",
        "The same by a node that has run since before the current leader's claim and has not heard of it; or by the "
        "leader itself.",
    )
    CLAIM = "claim", "A node claims to lead."
    LATE_CLAIM = "late claim", "A node claims a lower term than that of the current leader."
    REPEATED_CLAIM = "repeated claim", "The current leader claims again."
    RETURN_CLAIM = "claim by the lost leader", "The leader that was lost claims again."
    NOBODY_CAMPAIGNS = "nobody campaigns", "A node crashes or follows, and no node campaigns afterwards."
    TRANSFER_BEGUN = "transfer begun", "The current leader begins to hand over."
    TRANSFER_ABORTED = "transfer aborted", "The current leader gives up handing over."
    LEADER_LOST = "leader lost", "The current leader is lost."
    LEADER_DEPOSED = (
        "leader deposed",
        "The current leader steps down for a rival: for a higher term, or, without terms, while a node campaigns.",
    )
    LOST_AT_RETURN = "lost at its return", "The leader is lost again at the instant at which it came back."
    LEADER_BACK = "leader back", "A lost leader is fine again, and no node campaigns."
    LEADER_BACK_OPPOSED = "leader back, opposed", "A lost leader is fine again, and a node campaigns."


class Action(_Described):
    """What is recorded when a rule applies."""

    NOTE_SUSPICION = (
        "note suspicion",
        "This is the election's first suspicion, if there was none and it is not the lost leader's own. A leader that "
        "has stepped down counts like any other node.",
    )
    OPEN_SPURIOUS = "open (spurious)", "Open an election of cause `spurious`. This is its first suspicion."
    OPEN_TRANSFER = "open (transfer)", "Open an election of cause `transfer`."
    OPEN_LOSS = (
        "open (loss)",
        "Open an election of cause `loss`, already suspected if a candidate suspects this leader.",
    )
    OPEN_DEPOSED = "open (deposed)", "Open an election of cause `spurious`, and note the leader and why it was lost."
    ELECT = "elect", "Close the election as `elected`. The node becomes the current leader."
    ELECT_LATE = (
        "open and elect",
        "Open an election of cause `spurious` at the beginning of the node's campaign, and close it as `elected`.",
    )
    RENEW = "renew", "The leadership counts from this claim on."
    RECOVER = "recover", "Close the election as `recovered`."
    RECOVER_AND_OPEN = "recover, open", "Close the election as `recovered`, and open one of cause `spurious`."
    RESUME = "resume", "The node is the current leader."
    CONTINUE = "continue", "The election goes on against the leader that is back."
    WITHDRAW = "withdraw", "Close the election as `withdrawn`."
    BECOME_LOSS = "becomes a loss", "The election's cause becomes `loss`. It is counted from this loss on."
    NOTE_DEPOSED = "note loss", "Note the leader and why it was lost. The cause of the election stays."
    REOPEN = "reopen", "The leader was never back: the election that its return closed goes on."


class Rule(NamedTuple):
    """The state after an event, and what is recorded. None is the state before the lost leader's return."""

    next_state: State | None
    action: Action


_ELECT = Rule(State.LED, Action.ELECT)
_LOSS = Rule(State.LOST, Action.BECOME_LOSS)
_REOPEN = Rule(None, Action.REOPEN)
_RECOVER = Rule(State.LED, Action.RECOVER)
_RECOVER_AND_OPEN = Rule(State.CHALLENGED, Action.RECOVER_AND_OPEN)
_CONTINUE = Rule(State.CHALLENGED, Action.CONTINUE)

# These events are possible only while there is a current leader.
_ABOUT_THE_LEADER = {Event.LATE_CLAIM: _ELECT, Event.REPEATED_CLAIM: _ELECT}

RULES: Mapping[State, Mapping[Event, Rule]] = MappingProxyType(
    {
        State.BOOT: {
            Event.SUSPICION: Rule(State.BOOT, Action.NOTE_SUSPICION),
            Event.CLAIM: _ELECT,
        },
        State.LED: {
            Event.SUSPICION: Rule(State.CHALLENGED, Action.OPEN_SPURIOUS),
            Event.CLAIM: Rule(State.LED, Action.ELECT_LATE),
            Event.REPEATED_CLAIM: Rule(State.LED, Action.RENEW),
            Event.TRANSFER_BEGUN: Rule(State.TRANSFER, Action.OPEN_TRANSFER),
            Event.LEADER_LOST: Rule(State.LOST, Action.OPEN_LOSS),
            Event.LEADER_DEPOSED: Rule(State.DEPOSED, Action.OPEN_DEPOSED),
            Event.LOST_AT_RETURN: _REOPEN,
            Event.LEADER_BACK: Rule(State.LED, Action.RESUME),
            Event.LEADER_BACK_OPPOSED: Rule(State.CHALLENGED, Action.OPEN_SPURIOUS),
        },
        State.CHALLENGED: {
            Event.SUSPICION: Rule(State.CHALLENGED, Action.NOTE_SUSPICION),
            Event.UNINFORMED_SUSPICION: Rule(State.CHALLENGED, Action.NOTE_SUSPICION),
            Event.CLAIM: _ELECT,
            **_ABOUT_THE_LEADER,
            Event.NOBODY_CAMPAIGNS: Rule(State.LED, Action.WITHDRAW),
            Event.LEADER_LOST: _LOSS,
            Event.LEADER_DEPOSED: Rule(State.DEPOSED, Action.NOTE_DEPOSED),
            Event.LOST_AT_RETURN: _REOPEN,
            Event.LEADER_BACK: _RECOVER,
            Event.LEADER_BACK_OPPOSED: _CONTINUE,
        },
        State.DEPOSED: {
            Event.SUSPICION: Rule(State.DEPOSED, Action.NOTE_SUSPICION),
            Event.CLAIM: _ELECT,
            Event.RETURN_CLAIM: _ELECT,
            Event.LEADER_LOST: _LOSS,
            Event.LEADER_DEPOSED: Rule(State.DEPOSED, Action.NOTE_DEPOSED),
            Event.LOST_AT_RETURN: _REOPEN,
            Event.LEADER_BACK: _RECOVER,
            Event.LEADER_BACK_OPPOSED: _CONTINUE,
        },
        State.LOST: {
            Event.SUSPICION: Rule(State.LOST, Action.NOTE_SUSPICION),
            Event.CLAIM: _ELECT,
            Event.RETURN_CLAIM: _RECOVER,
            Event.LEADER_LOST: _LOSS,
            Event.LEADER_DEPOSED: Rule(State.LOST, Action.NOTE_DEPOSED),
            Event.LOST_AT_RETURN: _REOPEN,
            Event.LEADER_BACK: _RECOVER,
            Event.LEADER_BACK_OPPOSED: _RECOVER_AND_OPEN,
        },
        State.TRANSFER: {
            Event.SUSPICION: Rule(State.TRANSFER, Action.NOTE_SUSPICION),
            Event.UNINFORMED_SUSPICION: Rule(State.TRANSFER, Action.NOTE_SUSPICION),
            Event.CLAIM: _ELECT,
            **_ABOUT_THE_LEADER,
            Event.RETURN_CLAIM: _ELECT,
            Event.TRANSFER_ABORTED: Rule(State.LED, Action.WITHDRAW),
            Event.LEADER_LOST: _LOSS,
            Event.LEADER_DEPOSED: Rule(State.TRANSFER, Action.NOTE_DEPOSED),
            Event.LOST_AT_RETURN: _REOPEN,
            Event.LEADER_BACK: _RECOVER,
            Event.LEADER_BACK_OPPOSED: _RECOVER_AND_OPEN,
        },
    }
)
