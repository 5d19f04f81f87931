"""How a scenario writes where nodes are: `world`, or a matrix of latencies between zones, and who is in which."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, create_model, model_serializer, model_validator

from simulator.cluster.network.topology import Topology
from simulator.protocol import Nanoseconds
from simulator.scenario.network.matrices import AnyMatrix, Matrix
from simulator.scenario.network.placement import Placement, RoundRobinPlacement
from simulator.scenario.network.presets import PRESETS
from simulator.scenario.text.errors import FieldErrors, alternatives, below, reject, shown
from simulator.scenario.text.fields import Duration, KeywordForm, Model
from simulator.scenario.text.tagged_unions import KeyTaggedUnion

FULL_MESH = "full-mesh"


class TopologyForm(Model):
    """Where nodes are, and the least latency from there to elsewhere."""

    def zones(self) -> tuple[str, ...]:
        """Their names, in order; none where there are no zones."""
        return ()

    def occupied(self, nodes: int) -> frozenset[str]:
        """The zones that hold a node. For a placement without `errors`."""
        return frozenset()

    def errors(self, nodes: int) -> FieldErrors:
        """What does not fit a cluster of that size."""
        yield from ()

    def value(self, nodes: int) -> Topology | None:
        """What the cluster is built with."""
        return None


_FullMesh: Any = create_model("_FullMesh", __base__=KeywordForm, **{FULL_MESH: (None, None)})  # type: ignore[call-overload]


class FullMeshForm(_FullMesh, TopologyForm):  # type: ignore[misc] # Its only field is no identifier.
    """Every node is as far from every other: there are no zones."""


class PlacedForm(TopologyForm):
    """Zones, and the zone of each node."""

    placement: Placement | None = Field(
        default=None,
        description="A zone for each node from n1 on, and again from the first; or zone: [n1, n2]. "
        "null: all zones in their order.",
    )

    def matrix_and_within(self) -> tuple[Matrix, Nanoseconds]:
        """The figures, and what stands where there is none on the diagonal."""
        raise NotImplementedError

    def one_way(self, figure: Nanoseconds) -> Nanoseconds:
        """The latency of one way. Half a round trip is rounded to a nanosecond."""
        return (figure + 1) // 2

    def zones(self) -> tuple[str, ...]:
        return self.matrix_and_within()[0].zones

    def occupied(self, nodes: int) -> frozenset[str]:
        return frozenset(self._placement().zone_of_each(nodes))

    def errors(self, nodes: int) -> FieldErrors:
        if self.placement is not None:
            yield from below(("placement",), self.placement.errors(nodes))

    def value(self, nodes: int) -> Topology | None:
        matrix, within = self.matrix_and_within()
        number = {zone: number for number, zone in enumerate(matrix.zones)}
        return Topology(
            zones=matrix.zones,
            base=tuple(
                tuple(self.one_way(within if figure is None else figure) for figure in row) for row in matrix.figures
            ),
            placed=tuple(number[zone] for zone in self._placement().zone_of_each(nodes)),
        )

    def _placement(self) -> Any:
        return self.placement or RoundRobinPlacement(self.zones())

    @model_validator(mode="after")
    def _check_zones(self) -> PlacedForm:
        if self.placement is not None:
            zones = self.zones()
            reject(
                [
                    (("placement", *path), f"{shown(zone)} is not a zone; {alternatives(zone, zones)}")
                    for path, zone in self.placement.named()
                    if zone not in zones
                ]
            )
        return self

    @model_serializer(mode="wrap")
    def _write(self, handler: SerializerFunctionWrapHandler) -> Any:
        """The network first, then who is where in it."""
        written = handler(self)
        placement = written.pop("placement")
        written = {key: part for key, part in written.items() if key != "file" or part is not None}
        return {**written, "placement": placement}


class PresetForm(PlacedForm):
    """Measured round trips, halved: `lan`, `three-zones` or `world` (docs/network.md)."""

    preset: Literal["lan", "three-zones", "world"] = Field(description="Which network.")

    def matrix_and_within(self) -> tuple[Matrix, Nanoseconds]:
        return PRESETS[self.preset].matrix, PRESETS[self.preset].within


class MatrixForm(PlacedForm):
    """A matrix of latencies between zones: from the row to the column. The two directions may differ."""

    matrix: AnyMatrix
    measured: Literal["round-trip", "one-way"] = Field(
        description="What the figures are. Round trips are halved, and rounded to a nanosecond."
    )
    within: Duration = Field(
        default=0, description="The figure within a zone, measured alike, where the matrix gives none."
    )
    file: str | None = Field(default=None, description="Where an inline matrix was read from; it is not read again.")

    def matrix_and_within(self) -> tuple[Matrix, Nanoseconds]:
        return self.matrix, self.within

    def one_way(self, figure: Nanoseconds) -> Nanoseconds:
        return super().one_way(figure) if self.measured == "round-trip" else figure

    @model_validator(mode="after")
    def _remember_file(self) -> MatrixForm:
        if self.matrix.file is not None and self.file is not None:
            reject([(("file",), "says where an inline matrix is from; leave it out beside the name of a file")])
        if self.matrix.file is not None:
            object.__setattr__(self, "file", self.matrix.file)
        return self


class _TopologyUnion(KeyTaggedUnion):
    """The name of a preset, alone, is that preset with the usual placement."""

    def read(self, data: Any) -> Any:
        if isinstance(data, str) and data not in self.keywords:
            if data not in PRESETS:
                known = (FULL_MESH, *PRESETS)
                raise ValueError(f"{shown(data)} is not {self.what}; {alternatives(data, known)}")
            return {"preset": data}
        return super().read(data)

    def short_forms(self) -> list[dict[str, Any]]:
        return [{"enum": [FULL_MESH, *PRESETS]}]


TOPOLOGIES: dict[str, type[Model]] = {FULL_MESH: FullMeshForm, "preset": PresetForm, "matrix": MatrixForm}

AnyTopology = Annotated[TopologyForm, _TopologyUnion(TOPOLOGIES, keywords=(FULL_MESH,), what="a topology")]
