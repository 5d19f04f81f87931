"""The commands of a script, one function each: the table at the end is the list of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import get_type_hints

from simulator.algorithms.registration import Registration
from simulator.protocol import FOLLOWER, LEADER, OneOf, describe
from simulator.testing.bench import Envelope, InteractionBench
from simulator.testing.errors import InteractionError
from simulator.testing.node import BenchNode, Transition
from simulator.testing.syntax import (
    parse_duration,
    parse_link,
    parse_literal,
    parse_message,
    parse_option,
    parse_whole,
    show_duration,
)


class Session:
    """One script's bench. A command answers with the messages that left, then the transitions, then what it asked."""

    def __init__(self, registry: Mapping[str, Registration]) -> None:
        self.registry = registry
        self._bench: InteractionBench | None = None

    @property
    def bench(self) -> InteractionBench:
        if self._bench is None:
            raise InteractionError("there is no cluster yet: begin with `cluster ALGORITHM NODES`")
        return self._bench

    def run(self, line: str) -> list[str]:
        """Run one command line; raises InteractionError for what it cannot do."""
        name, _, rest = line.strip().partition(" ")
        if name not in COMMANDS:
            raise InteractionError(f"unknown command {name!r}; there are: {', '.join(COMMANDS)}")
        sent, transitions = (0, 0) if self._bench is None else (len(self._bench.sent), len(self._bench.transitions))
        asked = COMMANDS[name](self, rest.strip())
        left = [str(envelope) for envelope in self.bench.sent[sent:]]
        declared = self.bench.transitions[transitions:]
        if name == "cluster":  # Where every node starts: as a follower who knows no leader.
            declared = [one for one in declared if one.role is not FOLLOWER or one.leader is not None]
        return [*left, *(self.show(one) for one in declared), *asked]

    def show(self, transition: Transition) -> str:
        led = transition.role is LEADER and transition.leader == transition.node
        leader = "" if led or transition.leader is None else f" leader {transition.leader}"
        group = "" if transition.group == self.bench.registration.group else f" in {transition.group}"
        return f"{transition.node} {transition.role} term {transition.term}{leader}{group}"

    def open(self, bench: InteractionBench) -> None:
        if self._bench is not None:
            raise InteractionError("there is a cluster already")
        self._bench = bench

    def node(self, text: str) -> BenchNode:
        return self.bench.node(parse_whole(text))

    def selected(self, text: str) -> list[Envelope]:
        """The messages in flight that `[LINK] [COUNT | #NUMBER | MESSAGE]` speaks of; never none."""
        first, _, rest = text.partition(" ")
        link = parse_link(first)
        sender, to = link or (None, None)
        which = (rest if link else text).strip()
        for node in (sender, to):
            if node is not None:
                self.bench.node(node)
        there = [
            envelope
            for envelope in self.bench.in_flight
            if sender in (None, envelope.sender) and to in (None, envelope.to)
        ]
        chosen = self._narrow(there, which)
        if not chosen:
            raise InteractionError(f"nothing like {text!r} is in flight" if text else "nothing is in flight")
        return chosen

    def _narrow(self, there: list[Envelope], which: str) -> list[Envelope]:
        if not which:
            return there
        if which.startswith("#"):
            number = parse_whole(which[1:])
            return there[number - 1 : number] if number else []
        if which[0].isdigit():
            number = parse_whole(which)
            if len(there) < number:
                raise InteractionError(f"only {len(there)} in flight, not {number}")
            return there[:number]
        known = self.bench.registration.receive
        if which in {kind.__name__ for kind in known}:
            return [envelope for envelope in there if type(envelope.message).__name__ == which]
        message = describe(parse_message(which, known))
        return [envelope for envelope in there if envelope.text == message]


def _assignments(words: list[str]) -> dict[str, str]:
    for word in words:
        if "=" not in word:
            raise InteractionError(f"{word!r} is not of the form name=value")
    return {name: value for name, _, value in (word.partition("=") for word in words)}


def _cluster(session: Session, text: str) -> list[str]:
    """`cluster ALGORITHM NODES [logs=1,2,3] [seed=N] [dialect=NAME] [OPTION=VALUE …]`: build and start the nodes."""
    words = text.split()
    if len(words) < 2:
        raise InteractionError("usage: cluster ALGORITHM NODES [logs=1,2,3] [seed=N] [dialect=NAME] [OPTION=VALUE …]")
    name, nodes, *rest = words
    if name not in session.registry:
        raise InteractionError(f"unknown algorithm {name!r}; there are: {', '.join(session.registry)}")
    registration = session.registry[name]
    settings = _assignments(rest)
    logs = [parse_whole(length) for length in settings.pop("logs").split(",")] if "logs" in settings else None
    seed = parse_whole(settings.pop("seed", "0"))
    options = _dialect(registration, settings.pop("dialect", None))
    allowed = [field.name for field in fields(registration.config)]
    if unknown := [option for option in settings if option not in allowed]:
        raise InteractionError(f"{name} has no option {unknown[0]!r}; it has: {', '.join(allowed)}")
    try:
        options |= {option: _option(registration.config, option, value) for option, value in settings.items()}
        config = registration.config(**options)
    except (TypeError, ValueError) as error:
        raise InteractionError(f"{text}: {error}") from error
    session.open(InteractionBench(registration, parse_whole(nodes), config=config, logs=logs, seed=seed))
    return []


def _option(config: type, name: str, text: str) -> object:
    """An option's value; where it is one of several sets of options, `phi`, or `phi(threshold=8,window=100)`."""
    hint = get_type_hints(config, include_extras=True)[name]
    choice = next((mark for mark in getattr(hint, "__metadata__", ()) if isinstance(mark, OneOf)), None)
    chosen, _, inside = text.partition("(")
    if choice is None or chosen not in choice.forms:
        return parse_option(text)
    given = _assignments([part for part in inside.removesuffix(")").split(",") if part])
    return choice.forms[chosen](**{part: parse_option(value) for part, value in given.items()})


def _dialect(registration: Registration, name: str | None) -> dict[str, object]:
    if name is None:
        return {}
    if name not in registration.dialects:
        known = ", ".join(registration.dialects) or "none"
        raise InteractionError(f"{registration.name} has no dialect {name!r}; there are: {known}")
    return dict(registration.dialects[name])


def _timeout(session: Session, text: str) -> list[str]:
    """`timeout NODE`: the node's election timer comes due now."""
    session.node(text).fire("election")
    return []


def _fire(session: Session, text: str) -> list[str]:
    """`fire NODE TIMER`: the timer of that name comes due now."""
    node, _, timer = text.partition(" ")
    session.node(node).fire(timer.strip())
    return []


def _advance(session: Session, text: str) -> list[str]:
    """`advance DURATION`: the clock moves on, and the timers that come due fire, in order."""
    session.bench.advance(parse_duration(text))
    return []


def _deliver(session: Session, text: str) -> list[str]:
    """`deliver [LINK] [COUNT | #NUMBER | MESSAGE]`: deliver those in flight now, not what they lead to."""
    for envelope in session.selected(text):
        session.bench.deliver(envelope)
    return []


def _drop(session: Session, text: str) -> list[str]:
    """`drop [LINK] [COUNT | #NUMBER | MESSAGE]`: the network loses them."""
    for envelope in session.selected(text):
        session.bench.drop(envelope)
    return []


def _duplicate(session: Session, text: str) -> list[str]:
    """`duplicate [LINK] [COUNT | #NUMBER | MESSAGE]`: the network carries each a second time."""
    for envelope in session.selected(text):
        session.bench.duplicate(envelope)
    return []


def _settle(session: Session, text: str) -> list[str]:
    """`settle`: deliver in the order of sending until nothing is in flight."""
    _nothing_more(text)
    session.bench.settle()
    return []


def _inject(session: Session, text: str) -> list[str]:
    """`inject 1->2 MESSAGE`: 2 receives at once what 1 need not have sent: a stale or forged message."""
    first, _, rest = text.partition(" ")
    sender, to = parse_link(first) or (None, None)
    if sender is None or to is None:
        raise InteractionError("usage: inject FROM->TO MESSAGE")
    message = parse_message(rest.strip(), session.bench.registration.receive)
    session.bench.deliver(session.bench.inject(sender, to, message))
    return []


def _ask(session: Session, text: str) -> list[str]:
    """`ask NODE COMMAND`: a client or an operator asks the node for something: `ask 1 Propose(size=10)`."""
    node, _, rest = text.partition(" ")
    command = parse_message(rest.strip(), session.bench.registration.command_types)
    session.node(node).command(command)
    return []


def _connect(session: Session, text: str) -> list[str]:
    """`connect NODE PEER`: the node is told that its connection with the peer is open."""
    node, _, peer = text.partition(" ")
    session.node(node).connect(session.node(peer).me)
    return []


def _disconnect(session: Session, text: str) -> list[str]:
    """`disconnect NODE PEER REASON`: the node is told that it is gone: refused, closed, reset, or by a timeout."""
    node, *rest = text.split()
    if len(rest) != 2 or rest[1] not in ("refused", "closed", "reset", "timeout"):
        raise InteractionError("usage: disconnect NODE PEER refused|closed|reset|timeout")
    session.node(node).disconnect(session.node(rest[0]).me, rest[1])
    return []


def _crash(session: Session, text: str) -> list[str]:
    """`crash NODE`: it loses everything but what is on its disk."""
    session.node(text).crash()
    return []


def _restart(session: Session, text: str) -> list[str]:
    """`restart NODE`: it starts anew from its disk."""
    session.node(text).start()
    return []


def _disk(session: Session, text: str) -> list[str]:
    """`disk NODE slow|fast`: a slow disk finishes a write when told to, by `sync`."""
    node, _, speed = text.partition(" ")
    if speed not in ("slow", "fast"):
        raise InteractionError("usage: disk NODE slow|fast")
    session.node(node).set_disk(slow=speed == "slow")
    return []


def _sync(session: Session, text: str) -> list[str]:
    """`sync NODE [COUNT]`: its waiting writes, or the first of them, are on disk."""
    node, _, writes = text.partition(" ")
    session.node(node).sync(parse_whole(writes) if writes else None)
    return []


def _store(session: Session, text: str) -> list[str]:
    """`store NODE NAME=VALUE …`: put on the disk of a node that is down what an earlier life left there."""
    first, *rest = text.split(maxsplit=1)
    node = session.node(first)
    if node.running:
        raise InteractionError(f"node {node.me} is running: crash it first")
    node.durable.update({name: parse_literal(value) for name, value in _assignments(" ".join(rest).split()).items()})
    return []


def _state(session: Session, text: str) -> list[str]:
    """`state [NODE]`: what each node has declared, and what is on its disk."""
    return [_describe_node(session, node) for node in _asked_nodes(session, text)]


def _describe_node(session: Session, node: BenchNode) -> str:
    declared = f"{node.me} down" if node.declared is None else session.show(node.declared)
    disk = ", ".join(f"{name}={value}" for name, value in sorted(node.durable.items()))
    return f"{declared} (disk: {disk or 'empty'})"


def _inflight(session: Session, text: str) -> list[str]:
    """`inflight`: the messages in flight, then those that wait for a write to disk."""
    _nothing_more(text)
    held = [
        f"held {node.me}->{to} {describe(message)}"
        for node in session.bench.nodes.values()
        for to, message in node.held
    ]
    return [*map(str, session.bench.in_flight), *held]


def _timers(session: Session, text: str) -> list[str]:
    """`timers [NODE]`: the timers that are set, and when they come due."""
    now = session.bench.now()
    return [
        f"{node.me} {name} in {show_duration(timer.deadline_ns - now)}"
        for node in _asked_nodes(session, text)
        for name, timer in sorted(node.timers.items())
    ]


def _notes(session: Session, text: str) -> list[str]:
    """`notes NODE [KIND]`: what the node has written to the trace so far, in its order."""
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
        raise InteractionError(f"{text!r} says nothing here")


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
