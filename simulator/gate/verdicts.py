"""The verdict on a candidate: the same digest as the baseline, or a comparison of its figures with the baseline's."""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from simulator.analysis.statistics.estimates import Estimate
from simulator.analysis.statistics.significance import holm
from simulator.experiment.runner import Result, made_with
from simulator.gate.baseline import Baseline
from simulator.gate.measures import MEASURES, Measure
from simulator.gate.trial_figures import TrialFigures, trial_figures

_MOST_SHOWN = 3  # Violated guarantees, one by one.


class Finding(enum.StrEnum):
    """The verdict on one figure."""

    SAME = "same"  # The change is within chance, or within the tolerance.
    REGRESSION = "regression"
    IMPROVEMENT = "improvement"
    # The change is larger than the tolerance, but no result of so few trials could be significant.
    TOO_FEW = "too few trials to tell"


class Outcome(enum.StrEnum):
    """The verdict on one scenario."""

    IDENTICAL = "identical"  # Every trial went as before.
    PASSED = "passed"
    IMPROVED = "improved"
    REGRESSED = "regressed"
    BROKEN = "broken"  # A guarantee was violated, or a trial failed. The figures do not matter then.

    @property
    def fails(self) -> bool:
        """Whether the gate fails with this outcome."""
        return self in (Outcome.REGRESSED, Outcome.BROKEN)


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure before and after. `p` is corrected by Holm's method for the family of the scenario's figures."""

    name: str
    unit: str
    before: float
    after: float
    p: float
    finding: Finding
    ratio: Estimate  # The ratio after / before, with its 95 % interval.


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the gate says of one scenario."""

    scenario: str
    outcome: Outcome
    reason: str  # Why the baseline was accepted.
    tolerance: float
    alpha: float
    trials: int
    changed: int  # The number of trials whose events differ from the baseline's.
    figures: Sequence[Figure] = ()  # None if no trial has changed.
    remarks: Sequence[str] = ()
    broken: Sequence[str] = ()
    failed: bool = False  # A trial failed, so that there is nothing to compare.


def judge(name: str, baseline: Baseline, result: Result) -> Verdict:
    """Compare the run of a scenario with what was accepted of it."""
    before, after = baseline.trial_figures(), trial_figures(result)
    broken = [f"trial {trial}: {violation}" for trial, violation in result.violations]
    if before.duration != after.duration:
        broken.append(f"its primary metric was {before.duration}, and is {after.duration}")
    elif len(before.digests) != len(after.digests):
        broken.append(f"{len(before.digests):,} trials were accepted, and {len(after.digests):,} were run")
    changed = sum(old != new for old, new in zip(before.digests, after.digests, strict=False))
    identical = before.digest == after.digest
    figures = [] if identical or broken else compare(before, after, baseline.tolerance, baseline.alpha)
    return Verdict(
        scenario=name,
        outcome=_outcome(identical, broken, figures),
        reason=baseline.reason,
        tolerance=baseline.tolerance,
        alpha=baseline.alpha,
        trials=len(after.digests),
        changed=changed,
        figures=figures,
        remarks=() if identical else _other_versions(baseline.versions, made_with()),
        broken=_few(broken),
    )


def failed(name: str, baseline: Baseline, reason: str) -> Verdict:
    """The verdict if a trial failed."""
    return Verdict(
        scenario=name,
        outcome=Outcome.BROKEN,
        reason=baseline.reason,
        tolerance=baseline.tolerance,
        alpha=baseline.alpha,
        trials=0,
        changed=0,
        broken=(reason,),
        failed=True,
    )


def compare(before: TrialFigures, after: TrialFigures, tolerance: float, alpha: float) -> list[Figure]:
    """All figures. A change counts if it is significant at `alpha` after Holm, and exceeds the tolerance."""
    p_values = holm([measure.p_value(before, after) for measure in MEASURES])
    family = sum(not math.isnan(p) for p in p_values)
    return [
        _figure(measure, before, after, p, family, tolerance, alpha)
        for measure, p in zip(MEASURES, p_values, strict=True)
    ]


def _figure(
    measure: Measure, before: TrialFigures, after: TrialFigures, p: float, family: int, tolerance: float, alpha: float
) -> Figure:
    old, new = measure.value(before), measure.value(after)
    # The p value is corrected by Holm's method, as the smallest of its family.
    least_p = family * measure.least_p(before, after)
    return Figure(
        name=measure.name(after),
        unit=measure.unit,
        before=old,
        after=new,
        p=p,
        finding=finding(old, new, p, tolerance, alpha, least_p),
        ratio=measure.ratio(before, after),
    )


def finding(before: float, after: float, p: float, tolerance: float, alpha: float, least_p: float = 0.0) -> Finding:
    """What a change of a figure amounts to; smaller values are better.

    If the figure was 0, or is hidden by censoring now, every change is beyond the tolerance. `least_p` is the smallest
    p value that this number of trials can give: if it is not below `alpha`, no change can be told from chance.
    """
    worse, better = after > before * (1 + tolerance), after < before * (1 - tolerance)
    if not (worse or better):
        return Finding.SAME
    if not p < alpha:
        return Finding.TOO_FEW if least_p >= alpha and not math.isnan(p) else Finding.SAME
    return Finding.REGRESSION if worse else Finding.IMPROVEMENT


def _outcome(identical: bool, broken: Sequence[str], figures: Sequence[Figure]) -> Outcome:
    found = {figure.finding for figure in figures}
    if broken:
        return Outcome.BROKEN
    if identical:
        return Outcome.IDENTICAL
    if Finding.REGRESSION in found:
        return Outcome.REGRESSED
    return Outcome.IMPROVED if Finding.IMPROVEMENT in found else Outcome.PASSED


def _few(broken: Sequence[str]) -> list[str]:
    more = len(broken) - _MOST_SHOWN
    return [*broken[:_MOST_SHOWN], *([f"… and {more:,} more"] if more > 0 else [])]


def _other_versions(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """The versions that differ from those of the baseline. Other versions may change digests, but should not change
    figures.
    """
    return [
        f"{name} was {before.get(name, 'absent')}, and is {now.get(name, 'absent')}"
        for name in dict.fromkeys((*before, *now))
        if before.get(name) != now.get(name)
    ]
