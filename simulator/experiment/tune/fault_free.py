"""The fault-free scenario of some settings: how long it runs, when it is looked at, and what was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from simulator.analysis.false_elections import FalseElections, time_to_show_s
from simulator.experiment.sweep.study import Study, refused
from simulator.protocol import SECOND
from simulator.scenario.text.units import LONGEST, format_duration

_LONGEST_TRIAL_S = 900.0
_LEAST_TRIALS = 16
_FIRST_LOOK = 4  # Trials: rates that are no counts have an interval then.
_MARGIN = 1.05  # Nothing is counted before the first lasting claim, so more is simulated than must be observed.
_GROWTH = 4  # From one look to the next: settings that change leaders often are refused early.
_MOST_EVENTS = 10**15  # A trial is bounded by its duration.

VIOLATES, KEEPS, NOT_SHOWN, OPEN = "violates", "keeps", "not shown", "open"


@dataclass(frozen=True, slots=True)
class FaultFree:
    """How the fault-free scenario is run: up to `looks[-1]` trials of `trial_s` simulated seconds each."""

    bound_per_s: float
    trial_s: float
    looks: tuple[int, ...]  # The numbers of trials after which to decide.

    @property
    def length_s(self) -> float:
        """The simulated time of all trials."""
        return self.looks[-1] * self.trial_s

    def settings(self) -> dict[str, Any]:
        """The fields that make a scenario fault-free."""
        return {
            "faults": [],
            "nemesis": None,
            "stop_when": None,
            "liveness": None,
            "published": None,
            "duration": format_duration(round(self.trial_s * SECOND)),
            "limits.events": _MOST_EVENTS,
        }

    def study(self, study: Study, look: int, extra: Mapping[str, Any] | None = None) -> Study:
        """The study of the trials between the look before and this one."""
        trials = self.looks[look] - self.first_trial(look)
        changes = {
            "set": {**study.set, **self.settings(), **(extra or {})},
            "trials": trials,
            "precision": None,
            "metrics": ("false_suspicions",),  # None that takes long: what counts is read from the tables.
        }
        return study.model_copy(update=changes)

    def first_trial(self, look: int) -> int:
        """The first trial that the look before has not seen."""
        return 0 if look == 0 else self.looks[look - 1]

    def verdict(self, found: FalseElections, look: int) -> str:
        """What is known after a look.

        A rate is refused as soon as it is above the bound with a confidence that holds over all looks together. It is
        accepted at the last look only, if the upper limit of its interval is below the bound.
        """
        if found.lowest_rate(len(self.looks)) > self.bound_per_s:
            return VIOLATES
        if look < len(self.looks) - 1:
            return OPEN
        return KEEPS if found.per_second().high < self.bound_per_s else NOT_SHOWN


def fault_free(bound_per_s: float, length_s: float | None) -> FaultFree:
    """A plan. Without a length, it is as long as the bound needs if no false election is seen.

    Raises ScenarioError.
    """
    length = time_to_show_s(bound_per_s) * _MARGIN if length_s is None else length_s
    if length * SECOND > LONGEST:
        raise refused("subject to false_elections", "needs more than 36 years of simulated time; raise the bound")
    trial_s = min(_LONGEST_TRIAL_S, max(1.0, ceil(length / _LEAST_TRIALS)))
    trials = max(1, ceil(length / trial_s))
    looks = [trials]
    while looks[0] > _FIRST_LOOK:
        looks.insert(0, max(_FIRST_LOOK, ceil(looks[0] / _GROWTH)))
    return FaultFree(bound_per_s, trial_s, tuple(looks))
