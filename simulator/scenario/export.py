"""Writes the JSON Schema of scenarios, and a scenario as YAML with every default filled in."""

from __future__ import annotations

import json
from typing import Any

import yaml
from pydantic.json_schema import GenerateJsonSchema

from simulator.scenario.schema import Scenario
from simulator.scenario.text.fields import DURATION_SCHEMA
from simulator.scenario.text.tree import RESOLVERS


class _Generator(GenerateJsonSchema):
    """Leaves out the titles of fields, which only repeat their keys."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a scenario."""
    schema = Scenario.model_json_schema(schema_generator=_Generator)
    named: dict[str, Any] = {"Duration": DURATION_SCHEMA, **schema.pop("$defs", {})}
    properties = _with_references(schema.pop("properties"), named)
    definitions = {name: _with_references(dict(part), named, name) for name, part in list(named.items())}
    definitions = dict(sorted((named | definitions).items()))
    return {"$schema": GenerateJsonSchema.schema_dialect, **schema, "properties": properties, "$defs": definitions}


def _with_references(part: Any, named: dict[str, Any], name: str | None = None) -> Any:
    """The schema, with a reference in place of each duration and each model. Adds the models to `named`.

    `name` is given if the schema is the definition with this name itself.
    """
    if isinstance(part, list):
        return [_with_references(item, named) for item in part]
    if not isinstance(part, dict):
        return part
    whole = {key: _with_references(value, named) for key, value in part.items()}
    if part.get("anyOf") == DURATION_SCHEMA["anyOf"] and name != "Duration":
        own = {key: value for key, value in whole.items() if value != DURATION_SCHEMA.get(key)}
        return {"$ref": "#/$defs/Duration", **own}
    title = part.get("title")
    if part.get("type") == "object" and isinstance(title, str) and name is None:
        named[title] = whole
        return {"$ref": f"#/$defs/{title}"}
    return whole


def json_schema_text() -> str:
    """The text that `electsim schema` prints, which is also the content of scenario.schema.json."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def resolved(scenario: Scenario) -> dict[str, Any]:
    """The scenario as plain values for YAML or JSON, with units and every default. They load to an equal scenario."""
    return scenario.model_dump(mode="json")


class _Dumper(yaml.SafeDumper):
    """Quotes each text that this loader, or a loader of YAML 1.1, would read as something else."""

    yaml_implicit_resolvers: dict[str, list[Any]] = {  # noqa: RUF012 - PyYAML's own way to be configured.
        first: [*yaml.SafeDumper.yaml_implicit_resolvers.get(first, []), *RESOLVERS.get(first, [])]
        for first in {*yaml.SafeDumper.yaml_implicit_resolvers, *RESOLVERS}
    }


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    """Escapes characters that do not print. PyYAML would write Unicode's line breaks raw, and read them as spaces."""
    style = None if text.replace("\n", "").isprintable() else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def resolved_text(scenario: Scenario) -> str:
    """The scenario as YAML text, with every default filled in."""
    text: str = yaml.dump(
        resolved(scenario), Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=None, width=120
    )
    return text
