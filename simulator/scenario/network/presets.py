"""Measured networks in which nodes can be placed.

The round-trip times are those of IBM Cloud VPC, 27 July to 25 August 2024, as its documentation publishes them: between
ten regions (the row pings the column), and between the three zones of the region Dallas.
"""

from __future__ import annotations

from dataclasses import dataclass

from simulator.protocol import MICROSECOND, Nanoseconds
from simulator.scenario.network.matrices import Matrix, parse_csv

_REGIONS = """\
region_ms,dallas,toronto,washington,frankfurt,london,madrid,osaka,sydney,tokyo,sao_paulo
dallas,,34,31,123,113,119,150,186,143,146
toronto,34,,19,93,82,108,168,215,162,129
washington,31,19,,91,75,87,172,214,164,118
frankfurt,123,93,91,,13,29,232,250,233,198
london,113,83,75,13,,27,244,261,243,188
madrid,122,106,88,29,27,,257,275,258,209
osaka,150,169,172,231,243,257,,122,9,293
sydney,186,214,214,249,261,275,122,,115,328
tokyo,143,162,166,233,244,256,9,115,,284
sao_paulo,144,128,119,196,187,208,291,328,283,
"""

_ZONES = """\
zone_ms,dallas_1,dallas_2,dallas_3
dallas_1,0.09,2.03,2.2
dallas_2,2.03,0.09,2.18
dallas_3,2.2,2.18,0.08
"""

_ZONE = """\
zone_ms,lan
lan,0.09
"""  # The figure within dallas_1, and within dallas_2.

# The publication has no figure within a region. The nodes of a region are assumed to be in different zones, as replicas
# should be: the figure is the median of the three between the zones of Dallas.
_WITHIN_REGION: Nanoseconds = 2180 * MICROSECOND


@dataclass(frozen=True, slots=True)
class Preset:
    """Round-trip times between zones, and the time within a zone if the matrix has none."""

    matrix: Matrix
    within: Nanoseconds = 0


PRESETS: dict[str, Preset] = {
    "lan": Preset(parse_csv(_ZONE.splitlines(), "lan")),
    "three-zones": Preset(parse_csv(_ZONES.splitlines(), "three-zones")),
    "world": Preset(parse_csv(_REGIONS.splitlines(), "world"), _WITHIN_REGION),
}
