"""All that the net uses of `simulator`: the only file here that a moved module changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import simulator
from simulator.algorithms.registry import REGISTRY
from simulator.cluster.cluster import run_trial
from simulator.experiment.trial import measure
from tests.safety_net import canonical

SCENARIOS = Path(__file__).parents[2] / "scenarios"


class Seen(NamedTuple):
    """What one trial did, and what was measured of it: a SHA-256 of each."""

    digest: str
    measures: str


def algorithms() -> list[str]:
    """The names of the algorithms that come with electsim."""
    return list(REGISTRY.built_in)


def shipped() -> dict[str, Path]:
    """Every shipped scenario by its path below scenarios/, without the ending."""
    files = sorted(SCENARIOS.rglob("*.yaml"))
    return {file.relative_to(SCENARIOS).with_suffix("").as_posix(): file for file in files}


def shipped_trials(path: Path, trials: Iterable[int]) -> list[Seen]:
    """Some trials of a shipped scenario, with its own seed."""
    scenario = simulator.load(path)
    return [_trial(scenario, scenario.seed, trial) for trial in trials]


def shipped_summary(path: Path, trials: int) -> Mapping[str, Any]:
    """The summary of a shipped scenario's first trials."""
    return simulator.run(path, trials=trials).summary


def schedule(text: str, seed: int) -> Seen:
    """The first trial of a scenario with this seed."""
    return _trial(_read(text), seed, 0)


@lru_cache(maxsize=16)  # Most schedules of a family differ by their seed only.
def _read(text: str) -> Any:
    return simulator.loads(text)


def rows_of_schedule(text: str, seed: int) -> list[str]:
    """The rows of the first trial of a scenario with this seed, as the digest takes them, and what was measured."""
    spec = _read(text).cluster_spec()
    trace = run_trial(spec, seed, 0)
    rows = canonical.rows(trace.end_ns, trace.rows, trace.message_types, trace.sent)
    measured = [
        f"{name} {canonical.record(record)}"
        for name, records in _tables(measure(trace, spec, 0)).items()
        for record in records
    ]
    return [*map(str, rows), *measured]


def _trial(scenario: Any, seed: int, trial: int) -> Seen:
    spec = scenario.cluster_spec()
    trace = run_trial(spec, seed, trial)
    digest = canonical.digest(trace.end_ns, trace.rows, trace.message_types, trace.sent)
    return Seen(digest, canonical.measures(_tables(measure(trace, spec, trial))))


def _tables(result: Any) -> dict[str, Any]:
    """The rows that a trial adds to each table, and its violations without their texts."""
    broken = {
        name: [
            {"guarantee": violation.guarantee, "time_ns": violation.time_ns, "nodes": violation.nodes}
            for violation in found
        ]
        for name, found in (("violations", result.violations), ("waived", result.waived))
    }
    tables = {"trial": [result.row], "elections": result.elections, "rounds": result.rounds}
    return {**tables, "overlaps": result.overlaps, **broken}
