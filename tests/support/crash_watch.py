"""A cluster whose nodes count their steps, and of which one dies at a step: what `tests.support.crash_points` runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from simulator.cluster.cluster import Cluster
from simulator.cluster.spec import ClusterSpec
from simulator.protocol import SECOND, Algorithm, Host, Message, Nanoseconds, NodeId, describe

NEVER = None  # The node does not come back.


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


class _DiedError(Exception):
    """Unwinds the algorithm of a node that is dead."""


class Watched(Cluster):
    """Steps count from the instant `opens_at` on; the node at step `dies_at` dies, and is `back` so long after."""

    def __init__(
        self,
        spec: ClusterSpec,
        seed: int,
        opens_at: Nanoseconds,
        *,
        dies_at: int | None = None,
        back: Nanoseconds | None = NEVER,
        journal: bool = False,
    ) -> None:
        super().__init__(spec, seed, 0, journal=journal)
        self.steps: list[Step] = []
        self.died_at: Step | None = None
        self.agreed_after: int | None = None  # How many steps were taken until all agreed; None: they do not agree.
        self._opens_at = opens_at
        self._dies_at = dies_at
        self._back = back
        for part, method in (
            (self.observer, "on_transition"),
            (self.control, "start"),
            (self.control, "_record_death"),
        ):
            setattr(part, method, self._with_a_look_afterwards(getattr(part, method)))

    @property
    def counts(self) -> bool:
        """Whether the window is open, and nobody has died in it yet."""
        return self.died_at is None and self.kernel._now >= self._opens_at

    def reaches(self, node: NodeId, handled: str, act: str = "") -> None:
        """A node takes a step: its last one, if it is the one to die at."""
        step = Step(len(self.steps) + 1, self.kernel._now, node, handled, act)
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
            self.control.crash(node)
            if self._back is not NEVER:
                self.control.call_after(self._back, lambda: self.control.start(node))

    def disagreement(self) -> str:
        """Why the running members do not follow one leader, who runs and alone claims to lead; empty where they do."""
        running = [node for node in self.observer.leadership.members if self.nodes[node].running]
        named = {node: self.observer.leadership._named.get(node) for node in running}
        claims = sorted(self.observer.leadership.claims)
        if len(claims) == 1 and claims[0] in running and all(leader == claims[0] for leader in named.values()):
            return ""
        opinions = ", ".join(f"n{node} names {_name(leader)}" for node, leader in named.items())
        return f"{opinions}; {' and '.join(map(_name, claims)) or 'nobody'} claims to lead"

    def _build_algorithm(self, algorithm: type[Algorithm], host: Host, durable: Mapping[str, Any]) -> Algorithm:
        watched: Any = _WatchedHost(host, self)
        return _WatchedAlgorithm(super()._build_algorithm(algorithm, watched, durable), watched, self)

    def _with_a_look_afterwards(self, method: Callable[..., None]) -> Callable[..., None]:
        def looked(*arguments: Any) -> None:
            method(*arguments)
            self._look_for_agreement()

        return looked

    def _look_for_agreement(self) -> None:
        if self.disagreement():
            self.agreed_after = None
        elif self.agreed_after is None:
            self.agreed_after = len(self.steps)


def _name(node: NodeId | None) -> str:
    return "nobody" if node is None else f"n{node}"


class _WatchedHost:
    """A node's host, which counts what the algorithm sends and saves."""

    def __init__(self, host: Host, cluster: Watched) -> None:
        self._host = host
        self._cluster = cluster
        self.handled = ""  # The input that it handles at present.

    def __getattr__(self, name: str) -> Any:
        return getattr(self._host, name)

    def send(self, to: NodeId, message: Message, *, ordered: bool = True) -> None:
        self._host.send(to, message, ordered=ordered)
        if self._cluster.counts:
            self._cluster.reaches(self._host.me, self.handled, f"sent {describe(message)} to n{to}")

    def save(self, then: str | None = None, **durable: object) -> None:
        self._host.save(then, **durable)
        if self._cluster.counts:
            self._cluster.reaches(self._host.me, self.handled, f"saved {durable}")


class _WatchedAlgorithm(Algorithm):
    """A node's algorithm, which counts what reaches it."""

    def __init__(self, inner: Algorithm, host: Any, cluster: Watched) -> None:
        super().__init__(host, inner.config, {})
        self._inner = inner
        self._cluster = cluster

    def _handle(self, handled: Callable[[], str], handle: Callable[[], None]) -> None:
        if not self._cluster.counts:
            handle()
            return
        self.host.handled = handled()  # type: ignore[attr-defined] # It is a _WatchedHost.
        self._cluster.handles(self.host.me, handled(), handle)

    def on_start(self) -> None:
        self._handle(lambda: "its start", self._inner.on_start)

    def on_message(self, sender: NodeId, message: Message) -> None:
        self._handle(lambda: f"{describe(message)} from n{sender}", lambda: self._inner.on_message(sender, message))

    def on_timer(self, name: str) -> None:
        self._handle(lambda: f"timer {name}", lambda: self._inner.on_timer(name))

    def on_saved(self, name: str) -> None:
        self._handle(lambda: f"{name} is on disk", lambda: self._inner.on_saved(name))

    def on_command(self, command: Message) -> None:
        self._handle(lambda: f"command {describe(command)}", lambda: self._inner.on_command(command))

    def on_connect(self, peer: NodeId) -> None:
        self._handle(lambda: f"connection with n{peer}", lambda: self._inner.on_connect(peer))

    def on_disconnect(self, peer: NodeId, reason: str) -> None:
        self._handle(
            lambda: f"end of the connection with n{peer} ({reason})", lambda: self._inner.on_disconnect(peer, reason)
        )
