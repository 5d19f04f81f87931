"""Elections as tests, for pytest: it finds this plugin by itself, and pays for it where a test asks for an election.

    @pytest.mark.election("leader-crash", trials=50, algorithm="raft")
    def test_somebody_leads_soon(election):
        election.assert_below(median="300ms", p99="1s")

    def test_a_lossy_network(electsim):
        lossy = electsim("leader-crash", trials=50, overrides=["network.loss=0.1"])
        assert lossy.quantile(0.5) < 0.3

A run fails its test where a trial fails or the algorithm violates a guarantee. It is the same run every time: the
scenario's seed decides, or `seed`.
"""

from __future__ import annotations

import inspect
import os
import shlex
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from simulator.experiment.runner import Result

__all__ = ["Elections"]

_MARKER = "election"
_TRIALS = 50
_QUANTILES = {"median": 0.5, "p95": 0.95, "p99": 0.99}


class Elections:
    """The result of a run of a scenario. `result` is the whole result that `simulator.run` returns."""

    def __init__(self, result: Result) -> None:
        self.result = result

    def quantile(self, p: float, metric: str = "failover") -> float:
        """A quantile of a duration of docs/metrics.md, in seconds; infinite if unfinished elections hide it.

        Raises ValueError if there is no such metric, or if no election has a value of it.
        """
        from simulator.analysis.records.registry import SAMPLES, sample
        from simulator.analysis.statistics.estimates import quantile

        if metric not in SAMPLES:
            raise ValueError(f"{metric} is not a duration that is measured; there are: {', '.join(SAMPLES)}")
        found = sample(self.result.elections, metric)
        if not found.values.size:
            raise ValueError(
                f"{self.result.scenario.name}: there was no {metric} in {len(self.result.trials):,} trials"
            )
        return quantile(found, p).value

    def assert_below(self, metric: str = "failover", **limits: str) -> None:
        """`assert_below(median="300ms", p99="1s")`: each quantile must be less, of durations in any unit.

        The p99 of fewer than a hundred elections is the longest of them.
        """
        from simulator.protocol import SECOND
        from simulator.scenario.text.units import parse_duration

        for name, limit in limits.items():
            if name not in _QUANTILES:
                raise ValueError(f"{name} is not a quantile that is known; there are: {', '.join(_QUANTILES)}")
            value, most = self.quantile(_QUANTILES[name], metric), parse_duration(limit) / SECOND
            if not value < most:
                raise _failed(f"{metric}, {name}: {1e3 * value:,.1f} ms is not below {limit}; {self._again()}")

    def assert_promises_kept(self) -> None:
        """The algorithm violated none of its guarantees, except those that the scenario waives."""
        if self.result.violations:
            trial, violation = self.result.violations[0]
            more = len(self.result.violations) - 1
            reported = f"trial {trial}: {violation}" + (f" (and {more:,} more)" if more else "")
            raise _failed(f"a guarantee was violated: {reported}; {self._again(trial)}")

    def _again(self, trial: int | None = None) -> str:
        one = "" if trial is None else f" --first-trial {trial} --trials 1 --trace"
        return f"again: {self.result.command}{one}"


def _failed(reason: str) -> BaseException:
    """What makes a test fail with a line, and no traceback."""
    from simulator.printable import printable

    return pytest.fail.Exception(printable(reason), pytrace=False)


def _run(
    scenario: str | os.PathLike[str],
    *,
    trials: int = _TRIALS,
    algorithm: str | None = None,
    overrides: Iterable[str] = (),
    seed: int | None = None,
) -> Elections:
    """Run a scenario: a file, or the name of one that comes with electsim."""
    from simulator.experiment.runner import run
    from simulator.experiment.trial import TrialError
    from simulator.scenario import ScenarioError, load

    overrides = list(overrides)
    try:
        loaded = load(scenario, overrides, algorithm=algorithm)
    except ScenarioError as error:
        raise _failed(str(error)) from None
    words = ["electsim", "run", os.fspath(scenario)]
    words += ["--algorithm", algorithm] if algorithm is not None else []
    words += [word for override in overrides for word in ("--set", override)]
    words += ["--seed", str(loaded.seed if seed is None else seed)]
    again = shlex.join(words)
    try:
        result = run(loaded, trials=trials, seed=seed, command=again)
    except TrialError as error:
        raise _failed(f"{error}; again: {again} --first-trial {error.trial} --trials 1 --trace") from None
    if result.stopped_by is not None:  # Ctrl-C, which is meant for pytest.
        raise KeyboardInterrupt
    found = Elections(result)
    found.assert_promises_kept()
    return found


# --- What pytest calls


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        f"{_MARKER}(scenario, *, trials={_TRIALS}, algorithm=None, overrides=(), seed=None): run a scenario of "
        "electsim before the test, which fails if a guarantee is violated; the fixture `election` is what was found.",
    )


def pytest_itemcollected(item: pytest.Item) -> None:
    """A marked test has its run, whether or not it looks at it."""
    if isinstance(item, pytest.Function) and item.get_closest_marker(_MARKER) and _MARKER not in item.fixturenames:
        item.fixturenames.append(_MARKER)


@pytest.fixture
def electsim() -> Callable[..., Elections]:
    """Runs a scenario of electsim: `electsim("leader-crash", trials=50, algorithm="raft", overrides=[…], seed=1)`."""
    return _run


@pytest.fixture
def election(request: pytest.FixtureRequest) -> Elections:
    """What the run found that the marker `election` asks for."""
    marker = request.node.get_closest_marker(_MARKER)
    if marker is None:
        raise _failed('the fixture `election` needs the marker @pytest.mark.election("a scenario")')
    try:
        inspect.signature(_run).bind(*marker.args, **marker.kwargs)
    except TypeError as error:
        raise _failed(f"@pytest.mark.election: {error}") from None
    return _run(*marker.args, **marker.kwargs)
