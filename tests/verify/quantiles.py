"""Published distributions: their quantiles, which the repository carries, and their samples, which it never does.

`python -m tests.verify.quantiles` rewrites the quantiles from the samples.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

DATA_SETS = ("samelogs_f0", "samelogs_f1", "difflogs_f1")
SOURCE = (
    "D. Ongaro, Consensus: Bridging Theory and Practice (2014), section 9.3, AvailSim WAN; CC-BY; recovered figures"
)
GRID = 200  # Quantiles at 1/GRID, 2/GRID, … 1.

_REPOSITORY = Path(__file__).parents[2]
_QUANTILES = Path(__file__).parent / "published" / "availsim_wan.json"


@dataclass(frozen=True, slots=True)
class Published:
    """A published distribution of times in ms. `quantiles`: inverse ECDF at 1/GRID, … 1; shape (GRID,)."""

    mean: float
    quantiles: np.ndarray
    samples: np.ndarray | None  # Where they lie beside the repository.


def published(name: str) -> Published:
    kept = json.loads(_QUANTILES.read_text(encoding="utf-8"))["data_sets"][name]
    return Published(kept["mean_ms"], np.array(kept["quantiles_ms"]), _samples(name))


def distance_at(simulated: np.ndarray, quantiles: np.ndarray) -> float:
    """The largest distance between two distribution functions at the published quantiles.

    It is at most the Kolmogorov-Smirnov distance to the samples that the quantiles were taken from.
    """
    known = np.arange(1, len(quantiles) + 1) / len(quantiles)
    reached = np.searchsorted(np.sort(simulated), quantiles, side="right") / len(simulated)
    return float(np.abs(reached - known)[quantiles < quantiles[-1]].max())


def inverse_ecdf(samples: np.ndarray) -> np.ndarray:
    """The quantiles on the grid (Hyndman-Fan type 1); shape (GRID,)."""
    ranks = -(-np.arange(1, GRID + 1) * len(samples) // GRID)  # Rounded up, in integers.
    return np.asarray(np.sort(samples)[ranks - 1])


def _samples(name: str) -> np.ndarray | None:
    reference = Path(os.environ.get("ELECTSIM_REFERENCE", _REPOSITORY.parent / "shared" / "reference"))
    path = reference / "published" / "availsim_wan" / f"{name}.csv"
    return np.loadtxt(path, skiprows=1) if path.exists() else None


def write_quantiles() -> None:
    data_sets = {}
    for name in DATA_SETS:
        samples = _samples(name)
        if samples is None:
            raise FileNotFoundError(f"the samples of {name} are not beside the repository: set ELECTSIM_REFERENCE")
        data_sets[name] = {
            "samples": len(samples),
            "mean_ms": round(float(samples.mean()), 3),
            "quantiles_ms": inverse_ecdf(samples).tolist(),
        }
    kept = {"source": SOURCE, "quantiles": f"inverse ECDF at 1/{GRID}, 2/{GRID}, ... 1", "data_sets": data_sets}
    _QUANTILES.write_text(json.dumps(kept) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write_quantiles()
