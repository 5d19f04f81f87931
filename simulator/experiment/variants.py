"""Variants of a scenario: every combination of the values that some of its fields take."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from simulator.scenario import Scenario, ScenarioError, load
from simulator.scenario.text.errors import Problem, alternatives

if TYPE_CHECKING:
    from simulator.analysis.comparison import ComparedVariant
    from simulator.experiment.runner import Result

ALGORITHM = "algorithm"
_SHARED = ("trials", "seed")
_OPENING, _CLOSING = "[{(", ")}]"
MOST = 50

Settings = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A scenario with some fields set; `settings` has the text of each, in the order in which they were varied."""

    settings: Settings
    scenario: Scenario

    @property
    def name(self) -> str:
        """The variant's name in tables and files."""
        return name_of(self.settings)

    def compared(self, result: Result) -> ComparedVariant:
        """This variant with the tables of its run, as `simulator.analysis.comparison` takes it."""
        from simulator.analysis.comparison import ComparedVariant  # Imports scipy: for a comparison only.

        return ComparedVariant(name=self.name, settings=self.settings, tables=result.tables)

    def described(self, result: Result, directory: str) -> dict[str, Any]:
        """Its entry in the `variants` of `comparison.json`: its settings, and the outcome of its trials."""
        found = {
            "name": self.name,
            "settings": dict(self.settings),
            "directory": directory,
            "digest": result.digest,
            "trials": result.summary["trials"],
            "violations": result.summary["violations"],
        }
        kept = {name: result.summary[name] for name in ("published_left_out",) if name in result.summary}
        return found | kept


def name_of(settings: Settings) -> str:
    """The name of the variant with these settings: the values, with their fields where a value says too little."""
    return ", ".join(
        value if field == ALGORITHM else f"{field.rpartition('.')[2]} {value}" for field, value in settings.items()
    )


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


def variants(
    path: str | os.PathLike[str],
    fields: Mapping[str, Sequence[str]],
    overrides: Iterable[str] = (),
    allow_files: Iterable[str | os.PathLike[str]] = (),
) -> list[Variant]:
    """Every combination of the values; the last field changes fastest. `allow_files` is that of `simulator.load`.

    Raises ScenarioError if a combination is not a valid scenario.
    """
    allow_files = tuple(allow_files)
    count = 1
    for values in fields.values():
        count *= len(values)
    if count > MOST:
        raise _refused(" × ".join(fields), f"{count:,} variants; compare {MOST} at most")
    if count < 2:
        raise _refused(" ".join(fields) or "FIELD", "give values to compare, two at least: cluster.nodes=3,5")
    overrides = tuple(overrides)
    made = []
    for values in product(*fields.values()):
        settings = dict(zip(fields, values, strict=True))
        sets = tuple(f"{field}={value}" for field, value in settings.items() if field != ALGORITHM)
        scenario = load(path, (*overrides, *sets), algorithm=settings.get(ALGORITHM), allow_files=allow_files)
        made.append(Variant(settings=settings, scenario=scenario))
    return made


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
