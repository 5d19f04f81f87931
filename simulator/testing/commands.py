"""The commands of a script, one function each. The table at the end lists them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from simulator.algorithms.registration import Registration
from simulator.protocol import FOLLOWER, LEADER, describe
from simulator.testing.bench import InteractionBench
from simulator.testing.build import build_bench
from simulator.testing.errors import InteractionError
from simulator.testing.node import BenchNode, Transition
from simulator.testing.selection import select
from simulator.testing.syntax import (
    parse_assignments,
    parse_duration,
    parse_link,
    parse_literal,
    parse_message,
    parse_whole,
    show_duration,
)


class Session:
    """The bench of one script.

    The answer to a command lists the messages that left, then the transitions, then what the command asked for.
    """

    def __init__(self, registry: Mapping[str, Registration]) -> None:
        self.registry = registry
        self._bench: InteractionBench | None = None

    @property
    def bench(self) -> InteractionBench:
        """The bench of the cluster. Raises InteractionError before the first `cluster` command."""
        if self._bench is None:
            raise InteractionError("there is no cluster yet: begin with `cluster ALGORITHM NODES`")
        return self._bench

    def run(self, line: str) -> list[str]:
        """Run one command line.

        Returns the lines of its answer. Raises InteractionError if the command cannot be run.
        """
        name, _, rest = line.strip().partition(" ")
        if name not in COMMANDS:
            raise InteractionError(f"unknown command {name!r}; there are: {', '.join(COMMANDS)}")
        sent, transitions = (0, 0) if self._bench is None else (len(self._bench.sent), len(self._bench.transitions))
        asked = COMMANDS[name](self, rest.strip())
        left = [str(envelope) for envelope in self.bench.sent[sent:]]
        declared = self.bench.transitions[transitions:]
        if name == "cluster":  # Every node starts as a follower that knows no leader; that is not shown.
            declared = [row for row in declared if row.role is not FOLLOWER or row.leader is not None]
        return [*left, *(self.show(row) for row in declared), *asked]

    def show(self, transition: Transition) -> str:
        """A transition as a line of an answer."""
        led = transition.role is LEADER and transition.leader == transition.node
        leader = "" if led or transition.leader is None else f" leader {transition.leader}"
        group = "" if transition.group == self.bench.registration.group else f" in {transition.group}"
        return f"{transition.node} {transition.role} term {transition.term}{leader}{group}"

    def open(self, bench: InteractionBench) -> None:
        """Use this bench. Raises InteractionError if there is one already."""
        if self._bench is not None:
            raise InteractionError("there is a cluster already")
        self._bench = bench

    def node(self, text: str) -> BenchNode:
        """The node with this number."""
        return self.bench.node(parse_whole(text))


def _cluster(session: Session, text: str) -> list[str]:
    """`cluster ALGORITHM NODES [logs=1,2,3] [seed=N] [dialect=NAME] [OPTION=VALUE …]`: build and start the nodes."""
    session.open(build_bench(text, session.registry))
    return []


def _timeout(session: Session, text: str) -> list[str]:
    """`timeout NODE`: the timer `election` of the node comes due now."""
    session.node(text).fire("election")
    return []


def _fire(session: Session, text: str) -> list[str]:
    """`fire NODE TIMER`: the timer with this name comes due now."""
    node, _, timer = text.partition(" ")
    session.node(node).fire(timer.strip())
    return []


def _advance(session: Session, text: str) -> list[str]:
    """`advance DURATION`: move the clock forward; the timers that come due fire, in order."""
    session.bench.advance(parse_duration(text))
    return []


def _deliver(session: Session, text: str) -> list[str]:
    """`deliver [LINK] [COUNT | #NUMBER | MESSAGE]`: deliver messages in flight, but none that follow from them."""
    for envelope in select(session.bench, text):
        session.bench.deliver(envelope)
    return []


def _drop(session: Session, text: str) -> list[str]:
    """`drop [LINK] [COUNT | #NUMBER | MESSAGE]`: lose messages in flight."""
    for envelope in select(session.bench, text):
        session.bench.drop(envelope)
    return []


def _duplicate(session: Session, text: str) -> list[str]:
    """`duplicate [LINK] [COUNT | #NUMBER | MESSAGE]`: put a copy of each in flight."""
    for envelope in select(session.bench, text):
        session.bench.duplicate(envelope)
    return []


def _settle(session: Session, text: str) -> list[str]:
    """`settle`: deliver messages in the order of sending, until none is in flight."""
    _nothing_more(text)
    session.bench.settle()
    return []


def _inject(session: Session, text: str) -> list[str]:
    """`inject 1->2 MESSAGE`: 2 receives the message at once, even if 1 has not sent it (stale or forged)."""
    first, _, rest = text.partition(" ")
    sender, to = parse_link(first) or (None, None)
    if sender is None or to is None:
        raise InteractionError("usage: inject FROM->TO MESSAGE")
    message = parse_message(rest.strip(), session.bench.registration.receive)
    session.bench.deliver(session.bench.inject(sender, to, message))
    return []


def _ask(session: Session, text: str) -> list[str]:
    """`ask NODE COMMAND`: give the node a command of a client or an operator, such as `ask 1 Propose(size=10)`."""
    node, _, rest = text.partition(" ")
    command = parse_message(rest.strip(), session.bench.registration.command_types)
    session.node(node).command(command)
    return []


def _connect(session: Session, text: str) -> list[str]:
    """`connect NODE PEER`: tell the node that its connection with the peer is open."""
    node, _, peer = text.partition(" ")
    session.node(node).connect(session.node(peer).me)
    return []


def _disconnect(session: Session, text: str) -> list[str]:
    """`disconnect NODE PEER REASON`: tell the node that its connection with the peer is closed."""
    node, *rest = text.split()
    if len(rest) != 2 or rest[1] not in ("refused", "closed", "reset", "timeout"):
        raise InteractionError("usage: disconnect NODE PEER refused|closed|reset|timeout")
    session.node(node).disconnect(session.node(rest[0]).me, rest[1])
    return []


def _crash(session: Session, text: str) -> list[str]:
    """`crash NODE`: the node loses everything that is not on its disk."""
    session.node(text).crash()
    return []


def _restart(session: Session, text: str) -> list[str]:
    """`restart NODE`: start the node from its disk."""
    session.node(text).start()
    return []


def _disk(session: Session, text: str) -> list[str]:
    """`disk NODE slow|fast`: a slow disk finishes writes only on `sync`."""
    node, _, speed = text.partition(" ")
    if speed not in ("slow", "fast"):
        raise InteractionError("usage: disk NODE slow|fast")
    session.node(node).set_disk(slow=speed == "slow")
    return []


def _sync(session: Session, text: str) -> list[str]:
    """`sync NODE [COUNT]`: finish the first COUNT waiting writes of the node, or all."""
    node, _, writes = text.partition(" ")
    session.node(node).sync(parse_whole(writes) if writes else None)
    return []


def _store(session: Session, text: str) -> list[str]:
    """`store NODE NAME=VALUE …`: put values on the disk of a node that is down."""
    first, *rest = text.split(maxsplit=1)
    node = session.node(first)
    if node.running:
        raise InteractionError(f"node {node.me} is running: crash it first")
    node.durable.update(
        {name: parse_literal(value) for name, value in parse_assignments(" ".join(rest).split()).items()}
    )
    return []


def _state(session: Session, text: str) -> list[str]:
    """`state [NODE]`: show what each node has declared, and what is on its disk."""
    return [_describe_node(session, node) for node in _asked_nodes(session, text)]


def _describe_node(session: Session, node: BenchNode) -> str:
    declared = f"{node.me} down" if node.declared is None else session.show(node.declared)
    disk = ", ".join(f"{name}={value}" for name, value in sorted(node.durable.items()))
    return f"{declared} (disk: {disk or 'empty'})"


def _inflight(session: Session, text: str) -> list[str]:
    """`inflight`: show the messages in flight, then those that wait for a write to disk."""
    _nothing_more(text)
    held = [
        f"held {node.me}->{to} {describe(message)}"
        for node in session.bench.nodes.values()
        for to, message in node.held
    ]
    return [*map(str, session.bench.in_flight), *held]


def _timers(session: Session, text: str) -> list[str]:
    """`timers [NODE]`: show the pending timers, and when they come due."""
    now = session.bench.now()
    return [
        f"{node.me} {name} in {show_duration(timer.deadline_ns - now)}"
        for node in _asked_nodes(session, text)
        for name, timer in sorted(node.timers.items())
    ]


def _notes(session: Session, text: str) -> list[str]:
    """`notes NODE [KIND]`: show what the node has written to the trace so far, in order."""
    node, _, kind = text.partition(" ")
    me = session.node(node).me
    return [
        " ".join([f"{me} {note.kind}", *(f"{name}={value}" for name, value in note.fields.items())])
        for note in session.bench.notes
        if note.node == me and kind.strip() in ("", note.kind)
    ]


def _asked_nodes(session: Session, text: str) -> list[BenchNode]:
    return [session.node(text)] if text else list(session.bench.nodes.values())


def _nothing_more(text: str) -> None:
    if text:
        raise InteractionError(f"this command takes no argument, but has {text!r}")


COMMANDS: Mapping[str, Callable[[Session, str], list[str]]] = {
    "cluster": _cluster,
    "timeout": _timeout,
    "fire": _fire,
    "advance": _advance,
    "deliver": _deliver,
    "drop": _drop,
    "duplicate": _duplicate,
    "settle": _settle,
    "inject": _inject,
    "ask": _ask,
    "connect": _connect,
    "disconnect": _disconnect,
    "crash": _crash,
    "restart": _restart,
    "disk": _disk,
    "sync": _sync,
    "store": _store,
    "state": _state,
    "inflight": _inflight,
    "timers": _timers,
    "notes": _notes,
}
