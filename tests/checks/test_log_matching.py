"""Logs themselves, looked at while trials run (Raft, figure 3).

Log Matching: "If two logs contain an entry with the same index and term, then the logs are identical in all entries up
through the given index". Leader Append-Only: "A leader never overwrites or deletes entries in its log".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any, ClassVar

from simulator.algorithms.raft import Raft
from simulator.algorithms.raft.log import Entry
from simulator.algorithms.registration import Registration
from simulator.algorithms.registry import REGISTRY
from simulator.cluster.cluster import run_trial
from simulator.cluster.distributions import Constant
from simulator.cluster.faults.record import Fault, Injected
from simulator.cluster.faults.rng import RandomStreams
from simulator.cluster.faults.schedule import Scheduled
from simulator.protocol import LEADER, MILLISECOND, NodeId
from tests.checks.test_replication import SEED, SkipsTheConsistencyCheck, loaded, mutant

TRIALS = 60
EVERY = 10 * MILLISECOND

Entries = Sequence[Entry]


@dataclass
class Look(Fault):
    """A fault that does nothing but look at every log, again and again in one trial."""

    looks: int = 0
    entries: int = 0
    broken: list[str] = field(default_factory=list)
    led: dict[tuple[NodeId, int], Entries] = field(default_factory=dict)  # Each leader's log, by node and term.
    name: ClassVar[str] = "look"

    def inject(self, control: Any, fault_rng: RandomStreams) -> Injected:
        servers = {node: found.algorithm for node, found in control._nodes.items() if found.running}
        logs = {node: server.replication.log.after(0, 10**9) for node, server in servers.items()}
        self.looks += 1
        self.entries += sum(map(len, logs.values()))
        self.broken += [f"n{one} and n{other}" for one, other in mismatched(logs)]
        for node, server in servers.items():
            if server.role is LEADER:
                before = self.led.get((node, server.term), ())
                if logs[node][: len(before)] != before:
                    self.broken.append(f"n{node} has overwritten its log in term {server.term}")
                self.led[node, server.term] = logs[node]
        return Injected(())


def mismatched(logs: Mapping[NodeId, Entries]) -> list[tuple[NodeId, NodeId]]:
    """The pairs of logs that agree in an entry's index and term, and not in everything before it."""
    found = []
    for one, other in combinations(logs, 2):
        common = min(len(logs[one]), len(logs[other]))
        agreed = [at for at in range(common) if logs[one][at].term == logs[other][at].term]
        if agreed and logs[one][: agreed[-1] + 1] != logs[other][: agreed[-1] + 1]:
            found.append((one, other))
    return found


def looked_at(registration: Registration, trial: int) -> Look:
    spec = loaded(registration, trial)
    look: Any = Look()
    times = range(EVERY, spec.duration, EVERY)
    looks = tuple(Scheduled(at=Constant(at), fault=look) for at in times)
    run_trial(replace(spec, faults=(*spec.faults, *looks)), SEED, trial)
    found: Look = look
    return found


def test_logs_match_and_leaders_only_append() -> None:
    entries = 0
    for trial in range(TRIALS):
        look = looked_at(REGISTRY["raft"], trial)
        assert look.broken == [], f"trial {trial}"
        entries += look.entries
    assert entries > 100 * TRIALS  # Empty logs match.


def test_a_log_that_takes_whatever_comes_is_seen() -> None:
    """The check can fail: figure 2, "reply false if log doesn't contain an entry at prevLogIndex …"."""
    registration = mutant(SkipsTheConsistencyCheck)
    assert any(looked_at(registration, trial).broken for trial in range(TRIALS))


class Rewrites(Raft):
    """A leader that begins its log anew with every election (figure 3, Leader Append-Only), a moment after it."""

    def _send_heartbeats(self) -> None:
        super()._send_heartbeats()
        if self.replication is not None and self.replication.log.last_index > 2:
            self.replication.log.merge(0, [Entry(self.term, 999)])


def test_a_leader_that_rewrites_its_log_is_seen() -> None:
    registration = replace(REGISTRY["raft"], name="Rewrites", algorithm=Rewrites)
    assert any("overwritten" in text for trial in range(TRIALS) for text in _broken_or_none(registration, trial))


def _broken_or_none(registration: Registration, trial: int) -> list[str]:
    """A leader that loses entries may stumble over its own indices before it is looked at."""
    try:
        return looked_at(registration, trial).broken
    except (IndexError, AssertionError):
        return []


def test_mismatches_are_told() -> None:
    # Worked out by hand: entry 2 agrees in its term, entry 1 does not.
    assert mismatched({1: [Entry(1), Entry(3)], 2: [Entry(2), Entry(3)]}) == [(1, 2)]
    assert mismatched({1: [Entry(1), Entry(3)], 2: [Entry(1), Entry(2)]}) == []
