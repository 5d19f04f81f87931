"""`simulator.sweep`: a study from a program or a notebook."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from simulator.analysis.records.registry import MEASURES
from simulator.experiment.signals import signal_named
from simulator.experiment.store import new_directory
from simulator.experiment.sweep.cells import cells_of
from simulator.experiment.sweep.running import CELLS, Sweep, begin
from simulator.experiment.sweep.study import read_study
from simulator.experiment.trial import TrialError
from simulator.experiment.workers import Workers
from simulator.scenario.text.files import PathLike

if TYPE_CHECKING:
    import xarray


@dataclass(frozen=True, kw_only=True, repr=False)
class SweepResult:
    """What a sweep found.

    `frame` has a row for each cell: its number; a column for each varied field and each field that follows others
    (text, as YAML has it); how many trials were `run` and `failed`; `violations`; each metric with its ends
    (`failover.median`, `failover.median.low`, `failover.median.high`); and why it was `skipped`, if it was. Durations
    are seconds. `study` is what `study.json` keeps (docs/sweep.md). `directory` has the results of each cell, if they
    were kept.
    """

    frame: pd.DataFrame
    study: Mapping[str, Any]
    directory: Path | None

    def __repr__(self) -> str:
        return f"<SweepResult of {self.study['name']}: {len(self.frame):,} cells>"

    @property
    def digest(self) -> str:
        """SHA-256 over the digests of the cells, in order."""
        return str(self.study["digest"])

    def to_xarray(self) -> xarray.Dataset:
        """A dataset with a labelled dimension for each axis, and a variable for each metric and each of its ends.

        Fields that change together have one dimension, called after the first. A cell that was skipped is NaN. The
        points of a sample have one dimension, `cell`. Each variable has `long_name` and `units` (`s`, or `1` for a
        number or a proportion). It needs xarray, of the extra `study`. Raises ImportError.
        """
        try:
            import xarray
        except ImportError as error:
            raise ImportError('to_xarray needs xarray: pip install "electsim[study]"') from error
        metrics = [f"{name}{end}" for name in self.study["metrics"] for end in ("", ".low", ".high")]
        axes = [str(fields[0]) for fields in self.study["axes"]]
        sampled = self.study["sample"] is not None
        columns = [*(["cell"] if sampled else []), *axes, *metrics]
        values = self.frame[columns].astype(dict.fromkeys(metrics, "float64"))
        dataset: xarray.Dataset = xarray.Dataset.from_dataframe(values.set_index("cell" if sampled else axes))
        if not sampled:
            dataset = dataset.reindex({axis: list(dict.fromkeys(values[axis])) for axis in axes})
        for name in metrics:
            measure = MEASURES[name.removesuffix(".low").removesuffix(".high")]
            dataset[name].attrs |= {"long_name": measure.label, "units": {"s": "s"}.get(measure.unit, "1")}
        return dataset


def sweep(
    study: PathLike,
    vary: Mapping[str, Sequence[object] | str] | None = None,
    *,
    link: Mapping[str, str] | None = None,
    sample: tuple[str, int] | None = None,
    overrides: Mapping[str, object] | None = None,
    metrics: Sequence[str] = (),
    trials: int | None = None,
    seed: int | None = None,
    precision: float | None = None,
    precision_of: str | None = None,
    workers: int = 1,
    dask: str | None = None,
    allow_files: Iterable[PathLike] = (),
    results: PathLike | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> SweepResult:
    """Run a study, or a scenario with axes, in all cells.

    `study` is the path of a study file or of a scenario, or the name of a shipped scenario. `vary` adds axes:
    `{"algorithm": ["raft", "bully"], "cluster.nodes": "3..101:log8"}`. `link` gives fields that follow others by an
    expression, `sample` a method (`random`, `latin-hypercube`, `sobol`) and a number of points. `overrides` are fields
    that have other values in all cells. With `precision`, each cell ends as `run` does. `workers` and `dask` are those
    of `run`; they change no result. Results are kept in a new directory under `results`, if that is given. `progress`
    is called with the numbers of trials finished and asked for.

    Raises ScenarioError for a bad study, OSError where a Dask cluster cannot be used, TrialError if a worker process
    dies, KeyboardInterrupt for Ctrl-C: what is finished is then in the directory, if there is one, and `electsim sweep
    --resume` goes on with it.
    """
    options = {"trials": trials, "seed": seed, "precision": precision, "precision_of": precision_of}
    changes: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    changes |= {"metrics": list(metrics)} if metrics else {}
    changes |= {"sample": {"method": sample[0], "points": sample[1]}} if sample else {}
    changes["axes"] = [
        {"field": field, "values": values if isinstance(values, str) else list(values)}
        for field, values in (vary or {}).items()
    ]
    changes |= {"link": dict(link or {}), "set": dict(overrides or {})}
    read = read_study(Path(study), changes)
    cells = cells_of(read, [Path(path) for path in allow_files])
    name = read.name or next(cell.scenario.name for cell in cells if cell.scenario is not None)
    with nullcontext(results) if results is not None else tempfile.TemporaryDirectory() as root:
        with new_directory(Path(root), f"sweep-{name}") as writer:
            begin(writer, read, cells, f"simulator.sweep({str(study)!r}, …)")
            running = Sweep(writer)
            writer.keep()
            ending = running.run(
                Workers(workers, dask), lambda now: None if progress is None else progress(now.finished, now.requested)
            )
            found = running.conclude(ending)
        if ending.signal is not None:
            raise signal_named(ending.signal)
        if ending.died is not None:
            raise TrialError(0, ending.died)
        frame = pd.read_parquet(writer.path / CELLS)
        return SweepResult(frame=frame, study=found, directory=None if results is None else writer.path)
