"""What the gate sees, and what it imagines: `python -m studies.gate_power`, some fifteen minutes.

False alarms: pairs of runs of each scenario in scenarios/ci, with different luck and nothing else between them, are
judged as the gate does. Power: the smallest growth of a figure that is found in 95 of 100 cases, by the number of
trials, with fresh luck, the worst case. Injected: how often the regressions of tests/gate/injected.py are found, at the
shipped numbers of trials, with fresh and with shared luck.

Runs are drawn from a pool of simulated trials; no trial is in both runs of a pair.
"""

from __future__ import annotations

import argparse
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from simulator.analysis.statistics.estimates import Sample
from simulator.analysis.statistics.significance import holm
from simulator.experiment.runner import run
from simulator.gate.baseline import DEFAULT_ALPHA, DEFAULT_TOLERANCE
from simulator.gate.measures import MEASURES
from simulator.gate.trial_figures import TrialFigures, trial_figures
from simulator.gate.verdicts import Finding, finding
from simulator.scenario import Scenario, load
from tests.gate.injected import INJECTED
from tests.support.scenarios import ROOT

IntArray = npt.NDArray[np.int64]

SIZES = (200, 500, 1000, 2000, 5000)
FOUND = 0.95
NULL_RUNS = 300
REPETITIONS = 200
POWER_SCENARIO = "raft-5-nodes-lossy"
_POOL_SEED = 1_000_003  # Of no scenario: the luck of the baselines is not looked at again.
_STEPS = 10  # Of each bisection.


def scenario(name: str) -> Scenario:
    """One of scenarios/ci."""
    return load(ROOT / "scenarios" / "ci" / f"{name}.yaml")


@functools.cache
def pool(name: str, trials: int) -> TrialFigures:
    """Many trials of a scenario."""
    return trial_figures(run(scenario(name), trials=trials, seed=_POOL_SEED, workers=0))


def taken(found: TrialFigures, at: IntArray) -> TrialFigures:
    """A run of some trials of the pool, shape (trials,), with all that each holds."""
    durations = found.durations  # In the order of their trials.
    ends = np.searchsorted(durations.trials, [at, at + 1])
    each = ends[1] - ends[0]
    places = np.repeat(ends[0] - np.cumsum(each) + each, each) + np.arange(each.sum())
    trials = np.repeat(np.arange(at.size), each)
    return replace(
        found,
        digest="",
        digests=[found.digests[place] for place in at],
        durations=Sample(durations.values[places], durations.censored[places], trials),
        counts={name: column[at] for name, column in found.counts.items()},
    )


def drawn(found: TrialFigures, trials: int, fault_rng: np.random.Generator) -> tuple[TrialFigures, TrialFigures]:
    """Two runs without a trial in common."""
    at = fault_rng.permutation(len(found.digests))
    return taken(found, at[:trials]), taken(found, at[trials : 2 * trials])


def p_values(before: TrialFigures, after: TrialFigures) -> dict[str, float]:
    """Of every figure, uncorrected."""
    return {measure.name(after): measure.p_value(before, after) for measure in MEASURES}


def findings(before: TrialFigures, after: TrialFigures, known: Mapping[str, float]) -> dict[str, Finding]:
    """What the gate says of each figure, from their p values; without the intervals, which decide nothing."""
    return {
        measure.name(after): finding(measure.value(before), measure.value(after), p, DEFAULT_TOLERANCE, DEFAULT_ALPHA)
        for measure, p in zip(MEASURES, holm(list(known.values())), strict=True)
    }


# --- False alarms


def false_alarms(name: str, runs: int = NULL_RUNS) -> dict[Finding, int]:
    """How many of the pairs of runs show a regression, and an improvement, though nothing differs."""
    fault_rng = np.random.default_rng(1)
    trials = scenario(name).trials
    pairs = (drawn(pool(name, 10 * trials), trials, fault_rng) for _ in range(runs))
    seen = [set(findings(*pair, p_values(*pair)).values()) for pair in pairs]
    return {kind: sum(kind in each for each in seen) for kind in (Finding.REGRESSION, Finding.IMPROVEMENT)}


# --- Power


def slower(found: TrialFigures, by: float) -> TrialFigures:
    """Every failover takes longer by the same factor."""
    return replace(found, durations=replace(found.durations, values=found.durations.values * (1 + by)))


def slower_tail(found: TrialFigures, by: float) -> TrialFigures:
    """What the slowest twentieth takes beyond the others grows by a factor."""
    values = found.durations.values
    begins = np.quantile(values, 0.95)
    longer = np.where(values > begins, begins + (values - begins) * (1 + by), values)
    return replace(found, durations=replace(found.durations, values=longer))


def more_failures(found: TrialFigures, by: float) -> TrialFigures:
    """In so many trials of one, one round more fails."""
    more = (np.random.default_rng(3).random(len(found.digests)) < by).astype(np.int64)
    return replace(found, counts={**found.counts, **{name: found.counts[name] + more for name in _FAILURES}})


def more_messages(found: TrialFigures, by: float) -> TrialFigures:
    """Each election takes more messages by the same factor, to whole ones by chance."""
    sent = found.counts["election_messages"] * (1 + by)
    whole = np.floor(sent + np.random.default_rng(3).random(sent.size)).astype(np.int64)
    return replace(found, counts={**found.counts, "election_messages": whole})


_FAILURES = ("rounds", "failed_rounds")


@dataclass(frozen=True, slots=True)
class Growth:
    """A change of a run, of any size up to a largest, and the figures that it moves, the looked-at one first."""

    name: str
    change: Callable[[TrialFigures, float], TrialFigures]
    largest: float
    moves: Sequence[str]


GROWTHS = (
    Growth("median of failover, all slower", slower, 1.0, ("failover, median", "failover, p99")),
    Growth("p99 of failover, all slower", slower, 4.0, ("failover, p99", "failover, median")),
    Growth("p99 of failover, slower tail", slower_tail, 20.0, ("failover, p99",)),
    Growth("failed rounds", more_failures, 1.0, ("failed rounds",)),
    Growth("messages per election", more_messages, 2.0, ("messages per election",)),
)


def smallest_found(before: TrialFigures, after: TrialFigures, known: Mapping[str, float], growth: Growth) -> float:
    """By bisection, the smallest change of this very run that is found; infinite where the largest is not."""
    measures = {measure.name(after): measure for measure in MEASURES}
    figure = growth.moves[0]

    old = measures[figure].value(before)

    def is_found(by: float) -> bool:
        changed = growth.change(after, by)
        p = {**known, **{name: measures[name].p_value(before, changed) for name in growth.moves}}
        corrected = dict(zip(p, holm(list(p.values())), strict=True))[figure]
        new = measures[figure].value(changed)
        return finding(old, new, corrected, DEFAULT_TOLERANCE, DEFAULT_ALPHA) is Finding.REGRESSION

    low, high = 0.0, growth.largest
    if not is_found(high):
        return float("inf")
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if is_found(middle) else (middle, high)
    return high


def power(trials: int, found: TrialFigures) -> Iterator[tuple[Growth, float]]:
    """For each growth, the size that is found in 95 of 100 pairs of runs."""
    fault_rng = np.random.default_rng(2)
    pairs = [drawn(found, trials, fault_rng) for _ in range(REPETITIONS)]
    known = [p_values(*pair) for pair in pairs]
    for growth in GROWTHS:
        sizes = [smallest_found(*pair, p, growth) for pair, p in zip(pairs, known, strict=True)]
        yield growth, float(np.quantile(sizes, FOUND, method="inverted_cdf"))


def told(found: TrialFigures, growth: Growth, by: float) -> str:
    """By how much the figure grows, in all the pool."""
    if not np.isfinite(by):
        return "not found"
    (measure,) = (measure for measure in MEASURES if measure.name(found) == growth.moves[0])
    old, new = measure.value(found), measure.value(growth.change(found, by))
    return f"{100 * old:.1f} → {100 * new:.1f} %" if measure.unit == "%" else f"{100 * (new / old - 1):.0f} %"


# --- Injected regressions


def injected_found(name: str, repetitions: int = REPETITIONS) -> tuple[dict[str, float], dict[str, float]]:
    """How often each figure that must show an injected regression shows it, with fresh luck and with shared luck."""
    injected = INJECTED[name]
    trials = scenario(injected.scenario).trials
    sound = pool(injected.scenario, 5 * trials)
    spoilt = trial_figures(injected.run(5 * trials, _POOL_SEED))

    def share(shared: bool) -> dict[str, float]:
        fault_rng, seen = np.random.default_rng(4), dict.fromkeys(sorted(injected.shown_by), 0)
        for _ in range(repetitions):
            at = fault_rng.permutation(5 * trials)
            before, after = taken(sound, at[:trials]), taken(spoilt, at[:trials] if shared else at[trials : 2 * trials])
            said = findings(before, after, p_values(before, after))
            for figure in seen:
                seen[figure] += said[figure] is Finding.REGRESSION
        return {figure: count / repetitions for figure, count in seen.items()}

    return share(shared=False), share(shared=True)


# --- Tables, as docs/gate.md has them


def tell_false_alarms() -> None:
    """How many regressions and improvements are seen where nothing differs."""
    print(f"| scenario | trials | regressions in {NULL_RUNS} | improvements |\n|---|--:|--:|--:|")
    for path in sorted((ROOT / "scenarios" / "ci").glob("*.yaml")):
        alarms = false_alarms(path.stem)
        print(f"| {path.stem} | {scenario(path.stem).trials:,} | {' | '.join(map(str, alarms.values()))} |", flush=True)


def tell_power() -> None:
    """The smallest growth of each figure that is found, by the number of trials."""
    print(f"| trials | {' | '.join(growth.name for growth in GROWTHS)} |\n|--:|{'--:|' * len(GROWTHS)}")
    found = pool(POWER_SCENARIO, 4 * max(SIZES))
    for trials in SIZES:
        cells = [told(found, growth, by) for growth, by in power(trials, found)]
        print(f"| {trials:,} | {' | '.join(cells)} |", flush=True)


def tell_injected() -> None:
    """How often each injected regression is found."""
    print("| injected | figure | found, fresh luck | found, shared luck |\n|---|---|--:|--:|")
    for name in INJECTED:
        fresh, shared = injected_found(name)
        for figure in fresh:
            print(f"| {name} | {figure} | {100 * fresh[figure]:.0f} % | {100 * shared[figure]:.0f} % |", flush=True)


PARTS: Mapping[str, Callable[[], None]] = {
    "false alarms": tell_false_alarms,
    "power": tell_power,
    "injected": tell_injected,
}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", help="A table, by the beginning of its name.", default="")
    asked = parser.parse_args()
    for name, tell in PARTS.items():
        if name.startswith(asked.only):
            print(f"\n{name}\n", flush=True)
            tell()


if __name__ == "__main__":
    main()
