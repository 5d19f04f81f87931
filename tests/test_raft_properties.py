"""Raft under random schedules: Hypothesis drives the bench, and the paper's promises are held to at every step.

A schedule is a list of moves; each becomes a line of a script, so a failure prints a script that replays it. That
the search would find a fault is tested, too: each mutant below breaks one rule of the paper, and the same search
must convict it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from simulator.algorithms.raft import AppendEntries, Raft, RequestVote, RequestVoteReply
from simulator.algorithms.registry import REGISTRY
from simulator.protocol import CANDIDATE, LEADER, Message, NodeId
from simulator.workbench import Envelope, Session, Transition, Workbench

SCHEDULES = 2500
MOST_MOVES = 200
# Each verb as often as it should come: mostly deliveries, or nobody is ever elected.
WEIGHTS = {"deliver": 24, "drop": 1, "duplicate": 3, "election": 2, "other timer": 1}
WEIGHTS |= {"crash": 1, "restart": 3, "slow": 2, "fast": 1, "sync": 3}
VERBS = [verb for verb, weight in WEIGHTS.items() for _ in range(weight)]


class ViolationError(AssertionError):
    """A promise of the paper that was not kept."""


class Witness:
    """Watches what leaves the nodes and what they declare, and holds it to the paper."""

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench
        self.seen_sent = self.seen_transitions = 0
        self.leaders: dict[int, NodeId] = {}  # By term.
        self.votes: dict[tuple[NodeId, int], NodeId] = {}  # Whom a voter has told that it votes for, by voter and term.
        self.voters: dict[tuple[NodeId, int], set[NodeId]] = defaultdict(set)  # By candidate and term.
        self.told_terms: dict[NodeId, int] = defaultdict(int)
        self.terms: dict[tuple[NodeId, int], int] = defaultdict(int)  # By node and incarnation.

    def look(self) -> None:
        """Check what is new since the last look."""
        for envelope in self.bench.sent[self.seen_sent :]:
            self.check_sent(envelope)
        for transition in self.bench.transitions[self.seen_transitions :]:
            self.check_declared(transition)
        self.seen_sent, self.seen_transitions = len(self.bench.sent), len(self.bench.transitions)

    def check_sent(self, envelope: Envelope) -> None:
        """Figure 2: "currentTerm … increases monotonically"; 5.2: "at most one candidate in a given term"."""
        sender, message = envelope.sender, envelope.message
        if message.term < self.told_terms[sender]:
            raise ViolationError(f"term went back: {envelope} after term {self.told_terms[sender]}")
        self.told_terms[sender] = message.term
        if isinstance(message, RequestVote):
            self.record_vote(sender, sender, message.term)  # It "votes for itself and issues RequestVote RPCs".
        elif isinstance(message, RequestVoteReply) and message.vote_granted:
            self.record_vote(sender, envelope.to, message.term)
        elif isinstance(message, AppendEntries) and self.leaders.get(message.term, sender) != sender:
            raise ViolationError(f"two leaders: {envelope}, but {self.leaders[message.term]} leads the term")

    def record_vote(self, voter: NodeId, candidate: NodeId, term: int) -> None:
        if self.votes.setdefault((voter, term), candidate) != candidate:
            raise ViolationError(
                f"two votes: {voter} votes for {self.votes[voter, term]} and {candidate} in term {term}"
            )
        self.voters[candidate, term].add(voter)

    def check_declared(self, transition: Transition) -> None:
        node, term = transition.node, transition.term
        life = (node, transition.incarnation)
        if term < self.terms[life]:
            raise ViolationError(f"term went back: {transition} after term {self.terms[life]}")
        self.terms[life] = term
        if transition.role is LEADER:
            self.check_leader(node, term)

    def check_leader(self, leader: NodeId, term: int) -> None:
        """5.2, Election Safety: "at most one leader can be elected in a given term"; and the rules that make it so."""
        if self.leaders.setdefault(term, leader) != leader:
            raise ViolationError(f"two leaders: {self.leaders[term]} and {leader} lead term {term}")
        size = len(self.bench.nodes)
        voters = self.voters[leader, term]
        if self.bench.node(leader).durable.get("voted_for") == leader:
            voters = voters | {leader}
        if (
            2 * len(voters) <= size
        ):  # "votes from a majority of the servers in the full cluster for the same term" (5.2)
            raise ViolationError(f"no quorum: {leader} leads term {term} with the votes of {sorted(voters)} of {size}")
        logs = {node.me: node.durable.get("last_log", (0, 0)) for node in self.bench.nodes.values()}
        behind = [node for node in logs if logs[node] <= logs[leader]]
        if 2 * len(behind) <= size:  # "at least as up-to-date as any other log in that majority" (5.4.1)
            raise ViolationError(f"stale log: {leader} leads term {term} with {logs[leader]} among {logs}")


# --- From moves to lines of a script


def line_for(bench: Workbench, verb: str, pick: int) -> str | None:
    """The command for a move; None where there is nothing to do it to."""
    candidates = _candidates(bench, verb)
    return candidates[pick % len(candidates)] if candidates else None


def _candidates(bench: Workbench, verb: str) -> Sequence[str]:
    nodes = bench.nodes.values()
    match verb:
        case "deliver" | "drop" | "duplicate":
            return [f"{verb} #{number}" for number in range(1, len(bench.in_flight) + 1)]
        case "election":
            return [f"fire {node.me} election" for node in nodes if "election" in node.timers]
        case "other timer":
            return [f"fire {node.me} {name}" for node in nodes for name in node.timers if name != "election"]
        case "crash":
            return [f"crash {node.me}" for node in nodes if node.running]
        case "restart":
            return [f"restart {node.me}" for node in nodes if not node.running]
        case "slow":
            return [f"disk {node.me} slow" for node in nodes if not node.disk_is_slow]
        case "fast":
            return [f"disk {node.me} fast" for node in nodes if node.disk_is_slow and node.running]
        case _:
            return [f"sync {node.me} 1" for node in nodes if node.writes]


def play(algorithm: type[Raft], opening: str, moves: bytes) -> Workbench:
    """Play a schedule and watch it; raises ViolationError, with the script that leads to it."""
    session = Session({"raft": replace(REGISTRY["raft"], algorithm=algorithm)})
    script = [opening]
    session.run(opening)
    witness = Witness(session.bench)
    for verb, pick in zip(moves[::2], moves[1::2], strict=False):  # Shrinking may leave half a move behind.
        line = line_for(session.bench, VERBS[verb % len(VERBS)], pick)
        if line is not None:
            script.append(line)
            session.run(line)
            try:
                witness.look()
            except ViolationError as violation:
                raise ViolationError("\n".join([str(violation), *script, "----"])) from None
    return session.bench


@st.composite
def openings(draw: st.DrawFn) -> str:
    """Clusters of one to five nodes, with logs of any lengths, and with each of Raft's options."""
    size = draw(st.sampled_from([3, 5, 4, 3, 5, 2, 1]))
    logs = ",".join(str(draw(st.integers(0, 2))) for _ in range(size))
    option = draw(st.sampled_from(["", " vote_retry_interval=20ms", " new_term_heartbeat_only_steps_down=true"]))
    return f"cluster raft {size} logs={logs}{option}"


# Two bytes for a move: quick to draw, and quick to shrink. The length is drawn first, or most would be short.
schedules = st.integers(0, MOST_MOVES).flatmap(lambda length: st.binary(min_size=2 * length, max_size=2 * length))


# --- The properties


@settings(max_examples=SCHEDULES)
@given(opening=openings(), moves=schedules)
def test_raft_keeps_its_promises_under_any_schedule(opening: str, moves: bytes) -> None:
    """Raft, Figure 3, Election Safety, and sections 5.1, 5.2, 5.4.1: see `Witness`, which cites rule by rule."""
    play(Raft, opening, moves)


def test_the_schedules_reach_what_they_are_about() -> None:
    """A property over schedules in which nothing happens would hold of anything: leaders, later terms, crashes."""
    leaders: list[int] = []
    incarnations: list[int] = []

    @settings(max_examples=300, phases=[Phase.generate])
    @given(opening=openings(), moves=schedules)
    def collect(opening: str, moves: bytes) -> None:
        bench = play(Raft, opening, moves)
        leaders.append(len({t.term for t in bench.transitions if t.role is LEADER}))
        incarnations.append(sum(node.incarnation for node in bench.nodes.values()))

    collect()
    assert sum(count >= 1 for count in leaders) >= len(leaders) // 4
    assert sum(count >= 2 for count in leaders) >= len(leaders) // 10
    assert sum(count >= 2 for count in incarnations) >= len(incarnations) // 4


# --- Mutants: each breaks one rule of the paper


class VoteForgottenAtRestart(Raft):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.voted_for = None


class VoteClearedWhenSteppingDown(Raft):
    def _become_follower(self, term: int, leader: NodeId | None) -> None:
        super()._become_follower(term, leader)
        self.voted_for = None


class DuplicateVotesCounted(Raft):
    counted = 0

    def _count_vote(self, voter: NodeId) -> None:
        self.counted = 1 if not self.votes else self.counted + 1
        self.votes.add(voter)
        if self.role is CANDIDATE and self.counted >= self.quorum:
            self._become_leader()


class VoteForAStaleLog(Raft):
    def _on_request_vote(self, sender: NodeId, message: RequestVote) -> None:
        own_log, self.last_log = self.last_log, (0, 0)
        super()._on_request_vote(sender, message)
        self.last_log = own_log

    receive: ClassVar = {**Raft.receive, RequestVote: _on_request_vote}


class ReplyBeforeTheWrite(Raft):
    def _reply(self, to: NodeId, reply: Message) -> None:
        self.host.send(to, reply, ordered=False)
        if self.unsaved:
            self._save_term_and_vote()


class RequestBeforeTheWrite(Raft):
    """Its requests pass its own vote on the way to the disk."""

    def _request_votes(self) -> None:
        for peer in self.host.peers:
            self.host.send(peer, RequestVote(self.term, *self.last_log), ordered=False)


class QuorumOfThoseWhoAnswered(Raft):
    """Half of the servers is enough for it."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.quorum = max(1, self.quorum - 1)


class VoteOfAnyTermCounts(Raft):
    def _on_request_vote_reply(self, sender: NodeId, message: RequestVoteReply) -> None:
        if self.role is CANDIDATE and message.vote_granted:
            self._count_vote(sender)

    receive: ClassVar = {**Raft.receive, RequestVoteReply: _on_request_vote_reply}


class TermForgottenAtRestart(Raft):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.term = 0


def tries_until_convicted(mutant: type[Raft], request: pytest.FixtureRequest) -> str:
    """Search as the property does, and as far; the violation that was found. Raises Failed when there is none."""
    tries = 0

    @settings(max_examples=SCHEDULES, phases=[Phase.generate])
    @given(opening=openings(), moves=schedules)
    def search(opening: str, moves: bytes) -> None:
        nonlocal tries
        tries += 1
        play(mutant, opening, moves)

    with pytest.raises(ViolationError) as caught:
        search()
    request.node.user_properties.append(("tries", tries))
    return str(caught.value)


@pytest.mark.parametrize(
    ("mutant", "broken"),
    [
        (VoteForgottenAtRestart, "two votes"),
        (VoteClearedWhenSteppingDown, "two votes"),
        (DuplicateVotesCounted, "no quorum"),
        (VoteForAStaleLog, "stale log"),
        (ReplyBeforeTheWrite, "two votes|term went back"),
        (RequestBeforeTheWrite, "two votes|term went back"),
        (QuorumOfThoseWhoAnswered, "no quorum"),
        (VoteOfAnyTermCounts, "no quorum"),
        (TermForgottenAtRestart, "term went back"),
    ],
)
def test_the_search_convicts_a_mutant(mutant: type[Raft], broken: str, request: pytest.FixtureRequest) -> None:
    """Issue 2, "the checker can fail": each fault shows, within as many schedules as Raft itself is given."""
    violation = tries_until_convicted(mutant, request)
    assert violation.startswith(tuple(broken.split("|")))
