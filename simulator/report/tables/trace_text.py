"""One trial as text: a line for each event, with its instant, its node and what happened."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain

from simulator.metrics.node_timelines import FAULT_ROWS, fault_label
from simulator.protocol import LEADER, Nanoseconds, NodeId
from simulator.trace import event_types
from simulator.trace.trace import MessageRow, Row, Trace

SENT = "message"  # The kind of a line about a message.


@dataclass(frozen=True, slots=True)
class Line:
    """`node` is None for an event of several nodes, or of none."""

    time_ns: Nanoseconds
    node: NodeId | None
    kind: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Interest:
    """Which events to show; an empty field selects all. A message belongs to its sender and to its receiver."""

    nodes: Collection[NodeId] = field(default=())
    kinds: Collection[str] = field(default=())
    from_ns: Nanoseconds = 0
    to_ns: Nanoseconds | None = None

    def covers(self, line: Line, others: Collection[NodeId] = ()) -> bool:
        """Whether to show a line. `others` are further nodes that the row or message is about."""
        involved = {line.node, *others} - {None}
        return (
            (not self.nodes or bool(involved.intersection(self.nodes)))
            and (not self.kinds or line.kind in self.kinds)
            and line.time_ns >= self.from_ns
            and (self.to_ns is None or line.time_ns <= self.to_ns)
        )


EVERYTHING = Interest()


def trace_lines(trace: Trace, interest: Interest = EVERYTHING, *, messages: bool = False) -> list[Line]:
    """The lines of a trial in order of time. Messages, if they were recorded, are at the instants of sending."""
    rows = ((_line(row, trace), _involved(row)) for row in trace.rows)
    sent = ((_sent(message), (message.to,)) for message in trace.messages) if messages else ()
    lines = [line for line, others in chain(rows, sent) if interest.covers(line, others)]
    return sorted(lines, key=lambda line: line.time_ns)


def kinds_in(trace: Trace) -> list[str]:
    """The kinds of events of this trial."""
    return sorted({row.kind for row in trace.rows} | ({SENT} if trace.messages else set()))


def _line(row: Row, trace: Trace) -> Line:
    if row.kind == event_types.TRANSITION:
        text = _declared(row, trace)
    elif row.kind in FAULT_ROWS:
        text = f"fault: {fault_label(row)}"
    else:
        text = _note(row)
    return Line(row.time_ns, row.node, row.kind, text)


def _declared(row: Row, trace: Trace) -> str:
    term = f" in term {row.term}" if row.term else ""
    group = f" of {row.group}" if row.group != trace.primary_group else ""
    if row.role is LEADER:
        return f"leads{group}{term}"
    follows = f", follows n{row.leader}" if row.leader is not None else ""
    return f"{row.role}{group}{term}{follows}"


def _note(row: Row) -> str:
    facts = dict(row.detail)
    match row.kind:
        case event_types.STARTED:
            return "starts" if not facts["incarnation"] else f"starts again (life {facts['incarnation'] + 1})"
        case event_types.CRASHED:
            return "is killed" if facts.get("cause") == event_types.KILL else "crashes"
        case event_types.PAUSED | event_types.RESUMED:
            return "is paused" if row.kind == event_types.PAUSED else "is resumed"
        case event_types.LEADER_LOST | event_types.LEADER_BACK:
            return f"is {'lost' if row.kind == event_types.LEADER_LOST else 'back'} as a leader ({facts['cause']})"
        case event_types.SUSPECTED:
            leader = facts["leader"]
            return "waits for no leader any longer" if leader is None else f"suspects its leader, n{leader}"
        case event_types.VOTE:
            return f"counts the vote of n{facts['voter']} in term {facts['term']}"
    return f"{row.kind}{_facts(facts)}"


def _facts(facts: Mapping[str, object]) -> str:
    return "".join(f" {name}={value}" for name, value in facts.items())


def _involved(row: Row) -> tuple[NodeId, ...]:
    """The nodes that a row without a node of its own speaks of."""
    return tuple(_flat(dict(row.detail).get("nodes", ()))) if row.node is None else ()


def _flat(nodes: object) -> Iterator[NodeId]:
    if isinstance(nodes, int):
        yield nodes
    elif isinstance(nodes, Iterable) and not isinstance(nodes, str):
        for node in nodes:
            yield from _flat(node)


def _sent(message: MessageRow) -> Line:
    arrives = message.arrives_ns
    fate = "lost" if arrives is None else f"arrives after {(arrives - message.sent_ns) / 1e6:.3f} ms"
    return Line(message.sent_ns, message.sender, SENT, f"→ n{message.to} {message.text} ({fate})")
