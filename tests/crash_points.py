"""Crash an algorithm at every single step of an election, and see that it elects again.

Issue 5: "Every algorithm elects again after any single crash at any step of an election: enumerate the crash points
(each message delivered, each timer fired, each point in the middle of a broadcast) for n = 3, 4, 5 exhaustively rather
than sample them."

A step is an input (a start, a message, a timer, a finished write, a connection), before it is handled, or an act of
the algorithm while it handles one (a message sent, a value saved), just after it. A run without a crash counts the
steps from the opening of a window until all agree for good. Then the node at each step dies there, in a run of its
own: what it would have done next, it does not do. So each crash point of the window is one run, for each time after
which the node comes back, or never does.

`python -m tests.crash_points raft 3 boot 1 17 never` (nodes, window, seed, step, when it is back) replays one run and
prints what happened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from simulator.algorithms.registration import Registration
from simulator.cluster.cluster import Cluster
from simulator.cluster.distributions import Constant
from simulator.cluster.faults import Crash, Restart
from simulator.cluster.network import NetworkSpec
from simulator.cluster.schedule import Scheduled, WithoutTarget
from simulator.cluster.spec import ClusterSpec, DiskSpec
from simulator.protocol import (
    MILLISECOND,
    SECOND,
    Algorithm,
    Host,
    Message,
    Nanoseconds,
    NodeId,
    Role,
    describe,
)
from simulator.trace import kinds
from simulator.trace.trace import Trace

NEVER = None  # The node does not come back.
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

    def spec(self, duration: Nanoseconds) -> ClusterSpec:
        return ClusterSpec(
            registration=self.registration,
            config=self.registration.config() if self.config is None else self.config,
            nodes=self.nodes,
            duration=duration,
            disk=self.disk,
            network=self.network,
            faults=self.window.faults,
        )

    def can_elect(self, back: Nanoseconds | None) -> bool:
        """A quorum of all members cannot be had of a minority: then only a node that comes back counts."""
        running = self.nodes - self.window.down - (back is NEVER)
        return 2 * running > self.nodes if self.registration.quorum else running > 0


@dataclass(frozen=True, slots=True)
class Step:
    """One point at which a node can die."""

    number: int  # From 1 on.
    time_ns: Nanoseconds
    node: NodeId
    input: str  # What it handles.
    act: str  # What it has just done; empty: it has not begun.

    def __str__(self) -> str:
        point = f"after it {self.act}" if self.act else "before it is handled"
        return f"step {self.number} at {self.time_ns / SECOND:.6f} s: n{self.node}, {self.input}, {point}"


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
        return f"{case}: {died}: {self.why}\n  python -m tests.crash_points {replay}"


@dataclass(frozen=True, slots=True)
class Found:
    """The crash points of one window, the number of runs made, and those that failed."""

    steps: Sequence[Step]
    runs: int
    failures: Sequence[Failure]


def enumerate_crash_points(case: Case) -> Found:
    """Crash each step of the window, once for each way to come back; the run without a crash must agree, too."""
    window = case.window
    reference = Watched(case, window.opens_at + case.bound)
    trace = reference.run()
    why = reference.disagreement() or _unstruck(trace)
    if why:
        return Found((), 1, [Failure(case, None, NEVER, why)])
    steps = reference.steps[: reference.agreed_after]
    failures, runs = [], 1
    for step in steps:
        for back in filter(case.can_elect, case.backs):
            runs += 1
            why = crash_at(case, step, back)[0].disagreement()
            if why:
                failures.append(Failure(case, step, back, why))
    return Found(steps, runs, failures)


def crash_at(case: Case, step: Step, back: Nanoseconds | None, *, journal: bool = False) -> tuple[Watched, Trace]:
    """The run in which a node dies at this step."""
    end = step.time_ns + (back or 0) + case.bound
    run = Watched(case, end, dies_at=step.number, back=back, journal=journal)
    trace = run.run()
    died = run.died_at
    assert died == step, f"the run with a crash took another way before it: {died}, not {step}"
    return run, trace


class _DiedError(Exception):
    """Unwinds the algorithm of a node that is dead."""


class Watched(Cluster):
    """A cluster whose nodes count their steps, and of which one dies at a step."""

    def __init__(
        self,
        case: Case,
        end: Nanoseconds,
        *,
        dies_at: int | None = None,
        back: Nanoseconds | None = NEVER,
        journal: bool = False,
    ) -> None:
        super().__init__(case.spec(end), case.seed, 0, journal=journal)
        self.steps: list[Step] = []
        self.died_at: Step | None = None
        self.agreed_after: int | None = None  # How many steps were taken until all agreed; None: they do not agree.
        self._opens_at = case.window.opens_at
        self._dies_at = dies_at
        self._back = back

    def reaches(self, node: NodeId, handled: str, act: str = "") -> None:
        """A node takes a step: its last one, if it is the one to die at."""
        if self._now() < self._opens_at or self.died_at is not None:
            return
        step = Step(len(self.steps) + 1, self._now(), node, handled, act)
        self.steps.append(step)
        if step.number == self._dies_at:
            self.died_at = step
            raise _DiedError

    def handles(self, node: NodeId, handled: str, handle: Callable[[], None]) -> None:
        """A node handles an input, or dies of it."""
        try:
            self.reaches(node, handled)
            handle()
        except _DiedError:
            self.crash(node)
            if self._back is not NEVER:
                self.call_after(self._back, lambda: self.start(node))

    def disagreement(self) -> str:
        """Why the running members do not follow one leader, who runs and alone claims to lead; empty where they do."""
        running = [node for node in self.directory[self.group] if self.nodes[node].running]
        named = {node: self._named.get(node) for node in running}
        claims = sorted(self.reign.claims)
        if len(claims) == 1 and claims[0] in running and all(leader == claims[0] for leader in named.values()):
            return ""
        opinions = ", ".join(f"n{node} names {_name(leader)}" for node, leader in named.items())
        return f"{opinions}; {' and '.join(map(_name, claims)) or 'nobody'} claims to lead"

    def _build_algorithm(self, algorithm: type[Algorithm], host: Host, durable: Mapping[str, Any]) -> Algorithm:
        watched: Any = _WatchedHost(host, self)
        return _WatchedAlgorithm(super()._build_algorithm(algorithm, watched, durable), watched, self)

    def on_transition(self, node: NodeId, role: Role, term: int, leader: NodeId | None, group: str) -> None:
        super().on_transition(node, role, term, leader, group)
        self._look_for_agreement()

    def start(self, node: NodeId) -> None:
        super().start(node)
        self._look_for_agreement()

    def _died(self, node: NodeId, cause: str, detail: Mapping[str, object]) -> None:
        super()._died(node, cause, detail)
        self._look_for_agreement()

    def _look_for_agreement(self) -> None:
        if self.disagreement():
            self.agreed_after = None
        elif self.agreed_after is None:
            self.agreed_after = len(self.steps)


def _name(node: NodeId | None) -> str:
    return "nobody" if node is None else f"n{node}"


def _unstruck(trace: Trace) -> str:
    """A window whose faults did not strike is not the one that is meant."""
    return "; ".join(f"{row.kind}: {dict(row.detail)}" for row in trace.rows if row.kind in _NOT_STRUCK)


_NOT_STRUCK = (kinds.SKIPPED, kinds.UNSTRUCK)


class _WatchedHost:
    """A node's host, which counts what the algorithm sends and saves."""

    def __init__(self, host: Host, cluster: Watched) -> None:
        self._host = host
        self._cluster = cluster
        self.handled = "its beginning"

    def __getattr__(self, name: str) -> Any:
        return getattr(self._host, name)

    def send(self, to: NodeId, message: Message, *, ordered: bool = True) -> None:
        self._host.send(to, message, ordered=ordered)
        self._cluster.reaches(self._host.me, self.handled, f"sent {describe(message)} to n{to}")

    def save(self, then: str | None = None, **durable: object) -> None:
        self._host.save(then, **durable)
        self._cluster.reaches(self._host.me, self.handled, f"saved {durable}")


class _WatchedAlgorithm(Algorithm):
    """A node's algorithm, which counts what reaches it."""

    def __init__(self, inner: Algorithm, host: Any, cluster: Watched) -> None:
        super().__init__(host, inner.config, {})
        self._inner = inner
        self._cluster = cluster

    def _handle(self, handled: str, handle: Callable[[], None]) -> None:
        self.host.handled = handled  # type: ignore[attr-defined] # It is a _WatchedHost.
        self._cluster.handles(self.host.me, handled, handle)

    def on_start(self) -> None:
        self._handle("its start", self._inner.on_start)

    def on_message(self, sender: NodeId, message: Message) -> None:
        self._handle(f"{describe(message)} from n{sender}", lambda: self._inner.on_message(sender, message))

    def on_timer(self, name: str) -> None:
        self._handle(f"timer {name}", lambda: self._inner.on_timer(name))

    def on_saved(self, name: str) -> None:
        self._handle(f"{name} is on disk", lambda: self._inner.on_saved(name))

    def on_command(self, command: Message) -> None:
        self._handle(f"command {describe(command)}", lambda: self._inner.on_command(command))

    def on_connect(self, peer: NodeId) -> None:
        self._handle(f"connection with n{peer}", lambda: self._inner.on_connect(peer))

    def on_disconnect(self, peer: NodeId, reason: str) -> None:
        self._handle(f"end of the connection with n{peer} ({reason})", lambda: self._inner.on_disconnect(peer, reason))


def cases_of(
    registration: Registration, windows: Sequence[Window], seeds: Sequence[int] = (1, 2), **others: Any
) -> Iterator[Case]:
    """A case for each window, each of the sizes that the issue asks for, and each seed: elections differ by their luck."""
    for window, nodes, seed in product(windows, (3, 4, 5), seeds):
        yield Case(registration=registration, nodes=nodes, window=window, seed=seed, **others)


def _replay(name: str, nodes: str, window: str, seed: str, number: str = "", back: str = "never") -> None:
    """Print the run of one crash point, or the one without a crash."""
    from tests.crash_cases import CASES

    case = next(case for case in CASES if str(case) == f"{name} {nodes} {window} {seed}")
    run = Watched(case, case.window.opens_at + case.bound, journal=True)
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
