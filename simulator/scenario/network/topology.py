"""How a scenario writes the topology: a preset or a matrix of latencies, and the zone of each node."""

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
    """The zones of nodes, and the base latency between zones."""

    def zones(self) -> tuple[str, ...]:
        """The names of the zones, in order. Empty if there are no zones."""
        return ()

    def occupied(self, nodes: int) -> frozenset[str]:
        """The zones that hold a node. Call it only for a placement without `errors`."""
        return frozenset()

    def errors(self, nodes: int) -> FieldErrors:
        """Why the placement does not fit a cluster of this size."""
        yield from ()

    def value(self, nodes: int) -> Topology | None:
        """The topology in the form that a cluster of this size uses. None if there are no zones."""
        return None


_FullMesh: Any = create_model("_FullMesh", __base__=KeywordForm, **{FULL_MESH: (None, None)})  # type: ignore[call-overload]


class FullMeshForm(_FullMesh, TopologyForm):  # type: ignore[misc] # The name of its only field, full-mesh, is no Python identifier.
    """The latency is the same between all nodes. There are no zones."""


class PlacedForm(TopologyForm):
    """A topology with zones, and the zone of each node."""

    placement: Placement | None = Field(
        default=None,
        description="A list of the zones of n1, n2 and so on, which repeats; or the nodes of each zone, "
        "zone: [n1, n2]. null: a list of all zones, in order.",
    )

    def matrix_and_within(self) -> tuple[Matrix, Nanoseconds]:
        """The figures, and the figure within a zone if the matrix has none."""
        raise NotImplementedError

    def one_way(self, figure: Nanoseconds) -> Nanoseconds:
        """The one-way latency in nanoseconds: half of a round trip, rounded up."""
        return (figure + 1) // 2

    def zones(self) -> tuple[str, ...]:
        """The names of the zones, in the order of the matrix."""
        return self.matrix_and_within()[0].zones

    def occupied(self, nodes: int) -> frozenset[str]:
        """The zones that hold a node."""
        return frozenset(self._placement().zone_of_each(nodes))

    def errors(self, nodes: int) -> FieldErrors:
        """Why the placement does not fit a cluster of this size."""
        if self.placement is not None:
            yield from below(("placement",), self.placement.errors(nodes))

    def value(self, nodes: int) -> Topology | None:
        """The topology in the form that a cluster of this size uses."""
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
        """Writes the network first, then the placement of nodes in it."""
        written = handler(self)
        placement = written.pop("placement")
        written = {key: part for key, part in written.items() if key != "file" or part is not None}
        return {**written, "placement": placement}


class PresetForm(PlacedForm):
    """Measured round trips, halved: `lan`, `three-zones` or `world` (docs/network.md)."""

    preset: Literal["lan", "three-zones", "world"] = Field(description="The name of the network.")

    def matrix_and_within(self) -> tuple[Matrix, Nanoseconds]:
        """The figures of the preset."""
        return PRESETS[self.preset].matrix, PRESETS[self.preset].within


class MatrixForm(PlacedForm):
    """A matrix of latencies between zones, from the row to the column. The two directions may differ."""

    matrix: AnyMatrix
    measured: Literal["round-trip", "one-way"] = Field(
        description="What the figures are. Round trips are halved, and rounded to a nanosecond."
    )
    within: Duration = Field(
        default=0, description="The figure within a zone, measured in the same way, if the matrix gives none."
    )
    file: str | None = Field(
        default=None, description="The file from which an inline matrix was read. It is not read again."
    )

    def matrix_and_within(self) -> tuple[Matrix, Nanoseconds]:
        """The figures that the scenario gives."""
        return self.matrix, self.within

    def one_way(self, figure: Nanoseconds) -> Nanoseconds:
        """The one-way latency in nanoseconds: the figure, or half of it if the figures are round trips."""
        return super().one_way(figure) if self.measured == "round-trip" else figure

    @model_validator(mode="after")
    def _remember_file(self) -> MatrixForm:
        if self.matrix.file is not None and self.file is not None:
            reject([(("file",), "says where an inline matrix is from; leave it out beside the name of a file")])
        if self.matrix.file is not None:
            object.__setattr__(self, "file", self.matrix.file)
        return self


class _TopologyUnion(KeyTaggedUnion):
    """The name of a preset alone means that preset with the default placement."""

    def read(self, data: Any) -> Any:
        """The data as a mapping. Raises ValueError for the name of no preset."""
        if isinstance(data, str) and data not in self.keywords:
            if data not in PRESETS:
                known = (FULL_MESH, *PRESETS)
                raise ValueError(f"{shown(data)} is not {self.what}; {alternatives(data, known)}")
            return {"preset": data}
        return super().read(data)

    def short_forms(self) -> list[dict[str, Any]]:
        """The JSON Schema of a name alone."""
        return [{"enum": [FULL_MESH, *PRESETS]}]


TOPOLOGIES: dict[str, type[Model]] = {FULL_MESH: FullMeshForm, "preset": PresetForm, "matrix": MatrixForm}

AnyTopology = Annotated[TopologyForm, _TopologyUnion(TOPOLOGIES, keywords=(FULL_MESH,), what="a topology")]
