"""Published distributions: their quantiles, which the repository carries, and their samples, which it never does.

`python -m tests.verify.quantiles` rewrites the quantiles from the samples.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

RANGES = ("150-155", "150-175", "150-200", "150-300", "50-100", "25-50", "12-24")
FIG16_RANGES = ("150-155", "150-200", "150-300", "100-200", "25-50", "12-24")
SYSTEMS = (
    "etcd_3_nodes_100_1000",
    "etcd_5_nodes_100_1000",
    "etcd_5_nodes_10_100_prevote",
    "pysyncobj_5_nodes_400_1400",
)
_HOWARD = "H. Howard, M. Schwarzkopf, A. Madhavapeddy and J. Crowcroft, Raft Refloated (2015)"
_REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """Data sets of one source: `failover_ms`, or the first column of each, is a time in ms.

    `grid`: the quantiles that are kept of each, at 1/grid, 2/grid, … 1: few of a small sample, which they must not be.
    """

    name: str
    directory: str  # Under the reference directory.
    source: str
    data_sets: tuple[str, ...]
    grid: int


AVAILSIM = Collection(
    name="availsim_wan",
    directory="published/availsim_wan",
    source="D. Ongaro, Consensus: Bridging Theory and Practice (2014), section 9.3, AvailSim WAN; CC-BY; recovered "
    "figures",
    data_sets=("samelogs_f0", "samelogs_f1", "difflogs_f1"),
    grid=200,
)
REFLOATED = Collection(
    name="raft_refloated",
    directory="published/raft_refloated",
    source=f"{_HOWARD}, the simulator's output; MIT",
    data_sets=tuple(f"{kind}_{bounds}" for kind in ("org", "fixed") for bounds in RANGES),
    grid=100,
)
REFLOATED_MORE = Collection(
    name="raft_refloated_more",
    directory="published/raft_refloated",
    source=f"{_HOWARD}, the simulator's output as its author keeps it (heidihoward/ocaml-raft-data, raw); MIT",
    data_sets=tuple(f"{kind}_{bounds}" for kind in ("expo", "combo", "ine-1", "ine-5") for bounds in RANGES),
    grid=100,
)
FIG16 = Collection(
    name="raft_fig16",
    directory="published/raft_fig16",
    source="D. Ongaro and J. Ousterhout, In Search of an Understandable Consensus Algorithm (2014), figure 16; data "
    f"published with {_HOWARD}; MIT",
    data_sets=FIG16_RANGES,
    grid=100,
)
MEASURED = Collection(
    name="measured",
    directory="measured",
    source="the project's own measurements of etcd 3.4.23 and PySyncObj 0.3.17 on one Linux machine of two cores",
    data_sets=SYSTEMS,
    grid=20,
)
HASHICORP = Collection(
    name="measured_hashicorp",
    directory="measured",
    source="the project's own measurements of hashicorp/raft 1.1.2 on one Linux machine of two cores",
    data_sets=("hashicorp_raft_3_nodes_default",),
    grid=10,
)
INSTALLED = Collection(  # Not from the reference: `python -m studies.pysyncobj` made its samples, and all are kept.
    name="pysyncobj_installed",
    directory="",
    source="python -m studies.pysyncobj: PySyncObj 0.3.17 as installed, on a busy Linux machine of two cores",
    data_sets=("pysyncobj_5_nodes_installed",),
    grid=48,
)
ZOOKEEPER = Collection(
    name="measured_zookeeper",
    directory="measured",
    source="the project's own measurements of ZooKeeper 3.8.0, and of kazoo 2.11, on one Linux machine of two cores",
    data_sets=("zookeeper_ensemble_3_servers", "zookeeper_recipe_tick_500_session_2000"),
    grid=10,
)
ZOOKEEPER_FROZEN = Collection(
    name="measured_zookeeper_frozen",
    directory="measured",
    source="the project's own measurement of ZooKeeper 3.8.0 on one Linux machine of two cores",
    data_sets=("zookeeper_ensemble_3_servers_sigstop",),
    grid=8,
)
LEASES = Collection(
    name="measured_leases",
    directory="measured",
    source="the project's own measurement of etcd and etcdctl 3.4.23 on one Linux machine of two cores",
    data_sets=("etcd_lease_election_ttl_5",),
    grid=10,
)
COROSYNC = Collection(
    name="measured_corosync",
    directory="measured",
    source="the project's own measurement of Corosync 3.1.7 on one Linux machine of two cores",
    data_sets=("corosync_3_nodes_token_1000",),
    grid=8,
)
COLLECTIONS = (
    AVAILSIM,
    REFLOATED,
    REFLOATED_MORE,
    FIG16,
    MEASURED,
    HASHICORP,
    ZOOKEEPER,
    ZOOKEEPER_FROZEN,
    COROSYNC,
    LEASES,
)

_ROLES = {"leader": "1", "follower": "0"}  # What a server was, as a number.

DATA_SETS = AVAILSIM.data_sets
GRID = AVAILSIM.grid


@dataclass(frozen=True, slots=True)
class Published:
    """A published distribution of times in ms. `quantiles`: inverse ECDF at 1/grid, … 1; shape (grid,).

    `facts` are figures of the other columns: of packets, the mean and the standard deviation; of terms, how many
    failovers took more than one.
    """

    size: int
    mean: float
    quantiles: np.ndarray
    facts: Mapping[str, float]
    samples: np.ndarray | None  # Where they lie beside the repository.


def published(name: str, collection: Collection = AVAILSIM) -> Published:
    kept = json.loads(_kept(collection).read_text(encoding="utf-8"))["data_sets"][name]
    table = columns(name, collection)
    samples = None if table is None else _times(table)
    facts = kept.get("facts", {})
    return Published(kept["samples"], kept["mean_ms"], np.array(kept["quantiles_ms"]), facts, samples)


def distance_to(simulated: np.ndarray, truth: Published) -> float:
    """The Kolmogorov-Smirnov distance to the published samples, or what is seen of it at their quantiles."""
    if truth.samples is None:
        return distance_at(simulated, truth.quantiles)
    every = np.concatenate((simulated, truth.samples))
    reached = [
        np.searchsorted(np.sort(sample), every, side="right") / len(sample) for sample in (simulated, truth.samples)
    ]
    return float(np.abs(reached[0] - reached[1]).max())


def distance_at(simulated: np.ndarray, quantiles: np.ndarray) -> float:
    """The largest distance between two distribution functions at the published quantiles.

    It is at most the Kolmogorov-Smirnov distance to the samples that the quantiles were taken from.
    """
    known = np.searchsorted(quantiles, quantiles, side="right") / len(quantiles)  # Of equal ones, the last counts.
    reached = np.searchsorted(np.sort(simulated), quantiles, side="right") / len(simulated)
    return float(np.abs(reached - known)[quantiles < quantiles[-1]].max())


def inverse_ecdf(samples: np.ndarray, grid: int = GRID) -> np.ndarray:
    """The quantiles on the grid (Hyndman-Fan type 1); shape (grid,)."""
    ranks = -(-np.arange(1, grid + 1) * len(samples) // grid)  # Rounded up, in integers.
    return np.asarray(np.sort(samples)[ranks - 1])


def columns(name: str, collection: Collection) -> Mapping[str, np.ndarray] | None:
    """The samples by the names of their columns; None where they are not beside the repository."""
    reference = Path(os.environ.get("ELECTSIM_REFERENCE", _REPOSITORY.parent / "shared" / "reference"))
    path = reference / collection.directory / f"{name}.csv"
    if not path.exists():
        return None
    table = np.loadtxt(path, delimiter=",", skiprows=1, ndmin=2, converters=_number)
    with path.open(encoding="utf-8") as file:
        return dict(zip(file.readline().strip().split(","), table.T, strict=True))


def _times(table: Mapping[str, np.ndarray]) -> np.ndarray:
    """The column of failovers, or the first one if no column is called so."""
    return table.get("failover_ms", next(iter(table.values())))


def _number(text: str) -> float:
    return float(_ROLES.get(text, text))


def facts_of(table: Mapping[str, np.ndarray]) -> Mapping[str, float]:
    facts: dict[str, float] = {}
    if "packets" in table:
        facts["packets_mean"] = round(float(table["packets"].mean()), 3)
        facts["packets_sd"] = round(float(table["packets"].std(ddof=1)), 3)
    if "terms_consumed" in table:
        facts["more_than_one_term"] = int((table["terms_consumed"] > 1).sum())
    return facts


def write_quantiles(collection: Collection) -> None:
    data_sets = {}
    for name in collection.data_sets:
        table = columns(name, collection)
        if table is None:
            raise FileNotFoundError(f"the samples of {name} are not beside the repository: set ELECTSIM_REFERENCE")
        samples = _times(table)
        data_sets[name] = {
            "samples": len(samples),
            "mean_ms": round(float(samples.mean()), 3),
            "quantiles_ms": inverse_ecdf(samples, collection.grid).tolist(),
        }
        if facts := facts_of(table):
            data_sets[name]["facts"] = dict(facts)
    grid = f"inverse ECDF at 1/{collection.grid}, 2/{collection.grid}, ... 1"
    kept = {"source": collection.source, "quantiles": grid, "data_sets": data_sets}
    _kept(collection).write_text(json.dumps(kept) + "\n", encoding="utf-8")


def _kept(collection: Collection) -> Path:
    return Path(__file__).parent / "published" / f"{collection.name}.json"


if __name__ == "__main__":
    for one in COLLECTIONS:
        if columns(one.data_sets[0], one) is None:
            print(f"{one.name}: its samples are not beside the repository, so its quantiles stay")
        else:
            write_quantiles(one)
