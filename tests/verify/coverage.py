"""How often 95 % intervals hold the truth, and tests raise a false alarm: by simulation, on known distributions.

    python -m tests.verify.coverage

measures everything and writes the tables into docs/statistics.md; with arguments, the rows whose names contain one.
"""

from __future__ import annotations

import math
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from scipy import special

from simulator.analysis.precision import interim_analyses, interim_estimate, relative_error
from simulator.analysis.statistics.estimates import Estimate, Sample, fraction, fraction_by_trial, mean, quantile, rate
from simulator.analysis.statistics.incidence import CENSORED, COMPETING, EVENT, CompetingSample, incidence_by_end
from simulator.analysis.statistics.paired import Tally, compare_fraction, compare_mean, compare_quantile
from simulator.analysis.statistics.significance import kolmogorov_smirnov, mann_whitney, quantile_test

PAGE = Path(__file__).parents[2] / "docs" / "statistics.md"
SIZES = (200, 1000)
PROMISED = 0.95
_CHANGE = 1.2  # What is compared is a fifth longer.
_LUCK = 0.8  # The correlation, on a normal scale, of what pairs share.
_CLOSE = 0.7  # Likewise, of several values of one trial.

FloatArray = np.ndarray


# --- Distributions


@dataclass(frozen=True)
class Distribution:
    """A distribution of durations by its quantile function, with its mean."""

    name: str
    inverse: Callable[[FloatArray], FloatArray]
    mean: float

    def quantile(self, p: float) -> float:
        return float(self.inverse(np.array([p]))[0])

    def draw(self, random: np.random.Generator, *shape: int) -> FloatArray:
        return self.inverse(random.random(shape))

    def together(self, random: np.random.Generator, rows: int, n: int, correlation: float) -> FloatArray:
        """Rows of values, shape (rows, n), that share luck column by column."""
        shared, own = random.normal(size=n), random.normal(size=(rows, n))
        return self.inverse(special.ndtr(math.sqrt(correlation) * shared + math.sqrt(1 - correlation) * own))


def _lognormal(u: FloatArray) -> FloatArray:
    return np.asarray(np.exp(1.5 * special.ndtri(u)))


def _exponential(u: FloatArray) -> FloatArray:
    return np.asarray(-np.log1p(-u))


def _pareto(u: FloatArray) -> FloatArray:
    return np.asarray((1 - u) ** (-1 / 2.5))


def _bimodal(u: FloatArray) -> FloatArray:
    """As failovers with a split vote in a fifth of the cases: uniform over 150–300 ms, or 450–600 ms."""
    return np.where(u < 0.8, 0.15 + 0.15 * u / 0.8, 0.45 + 0.15 * (u - 0.8) / 0.2)


DISTRIBUTIONS = (
    Distribution("exponential", _exponential, 1.0),
    Distribution("lognormal, σ = 1.5", _lognormal, math.exp(1.5**2 / 2)),
    Distribution("Pareto, α = 2.5", _pareto, 2.5 / 1.5),
    Distribution("bimodal", _bimodal, 0.8 * 0.225 + 0.2 * 0.525),
)


# --- Intervals: from a generator, a distribution and a size to whether the truth was held

Trial = Callable[[np.random.Generator, Distribution, int], bool]


def holds(estimate: Estimate, truth: float) -> bool:
    """Whether an interval holds the truth."""
    return bool(estimate.low <= truth <= estimate.high)


def _quantile(random: np.random.Generator, of: Distribution, n: int, p: float) -> bool:
    return holds(quantile(Sample.of(of.draw(random, n)), p), of.quantile(p))


def _censored(random: np.random.Generator, of: Distribution, n: int) -> bool:
    """Each followed for a time of its own, from the same distribution twice as long: a third is censored, or less."""
    lasts, followed = of.draw(random, n), 2 * of.draw(random, n)
    return holds(quantile(Sample.of(np.minimum(lasts, followed), followed < lasts), 0.5), of.quantile(0.5))


def _clustered(random: np.random.Generator, of: Distribution, n: int, p: float) -> bool:
    values = of.together(random, 3, n, _CLOSE)
    sample = Sample.of(values.ravel(), trials=np.tile(np.arange(n), 3))
    return holds(quantile(sample, p), of.quantile(p))


def _clustered_censored(random: np.random.Generator, of: Distribution, n: int) -> bool:
    """Each followed for a time of its own, which is twice as long on average, and correlates within a trial, too."""
    lasts, followed = (of.together(random, 3, n, _CLOSE).ravel() for _ in range(2))
    sample = Sample.of(np.minimum(lasts, 2 * followed), 2 * followed < lasts, np.tile(np.arange(n), 3))
    return holds(quantile(sample, 0.5), of.quantile(0.5))


def _competing(random: np.random.Generator, of: Distribution, n: int) -> bool:
    """Three durations a trial, of which two thirds end by the event, whatever their length; some are censored.

    By the median of the durations, the incidence of the event is a third.
    """
    lasts, followed = (of.together(random, 3, n, _CLOSE).ravel() for _ in range(2))
    ended = np.where(random.random(3 * n) < 2 / 3, EVENT, COMPETING)
    until = np.minimum(of.quantile(0.5), 2 * followed)
    found = CompetingSample(
        np.minimum(lasts, until), np.where(lasts <= until, ended, CENSORED), np.tile(np.arange(n), 3)
    )
    return holds(incidence_by_end(found), 1 / 3)


def _mean(random: np.random.Generator, of: Distribution, n: int) -> bool:
    return holds(mean(Sample.of(of.draw(random, n))), of.mean)


def _mean_by_bootstrap_t(random: np.random.Generator, of: Distribution, n: int) -> bool:
    """What we do not use, to see whether it would be better (Efron 1982: each resample by its own standard error)."""
    values = of.draw(random, n)
    drawn = values[random.integers(0, n, (1000, n))]
    errors = np.sort((drawn.mean(axis=1) - values.mean()) / (drawn.std(axis=1) / math.sqrt(n)))
    low, high = (values.mean() - errors[at] * values.std() / math.sqrt(n) for at in (974, 24))
    return bool(low <= of.mean <= high)


def _until_precise(random: np.random.Generator, of: Distribution, n: int) -> bool:
    """The median at the first look at which it is known well enough (simulator.analysis.precision).

    To within 20 % or, for the larger size, 10 %; at most a hundred thousand trials.
    """
    asked = 0.2 if n == SIZES[0] else 0.1
    values = of.draw(random, 100_000)
    looks = tuple(interim_analyses(values.size))
    for look in looks:
        found = interim_estimate(Sample.of(values[:look]), 0.5, looks, look)
        if relative_error(found) <= asked:
            break
    return holds(found, of.quantile(0.5))


def _at_all_looks(random: np.random.Generator, of: Distribution, n: int, p: float) -> bool:
    """The intervals at all interim analyses of n trials at most, together."""
    values, looks = of.draw(random, n), tuple(interim_analyses(n))
    truth = of.quantile(p)
    return all(holds(interim_estimate(Sample.of(values[:look]), p, looks, look), truth) for look in looks)


def _at_all_looks_censored(random: np.random.Generator, of: Distribution, n: int) -> bool:
    """As `_censored`, at all interim analyses together."""
    lasts, followed, looks = of.draw(random, n), 2 * of.draw(random, n), tuple(interim_analyses(n))
    sample = Sample.of(np.minimum(lasts, followed), followed < lasts)
    first = (Sample.of(sample.values[:look], sample.censored[:look]) for look in looks)
    found = (interim_estimate(part, 0.5, looks, look) for part, look in zip(first, looks, strict=True))
    return all(holds(estimate, of.quantile(0.5)) for estimate in found)


def _at_all_looks_clustered(random: np.random.Generator, of: Distribution, n: int) -> bool:
    """As `_clustered`, at all interim analyses together."""
    values, looks = of.together(random, 3, n, _CLOSE), tuple(interim_analyses(n))
    first = (Sample.of(values[:, :look].ravel(), trials=np.tile(np.arange(look), 3)) for look in looks)
    found = (interim_estimate(part, 0.5, looks, look) for part, look in zip(first, looks, strict=True))
    return all(holds(estimate, of.quantile(0.5)) for estimate in found)


def _pair(random: np.random.Generator, of: Distribution, n: int, paired: bool = True) -> tuple[Sample, Sample]:
    old, new = of.together(random, 2, n, _LUCK if paired else 0.0)
    return Sample.of(old), Sample.of(_CHANGE * new)


def _difference_of_quantiles(random: np.random.Generator, of: Distribution, n: int, p: float, paired: bool) -> bool:
    found = compare_quantile(*_pair(random, of, n, paired), p, paired=paired, generator=random)
    return holds(found.difference, (_CHANGE - 1) * of.quantile(p))


def _difference_of_means(random: np.random.Generator, of: Distribution, n: int) -> bool:
    found = compare_mean(*_pair(random, of, n), paired=True)
    return holds(found.difference, (_CHANGE - 1) * of.mean)


def _ratio_of_means(random: np.random.Generator, of: Distribution, n: int) -> bool:
    return holds(compare_mean(*_pair(random, of, n), paired=True).ratio, _CHANGE)


# --- Tests: whether nothing was called something, at 5 %


def _equals(random: np.random.Generator, of: Distribution, n: int) -> tuple[Sample, Sample]:
    old, new = of.together(random, 2, n, _LUCK)
    return Sample.of(old), Sample.of(new)


def _false_alarm_by_interval(random: np.random.Generator, of: Distribution, n: int) -> bool:
    return compare_quantile(*_equals(random, of, n), 0.5, paired=True, generator=random).p < 1 - PROMISED


def _false_alarm_of_quantile(random: np.random.Generator, of: Distribution, n: int, p: float) -> bool:
    return quantile_test(*_equals(random, of, n), p, paired=True).p < 1 - PROMISED


def _false_alarm_of_ranks(random: np.random.Generator, of: Distribution, n: int, paired: bool) -> bool:
    old, new = of.together(random, 2, n, _LUCK if paired else 0.0)
    return mann_whitney(Sample.of(old), Sample.of(new)).p < 1 - PROMISED


def _false_alarm_of_distance(random: np.random.Generator, of: Distribution, n: int, paired: bool) -> bool:
    old, new = of.together(random, 2, n, _LUCK if paired else 0.0)
    return kolmogorov_smirnov(Sample.of(old), Sample.of(new)).p < 1 - PROMISED


# --- Counts: from a generator, a share and a size


def _fraction(random: np.random.Generator, share: float, n: int) -> bool:
    return holds(fraction(int(random.binomial(n, share)), n), share)


def _fraction_by_trial(random: np.random.Generator, share: float, n: int) -> bool:
    """Three rounds a trial that hang together: beta-binomial with a correlation of 0.3."""
    strength = 1 / 0.3 - 1
    hits = random.binomial(3, random.beta(share * strength, (1 - share) * strength, n))
    return holds(fraction_by_trial(hits, np.full(n, 3)), share)


def _difference_of_fractions(random: np.random.Generator, share: float, n: int, paired: bool) -> bool:
    shared, own = random.normal(size=n), random.normal(size=(2, n))
    fault_rng = _LUCK if paired else 0.0
    u = special.ndtr(math.sqrt(fault_rng) * shared + math.sqrt(1 - fault_rng) * own)
    old, new = u[0] < share, u[1] < _CHANGE * share
    found = compare_fraction(Tally(old, np.ones(n)), Tally(new, np.ones(n)), paired=paired)
    return holds(found.difference, (_CHANGE - 1) * share)


def _rate(random: np.random.Generator, share: float, n: int) -> bool:
    """Incidents at that rate in so much time."""
    return holds(rate(int(random.poisson(share * n)), n), share)


# --- The tables


@dataclass(frozen=True)
class Row:
    """One interval or test over all distributions or shares; `times` how often it is tried, for each size."""

    name: str
    method: str
    trial: Callable[..., bool]
    times: tuple[int, int]


INTERVALS = (
    Row("median", "order statistics", partial(_quantile, p=0.5), (5000, 5000)),
    Row("p95", "order statistics", partial(_quantile, p=0.95), (5000, 5000)),
    Row("p99", "order statistics", partial(_quantile, p=0.99), (5000, 5000)),
    Row("median, up to a third censored", "Kaplan–Meier, log-log", _censored, (2000, 2000)),
    Row("median, three values a trial", "jackknife over trials", partial(_clustered, p=0.5), (2000, 2000)),
    Row("p95, three values a trial", "jackknife over trials", partial(_clustered, p=0.95), (2000, 2000)),
    Row("median, three values a trial, some censored", "jackknife over trials", _clustered_censored, (2000, 2000)),
    Row("incidence with a competing end, by the median", "jackknife over trials", _competing, (2000, 2000)),
    Row("mean", "ABC", _mean, (5000, 5000)),
    Row("mean, by another method", "bootstrap-t (not used)", _mean_by_bootstrap_t, (1000, 500)),
    Row("median, with `--precision` 20 % or 10 %", "over all looks", _until_precise, (1000, 1000)),
    Row("median at all looks together", "over all looks", partial(_at_all_looks, p=0.5), (2000, 2000)),
    Row("p95 at all looks together", "over all looks", partial(_at_all_looks, p=0.95), (2000, 2000)),
    Row("median at all looks together, censored", "over all looks", _at_all_looks_censored, (1000, 1000)),
    Row("median at all looks together, three values a trial", "over all looks", _at_all_looks_clustered, (1000, 1000)),
    Row("difference of medians, pairs", "bootstrap", partial(_difference_of_quantiles, p=0.5, paired=True), (500, 200)),
    Row(
        "difference of medians, no pairs",
        "bootstrap",
        partial(_difference_of_quantiles, p=0.5, paired=False),
        (500, 200),
    ),
    Row("difference of p99, pairs", "bootstrap", partial(_difference_of_quantiles, p=0.99, paired=True), (500, 200)),
    Row("difference of means, pairs", "ABC", _difference_of_means, (5000, 5000)),
    Row("ratio of means, pairs", "ABC", _ratio_of_means, (5000, 5000)),
)
SHARES = (0.01, 0.1, 0.5)
COUNTS = (
    Row("fraction of tries", "Wilson", _fraction, (4000, 4000)),
    Row("fraction, three tries a trial", "Wilson, effective size", _fraction_by_trial, (4000, 4000)),
    Row("difference of fractions, pairs", "Newcombe", partial(_difference_of_fractions, paired=True), (2000, 2000)),
    Row("difference of fractions, no pairs", "Newcombe", partial(_difference_of_fractions, paired=False), (2000, 2000)),
    Row("rate in a time of 200 or 1000", "exact Poisson", _rate, (4000, 4000)),
)
ALARMS = (
    Row("median moved, pairs", "McNemar, exact", partial(_false_alarm_of_quantile, p=0.5), (2000, 2000)),
    Row("p99 moved, pairs", "McNemar, exact", partial(_false_alarm_of_quantile, p=0.99), (2000, 2000)),
    Row("median moved, pairs", "bootstrap interval", _false_alarm_by_interval, (500, 200)),
    Row("longer, no pairs", "Mann–Whitney", partial(_false_alarm_of_ranks, paired=False), (2000, 2000)),
    Row("longer, pairs", "Mann–Whitney", partial(_false_alarm_of_ranks, paired=True), (2000, 2000)),
    Row(
        "other distribution, no pairs",
        "Kolmogorov–Smirnov",
        partial(_false_alarm_of_distance, paired=False),
        (1000, 500),
    ),
    Row("other distribution, pairs", "Kolmogorov–Smirnov", partial(_false_alarm_of_distance, paired=True), (1000, 500)),
)


@dataclass(frozen=True)
class Cell:
    """One row under one distribution or share, at one size."""

    row: Row
    under: Distribution | float
    size: int

    @property
    def name(self) -> str:
        return self.under.name if isinstance(self.under, Distribution) else f"{self.under:g}"

    @property
    def times(self) -> int:
        return self.row.times[SIZES.index(self.size)]

    def measure(self, times: int | None = None, seed: int = 0) -> float:
        """The share of so many tries (all of the table's, unless given) that held the truth, or raised an alarm."""
        key = zlib.crc32(f"{self.row.name}, {self.row.method}, {self.name}, {self.size}".encode())
        random = np.random.default_rng([seed, key])
        tries = times or self.times
        return sum(self.row.trial(random, self.under, self.size) for _ in range(tries)) / tries


def cells(rows: Sequence[Row], under: Sequence[Distribution | float]) -> list[Cell]:
    """Of each row, all that is under it, each at every size."""
    return [Cell(row, one, size) for row in rows for one in under for size in SIZES]


TABLES = {
    "intervals": cells(INTERVALS, DISTRIBUTIONS),
    "counts": cells(COUNTS, SHARES),
    "alarms": cells(ALARMS, DISTRIBUTIONS),
}


def written(name: str, found: Sequence[float]) -> str:
    """A table in Markdown: percentages, those in bold that miss their mark by more than two standard errors."""
    of = TABLES[name]
    columns = list(dict.fromkeys(cell.name for cell in of))
    heads = [f"{column}, {size:,}" for column in columns for size in SIZES]
    lines = [["", "method", *heads], ["---"] * 2 + ["---:"] * len(heads)]
    for start in range(0, len(of), len(heads)):
        row = of[start].row
        shown = [
            percentage(cell, share) for cell, share in zip(of[start:], found[start : start + len(heads)], strict=False)
        ]
        lines.append([row.name, row.method, *shown])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def percentage(cell: Cell, share: float) -> str:
    """Bold: coverage below what was promised, or alarms above."""
    alarms = cell in TABLES["alarms"]
    mark = 1 - PROMISED if alarms else PROMISED
    beyond = (share - mark if alarms else mark - share) / math.sqrt(mark * (1 - mark) / cell.times)
    return f"**{100 * share:.1f}**" if beyond > 2 else f"{100 * share:.1f}"


def agrees(cell: Cell, stated: float, found: float, tries: int) -> bool:
    """Whether a figure of the page and one of so many other tries differ by no more than chance: 4.5 standard errors,
    of more than a hundred figures."""
    typical = min(max((stated * cell.times + found * tries) / (cell.times + tries), 0.005), 0.995)
    return abs(found - stated) <= 4.5 * math.sqrt(typical * (1 - typical) * (1 / cell.times + 1 / tries))


def read_table(name: str) -> Iterator[tuple[str, str, list[float]]]:
    """The rows that the page has at present: name, method and shares."""
    _, _, rest = PAGE.read_text(encoding="utf-8").partition(_begin(name))
    table, _, _ = rest.partition(_end(name))
    for line in table.strip().splitlines()[2:]:
        row, method, *shown = (part.strip() for part in line.strip("| ").split(" | "))
        yield row, method, [float(text.strip("*")) / 100 for text in shown]


def _begin(name: str) -> str:
    return f"<!-- coverage: {name} -->\n"


def _end(name: str) -> str:
    return f"<!-- end: {name} -->"


def _measure(cell: Cell) -> float:
    found = cell.measure()
    print(f"{cell.row.name} ({cell.row.method}), {cell.name}, {cell.size}: {100 * found:.1f} %", flush=True)
    return found


def main() -> None:
    """Measure everything, or the rows whose names contain an argument, and write it into the page."""
    wanted = sys.argv[1:] or [""]
    with ProcessPoolExecutor(1 if sys.argv[1:] else None) as pool:
        tables = {name: written(name, _measured(name, wanted, pool)) for name in TABLES}
    page = PAGE.read_text(encoding="utf-8")
    for name, table in tables.items():
        before, _, rest = page.partition(_begin(name))
        _, _, after = rest.partition(_end(name))
        page = f"{before}{_begin(name)}\n{table}\n\n{_end(name)}{after}"
    PAGE.write_text(page, encoding="utf-8")


def _measured(name: str, wanted: Sequence[str], pool: ProcessPoolExecutor) -> list[float]:
    """The shares of a table: measured, or as the page states them if the row is not wanted."""
    stated = {(row, method): shares for row, method, shares in read_table(name)}
    of = TABLES[name]
    again = [cell for cell in of if any(part in cell.row.name for part in wanted)]
    found = dict(zip(again, pool.map(_measure, again), strict=True))
    columns = list(dict.fromkeys((cell.name, cell.size) for cell in of))
    return [
        found[cell] if cell in found else stated[cell.row.name, cell.row.method][columns.index((cell.name, cell.size))]
        for cell in of
    ]


if __name__ == "__main__":
    main()
