"""Reads YAML text as plain values, each with its line. It accepts only the part of YAML that scenarios need.

There are no tags, anchors, aliases or merge keys. No key is given twice. Size and depth are bounded, so that no text
can exhaust memory. Scalars follow YAML 1.2: `on`, `1:30`, `010` and `2024-01-01` are text, not a truth value, 90, 8 and
a date.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from simulator.scenario.text.errors import Path, Problem, ScenarioError, one_line, shown

LARGEST_BYTES = 1_000_000
DEEPEST = 20
MOST_VALUES = 50_000
_MOST_DIGITS = 40


class _Loader(yaml.SafeLoader):
    """Resolves scalars as YAML 1.2 does."""

    yaml_implicit_resolvers: dict[str, list[Any]] = {}  # noqa: RUF012 - PyYAML's own way to be configured.


_NUMBER_STARTS = list("-+.0123456789")
_Loader.add_implicit_resolver("null", re.compile(r"(?:~|null|Null|NULL|)\Z"), ["~", "n", "N", ""])
_Loader.add_implicit_resolver("bool", re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z"), list("tTfF"))
_Loader.add_implicit_resolver("int", re.compile(r"[-+]?(?:0|[1-9][0-9]*)\Z"), _NUMBER_STARTS)
_Loader.add_implicit_resolver(
    "float",
    re.compile(r"(?:[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.inf|\.nan)\Z"),
    _NUMBER_STARTS,
)
RESOLVERS = _Loader.yaml_implicit_resolvers


@dataclass(slots=True)
class Document:
    """Plain values (mappings, lists, text, numbers, true, false, null), and the origin of each."""

    source: str
    tree: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    overridden: dict[Path, str] = field(default_factory=dict)  # For each value that an override has set, the override.

    def where(self, path: Path) -> str:
        """The origin of the value at this path, or of the value around it: an override, or file and line."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.overridden:
                return f"override {self.overridden[path[:length]]}"
            if path[:length] in self.lines:
                return f"{self.source}:{self.lines[path[:length]]}"
        return self.source


def parse(text: str, source: str) -> Document:
    """The document in a text. Raises ScenarioError if it is not YAML, or uses a part of YAML that is not accepted."""
    document = Document(source)
    if len(text.encode(errors="replace")) > LARGEST_BYTES:
        raise _error(source, None, f"larger than {LARGEST_BYTES} bytes, which no scenario needs")
    try:
        _check_events(text, source)
        node = yaml.compose(text, _Loader)
    except ScenarioError:
        raise
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise _error(source, line, f"a character that YAML does not allow: {shown(chr(error.character))}") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = ", ".join(part for part in (error.context, error.problem) if part)
        if mark is not None and _is_stopped_by_tab(text, mark.line, message):
            message = "a tab, where YAML takes spaces only; write spaces in its place"
        raise _error(source, None if mark is None else mark.line + 1, f"not YAML: {message}") from None
    except (
        yaml.YAMLError,
        ValueError,
        OverflowError,
    ) as error:  # PyYAML raises OverflowError for the escape \Uffffffff.
        raise _error(source, None, f"not YAML: {error}") from None
    document.tree = None if node is None else _plain(node, (), document)
    return document


def _is_stopped_by_tab(text: str, line: int, message: str) -> bool:
    lines = text.splitlines()
    written = lines[line] if line < len(lines) else ""
    return "'\\t'" in message or "\t" in written[: len(written) - len(written.lstrip())]


def _line(where: yaml.Event | yaml.Node) -> int:
    assert where.start_mark is not None
    return int(where.start_mark.line) + 1


def _error(source: str, line: int | None, message: str) -> ScenarioError:
    where = source if line is None else f"{source}:{line}"
    return ScenarioError([Problem(where, (), one_line(message))])


def _check_events(text: str, source: str) -> None:
    """Checks syntax, size and depth event by event, before any value is built. Raises ScenarioError."""
    depth = values = 0
    for event in yaml.parse(text, _Loader):
        line = _line(event)
        if isinstance(event, yaml.AliasEvent) or (isinstance(event, yaml.NodeEvent) and event.anchor is not None):
            raise _error(source, line, "anchors and aliases (& and *) are not used in scenarios; write the value out")
        if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag is not None:
            raise _error(source, line, "tags (!) are not used in scenarios; leave this one out")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        values += isinstance(event, yaml.NodeEvent)
        if depth > DEEPEST or values > MOST_VALUES:
            limit = f"nested deeper than {DEEPEST}" if depth > DEEPEST else f"more than {MOST_VALUES} values"
            raise _error(source, line, f"{limit}, which no scenario needs")


def _plain(node: yaml.Node, path: Path, document: Document) -> Any:
    document.lines.setdefault(path, _line(node))
    if isinstance(node, yaml.SequenceNode):
        return [_plain(part, (*path, position), document) for position, part in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, document)
    assert isinstance(node, yaml.ScalarNode)
    return _scalar(node, path, document)


def _mapping(node: yaml.MappingNode, path: Path, document: Document) -> Mapping[str, Any]:
    plain: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = _line(key_node)
        if not isinstance(key_node, yaml.ScalarNode):
            raise ScenarioError([Problem(f"{document.source}:{line}", path, "a key must be a word")])
        key = key_node.value  # Keys are text, whatever they look like: `on` and `1` are unknown keys.
        if key in plain:
            earlier = document.lines[(*path, key)]
            raise ScenarioError(
                [Problem(f"{document.source}:{line}", (*path, key), f"given twice; the first is on line {earlier}")]
            )
        document.lines[(*path, key)] = line
        plain[key] = _plain(value_node, (*path, key), document)
    return plain


def _scalar(node: yaml.ScalarNode, path: Path, document: Document) -> str | int | float | bool | None:
    text: str = node.value
    tag = node.tag
    if tag == "null":
        return None
    if tag == "bool":
        return text.lower() == "true"
    if tag in ("int", "float"):
        if len(text) > _MOST_DIGITS:
            raise ScenarioError([Problem(document.where(path), path, f"{shown(text)} has too many digits")])
        return int(text) if tag == "int" else float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ScenarioError([Problem(document.where(path), path, f"{shown(text)} holds half a character")])
    return text
