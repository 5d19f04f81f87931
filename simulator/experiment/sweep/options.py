"""Options of a study as a command line has them: `cluster.nodes=3,5,9`, and `algorithm=raft` for a reference."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from simulator.scenario import ScenarioError
from simulator.scenario.text.errors import Problem, alternatives

_SHARED = ("trials", "seed")
_OPENING, _CLOSING = "[{(", ")}]"


def varied(texts: Iterable[str]) -> dict[str, list[str]]:
    """From `cluster.nodes=3,5,9` the field and its values. A comma inside brackets separates nothing.

    `algorithm=NAME` swaps the algorithm. Raises ScenarioError for what cannot be read, or says something twice.
    """
    found: dict[str, list[str]] = {}
    for text in texts:
        field, equals, values = (part.strip() for part in text.partition("="))
        listed = [value.strip() for value in _split(values)]
        if not equals or not field or not all(listed):
            raise _refused(text, "write a field and its values: cluster.nodes=3,5,9")
        if field in _SHARED:
            raise _refused(text, f"all variants have the same {field}, so that they can be compared; give --{field}")
        if field in found:
            raise _refused(text, f"{field} is varied twice; write all its values in one list")
        if twice := [value for number, value in enumerate(listed) if value in listed[:number]]:
            raise _refused(text, f"{twice[0]} is there twice")
        found[field] = listed
    return found


def read_reference(texts: Iterable[str], fields: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """From `algorithm=raft` the settings of a reference. Raises ScenarioError if no variant has them."""
    found: dict[str, str] = {}
    for text in texts:
        field, equals, value = (part.strip() for part in text.partition("="))
        if not equals or field not in fields:
            raise _refused(text, f"name a field that is varied; {alternatives(field, list(fields))}", "--reference")
        if value not in fields[field]:
            raise _refused(text, f"no variant has this; {alternatives(value, list(fields[field]))}", "--reference")
        found[field] = value
    return found


def _split(text: str) -> list[str]:
    """At commas that are outside of brackets."""
    parts, depth, start = [], 0, 0
    for position, character in enumerate(text):
        depth += (character in _OPENING) - (character in _CLOSING)
        if character == "," and depth == 0:
            parts.append(text[start:position])
            start = position + 1
    return [*parts, text[start:]]


def _refused(text: str, message: str, option: str = "--vary") -> ScenarioError:
    return ScenarioError([Problem(f"{option} {text}", (), message)])
