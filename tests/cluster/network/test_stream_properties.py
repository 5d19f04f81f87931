"""Streams under random schedules: whatever befalls nodes and links, a connection keeps what TCP promises.

RFC 9293, section 2.2: "TCP provides a reliable, in-order, byte-stream service". What a process is told of its
connections must agree with what is delivered to it, and after all is mended nothing may be missing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from simulator.algorithms.registration import Registration
from simulator.cluster.cluster import Cluster
from simulator.cluster.distributions import Constant, Uniform
from simulator.cluster.faults.link_degradation import Degrade, Heal, HoldBack, Release
from simulator.cluster.faults.link_faults import LinkTargets
from simulator.cluster.faults.node_faults import Crash, Kill, Pause, Restart, Resume
from simulator.cluster.faults.partitions import CutLink, Isolate, PartitionOneway
from simulator.cluster.faults.record import Fault, Injected
from simulator.cluster.faults.rng import RandomStreams
from simulator.cluster.faults.schedule import Scheduled
from simulator.cluster.network.network import NetworkSpec, StreamSpec, Transport
from simulator.cluster.network.tcp.segments import Segment
from simulator.cluster.network.tcp.sockets import CLOSED, Socket
from simulator.cluster.spec import ClusterSpec
from simulator.protocol import MILLISECOND, SECOND, Algorithm, Host, NodeId, message
from simulator.trace.trace import Trace

MS = MILLISECOND
NODES = (1, 2, 3)
SCHEDULES = 600
MOST_MOVES = 60
PATIENCE = 4000 * SECOND  # Many times the longest timeout of 120 s.
PEERS = [(one, other) for one in NODES for other in NODES if one != other]


@message
class Letter:
    life: int
    number: int  # From 1, among those of that life to that peer.


@dataclass(frozen=True, slots=True)
class Habits:
    """How often, in one life, a node sends a letter when it is told that a connection is there, or is not."""

    reactions: int = 0


class Talker(Algorithm):
    """Says what it is told to say, and notes what it is told."""

    def __init__(self, host: Host, config: Habits, durable: Mapping[str, Any]) -> None:
        super().__init__(host, config, durable)
        self.life: int = durable.get("life", 0) + 1
        self.numbers: dict[NodeId, int] = defaultdict(int)
        self.reactions: int = config.reactions

    def on_start(self) -> None:
        self.host.save(life=self.life)

    def say(self, to: NodeId) -> None:
        self.numbers[to] += 1
        self.host.note("say", life=self.life, peer=to, number=self.numbers[to])
        self.host.send(to, Letter(self.life, self.numbers[to]))

    def on_connect(self, peer: NodeId) -> None:
        self.host.note("connect", life=self.life, peer=peer)
        self._react(peer)

    def on_disconnect(self, peer: NodeId, reason: str) -> None:
        self.host.note("disconnect", life=self.life, peer=peer, reason=reason)
        self._react(peer)

    def _react(self, peer: NodeId) -> None:
        if self.reactions:
            self.reactions -= 1
            self.say(peer)

    def _on_letter(self, sender: NodeId, letter: Letter) -> None:
        self.host.note("letter", life=self.life, peer=sender, its_life=letter.life, number=letter.number)

    receive: ClassVar = {Letter: _on_letter}


@dataclass(frozen=True, slots=True)
class Say(Fault):
    """Not a fault: lets a node that is awake send a letter."""

    node: NodeId
    to: NodeId
    name: ClassVar[str] = "say"

    def inject(self, control: Any, _: RandomStreams) -> Injected:
        node = control._nodes[self.node]
        if node.awake:
            node.algorithm.say(self.to)
        return Injected(())


# --- Schedules. Three bytes for a move: what, to whom, and how long after the one before.

VERBS = ["say"] * 12 + ["cut"] * 2 + ["oneway"] * 2 + ["isolate"] + ["heal"] * 2 + ["hold", "release", "slow"]
VERBS += ["kill"] * 2 + ["crash"] * 2 + ["restart"] * 4 + ["pause"] * 2 + ["resume"] * 3 + ["both"] * 2
GAPS_MS = (0, 0, 1, 3, 10, 30, 100, 300, 1000, 3000)


def faults_for(verb: str, pick: int) -> Sequence[Fault]:
    one, other = PEERS[pick % len(PEERS)]
    match verb:
        case "say":
            return [Say(one, other)]
        case "both":  # Two that may open a connection at once.
            return [Say(one, other), Say(other, one)]
        case "cut":
            return [CutLink((one, other))]
        case "oneway":
            return [PartitionOneway((one,), (other,))]
        case "isolate":
            return [Isolate(one)]
        case "heal":
            return [Heal()]
        case "hold":
            return [HoldBack(links=LinkTargets(senders=(one,), receivers=(other,)))]
        case "release":
            return [Release()]
        case "slow":
            return [Degrade(links=LinkTargets(nodes=(one,)), latency=Uniform(0, 500 * MS), loss=0.2, duplication=0.2)]
        case _:
            return [{"kill": Kill, "crash": Crash, "restart": Restart, "pause": Pause, "resume": Resume}[verb](one)]


def scheduled(moves: bytes) -> Iterator[Scheduled]:
    """The moves; then everything is mended, and everybody speaks twice: once to find out, and once to be heard."""
    now = 100 * MS
    for verb, pick, gap in zip(moves[::3], moves[1::3], moves[2::3], strict=False):
        now += GAPS_MS[gap % len(GAPS_MS)] * MS
        for fault in faults_for(VERBS[verb % len(VERBS)], pick):
            yield Scheduled(at=Constant(now), fault=fault)
    for fault in (Heal(), Resume("all"), Restart("all")):
        yield Scheduled(at=Constant(now + SECOND), fault=fault)
    for speech in (1, 2):
        for one, other in PEERS:
            yield Scheduled(at=Constant(now + 2 * SECOND + (speech - 1) * PATIENCE), fault=Say(one, other))


schedules = st.integers(0, MOST_MOVES).flatmap(lambda length: st.binary(min_size=3 * length, max_size=3 * length))
networks = st.builds(
    lambda loss, duplication, latency, stream: NetworkSpec(
        loss=loss, duplication=duplication, latency=latency, transport=Transport.STREAM, stream=stream
    ),
    loss=st.sampled_from([0.0, 0.05, 0.3]),
    duplication=st.sampled_from([0.0, 0.2, 1.0]),
    latency=st.sampled_from([Constant(2 * MS), Uniform(MS, 40 * MS), Uniform(0, 400 * MS)]),
    stream=st.builds(
        StreamSpec,
        retransmit_after=st.sampled_from([20 * MS, 200 * MS]),
        give_up_after=st.sampled_from([SECOND, 10 * SECOND, 900 * SECOND]),
        notice=st.sampled_from([Constant(0), Uniform(0, 200 * MS)]),
        open_at_start=st.booleans(),
    ),
)
habits = st.builds(Habits, st.sampled_from([0, 1, 20]))


def play(network: NetworkSpec, habits: Habits, moves: bytes, *, journal: bool = False) -> Trace:
    faults = tuple(scheduled(moves))
    mischief_ns = 100 * MS + MOST_MOVES * max(GAPS_MS) * MS
    spec = ClusterSpec(
        registration=Registration(name="talker", algorithm=Talker, config=Habits),
        config=habits,
        nodes=len(NODES),
        duration=mischief_ns + 3 * PATIENCE,
        network=network,
        faults=faults,
        event_limit=200_000,
    )
    return Cluster(spec, 1, 0, journal=journal).run()


# --- What must hold


class BrokenError(AssertionError):
    """A promise that was not kept."""


@dataclass(slots=True)
class View:
    """What one life of a node knows of a peer."""

    connected: bool = False
    said: int = 0  # The number of the last letter to it,
    given_up: int = 0  # and of the last before a disconnection: it may have been lost.
    firsts: set[int] = field(default_factory=lambda: {1})  # The numbers with which a connection may begin.
    last: tuple[int, int] | None = None  # The last letter of this connection: the life that wrote it, and its number.


@dataclass(slots=True)
class Witness:
    """Watches what nodes are told and say.

    A node with reactions may say something before it has heard that the connection is gone: then only letters within a
    connection are held to be without gaps, not its first.
    """

    habits: Habits
    views: dict[tuple[NodeId, int, NodeId], View] = field(default_factory=lambda: defaultdict(View))
    heard: dict[tuple[NodeId, int, NodeId], set[int]] = field(default_factory=lambda: defaultdict(set))

    def look(self, trace: Trace) -> None:
        for row in trace.rows:
            if row.kind in ("say", "connect", "disconnect", "letter"):
                assert row.node is not None
                facts = dict(row.detail)
                try:
                    self._see(row.kind, row.node, facts, self.views[row.node, facts["life"], facts["peer"]])
                except BrokenError as broken:
                    raise BrokenError(
                        f"{broken}: n{row.node} at {row.time_ns / SECOND} s, {row.kind} {facts}"
                    ) from None
        self._look_for_what_is_missing()

    def _see(self, kind: str, node: NodeId, facts: dict[str, Any], view: View) -> None:
        if kind == "say":
            view.said = facts["number"]
        elif kind == "connect":
            if view.connected:
                raise BrokenError("connected twice")
            view.connected, view.last = True, None
        elif kind == "disconnect":
            if facts["reason"] == CLOSED and not view.connected:
                raise BrokenError("closed before it was open")
            view.connected, view.given_up = False, view.said
            view.firsts.add(view.said + 1)
        else:
            self._hear(node, facts, view)

    def _hear(self, node: NodeId, facts: dict[str, Any], view: View) -> None:
        life, number = facts["its_life"], facts["number"]
        heard = self.heard[facts["peer"], life, node]
        if not view.connected:
            raise BrokenError("a letter without a connection")
        if view.last is not None and (life, number) != (view.last[0], view.last[1] + 1):
            raise BrokenError("out of order, or a gap, or a repetition, or of another life")
        writer = self.views[facts["peer"], life, node]
        if view.last is None and not self.habits.reactions and number not in writer.firsts:
            raise BrokenError("not the first of a connection")
        if heard and number <= max(heard):
            raise BrokenError("heard before")
        heard.add(number)
        view.last = life, number

    def _look_for_what_is_missing(self) -> None:
        """All that the last lives have said since they were last disconnected has been heard."""
        last_lives = {node: max((life for one, life, _ in self.views if one == node), default=1) for node in NODES}
        for (node, life, peer), view in self.views.items():
            due = set(range(view.given_up + 1, view.said + 1))
            if life == last_lives[node] and not due <= self.heard[node, life, peer]:
                raise BrokenError(f"n{peer} has not heard {due - self.heard[node, life, peer]} of n{node}")


@settings(max_examples=SCHEDULES)
@given(networks, habits, schedules)
def test_connections_keep_their_promises_under_any_schedule(network: NetworkSpec, habits: Habits, moves: bytes) -> None:
    """In order, no gaps or repetitions, from one life to one life; connected and disconnected in turn; complete."""
    Witness(habits).look(play(network, habits, moves))


@settings(max_examples=50)
@given(networks, habits, schedules)
def test_the_same_schedule_has_the_same_digest(network: NetworkSpec, habits: Habits, moves: bytes) -> None:
    """ "same scenario, seed and versions, same digest" (design.md, section 4), with a journal or without."""
    digests = {play(network, habits, moves, journal=journal).digest for journal in (False, False, True)}
    assert len(digests) == 1


def test_the_schedules_reach_what_they_are_about() -> None:
    """Letters are heard, connections end for every reason, and both sides open at once."""
    reasons: dict[str, int] = defaultdict(int)
    heard: list[int] = []

    @settings(max_examples=200, phases=[Phase.generate])
    @given(networks, habits, schedules)
    def collect(network: NetworkSpec, habits: Habits, moves: bytes) -> None:
        trace = play(network, habits, moves)
        heard.append(len(trace.of_type("letter")))
        for row in trace.of_type("disconnect"):
            reasons[row.field("reason")] += 1

    collect()
    assert sorted(heard)[len(heard) // 2] > 12  # More than the last speeches.
    assert min(reasons[reason] for reason in ("refused", "closed", "reset", "timeout")) > 20


# --- Mutants: each breaks one rule


def deliver_on_arrival(self: Socket, segment: Segment) -> None:
    if not self.opened:
        self._establish()
    if segment.number >= 0 and not self.gone:
        self._expected += 1
        self.host_stack.interface.deliver(self.peer, segment.contents)


def tell_too_early(self: Socket) -> None:
    waiting, self._waiting = self._waiting, []
    establish(self)
    for letter in waiting:
        self.send(letter)


establish = Socket._establish


def lose_for_good(self: Socket, segment: Segment) -> None:
    return


def forget_to_leave(self: Socket) -> None:
    self.other = None
    self._waiting.clear()


def forget_to_tell(self: Socket, reason: str) -> None:
    if not self.gone:
        del self.host_stack.sockets[self.peer]
    self.abandon()


@pytest.mark.parametrize(
    ("owner", "method", "mutant"),
    [
        (Socket, "receive", deliver_on_arrival),
        (Socket, "_establish", tell_too_early),
        (Socket, "lose", lose_for_good),
        (Socket, "_forget_other", forget_to_leave),
        (Socket, "drop", forget_to_tell),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_the_search_convicts_a_mutant(owner: type, method: str, mutant: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Issue 2, "the checker can fail": what breaks a rule is found with as many schedules, or stumbles over itself."""
    monkeypatch.setattr(owner, method, mutant)

    @settings(max_examples=SCHEDULES, phases=[Phase.generate])
    @given(networks, habits, schedules)
    def search(network: NetworkSpec, habits: Habits, moves: bytes) -> None:
        Witness(habits).look(play(network, habits, moves))

    with pytest.raises((BrokenError, AssertionError, KeyError)):
        search()
