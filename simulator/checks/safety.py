"""Safety checks: whether a trace keeps the guarantees of its algorithm. Checkers read the trace, never the nodes.

Each checker goes through the rows once. A node is a member of one group, and so are its terms, votes and log.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import groupby, pairwise
from types import MappingProxyType

from simulator.checks.leases import leases
from simulator.checks.stable_period import STABLE_PERIOD_CHECKERS
from simulator.checks.violation import Violation
from simulator.protocol import LEADER, Guarantee, Nanoseconds, NodeId
from simulator.trace import event_types
from simulator.trace.trace import Row, Trace


class Configurations:
    """The voters in each node's own configuration, brought forward row by row.

    They are the members of its group until the node notes a configuration.
    """

    def __init__(self, groups: Mapping[str, Sequence[NodeId]]) -> None:
        self._groups = groups
        self._noted: dict[NodeId, Sequence[NodeId]] = {}

    def apply(self, row: Row) -> None:
        """Take in the next row of the trace."""
        if row.kind == event_types.CONFIGURATION:
            assert row.node is not None
            self._noted[row.node] = row.field("voters")
        elif row.kind == event_types.STARTED:  # A restarted node notes its configuration again.
            self._noted.pop(row.node, None)  # type: ignore[arg-type]

    def of(self, node: NodeId, group: str) -> Sequence[NodeId]:
        """The voters that a node knows of: those that it has noted, or the members of the group."""
        return self._noted.get(node, self._groups[group])


Checker = Callable[[Trace], Iterator[Violation]]


def violations(
    trace: Trace, guarantees: Collection[Guarantee], stabilization_ns: Nanoseconds | None = None
) -> list[Violation]:
    """Every violation of these guarantees, in order of time.

    Guarantees about stable periods are checked only if `stabilization_ns` says how long the algorithm needs.
    """
    found = [
        violation for guarantee, check in CHECKERS.items() if guarantee in guarantees for violation in check(trace)
    ]
    if stabilization_ns is not None:
        asked = (check for guarantee, check in STABLE_PERIOD_CHECKERS.items() if guarantee in guarantees)
        found += [violation for check in asked for violation in check(trace, stabilization_ns)]
    return sorted(found, key=lambda violation: violation.time_ns)


def election_safety(trace: Trace) -> Iterator[Violation]:
    """At most one node of a group claims in a term (Raft, figure 3)."""
    leaders: dict[tuple[str | None, int | None], NodeId] = {}
    for row in trace.rows:
        if row.role is LEADER:
            assert row.node is not None
            first = leaders.setdefault((row.group, row.term), row.node)
            if first != row.node:
                text = f"n{row.node} claims term {row.term}, which n{first} has claimed"
                yield Violation(Guarantee.ELECTION_SAFETY, row.time_ns, text, (first, row.node))


def one_vote(trace: Trace) -> Iterator[Violation]:
    """No voter's vote counts for two candidates of one term, crashes of the voter included (Raft, section 5.2)."""
    counted_for: dict[tuple[int, NodeId], NodeId] = {}
    for row in trace.rows:
        if row.kind == event_types.VOTE:
            assert row.node is not None
            term, voter = row.field("term"), row.field("voter")
            first = counted_for.setdefault((term, voter), row.node)
            if first != row.node:
                text = f"n{voter}'s vote in term {term} counts for n{row.node}, and has counted for n{first}"
                yield Violation(Guarantee.ONE_VOTE, row.time_ns, text, (voter, first, row.node))


def quorum_of_votes(trace: Trace) -> Iterator[Violation]:
    """A node that claims to lead has votes of a majority of all members, absent ones included (Raft, section 5.2).

    If members change, they are those of the claimant's own configuration (dissertation, 4.1). Votes are kept in memory:
    a candidate that crashes loses them.
    """
    held: dict[NodeId, tuple[int, set[NodeId]]] = {}
    electorates = Configurations(trace.groups)
    for row in trace.rows:
        electorates.apply(row)
        node = row.node
        if row.kind == event_types.VOTE:
            assert node is not None
            term, voter = row.field("term"), row.field("voter")
            if node not in held or held[node][0] != term:
                held[node] = (term, set())
            held[node][1].add(voter)
        elif row.kind == event_types.CRASHED:
            held.pop(node, None)  # type: ignore[arg-type]
        elif row.role is LEADER:
            assert node is not None
            assert row.group is not None
            term, voters = held.get(node, (None, set()))
            members = electorates.of(node, row.group)
            votes = len(voters.intersection(members)) if term == row.term else 0
            if 2 * votes <= len(members):
                text = f"n{node} claims term {row.term} with the votes of {votes} of {len(members)} members"
                yield Violation(Guarantee.QUORUM_OF_VOTES, row.time_ns, text, (node,))


def monotonic_terms(trace: Trace) -> Iterator[Violation]:
    """A node's term never goes back.

    A crash may lose a term that was not on disk yet. A vote that a candidate has counted left its voter after the
    write, so its term was on disk: no restart may go back below it.
    """
    terms: dict[NodeId, int] = {}  # The least term that each node may declare next.
    on_disk: dict[NodeId, int] = {}
    for row in trace.rows:
        node = row.node
        if row.kind == event_types.TRANSITION:
            assert node is not None
            assert row.term is not None
            least = terms.get(node, 0)
            if row.term < least:
                text = f"n{node} goes back from term {least} to term {row.term}"
                yield Violation(Guarantee.MONOTONIC_TERMS, row.time_ns, text, (node,))
            terms[node] = row.term
        elif row.kind == event_types.VOTE:
            voter = row.field("voter")
            on_disk[voter] = max(on_disk.get(voter, 0), row.field("term"))
        elif row.kind == event_types.STARTED:
            assert node is not None
            terms[node] = on_disk.get(node, 0)


def log_up_to_date(trace: Trace) -> Iterator[Violation]:
    """A node that claims to lead has a log at least as up-to-date as those of a majority (Raft, section 5.4.1).

    "The log with the later term is more up-to-date"; of two that end with the same term, the longer one is. The log of
    an absent member, which no row shows, is not counted. An algorithm without logs cannot violate this.
    """
    logs: dict[NodeId, tuple[int, int]] = {}
    electorates = Configurations(trace.groups)
    for row in trace.rows:
        electorates.apply(row)
        node = row.node
        if row.kind == event_types.LOG:
            assert node is not None
            logs[node] = (row.field("last_term"), row.field("last_index"))
        elif row.role is LEADER and logs:
            assert node is not None
            assert row.group is not None
            members = electorates.of(node, row.group)
            not_ahead = sum(1 for member in members if member in logs and logs[member] <= logs.get(node, (0, 0)))
            if 2 * not_ahead <= len(members):
                text = (
                    f"n{node} claims term {row.term}; its log is up-to-date for {not_ahead} of {len(members)} members"
                )
                yield Violation(Guarantee.LOG_UP_TO_DATE, row.time_ns, text, (node,))


def leader_completeness(trace: Trace) -> Iterator[Violation]:
    """ "If a log entry is committed in a given term, then that entry will be present in the logs of the leaders for all
    higher-numbered terms" (Raft, figure 3); and what is committed at an index is committed there for ever.
    """
    # For each index: the term of the entry, and the term in which the entry was committed.
    committed: dict[int, tuple[int, int]] = {}
    runs: dict[NodeId, tuple[tuple[int, int], ...]] = {}
    for row in trace.rows:
        node = row.node
        if row.kind == event_types.COMMIT:
            assert node is not None
            index, entry_term = row.field("index"), row.field("entry_term")
            earlier, _ = committed.setdefault(index, (entry_term, row.field("term")))
            if earlier != entry_term:
                text = f"n{node} commits an entry of term {entry_term} at index {index}, where one of {earlier} is"
                yield Violation(Guarantee.LEADER_COMPLETENESS, row.time_ns, text, (node,))
        elif row.kind == event_types.LOG and (noted := dict(row.detail).get("runs")) is not None:
            assert node is not None
            runs[node] = noted
        elif row.role is LEADER and node in runs:
            assert node is not None
            assert row.term is not None
            yield from _missing(row.time_ns, node, row.term, runs.pop(node), committed)


def _missing(
    time_ns: Nanoseconds,
    node: NodeId,
    term: int,
    runs: tuple[tuple[int, int], ...],
    committed: Mapping[int, tuple[int, int]],
) -> Iterator[Violation]:
    """The first committed entry that a new leader's log lacks."""
    for index, (entry_term, commit_term) in sorted(committed.items()):
        held = next((run_term for run_term, last in runs if index <= last), None)
        if commit_term < term and held != entry_term:
            text = f"n{node} claims term {term} without entry {index} of term {entry_term}, committed in {commit_term}"
            yield Violation(Guarantee.LEADER_COMPLETENESS, time_ns, text, (node,))
            return


def disjoint_leases(trace: Trace) -> Iterator[Violation]:
    """No two leaders hold a lease at one instant (dissertation, 6.4.1), as long as clocks keep the drift bound."""
    for first, second in pairwise(leases(trace)):
        if first.node != second.node and second.start_ns < first.end_ns:
            text = f"n{second.node} has a lease in term {second.term} while n{first.node} has that of term {first.term}"
            yield Violation(Guarantee.DISJOINT_LEASES, second.start_ns, text, (first.node, second.node))


def one_claim(trace: Trace) -> Iterator[Violation]:
    """Two nodes of a group never claim to lead at once. A claim that ends as it begins does not count."""
    claimants: dict[str | None, set[NodeId]] = {group: set() for group in trace.groups}
    reported: dict[str | None, set[NodeId]] = {}
    for time_ns, rows in groupby(trace.rows, key=lambda row: row.time_ns):
        for row in rows:
            if row.kind == event_types.TRANSITION:
                assert row.node is not None
                (claimants[row.group].add if row.role is LEADER else claimants[row.group].discard)(row.node)
            elif row.kind == event_types.CRASHED:
                for among in claimants.values():
                    among.discard(row.node)
        for group, among in claimants.items():
            if len(among) > 1 and among != reported.get(group):  # Each set of claimants is reported once.
                text = f"{' and '.join(f'n{node}' for node in sorted(among))} claim to lead at once"
                yield Violation(Guarantee.ONE_CLAIM, time_ns, text, tuple(sorted(among)))
            reported[group] = set(among)


CHECKERS: Mapping[Guarantee, Checker] = MappingProxyType(
    {
        Guarantee.ELECTION_SAFETY: election_safety,
        Guarantee.ONE_VOTE: one_vote,
        Guarantee.QUORUM_OF_VOTES: quorum_of_votes,
        Guarantee.MONOTONIC_TERMS: monotonic_terms,
        Guarantee.LOG_UP_TO_DATE: log_up_to_date,
        Guarantee.LEADER_COMPLETENESS: leader_completeness,
        Guarantee.DISJOINT_LEASES: disjoint_leases,
        Guarantee.ONE_CLAIM: one_claim,
    }
)
