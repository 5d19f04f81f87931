"""Compares variants that ran the same trials: the `metrics`, `tests` and `family` of `comparison.json`.

docs/compare.md says how the comparison is read, docs/statistics.md where its methods are from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from math import isnan
from typing import Any

from simulator.analysis.estimates import Summary, statistic
from simulator.analysis.measures import DurationQuantile, Measure
from simulator.analysis.records.registry import MEASURES
from simulator.analysis.samples import primary_cause
from simulator.analysis.statistics.bootstrap import RESAMPLES
from simulator.analysis.statistics.estimates import Estimate
from simulator.analysis.statistics.paired import Comparison
from simulator.analysis.statistics.significance import Significance, equivalent, holm, kolmogorov_smirnov, mann_whitney
from simulator.analysis.tables import Tables, in_common

ALPHA = 0.05
_MOST_RESAMPLES = 20_000
LARGEST_FAMILY = int(ALPHA * (_MOST_RESAMPLES + 1) / 2)  # In a larger family, no bootstrap p value is small enough.
_RESAMPLES_EACH = 50  # For each comparison of the family: with fewer, no p value could survive the correction.

# The metrics compared by default, in this order: after losses, or from a cold start.
PRIMARY = ("failover.median", "failover.p99", "split_votes", "messages", "leaderless", "leaders_overlap")
COLD_START = ("stabilisation.median", "stabilisation.p99", *PRIMARY[2:])

Settings = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonPlan:
    """What is compared, and with what.

    `metrics` are keys of MEASURES; if there are none, the primary ones are compared. `reference` are settings. Each
    variant is compared with the variant that has these settings and otherwise the same values. Without `reference`,
    each variant is compared with the best one. Two variants count as equal if their ratio is at most `margin` (0.05 for
    5 %) away from 1.
    """

    metrics: Sequence[str] = ()
    reference: Settings | None = None
    margin: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ComparedVariant:
    """One variant: its name, the values of the fields that differ between variants, and the tables of its run."""

    name: str
    settings: Settings
    tables: Tables


@dataclass(frozen=True, slots=True)
class _Pair:
    """A variant, the variant that it is compared with, and the comparison."""

    name: str
    compared_with: str
    comparison: Comparison


@dataclass(frozen=True, slots=True)
class _Block:
    """One measure over all variants. `compared_with` has an entry for each variant that is compared with another."""

    key: str
    measure: Measure
    estimates: Mapping[str, Estimate]
    best: str | None
    compared_with: Mapping[str, str]


def compare(variants: Sequence[ComparedVariant], plan: ComparisonPlan) -> Summary:
    """The `metrics`, `tests` and `family` of a comparison, ready for JSON. All variants ran the same trials."""
    tables = {variant.name: variant.tables for variant in variants}
    references: dict[str, str | None] | None = None
    if plan.reference is not None:
        references = {variant.name: _reference_of(variant, variants, plan.reference) for variant in variants}
    keys = plan.metrics or _primary_measures(tables.values())
    blocks = [_block(key, tables, references) for key in keys]
    blocks = [block for block in blocks if any(not isnan(estimate.value) for estimate in block.estimates.values())]
    family = sum(_family_size(block, references is not None) for block in blocks)
    resamples = min(max(RESAMPLES, _RESAMPLES_EACH * family), _MOST_RESAMPLES)
    pairs = [_pairs(block, tables, resamples) for block in blocks]
    corrected = iter(holm([pair.comparison.p for block_pairs in pairs for pair in block_pairs], family))
    return {
        "family": family,
        "metrics": {
            block.key: _metric(block, {pair.name: (pair, next(corrected)) for pair in block_pairs}, plan.margin)
            for block, block_pairs in zip(blocks, pairs, strict=True)
        },
        "tests": _tests(blocks, tables, references is not None),
    }


def provenance(scenario: str, command: str, seed: int) -> Summary:
    """The scenario, seed and version of a comparison, and the command that repeats it."""
    return {"scenario": scenario, "version": version("electsim"), "seed": seed, "command": command}


def _reference_of(variant: ComparedVariant, variants: Sequence[ComparedVariant], reference: Settings) -> str | None:
    """The name of the variant that has the settings of the reference, and otherwise the same settings as this
    variant.
    """
    settings = {**variant.settings, **reference}
    return next((other.name for other in variants if dict(other.settings) == settings), None)


def _primary_measures(tables: Iterable[Tables]) -> Sequence[str]:
    return PRIMARY if any(primary_cause(run.elections) == "loss" for run in tables) else COLD_START


def _block(key: str, tables: Mapping[str, Tables], references: Mapping[str, str | None] | None) -> _Block:
    measure = MEASURES[key]
    estimates = {name: measure.estimate(run) for name, run in tables.items()}
    known = {name: estimate.value for name, estimate in estimates.items() if not isnan(estimate.value)}
    best = min(known, key=lambda name: known[name]) if known else None
    chosen = {name: best if references is None else references[name] for name in known}
    compared_with = {name: other for name, other in chosen.items() if other in known and other != name}
    return _Block(key, measure, estimates, best, {name: str(other) for name, other in compared_with.items()})


def _family_size(block: _Block, by_reference: bool) -> int:
    """How many comparisons Holm's correction allows for: all pairs if the data decide which variant is the best."""
    if by_reference:
        return len(block.compared_with)
    known = sum(not isnan(estimate.value) for estimate in block.estimates.values())
    return known * (known - 1) // 2


def _pairs(block: _Block, tables: Mapping[str, Tables], resamples: int) -> list[_Pair]:
    """Each variant and the one that it is compared with, by the trials that neither lacks: a trial may have failed."""
    return [
        _Pair(name, other, block.measure.compare(*in_common(tables[other], tables[name]), resamples))
        for name, other in block.compared_with.items()
    ]


def _metric(block: _Block, pairs: Mapping[str, tuple[_Pair, float]], margin: float | None) -> Summary:
    rows = [_row(name, estimate, pairs.get(name), margin) for name, estimate in block.estimates.items()]
    return {
        "label": block.measure.label,
        "unit": block.measure.unit,
        "best": block.best,
        "winner": _winner(block, rows),
        "variants": rows,
    }


def _row(name: str, estimate: Estimate, pair: tuple[_Pair, float] | None, margin: float | None) -> Summary:
    row: dict[str, Any] = {"name": name, **statistic(estimate)}
    if pair is None:
        return row | {"against": None}
    compared, p_corrected = pair
    comparison = compared.comparison
    return row | {
        "against": compared.compared_with,
        "difference": statistic(comparison.difference),
        "ratio": statistic(comparison.ratio),
        "p": _number(comparison.p),
        "p_corrected": _number(p_corrected),
        "verdict": _verdict(comparison, p_corrected),
        "equivalent": None if margin is None else equivalent(comparison.ratio_90, margin),
    }


def _verdict(comparison: Comparison, p_corrected: float) -> str | None:
    """`worse` or `better` if the corrected p value is below 5 %; None otherwise. Less is better in every measure."""
    if not p_corrected < ALPHA:
        return None
    return "worse" if comparison.difference.value > 0 else "better"


def _winner(block: _Block, rows: Sequence[Summary]) -> str | None:
    """The best variant, if every other one is significantly worse."""
    others = [row for row in rows if row["name"] != block.best and row["against"] is not None]
    all_with_best = others and all(row["against"] == block.best for row in others)
    return block.best if all_with_best and all(row["verdict"] == "worse" for row in others) else None


def _tests(blocks: Sequence[_Block], tables: Mapping[str, Tables], by_reference: bool) -> Summary:
    """For each duration, whether the distributions differ: two tests that look at whole distributions."""
    durations = {
        block.measure.duration: block for block in reversed(blocks) if isinstance(block.measure, DurationQuantile)
    }
    family = sum(_family_size(block, by_reference) for block in durations.values())
    results: dict[tuple[str, str], tuple[Significance, Significance]] = {}
    for duration, block in durations.items():
        assert isinstance(block.measure, DurationQuantile)
        samples = {name: block.measure.sample(run) for name, run in tables.items()}
        for name, other in block.compared_with.items():
            before, after = samples[other], samples[name]
            results[duration, name] = kolmogorov_smirnov(before, after), mann_whitney(before, after)
    distances, ranks = (iter(holm([both[which].p for both in results.values()], family)) for which in (0, 1))
    tests: dict[str, list[Summary]] = {duration: [] for duration in durations}
    for (duration, name), (distance, rank) in results.items():
        tests[duration].append(
            {
                "name": name,
                "against": durations[duration].compared_with[name],
                "kolmogorov_smirnov": {"distance": distance.statistic, **_p_values(distance.p, next(distances))},
                "mann_whitney": {"chance_longer": rank.statistic, **_p_values(rank.p, next(ranks))},
            }
        )
    return tests


def _p_values(p: float, p_corrected: float) -> Summary:
    return {"p": _number(p), "p_corrected": _number(p_corrected)}


def _number(p: float) -> float | None:
    return None if isnan(p) else float(p)
