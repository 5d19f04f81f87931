"""A mutated scenario is refused with a line, or runs one trial: never a traceback, never a hang (issue 6)."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from simulator.cluster.kernel import EventLimitError
from simulator.experiment.runner import run
from simulator.experiment.trial import TrialError
from simulator.scenario import ScenarioError, loads
from simulator.scenario.schema import Limits

EVENTS = 20_000
LONGEST_S = 60  # For one trial of so many events, the largest of clusters included.


@contextmanager
def alarm(seconds: int, what: str) -> Iterator[None]:
    """Raises TimeoutError in a block that takes longer."""

    def ring(_: int, __: FrameType | None) -> None:
        raise TimeoutError(what)

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def try_one(text: str) -> str:
    """What became of a scenario: `refused`, `ran`, or `too many events`. Raises what no user should ever see."""
    try:
        scenario = loads(text, "x.yaml")
    except ScenarioError:
        return "refused"
    limited = scenario.model_copy(update={"limits": Limits(events=EVENTS)})
    with alarm(LONGEST_S, text):
        try:
            run(limited, trials=1)
        except TrialError as error:
            if not isinstance(error.__cause__, EventLimitError):
                raise
            return "too many events"
    return "ran"
