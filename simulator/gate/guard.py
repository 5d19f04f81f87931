"""The gate: takes scenario files and their baselines, returns verdicts, and writes accepted baselines."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulator.experiment.runner import Result, run
from simulator.experiment.signals import signal_named
from simulator.experiment.trial import TrialError
from simulator.gate.baseline import (
    DEFAULT_ALPHA,
    DEFAULT_TOLERANCE,
    REMEDY,
    Baseline,
    BaselineError,
    accepted,
    baseline_file,
    changes,
    read,
    write,
)
from simulator.gate.verdicts import Outcome, Verdict, failed, judge
from simulator.scenario import Scenario, load
from simulator.scenario.text.tree import parse
from simulator.shipped import find

_MOST_CHANGES = 3
Progress = Callable[[int, int], None]  # Called with the numbers of trials finished and asked for.


@dataclass(frozen=True, kw_only=True)
class Guarded:
    """A scenario and where its baseline lies."""

    file: Path
    scenario: Scenario
    tree: Mapping[str, Any]  # The scenario as its file has it.
    path: Path  # The path of the baseline file.

    def baseline(self) -> Baseline:
        """Raises BaselineError if there is none, or one of another scenario."""
        baseline = read(self.path)
        if found := changes(baseline.scenario, self.tree):
            shown_changes = "; ".join(found[:_MOST_CHANGES]) + ("; …" if len(found) > _MOST_CHANGES else "")
            raise BaselineError(
                f"{self.file}: is not the scenario of which {self.path} was accepted: {shown_changes}; "
                f"put it back, or accept the new one with {REMEDY}"
            )
        if (held := len(baseline.trials["digest"])) != self.scenario.trials:
            raise BaselineError(
                f"{self.path}: has {held:,} trials, and its scenario {self.scenario.trials:,}; "
                f"restore it, or accept a new one with {REMEDY}"
            )
        return baseline


def guarded(files: Sequence[Path], directory: Path, allow_files: Sequence[Path] = ()) -> list[Guarded]:
    """The scenarios in some files, or of some names. `allow_files` is that of `simulator.load`.

    Raises ScenarioError if one is not valid, BaselineError if two have the same name.
    """
    found = [_guarded(file, directory, allow_files) for file in files]
    by_name: dict[str, Path] = {}
    for one in found:
        if (other := by_name.setdefault(one.scenario.name, one.file)) != one.file:
            raise BaselineError(
                f"{one.file}: has the name of {other}, {one.scenario.name}; give each a name of its own"
            )
    return found


def _guarded(file: Path, directory: Path, allow_files: Sequence[Path]) -> Guarded:
    scenario = load(file, allow_files=allow_files)
    tree = parse(Path(find(file)).read_text(encoding="utf-8-sig"), str(file)).tree
    return Guarded(file=file, scenario=scenario, tree=tree, path=baseline_file(directory, scenario.name))


def check(one: Guarded, baseline: Baseline, workers: int = 0, progress: Progress | None = None) -> Verdict:
    """Run the scenario's trials, and compare them with what was accepted. `workers`, `progress`: as for `run`."""
    try:
        return judge(one.scenario.name, baseline, _run(one, workers, progress))
    except TrialError as error:
        return failed(one.scenario.name, baseline, str(error))


@dataclass(frozen=True, kw_only=True)
class Acceptance:
    """The result of accepting the baseline of a scenario."""

    verdict: Verdict | None  # Compared with the earlier baseline, if this scenario had one.
    # No new baseline is written if the earlier one still has the same digest, or if trials failed or violated a
    # guarantee.
    written: bool
    refused: str | None = None
    failed: bool = False  # Refused because a trial failed.


def accept(
    one: Guarded,
    reason: str,
    *,
    tolerance: float | None = None,
    alpha: float | None = None,
    workers: int = 0,
    progress: Progress | None = None,
) -> Acceptance:
    """Run the scenario's trials, and make them its baseline. Raises OSError if that cannot be written.

    Where `tolerance` or `alpha` is not given, it stays what it was.
    """
    try:
        result = _run(one, workers, progress)
    except TrialError as error:
        return Acceptance(verdict=None, written=False, refused=str(error), failed=True)
    if result.violations:
        trial, violation = result.violations[0]
        return Acceptance(verdict=None, written=False, refused=f"trial {trial}: {violation}")
    earlier = _earlier(one)
    kept = (DEFAULT_TOLERANCE, DEFAULT_ALPHA) if earlier is None else (earlier.tolerance, earlier.alpha)
    limits = tuple(old if new is None else new for old, new in zip(kept, (tolerance, alpha), strict=True))
    verdict = None
    if earlier is not None and not changes(earlier.scenario, one.tree):
        verdict = judge(one.scenario.name, earlier, result)
        if verdict.outcome is Outcome.IDENTICAL and limits == kept:
            return Acceptance(verdict=verdict, written=False)
    write(accepted(result, one.tree, reason, tolerance=limits[0], alpha=limits[1]), one.path)
    return Acceptance(verdict=verdict, written=True)


def _earlier(one: Guarded) -> Baseline | None:
    try:
        return read(one.path)
    except BaselineError:
        return None


def _run(one: Guarded, workers: int, progress: Progress | None) -> Result:
    command = shlex.join(["electsim", "run", str(one.file)])
    result = run(one.scenario, workers=workers, progress=progress, command=command)
    # A signal has ended the run. A part of the trials is neither compared nor accepted as a baseline.
    if result.stopped_by is not None:
        raise signal_named(result.stopped_by)
    return result
