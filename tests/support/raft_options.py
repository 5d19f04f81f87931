"""Raft's options drawn at random, all of them at once, for the tests that run it under random schedules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from simulator.algorithms.raft import DIALECTS, RaftConfig
from simulator.protocol import MILLISECOND, Nanoseconds
from simulator.testing.syntax import show_duration

MS = MILLISECOND

# What each option may be, its default first. Times are whole multiples of 25 ms, so that ticks go with them.
CHOICES: Mapping[str, Sequence[object]] = {
    "step_down_resets_timer": ("leader", "candidate", "anybody"),
    "votes_after_stepping_down": (True, False),
    "new_term_heartbeat_only_steps_down": (False, True),
    "separate_writes": (False, True),
    "refusals": ("always", "not_stale", "never"),
    "vote_retry_interval": (None, 15 * MS),
    "candidate_timeout": (None, (50 * MS, 100 * MS)),
    "candidate_backoff": (1.0, 1.5),
    "refusals_end_candidacy": (False, True),
    "pre_vote": (False, True),
    "check_quorum": (False, True),
    "leader_lease": (None, 75 * MS),
    "lease_slides": (False, True),
    "leader_stickiness": ("off", "refuse", "ignore"),
    "stickiness_lasts": ("least_timeout", "own_timeout"),
}
# How timeouts are kept.
WAYS: Sequence[Mapping[str, object]] = (
    {},
    {"heartbeat_spread": 25 * MS},
    {"tick": 25 * MS},
    {"least_silence": 100 * MS},
    {"poll_interval": 10 * MS},
)


class Choose(Protocol):
    """One of several values, by whatever source of chance."""

    def __call__(self, *choices: Any) -> Any: ...


def any_options(choose: Choose) -> dict[str, Any]:
    """Every option but the ranges of times, each as if it were the only one."""
    return {**{name: choose(*values) for name, values in CHOICES.items()}, **choose(*WAYS)}


def dialect_options(name: str, least_timeout: Nanoseconds) -> dict[str, Any]:
    """A dialect whose times are all in proportion to a least election timeout of that length."""
    paper = RaftConfig()
    times = {"election_timeout": paper.election_timeout, "heartbeat_interval": paper.heartbeat_interval}
    options: dict[str, Any] = {**times, **DIALECTS[name].options}
    own = options["election_timeout"][0]

    def scaled(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(map(scaled, value))
        return value if isinstance(value, bool | str) else value * least_timeout // own

    return {option: scaled(value) for option, value in options.items()}


def in_script(options: Mapping[str, Any]) -> str:
    """As the script command `cluster` takes them; what is None is left out, since None is a default only."""
    return "".join(f" {name}={_text(value)}" for name, value in options.items() if value is not None)


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{','.join(map(_text, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    return show_duration(value) if isinstance(value, int) and value else str(value)
