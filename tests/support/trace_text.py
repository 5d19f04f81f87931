"""Hand-written traces: one line per row, `instant-in-ms what happened`."""

from simulator.protocol import ELECTORATE, Role
from simulator.trace import event_types
from simulator.trace.trace import Row, Trace

MS = 1_000_000


def parse_trace(text: str, *, end_ms: int, nodes: int = 3) -> Trace:
    """A trace from lines such as

    0   start 1 2 3
    100 1 suspects 2
    100 1 candidate 1        (node, role, term)
    120 1 leader 1           (a leader names itself)
    130 2 follower 1 of 1    (node, role, term, the leader it names)
    500 crash 1
    500 lost 1 crash         (leader, cause; likewise `back`)
    """
    rows = [row for line in text.strip().splitlines() if line.strip() for row in _rows(line.split())]
    sent = (len(rows),)  # One message is sent before each row, so that counts can be told apart.
    return Trace(
        rows=[row._replace(sent=(number,), extra_bytes=(2 * number,)) for number, row in enumerate(rows)],
        end_ns=end_ms * MS,
        groups={ELECTORATE: tuple(range(1, nodes + 1))},
        message_types=("Letter",),
        sent=sent,
        usual_bytes=(50,),  # And two more, so that a message has 52.
        extra_bytes=(2 * len(rows),),
    )


def _rows(words: list[str]) -> list[Row]:
    time_ns, words = int(words[0]) * MS, words[1:]
    simple = {
        "start": event_types.STARTED,
        "crash": event_types.CRASHED,
        "pause": event_types.PAUSED,
        "resume": event_types.RESUMED,
        "reachless": event_types.MAJORITY_LOST,
        "reachable": event_types.MAJORITY_BACK,
    }
    leadership = {"lost": event_types.LEADER_LOST, "back": event_types.LEADER_BACK}
    match words:
        case [verb, *nodes] if verb in simple:
            return [Row(time_ns, simple[verb], int(node)) for node in nodes]
        case [verb, node, cause] if verb in leadership:
            return [Row(time_ns, leadership[verb], int(node), detail=(("cause", cause),))]
        case [node, "suspects", leader]:
            return [Row(time_ns, event_types.SUSPECTED, int(node), detail=(("leader", int(leader)),))]
        case [node, role, term]:
            named = int(node) if role == Role.LEADER else None
            return [Row(time_ns, event_types.TRANSITION, int(node), int(term), Role(role), named, ELECTORATE)]
        case [node, role, term, "of", leader]:
            return [Row(time_ns, event_types.TRANSITION, int(node), int(term), Role(role), int(leader), ELECTORATE)]
    raise ValueError(f"no such line: {' '.join(words)}")
