"""Crash an algorithm at every single step of an election, and see that it elects again.

Issue 5: "Every algorithm elects again after any single crash at any step of an election: enumerate the crash points
(each message delivered, each timer fired, each point in the middle of a broadcast) for n = 3, 4, 5 exhaustively rather
than sample them."

A step is an input (a start, a message, a timer, a finished write, a connection), before it is handled, or an act of
the algorithm while it handles one (a message sent, a value saved), just after it. A run without a crash counts the
steps from the opening of a window until all agree for good. Then the node at each step dies there, in a run of its
own: what it would have done next, it does not do. So each crash point of the window is one run, for each time after
which the node comes back, or never does.

`python -m tests.support.crash_points raft 3 boot 1 17 never` (nodes, window, seed, step, when it is back) replays one
run and prints what happened.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from simulator.algorithms.registration import Registration
from simulator.cluster.distributions import Constant
from simulator.cluster.faults.node_faults import Crash, Restart
from simulator.cluster.faults.schedule import Scheduled, WithoutTarget
from simulator.cluster.network.network import NetworkSpec
from simulator.cluster.spec import ClusterSpec, DiskSpec
from simulator.protocol import MILLISECOND, SECOND, Nanoseconds
from simulator.trace import event_types
from simulator.trace.trace import Trace
from tests.support.crash_watch import NEVER, Step, Watched

_PLAIN = NetworkSpec(latency=Constant(10 * MILLISECOND))
_AT_ONCE = DiskSpec()


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Where crash points are looked for: from an instant on, which faults may precede, until all agree."""

    name: str
    opens_at: Nanoseconds = 0
    faults: tuple[Scheduled, ...] = ()
    down: int = 0  # How many members those faults leave down.


BOOT = Window(name="boot")


def leader_crash(at: Nanoseconds) -> Window:
    """The leader dies for good at an instant at which there must be one: one more crash strikes the election after."""
    crash = Scheduled(at=Constant(at), fault=Crash("leader"), without_target=WithoutTarget.SKIP)
    return Window(name="leader-crash", opens_at=at + 1, faults=(crash,), down=1)


def leader_return(at: Nanoseconds, away: Nanoseconds) -> Window:
    """The leader dies, and comes back: what its return sets off, another crash strikes."""
    faults = (
        Scheduled(at=Constant(at), fault=Crash("leader"), without_target=WithoutTarget.SKIP),
        Scheduled(at=Constant(at + away), fault=Restart("all")),
    )
    return Window(name="leader-return", opens_at=at + away, faults=faults)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An algorithm, its options, and how soon after the crash, or the return, it must have elected: the bound.

    Latency is constant, and so runs are short and alike; the nodes' own draws differ by node and by `seed`.
    """

    registration: Registration
    nodes: int
    window: Window
    bound: Nanoseconds
    config: Any = None  # None: the algorithm's defaults.
    network: NetworkSpec = _PLAIN
    disk: DiskSpec = _AT_ONCE
    backs: tuple[Nanoseconds | None, ...] = (NEVER, MILLISECOND, SECOND)  # How long after its crash a node comes back.
    seed: int = 1

    def __str__(self) -> str:
        return f"{self.registration.name} {self.nodes} {self.window.name} {self.seed}"

    def watched(self, end: Nanoseconds, **others: Any) -> Watched:
        """The cluster of a run that lasts until an instant."""
        spec = ClusterSpec(
            registration=self.registration,
            config=self.registration.config() if self.config is None else self.config,
            nodes=self.nodes,
            duration=end,
            disk=self.disk,
            network=self.network,
            faults=self.window.faults,
        )
        return Watched(spec, self.seed, self.window.opens_at, **others)

    def can_elect(self, back: Nanoseconds | None) -> bool:
        """A quorum of all members cannot be had of a minority: then only a node that comes back counts."""
        running = self.nodes - self.window.down - (back is NEVER)
        return 2 * running > self.nodes if self.registration.quorum else running > 0


@dataclass(frozen=True, slots=True)
class Failure:
    """A run that did not end in agreement. `step` is None where nobody was crashed."""

    case: Case
    step: Step | None
    back: Nanoseconds | None
    why: str

    def __str__(self) -> str:
        case = self.case
        back = "never" if self.back is NEVER else f"{self.back / SECOND:g}"
        died = "nobody dies" if self.step is None else f"dies at {self.step}, back: {back}"
        replay = f"{case}" if self.step is None else f"{case} {self.step.number} {back}"
        return f"{case}: {died}: {self.why}\n  python -m tests.support.crash_points {replay}"


@dataclass(frozen=True, slots=True)
class Found:
    """The crash points of one window, the number of runs made, and those that failed."""

    steps: Sequence[Step]
    runs: int
    failures: Sequence[Failure]


def enumerate_crash_points(case: Case, every: int = 1) -> Found:
    """Crash each step of the window, once for each way to come back; the run without a crash must agree, too.

    With `every`, only each so many-th step is crashed.
    """
    reference = case.watched(case.window.opens_at + case.bound)
    trace = reference.run()
    why = reference.disagreement() or _unstruck(trace)
    if why:
        return Found((), 1, [Failure(case, None, NEVER, why)])
    steps = reference.steps[: reference.agreed_after]
    failures, runs = [], 1
    for step in steps[every - 1 :: every]:
        for back in filter(case.can_elect, case.backs):
            runs += 1
            why = crash_at(case, step, back)[0].disagreement()
            if why:
                failures.append(Failure(case, step, back, why))
    return Found(steps, runs, failures)


def crash_at(case: Case, step: Step, back: Nanoseconds | None, *, journal: bool = False) -> tuple[Watched, Trace]:
    """The run in which a node dies at this step."""
    end = step.time_ns + (back or 0) + case.bound
    run = case.watched(end, dies_at=step.number, back=back, journal=journal)
    trace = run.run()
    died = run.died_at
    assert died == step, f"the run with a crash took another way before it: {died}, not {step}"
    return run, trace


def _unstruck(trace: Trace) -> str:
    """A window whose faults did not strike is not the one that is meant."""
    return "; ".join(f"{row.kind}: {dict(row.detail)}" for row in trace.rows if row.kind in _NOT_STRUCK)


_NOT_STRUCK = (event_types.SKIPPED, event_types.NOT_INJECTED)


def cases_of(
    registration: Registration, windows: Sequence[Window], seeds: Sequence[int] = (1, 2), **others: Any
) -> Iterator[Case]:
    """A case for each window, each of the sizes that the issue asks for, and each seed."""
    for window, nodes, seed in product(windows, (3, 4, 5), seeds):
        yield Case(registration=registration, nodes=nodes, window=window, seed=seed, **others)


def _replay(name: str, nodes: str, window: str, seed: str, number: str = "", back: str = "never") -> None:
    """Print the run of one crash point, or the one without a crash."""
    from tests.support.crash_cases import CASES

    case = next(case for case in CASES if str(case) == f"{name} {nodes} {window} {seed}")
    run = case.watched(case.window.opens_at + case.bound, journal=True)
    trace = run.run()
    if number:
        away = NEVER if back == "never" else round(float(back) * SECOND)
        run, trace = crash_at(case, run.steps[int(number) - 1], away, journal=True)
    happened = [(row.time_ns, f"{row.kind} {row[2:8]}") for row in trace.rows]
    happened += [(sent.sent_ns, f"n{sent.sender} -> n{sent.to} {sent.text}") for sent in trace.messages]
    for time_ns, text in sorted(happened, key=lambda pair: pair[0]):
        print(f"{time_ns / SECOND:12.6f}  {text}")
    print(run.disagreement() or "all agree")


if __name__ == "__main__":
    import sys

    _replay(*sys.argv[1:])
