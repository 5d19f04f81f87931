"""Which messages in flight a command of a script means."""

from __future__ import annotations

from simulator.protocol import describe
from simulator.testing.bench import Envelope, InteractionBench
from simulator.testing.errors import InteractionError
from simulator.testing.syntax import parse_link, parse_message, parse_whole


def select(bench: InteractionBench, text: str) -> list[Envelope]:
    """The messages in flight that `[LINK] [COUNT | #NUMBER | MESSAGE]` selects. Raises InteractionError for none."""
    first, _, rest = text.partition(" ")
    link = parse_link(first)
    sender, to = link or (None, None)
    which = (rest if link else text).strip()
    for node in (sender, to):
        if node is not None:
            bench.node(node)
    on_link = [
        envelope for envelope in bench.in_flight if sender in (None, envelope.sender) and to in (None, envelope.to)
    ]
    selected = _narrow(bench, on_link, which)
    if not selected:
        raise InteractionError(f"nothing like {text!r} is in flight" if text else "nothing is in flight")
    return selected


def _narrow(bench: InteractionBench, envelopes: list[Envelope], which: str) -> list[Envelope]:
    if not which:
        return envelopes
    if which.startswith("#"):
        number = parse_whole(which[1:])
        return envelopes[number - 1 : number] if number else []
    if which[0].isdigit():
        number = parse_whole(which)
        if len(envelopes) < number:
            raise InteractionError(f"only {len(envelopes)} in flight, not {number}")
        return envelopes[:number]
    known = bench.registration.receive
    if which in {kind.__name__ for kind in known}:
        return [envelope for envelope in envelopes if type(envelope.message).__name__ == which]
    message = describe(parse_message(which, known))
    return [envelope for envelope in envelopes if envelope.text == message]
