"""`simulator.tune`: the tuner from a program or a notebook."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from simulator.experiment.signals import signal_named
from simulator.experiment.store import RunWriter, new_directory
from simulator.experiment.sweep.study import read_study
from simulator.experiment.trial import TrialError
from simulator.experiment.tune.request import Request
from simulator.experiment.tune.running import begin_tuning, run_tuning
from simulator.experiment.workers import Workers
from simulator.scenario.text.files import PathLike
from simulator.scenario.text.units import parse_duration


@dataclass(frozen=True, kw_only=True, repr=False)
class TuneResult:
    """What a tuner found.

    `frame` has a row for each set of settings that was tried: its number; a column for each field that it sets (text,
    as YAML has it); the metrics with their ends; `false_elections`, their number, and `per_month` with its ends;
    `messages_per_s`; `verdict` (docs/tune.md); `on_front`; why it was `skipped`, if it was. Durations are seconds.
    `recommendation` is that of `tune.json`, or None if no settings were shown to keep the bounds. `found` is all of
    `tune.json`. `directory` has the results of each run, if they were kept.
    """

    found: Mapping[str, Any]
    directory: Path | None

    def __repr__(self) -> str:
        return f"<TuneResult of {self.found['name']}: {len(self.found['candidates']):,} settings>"

    @property
    def digest(self) -> str:
        """SHA-256 over the digests of all runs."""
        return str(self.found["digest"])

    @property
    def recommendation(self) -> Mapping[str, Any] | None:
        """The best settings that were shown to keep all bounds, with margin, product's flags and commands."""
        found: Mapping[str, Any] | None = self.found["recommendation"]
        return found

    @property
    def frame(self) -> pd.DataFrame:
        """A row for each set of settings."""
        return pd.DataFrame([_flat(row) for row in self.found["candidates"]])


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {"number": row["number"], **row["settings"], **row["linked"]}
    estimates = dict(row["metrics"])
    seen = row["false_elections"]
    flat |= {"false_elections": None if seen is None else seen["count"]}
    estimates |= {} if seen is None else {"per_month": seen["per_month"]}
    for name, ends in {**estimates, "messages_per_s": row["messages_per_s"]}.items():
        flat |= {name: ends["value"], f"{name}.low": ends["low"], f"{name}.high": ends["high"]}
    return flat | {name: row[name] for name in ("verdict", "on_front", "skipped")}


def tune(
    scenario: PathLike,
    vary: Mapping[str, Sequence[object] | str],
    *,
    minimise: str = "failover.p99",
    subject_to: Sequence[str] = (),
    link: Mapping[str, str] | None = None,
    overrides: Mapping[str, object] | None = None,
    trials: int | None = None,
    fault_free: str | None = None,
    points: int | None = None,
    margin: bool = True,
    seed: int | None = None,
    workers: int = 1,
    dask: str | None = None,
    allow_files: Iterable[PathLike] = (),
    results: PathLike | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> TuneResult:
    """Search the settings in `vary` for those with the least `minimise` that keep the bounds in `subject_to`.

    `scenario` is the path of a scenario or of a study, or the name of a shipped scenario. `vary` and `link` are those
    of `sweep`; a range may be without a number of points: `{"algorithm.heartbeat_interval": "20ms..500ms:log"}`. Up
    to 64 combinations of values are all tried; beyond, and with `points`, optuna proposes so many (extra `study`). A
    bound is written `false_elections < 1/month` (the usual one) or `failover.median < 2s`. `trials` is the number
    with the faults, `fault_free` the simulated time without (`30h`), by default what the bound needs. `margin` says
    whether to find how much slower the network may get. `workers` and `dask` are those of `run`; they change no
    result. Results are kept in a new directory under `results`, if that is given. `progress` is called with the stage
    and its numbers of trials.

    Raises ScenarioError for bad input, OSError where a Dask cluster cannot be used, TrialError if a worker process
    dies, KeyboardInterrupt for Ctrl-C: what is finished is then in the directory, if there is one, and `electsim tune
    --resume` goes on with it.
    """
    options = {"trials": trials, "seed": seed}
    changes: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    changes["axes"] = [
        {"field": field, "values": values if isinstance(values, str) else list(values)}
        for field, values in vary.items()
    ]
    changes |= {"link": dict(link or {}), "set": dict(overrides or {})}
    request = Request(
        study=read_study(Path(scenario), changes),
        minimise=minimise,
        subject_to=tuple(subject_to),
        fault_free_s=None if fault_free is None else parse_duration(fault_free) / 1e9,
        points=points,
        margin=margin,
        allow_files=tuple(str(folder) for folder in allow_files),
        command=f"simulator.tune({str(scenario)!r}, …)",
    ).checked()
    place = nullcontext(results) if results is not None else tempfile.TemporaryDirectory()
    with place as root, new_directory(Path(root), f"tune-{request.study.name}") as writer:
        begin_tuning(writer, request)
        return _run(
            writer, request, Workers(workers, dask), progress or (lambda stage, done, total: None), results is not None
        )


def _run(
    writer: RunWriter, request: Request, workers: Workers, progress: Callable[[str, int, int], None], kept: bool
) -> TuneResult:
    found, ending = run_tuning(writer, request, workers, progress)
    if ending.signal is not None:
        raise signal_named(ending.signal)
    if ending.died is not None:
        raise TrialError(0, ending.died)
    return TuneResult(found=found, directory=writer.path if kept else None)
