"""The scenario reference: a page of tables, made from the JSON Schema, so that the two cannot differ."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from simulator.cluster.faults.registry import FAULTS
from simulator.scenario.text.fields import PERCENTAGE_PATTERN, SIGNED_DURATION_SCHEMA
from simulator.scenario.text.sizes import SIZE_SCHEMA, format_size
from simulator.scenario.text.units import format_duration

Schema = Mapping[str, Any]

_OPENING = """# Scenario reference

Every field of a scenario, with its default, as the program itself has them: `electsim schema --markdown` writes this
page from the JSON Schema. [A scenario, field by field](scenario.md) explains them, [faults](faults.md) and
[network](network.md) show examples.\n
"""
_SECTIONS = ("cluster", "network", "nemesis", "workload", "clients", "resource", "liveness", "limits", "published")
_WITH_SECTION = (*_SECTIONS, "algorithm", "disk", "stream")
_TARGET = "zone-of-leader"  # Every list of targets has this word, and no other list has it.
_DISTRIBUTION = "MixtureForm"  # Every choice of distributions has this member, and no other choice has it.
_TARGETS = "A node (`n3`), a zone (`zone:NAME`), a group (`group:NAME`, `leader-of:NAME`), a description, or a list."


def reference_page(schema: Schema) -> str:
    """The page in Markdown. `schema` is the JSON Schema of a scenario (`simulator.scenario.json_schema`)."""
    return _OPENING + "\n".join(_Page(schema).lines()) + "\n"


class Field(NamedTuple):
    """A row of a table: the name of a field, its possible values, its default (both in Markdown), and its meaning."""

    name: str
    value: str
    default: str
    about: str

    def plain(self) -> dict[str, str]:
        """Without Markdown; and where a set of options may be named, without its longer form."""
        short = self._replace(value=re.sub(r"( or `\{\w+: …\}`)+$", "", self.value))
        return {key: re.sub(r"\[(.*?)\]\(.*?\)", r"\1", text).replace("`", "") for key, text in short._asdict().items()}


def algorithm_options(schema: Schema, name: str) -> tuple[list[Field], Mapping[str, list[Field]]]:
    """The options of an algorithm; and, where one chooses from sets of options, those of each set by its name."""
    page = _Page(schema)
    named = (
        part for part in schema["$defs"].values() if part.get("properties", {}).get("name", {}).get("const") == name
    )
    part = next(named)
    own = [row for row in page.rows(part["properties"], part.get("required", ())) if row.name != "name"]
    return own, {word: list(page.rows(*page.fields(form))) for word, form in page.option_sets(part).items()}


def table_of(rows: Iterable[Field]) -> Iterator[str]:
    """The lines of the table."""
    yield "| field | value | default | meaning |\n|---|---|---|---|"
    for row in rows:
        yield f"| `{row.name}` | {row.value} | {row.default} | {_cell(row.about)} |"
    yield ""


def fault_fields(schema: Schema) -> tuple[list[Field], Mapping[str, tuple[str, list[Field]]]]:
    """The fields that every fault may have; and, by the fault's key, what it does and the fields of its own."""
    page = _Page(schema)
    common, faults = page.faults()
    return list(page.rows(common, ())), {
        key: (
            part["description"],
            sorted(page.rows(*page.fields(part, tuple(common))), key=lambda row: row.name != key),
        )
        for key, part in faults.items()
    }


class _Page:
    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._parts: Mapping[str, Schema] = schema["$defs"]
        self._distributions = self._choices(self._parts["Cluster"]["properties"]["service"])

    def lines(self) -> Iterator[str]:
        """The lines of the page, without line ends."""
        top = self._schema["properties"]
        yield from self._section("The file", self._schema)
        for name in _SECTIONS:
            yield from self._section(f"`{name}`", self._only(top[name]))
            yield from self._inner(self._only(top[name]))
        yield from self._algorithms(self._choices(top["algorithm"]))
        yield from self._faults()
        yield from self._distribution_forms()

    # --- Sections

    def _section(self, title: str, part: Schema, *, level: int = 2, without: Sequence[str] = ()) -> Iterator[str]:
        yield f"{'#' * level} {title}\n"
        yield f"{part['description']}\n"
        yield from self._table(*self.fields(part, without))

    def fields(self, part: Schema, without: Sequence[str] = ()) -> tuple[Mapping[str, Schema], Sequence[str]]:
        """The fields of a part and those required: where all stand under one key, such as `uniform`, those under it."""
        key = _form(part) if _is_form(part) else ""
        under = self._only(part["properties"].get(key, {}))
        if "properties" not in under or _is_form(under):
            fields = {name: field for name, field in part["properties"].items() if name not in without}
            return fields, part.get("required", ())
        beside = {f"{name} (beside it)": field for name, field in part["properties"].items() if name != key}
        return {**under["properties"], **beside}, under.get("required", ())

    def _inner(self, part: Schema) -> Iterator[str]:
        """The mappings that the fields of a part hold, such as the disk of a cluster."""
        for name, field in part["properties"].items():
            for choice in self._choices(field):
                own = self._parts.get(choice, {})
                if "properties" in own and choice not in self._distributions:
                    yield from self._section(self._title(name, own), own, level=3)

    def _title(self, name: str, part: Schema) -> str:
        return f"`{name}: {{{_form(part)}: …}}`" if _is_form(part) else f"`{name}`"

    def _algorithms(self, names: Sequence[str]) -> Iterator[str]:
        yield "## `algorithm`\n"
        yield "An algorithm by its `name`, and its options: `algorithm: {name: raft, heartbeat_interval: 50ms}`.\n"
        sets: dict[str, Schema] = {}
        for name in names:
            part = self._parts[name]
            title = f"`name: {part['properties']['name']['const']}`"
            yield from self._section(title, part, level=3, without=("name",))
            sets |= self.option_sets(part)
        for word, form in sets.items():
            yield from self._section(f"`{word}: {{…}}`", form, level=3)

    def option_sets(self, part: Schema) -> dict[str, Schema]:
        """The sets of options that fields of a part may be one of, by name: the failure detectors."""
        choices = (choice for field in part["properties"].values() for choice in self._choices(field))
        forms = [self._parts[choice]["properties"] for choice in choices if choice.endswith("OptionsForm")]
        return {word: self._only(field) for form in forms for word, field in form.items()}

    def faults(self) -> tuple[Mapping[str, Schema], Mapping[str, Schema]]:
        """The fields that all have, and each by its key."""
        names = self._choices(self._schema["properties"]["faults"]["items"])
        first = self._parts[names[0]]["properties"]
        common = {key: field for key, field in first.items() if self._in_all(key, names)}
        parts = (self._parts[name] for name in names)
        return common, {next(key for key in part["properties"] if key in FAULTS): part for part in parts}

    def _faults(self) -> Iterator[str]:
        common, faults = self.faults()
        yield "## `faults`\n"
        yield "A list. Each entry has the name of one fault below, the fields of that fault, and any of these:\n"
        yield from self._table(common, ())
        yield f"**Targets.** {_TARGETS} Descriptions are resolved when the fault is injected: {self._descriptions()}.\n"
        for form, part in faults.items():
            yield from self._section(f"`{form}`", part, level=3, without=tuple(common))

    def _in_all(self, key: str, names: Sequence[str]) -> bool:
        return all(key in self._parts[name]["properties"] for name in names)

    def _descriptions(self) -> str:
        words = next(
            choice["enum"] for choice in self._parts["Crash"]["properties"]["crash"]["anyOf"] if "enum" in choice
        )
        return ", ".join(f"`{word}`" for word in words)

    def _distribution_forms(self) -> Iterator[str]:
        yield "## Distributions\n"
        yield "Where a duration may vary, one of these stands; a plain duration (`5ms`) is always the same.\n"
        for name in self._distributions:
            if name != "Duration":
                yield from self._section(f"`{_form(self._parts[name])}`", self._parts[name], level=3)

    # --- Tables

    def _table(self, fields: Mapping[str, Schema], required: Sequence[str]) -> Iterator[str]:
        if fields:
            yield from table_of(self.rows(fields, required))

    def rows(self, fields: Mapping[str, Schema], required: Sequence[str]) -> Iterator[Field]:
        """What there is to say of each field."""
        for name, field in fields.items():
            default = "required" if name in required else self._default(field)
            about = field.get("description") or self._only(field).get("description", "")
            yield Field(name, self._value(name, field), default, about)

    def _default(self, field: Schema) -> str:
        default = field.get("default")
        if default in (None, [], ""):
            return "none"
        if self._reference(field) == "Duration" and isinstance(default, int):
            return f"`{format_duration(default)}`"
        return f"`{format_size(default) if _is_size(field) else _written(default)}`"

    def _value(self, name: str, field: Schema) -> str:
        """What may be written, in few words; a mapping of fields has a section by the field's name."""
        if _is_target(field):
            return "[targets](#faults)"
        if field.get("anyOf") == SIGNED_DURATION_SCHEMA["anyOf"]:
            return "duration, also below 0"
        if _is_size(field):
            return "size, such as `4GiB`"
        choices = [choice for choice in self._choices(field) if "properties" in self._parts[choice]]
        if choices and name in _WITH_SECTION:
            return f"[mapping](#{name})"
        kinds = ["[distribution](#distributions)"] if self._is_distribution(field) else []
        kinds += [
            self._kind(name, choice) for choice in field.get("anyOf", (field,)) if not self._is_covered(field, choice)
        ]
        return " or ".join(dict.fromkeys(kinds))

    def _kind(self, name: str, choice: Schema) -> str:
        reference = self._reference(choice)
        if reference == "Duration":
            return "duration"
        if choice.get("pattern") == f"^{PERCENTAGE_PATTERN}$":
            return "percentage"
        if reference:
            part = self._parts[reference]
            if "enum" in part:
                return self._kind(name, part)
            keys = [_form(part)] if _is_form(part) else part["properties"]
            return "`{" + ", ".join(f"{key}: …" for key in keys) + "}`"
        if "anyOf" in choice:
            return self._value(name, choice)
        if "enum" in choice or "const" in choice:
            return ", ".join(f"`{word}`" for word in choice.get("enum", (choice.get("const"),)))
        return _NAMES[choice["type"]] + _bounds(choice) if choice.get("type") != "array" else self._listed(name, choice)

    def _listed(self, name: str, choice: Schema) -> str:
        if "prefixItems" in choice:
            return "[" + ", ".join(self._value(name, item) for item in choice["prefixItems"]) + "]"
        items = choice["items"]
        return "list of [faults](#faults)" if len(self._choices(items)) > 1 else f"list of {self._value(name, items)}"

    # --- The schema

    def _only(self, field: Schema) -> Schema:
        """The mapping that a field holds, unless it is left out or written in another way."""
        return next((self._parts[name] for name in self._choices(field) if name != "Duration"), field)

    def _choices(self, field: Schema) -> list[str]:
        """The names of the parts that a field may be one of."""
        return [*filter(None, map(self._reference, field.get("anyOf", (field,))))]

    def _is_covered(self, field: Schema, choice: Schema) -> bool:
        """Whether what is said of the field says enough of this choice."""
        is_distribution = self._is_distribution(field) and self._reference(choice) in self._distributions
        return is_distribution or choice.get("type") == "null"

    def _is_distribution(self, field: Schema) -> bool:
        return _DISTRIBUTION in self._choices(field)

    @staticmethod
    def _reference(field: Schema) -> str:
        return str(field.get("$ref", "")).removeprefix("#/$defs/")


def _is_size(field: Schema) -> bool:
    return bool(field.get("anyOf") == SIZE_SCHEMA["anyOf"])


_ENORMOUS = 10**8  # A bound that is too large to matter, and is not printed.
_NAMES = {"string": "text", "integer": "integer", "number": "number", "boolean": "`true`, `false`", "object": "mapping"}


def _bounds(choice: Schema) -> str:
    low, above = choice.get("minimum"), choice.get("exclusiveMinimum")
    high, below = choice.get("maximum"), choice.get("exclusiveMaximum")
    said = [f"≥ {low:g}"] if low is not None else [f"> {above:g}"] if above is not None else []
    said += [f"≤ {high:g}"] if high is not None and high < _ENORMOUS else [f"< {below:g}"] if below is not None else []
    return f" {', '.join(said)}" if said else ""


def _is_target(field: Schema) -> bool:
    return any(_TARGET in choice.get("enum", ()) for choice in field.get("anyOf", (field,)))


def _is_form(part: Schema) -> bool:
    """Whether it is one of several mappings that a key distinguishes."""
    return bool(part["title"].endswith("Form"))


def _form(part: Schema) -> str:
    """The key that says which of several forms it is: the first that must be given."""
    return str(part["required"][0])


def _written(value: object) -> str:
    """A default as a scenario writes it: YAML takes JSON, but reads better without its quotes."""
    return json.dumps(value, ensure_ascii=False).replace('"', "")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
