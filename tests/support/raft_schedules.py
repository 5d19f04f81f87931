"""Raft on the bench under random schedules, and the witness that holds every step to the paper.

A schedule is a list of moves; each becomes a line of a script, so a failure prints a script that replays it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import strategies as st

from simulator.algorithms.raft import (
    DIALECTS,
    AppendEntries,
    AppendEntriesReply,
    PreVote,
    PreVoteReply,
    Raft,
    RequestVote,
    RequestVoteReply,
)
from simulator.algorithms.registry import REGISTRY
from simulator.protocol import CANDIDATE, FOLLOWER, LEADER, PRE_CANDIDATE, Message, NodeId
from simulator.testing import Envelope, InteractionBench, Session, Transition
from tests.support.raft_options import MS, any_options, in_script

SCHEDULES = 1000
MOST_MOVES = 250
# Each verb as often as it should come: mostly deliveries, or nobody is ever elected.
WEIGHTS = {"deliver": 30, "drop": 1, "duplicate": 3, "election": 3, "other timer": 2}
WEIGHTS |= {"crash": 1, "restart": 3, "slow": 2, "fast": 1, "sync": 3}
VERBS = [verb for verb, weight in WEIGHTS.items() for _ in range(weight)]
# A timeout of many ticks makes a schedule of little else.
FEW_TICKS = " election_timeout=[100ms,300ms]"
# The timers that lead to elections, whichever way timeouts are kept.
ELECTION_TIMERS = ("election", "tick", "poll")


class ViolationError(AssertionError):
    """A promise of the paper that was not kept."""


def is_hypothetical(message: Message) -> bool:
    """Whether it speaks of a term that nobody need be in."""
    return isinstance(message, PreVote) or (isinstance(message, PreVoteReply) and message.vote_granted)


class Witness:
    """Watches what leaves the nodes and what they declare, and holds it to the paper."""

    def __init__(self, bench: InteractionBench) -> None:
        self.bench = bench
        self.seen_sent = self.seen_transitions = 0
        self.leaders: dict[int, NodeId] = {}  # By term.
        self.votes: dict[tuple[NodeId, int], NodeId] = {}  # Whom a voter has told that it votes for, by voter and term.
        self.voters: dict[tuple[NodeId, int], set[NodeId]] = defaultdict(set)  # By candidate and term.
        self.told_terms: dict[NodeId, int] = defaultdict(int)
        self.terms: dict[tuple[NodeId, int], int] = defaultdict(int)  # By node and incarnation.
        self.stood_for = {node.durable.get("term", 0) for node in bench.nodes.values()}
        self.answered: dict[NodeId, set[NodeId]] = {}  # Who has answered a leader since it last looked.
        self.promised: dict[tuple[NodeId, int], set[NodeId]] = defaultdict(set)  # By pre-candidate and term.

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
        if is_hypothetical(message):  # Of a term that its sender is not in.
            if isinstance(message, PreVoteReply):
                self.promised[envelope.to, message.term].add(sender)
            return
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
        if transition.role is LEADER:
            self.answered[node] = set()
        if transition.role is PRE_CANDIDATE and term != self.terms[life]:
            raise ViolationError(f"a wish costs a term: {transition} after term {self.terms[life]}")
        if transition.role is CANDIDATE and term != self.terms[life] + 1:
            raise ViolationError(f"not the next term: {transition} after term {self.terms[life]}")
        self.terms[life] = term
        if transition.role is CANDIDATE:
            self.check_candidate(node, term)
            self.stood_for.add(term)
        if term not in self.stood_for:  # Terms begin with elections (5.1), and not with the wish for one (9.6).
            raise ViolationError(f"a term from nowhere: {transition}")
        if transition.role is LEADER:
            self.check_leader(node, term)

    def check_candidate(self, candidate: NodeId, term: int) -> None:
        """9.6: it "only increments its term if it first learns from a majority of the cluster" that it may."""
        willing = self.promised[candidate, term] | {candidate}
        if self.bench.config.pre_vote and 2 * len(willing) <= len(self.bench.nodes):
            raise ViolationError(f"nobody asked: {candidate} stands in term {term} on the word of {sorted(willing)}")

    def check_stickiness(self, session: Session, line: str, envelope: Envelope) -> None:
        """Run the line that delivers it. A voter that hears a leader keeps its term, vote and word (4.2.3, 9.6)."""
        voter = self.bench.node(envelope.to)
        assert voter.declared is not None
        term, sent, held = voter.declared.term, len(self.bench.sent), len(voter.held)
        session.run(line)
        new = [later.message for later in self.bench.sent[sent:] if later.sender == voter.me]
        new += [message for _, message in voter.held[held:]]
        granted = any(getattr(message, "vote_granted", False) for message in new)
        moved = voter.declared.term != term and voter.declared.role is FOLLOWER  # It may find that its own time is up.
        if moved or granted:
            raise ViolationError(f"not sticky: {envelope} moves a voter that hears a leader: {voter.declared}, {new}")

    def sticks(self, envelope: Envelope) -> bool:
        """Whether this request comes to a voter that hears a leader, and has to be turned away."""
        config, voter, message = self.bench.config, self.bench.node(envelope.to), envelope.message
        if voter.declared is None or not isinstance(message, RequestVote | PreVote):
            return False
        if isinstance(message, RequestVote) and (config.stickiness == "off" or message.term <= voter.declared.term):
            return False
        if config.stickiness_lasts == "own_timeout":
            return voter.declared.leader not in (None, envelope.sender)
        return voter.declared.role is LEADER or "led" in voter.timers

    def check_lease(self, session: Session, line: str, leader: NodeId) -> None:
        """Run the line in which a lease ends. Who has had the answers of a majority goes on, others step down (6.2)."""
        keeps = 2 * len(self.answered[leader] | {leader}) > len(self.bench.nodes)
        session.run(line)
        declared = self.bench.node(leader).declared
        assert declared is not None
        if keeps is not (declared.role is LEADER):
            raise ViolationError(f"no lease: {declared} after the answers of {sorted(self.answered[leader])}")
        self.answered[leader] = set()

    def heed_answer(self, envelope: Envelope) -> None:
        """Note an answer that is about to be delivered to a leader of its term."""
        to = self.bench.node(envelope.to).declared
        leads = to is not None and to.role is LEADER and to.term == envelope.message.term
        if leads and isinstance(envelope.message, AppendEntriesReply):
            self.answered[envelope.to].add(envelope.sender)

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


def line_for(bench: InteractionBench, verb: str, pick: int) -> str | None:
    """The command for a move; None where there is nothing to do it to."""
    candidates = _candidates(bench, verb)
    return candidates[pick % len(candidates)] if candidates else None


def _candidates(bench: InteractionBench, verb: str) -> Sequence[str]:
    nodes = bench.nodes.values()
    match verb:
        case "deliver" | "drop" | "duplicate":
            return [f"{verb} #{number}" for number in range(1, len(bench.in_flight) + 1)]
        case "election":
            return [f"fire {node.me} {name}" for node in nodes for name in ELECTION_TIMERS if name in node.timers]
        case "other timer":
            return [f"fire {node.me} {name}" for node in nodes for name in node.timers if name not in ELECTION_TIMERS]
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


def play(algorithm: type[Raft], opening: str, moves: bytes) -> InteractionBench:
    """Play a schedule and watch it; raises ViolationError, with the script that leads to it."""
    session = Session({"raft": replace(REGISTRY["raft"], algorithm=algorithm)})
    script = [opening]
    session.run(opening)
    witness = Witness(session.bench)
    for verb, pick in zip(moves[::2], moves[1::2], strict=False):  # Shrinking may leave half a move behind.
        line = line_for(session.bench, VERBS[verb % len(VERBS)], pick)
        if line is not None:
            script.append(line)
            try:
                _run(session, witness, line)
            except ViolationError as violation:
                raise ViolationError("\n".join([str(violation), *script, "----"])) from None
    return session.bench


def _run(session: Session, witness: Witness, line: str) -> None:
    verb, _, rest = line.partition(" ")
    if verb == "deliver":
        envelope = session.bench.in_flight[int(rest[1:]) - 1]
        witness.heed_answer(envelope)
        if witness.sticks(envelope):
            witness.check_stickiness(session, line, envelope)
            return witness.look()
    if verb == "fire" and rest.endswith(" quorum") and session.bench.config.poll_interval is None:
        witness.check_lease(session, line, int(rest.split()[0]))
    else:
        session.run(line)
    return witness.look()


@st.composite
def openings(draw: st.DrawFn) -> str:
    """Clusters of one to five nodes, with logs of any lengths: the paper's Raft, a dialect, or any options at once."""
    size = draw(st.sampled_from([3, 5, 4, 3, 5, 2, 1]))
    logs = ",".join(str(draw(st.integers(0, 2))) for _ in range(size))
    kind = draw(st.sampled_from(["", "dialect", "options", "options"]))
    if kind == "dialect":
        name = draw(st.sampled_from([*DIALECTS]))
        options = f" dialect={name}{FEW_TICKS if 'tick' in DIALECTS[name].options else ''}"
    elif kind == "options":
        options = in_script(
            {
                "election_timeout": (25 * MS, 75 * MS),
                "heartbeat_interval": 25 * MS,
                **any_options(lambda *choices: draw(st.sampled_from(choices))),
            }
        )
    else:
        options = ""
    return f"cluster raft {size} logs={logs}{options}"


# Two bytes for a move: quick to draw, and quick to shrink. The length is drawn first, or most would be short.
schedules = st.sampled_from([20, 100, MOST_MOVES, MOST_MOVES]).flatmap(
    lambda moves: st.binary(min_size=2 * moves, max_size=2 * moves)
)
