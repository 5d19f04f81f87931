"""Raft's log under randomised faults and load: what is committed stays, and the check sees every deliberate fault.

"If a log entry is committed in a given term, then that entry will be present in the logs of the leaders for all
higher-numbered terms" (Raft, figure 3, Leader Completeness).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from simulator.algorithms.raft import AppendEntries, AppendEntriesReply, Raft
from simulator.algorithms.raft.log import Entry, Log
from simulator.algorithms.raft.replication import Replication
from simulator.algorithms.registration import Registration
from simulator.algorithms.registry import REGISTRY
from simulator.checks.safety import violations
from simulator.checks.violation import Violation
from simulator.cluster.cluster import run_trial
from simulator.cluster.spec import ClusterSpec
from simulator.cluster.workload import Workload
from simulator.protocol import Guarantee, NodeId
from simulator.testing.script import replay as replay_text
from tests.verify.randomised import random_spec

SCRIPTS = Path(__file__).parents[1] / "scripts" / "raft" / "replication"
SEED = 1
TRIALS = 150
MOST_TRIALS = 600  # As far as a mutant is looked at.
COMPLETENESS = Guarantee.LEADER_COMPLETENESS


def loaded(registration: Registration, trial: int) -> ClusterSpec:
    """A randomised trial in which clients write much or little; in every fourth, leaders begin with a no-op."""
    spec = random_spec(registration, SEED, trial)
    config = replace(spec.config, replication=True, no_op=trial % 4 == 0)
    return replace(spec, config=config, workload=Workload(rate_per_s=300 if trial % 4 < 2 else 60))


def broken(registration: Registration, trial: int) -> tuple[Sequence[Violation], int]:
    """Broken promises, and how many commits there were."""
    trace = run_trial(loaded(registration, trial), SEED, trial)
    return violations(trace, Raft.guarantees), len(trace.of_type("commit"))


def test_raft_keeps_its_promises_under_load() -> None:
    commits = 0
    for trial in range(TRIALS):
        found, committed = broken(REGISTRY["raft"], trial)
        assert not found, f"trial {trial}: {found[0]}"
        commits += committed
    assert commits > 20 * TRIALS  # A log that nothing is written to proves nothing.


class CommitsEarlierTerms(Replication):
    """Entries of an earlier term are committed by counting replicas (5.4.2, figure 8: they must not be)."""

    def commit(self, term: int, voters: Iterable[NodeId], quorum: int) -> bool:
        held = sorted(self.match_index.values(), reverse=True)[quorum - 1]
        if held <= self.commit_index:
            return False
        self.commit_index = held
        return True


class CommitsWhatAMinorityHolds(Replication):
    """One replica less than a majority is taken for enough (5.3: "replicated … on a majority of the servers")."""

    def commit(self, term: int, voters: Iterable[NodeId], quorum: int) -> bool:
        return super().commit(term, voters, max(1, quorum - 1))


class SkipsTheConsistencyCheck(Replication):
    """Entries are taken wherever they are said to begin (figure 2: "reply false if log doesn't contain an entry …")."""

    def accept(self, message: AppendEntries) -> tuple[AppendEntriesReply, Mapping[str, object]]:
        before = min(message.prev_log_index, self.log.last_index)
        return super().accept(replace(message, prev_log_index=before, prev_log_term=self.log.term_at(before)))


class KeepsEntriesInMemory(Raft):
    """A follower answers before its entries are on disk, and never writes them (figure 2: log[] is persistent)."""

    def _accept(self, message: AppendEntries) -> AppendEntriesReply:
        save, self.host.save = self.host.save, lambda *_, **__: None  # type: ignore[method-assign]
        try:
            return super()._accept(message)
        finally:
            self.host.save = save  # type: ignore[method-assign]


class _Truncates(Log):
    def merge(self, index: int, entries: Sequence[Entry]) -> Any:
        del self._entries[index:]
        self._entries += entries
        return self._saved_from(index + 1)


class TruncatesWithoutConflict(Replication):
    """Whatever follows is deleted, though nothing conflicts (figure 2: only "if an existing entry conflicts").

    A message that arrives late then takes away what has been acknowledged since.
    """

    def accept(self, message: AppendEntries) -> tuple[AppendEntriesReply, Mapping[str, object]]:
        self.log.__class__ = _Truncates
        return super().accept(message)


MUTANTS = (
    CommitsWhatAMinorityHolds,
    SkipsTheConsistencyCheck,
    KeepsEntriesInMemory,
    TruncatesWithoutConflict,
)


def mutant(fault: type[Replication] | type[Raft]) -> Registration:
    """Raft with one such fault."""
    algorithm = fault if issubclass(fault, Raft) else _with_log(fault)
    return replace(REGISTRY["raft"], name=fault.__name__, algorithm=algorithm)


def _with_log(kind: type[Replication]) -> type[Raft]:
    class Mutant(Raft):
        def __init__(self, host: Any, config: Any, durable: Any) -> None:
            super().__init__(host, config, durable)
            assert self.replication is not None
            self.replication.__class__ = kind

    return Mutant


@pytest.mark.parametrize("fault", MUTANTS)
def test_a_deliberate_fault_of_the_log_is_seen(fault: type[Replication] | type[Raft]) -> None:
    """Each mutant's docstring cites the sentence that it breaks."""
    registration = mutant(fault)
    for trial in range(MOST_TRIALS):
        if any(violation.guarantee is COMPLETENESS for violation in broken(registration, trial)[0]):
            print(f"{fault.__name__}: seen in trial {trial}, the first of {trial + 1}")
            return
    pytest.fail(f"{MOST_TRIALS} trials do not show it")


def test_a_scene_convicts_what_random_trials_hardly_meet() -> None:
    """Figure 8 takes four leaders and as many crashes in the right places: a script has them."""
    scene = SCRIPTS / "entry_of_an_earlier_term_is_not_committed_by_counting.txt"
    text = scene.read_text(encoding="utf-8")
    assert replay_text(text, scene.name) == text
    assert replay_text(text, scene.name, {"raft": mutant(CommitsEarlierTerms)}) != text
