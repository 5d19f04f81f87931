"""A mutated scenario is refused in one line, or runs a trial: no traceback, no endless run (issue 6)."""

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
LONGEST_S = 60  # For a trial of that many events, in a cluster of any size.


@contextmanager
def alarm(seconds: int, what: str) -> Iterator[None]:
    """Raises TimeoutError if the block takes longer."""

    def expire(_: int, __: FrameType | None) -> None:
        raise TimeoutError(what)

    before = signal.signal(signal.SIGALRM, expire)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def outcome_of(text: str) -> str:
    """The outcome of a scenario: `refused`, `ran` or `too many events`. Raises every other exception."""
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
