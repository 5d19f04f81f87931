"""What variants that ran with the same seed come to beside each other: docs/compare.md, and `comparison.json`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from math import isnan
from typing import Any

from simulator.analysis.estimates import Summary, statistic
from simulator.analysis.measures import COLD_START, HEADLINES, MEASURES, DurationQuantile, Measure
from simulator.analysis.samples import headline_cause
from simulator.analysis.statistics.bootstrap import RESAMPLES
from simulator.analysis.statistics.estimates import Estimate
from simulator.analysis.statistics.paired import Comparison
from simulator.analysis.statistics.significance import Significance, equivalent, holm, kolmogorov_smirnov, mann_whitney
from simulator.experiment.runner import Result
from simulator.experiment.variants import Settings, Variant, name_of, reference_of

ALPHA = 0.05
_MOST_RESAMPLES = 20_000
LARGEST_FAMILY = int(ALPHA * (_MOST_RESAMPLES + 1) / 2)  # Beyond, no bootstrap can have so small a p value.
_RESAMPLES_EACH = 50  # For each comparison of the family: fewer, and no p value could survive the correction.


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """How variants are to be compared.

    `reference` has settings that make, of any variant, the one that it is held against; without any, each is held
    against the best. `margin` (0.05 for 5 %) is how far a ratio may be from 1 for two variants to count as equal.
    """

    metrics: Sequence[str] = ()  # Keys of MEASURES; the headlines, unless given.
    reference: Settings | None = None
    margin: float | None = None


@dataclass(frozen=True, slots=True)
class _Pair:
    """A variant and what it is held against."""

    name: str
    against: str
    comparison: Comparison


@dataclass(frozen=True, slots=True)
class _Block:
    """One measure over all variants."""

    key: str
    measure: Measure
    estimates: Mapping[str, Estimate]
    best: str | None
    against: Mapping[str, str]  # From each variant that is held against another.


def compare(results: Sequence[tuple[Variant, Result]], question: Question) -> Summary:
    """The `metrics`, `tests` and `family` of a comparison, ready for JSON. All results are of the same trials."""
    by_name = {variant.name: result for variant, result in results}
    settings = {variant.name: variant.settings for variant, _ in results}
    keys = question.metrics or _headlines(by_name.values())
    blocks = [_block(key, by_name, settings, question.reference) for key in keys]
    blocks = [block for block in blocks if any(not isnan(found.value) for found in block.estimates.values())]
    family = sum(_chosen_from(block, question.reference) for block in blocks)
    resamples = min(max(RESAMPLES, _RESAMPLES_EACH * family), _MOST_RESAMPLES)
    pairs = [_pairs(block, by_name, resamples) for block in blocks]
    corrected = iter(holm([pair.comparison.p for found in pairs for pair in found], family))
    return {
        "family": family,
        "metrics": {
            block.key: _metric(block, {pair.name: (pair, next(corrected)) for pair in found}, question.margin)
            for block, found in zip(blocks, pairs, strict=True)
        },
        "tests": _tests(blocks, by_name, question.reference),
    }


def described(results: Sequence[tuple[Variant, Result]], directories: Sequence[str]) -> list[Summary]:
    """What each variant was, and what became of its trials."""
    return [
        {
            "name": variant.name,
            "settings": dict(variant.settings),
            "directory": directory,
            "digest": result.digest,
            "trials": result.summary["trials"],
            "violations": result.summary["violations"],
        }
        for (variant, result), directory in zip(results, directories, strict=True)
    ]


def provenance(scenario: str, command: str, seed: int) -> Summary:
    """What was compared, with what, and the command that repeats it."""
    return {"scenario": scenario, "version": version("electsim"), "seed": seed, "command": command}


def _headlines(results: Iterable[Result]) -> Sequence[str]:
    return HEADLINES if any(headline_cause(result.elections) == "loss" for result in results) else COLD_START


def _block(
    key: str, results: Mapping[str, Result], settings: Mapping[str, Settings], reference: Settings | None
) -> _Block:
    measure = MEASURES[key]
    estimates = {name: measure.estimate(result) for name, result in results.items()}
    known = {name: found.value for name, found in estimates.items() if not isnan(found.value)}
    best = min(known, key=lambda name: known[name]) if known else None
    if reference is not None:
        against = {name: name_of(reference_of(settings[name], reference)) for name in known}
    else:
        against = dict.fromkeys(known, best or "")
    held = {name: other for name, other in against.items() if name != other and other in known}
    return _Block(key, measure, estimates, best, held)


def _chosen_from(block: _Block, reference: Settings | None) -> int:
    """How many comparisons there were to choose from: the best is chosen by what the data say, so all pairs."""
    if reference is not None:
        return len(block.against)
    known = sum(not isnan(found.value) for found in block.estimates.values())
    return known * (known - 1) // 2


def _pairs(block: _Block, results: Mapping[str, Result], resamples: int) -> list[_Pair]:
    return [
        _Pair(name, other, block.measure.compare(results[other], results[name], resamples))
        for name, other in block.against.items()
    ]


def _metric(block: _Block, pairs: Mapping[str, tuple[_Pair, float]], margin: float | None) -> Summary:
    rows = [_row(name, found, pairs.get(name), margin) for name, found in block.estimates.items()]
    return {
        "label": block.measure.label,
        "unit": block.measure.unit,
        "best": block.best,
        "winner": _winner(block, rows),
        "variants": rows,
    }


def _row(name: str, found: Estimate, pair: tuple[_Pair, float] | None, margin: float | None) -> Summary:
    row: dict[str, Any] = {"name": name, **statistic(found)}
    if pair is None:
        return row | {"against": None}
    held, p = pair
    compared = held.comparison
    return row | {
        "against": held.against,
        "difference": statistic(compared.difference),
        "ratio": statistic(compared.ratio),
        "p": _number(compared.p),
        "p_corrected": _number(p),
        "verdict": _verdict(compared, p),
        "equivalent": None if margin is None else equivalent(compared.ratio_90, margin),
    }


def _verdict(compared: Comparison, p: float) -> str | None:
    """Where the interval at the confidence that the correction asks for excludes 0. Of all measures, less is better."""
    if not p < ALPHA:
        return None
    return "worse" if compared.difference.value > 0 else "better"


def _winner(block: _Block, rows: Sequence[Summary]) -> str | None:
    """The best, if it is told apart from every other."""
    others = [row for row in rows if row["name"] != block.best and row["against"] is not None]
    held_against_best = others and all(row["against"] == block.best for row in others)
    return block.best if held_against_best and all(row["verdict"] == "worse" for row in others) else None


def _tests(blocks: Sequence[_Block], results: Mapping[str, Result], reference: Settings | None) -> Summary:
    """Of each duration, whether its distributions differ, by two tests that look at all of it."""
    durations = {
        block.measure.duration: block for block in reversed(blocks) if isinstance(block.measure, DurationQuantile)
    }
    family = sum(_chosen_from(block, reference) for block in durations.values())
    found: dict[tuple[str, str], tuple[Significance, Significance]] = {}
    for duration, block in durations.items():
        assert isinstance(block.measure, DurationQuantile)
        samples = {name: block.measure.sample(result) for name, result in results.items()}
        for name, other in block.against.items():
            before, after = samples[other], samples[name]
            found[duration, name] = kolmogorov_smirnov(before, after), mann_whitney(before, after)
    distances, ranks = (iter(holm([both[which].p for both in found.values()], family)) for which in (0, 1))
    tests: dict[str, list[Summary]] = {duration: [] for duration in durations}
    for (duration, name), (distance, rank) in found.items():
        tests[duration].append(
            {
                "name": name,
                "against": durations[duration].against[name],
                "kolmogorov_smirnov": {"distance": distance.statistic, **_p_values(distance.p, next(distances))},
                "mann_whitney": {"chance_longer": rank.statistic, **_p_values(rank.p, next(ranks))},
            }
        )
    return tests


def _p_values(p: float, corrected: float) -> Summary:
    return {"p": _number(p), "p_corrected": _number(corrected)}


def _number(p: float) -> float | None:
    return None if isnan(p) else float(p)
