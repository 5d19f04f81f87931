"""How a scenario says which links a fault concerns: `n1`, `{between: [n1, n2]}`, `{senders: leader}`."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from simulator.cluster.faults.link_faults import LinkTargets
from simulator.scenario.text.errors import Path, reject
from simulator.scenario.text.fields import Model, allow_short, requires
from simulator.scenario.text.targets import TARGETS_SCHEMA, TargetPaths, Targets, cluster_targets, with_paths


class Links(Model):
    """Some links: all links of `nodes`; the links `between` two sides, both ways; or those from `senders` to
    `receivers`.
    """

    nodes: Targets | None = Field(default=None, description="Every link of these nodes.")
    between: tuple[Targets, Targets] | None = Field(default=None, description="Both ways.", examples=[["n1", "n2"]])
    senders: Targets | None = Field(default=None, description="One way, from these.")
    receivers: Targets | None = Field(default=None, description="One way, to these; to all others by default.")
    json_schema_rules: ClassVar = (
        {"oneOf": [requires("nodes"), requires("between"), requires("senders")]},
        {"anyOf": [requires("senders"), {"not": requires("receivers")}]},
    )

    @model_validator(mode="after")
    def _check(self) -> Links:
        found = [name for name in ("nodes", "between", "senders") if getattr(self, name) is not None]
        if len(found) != 1:
            reject([((), f"gives {' and '.join(found) or 'no links'}; give one of nodes, between, or senders")])
        if self.receivers is not None and self.senders is None:
            reject([(("receivers",), "stands without senders; give both")])
        return self

    def value(self) -> LinkTargets:
        """The links in the form that the cluster uses."""
        if self.between is not None:
            return LinkTargets(
                senders=cluster_targets(self.between[0]), receivers=cluster_targets(self.between[1]), both_ways=True
            )
        return LinkTargets(
            nodes=cluster_targets(self.nodes or ()),
            senders=cluster_targets(self.senders or ()),
            receivers=cluster_targets(self.receivers or ()),
        )

    def targets(self, *path: str | int) -> TargetPaths:
        """Every target, and where it is named below that path."""
        here: Path = path
        for number, side in enumerate(self.between or ()):
            yield from with_paths(side, *here, "between", number)
        for name in ("nodes", "senders", "receivers"):
            yield from with_paths(getattr(self, name) or (), *here, name)

    @model_serializer(mode="wrap")
    def _write(self, handler: SerializerFunctionWrapHandler) -> Any:
        written = {name: value for name, value in handler(self).items() if value is not None}
        return written["nodes"] if list(written) == ["nodes"] else written


AnyLinks = Annotated[
    Links,
    BeforeValidator(lambda value: value if isinstance(value, dict | Model) else {"nodes": value}),
    Field(json_schema_extra=lambda schema: allow_short(schema, TARGETS_SCHEMA)),
]
