"""A small algorithm that does whatever a message tells it to, so that the bench can be tested apart from Raft."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from simulator.algorithms.registration import Registration
from simulator.protocol import FOLLOWER, MILLISECOND, Algorithm, Host, NodeId, message
from simulator.testing import InteractionBench


@message
class Do:
    """Do these things in turn: `save 3`, `say a`, `shout a`, `set alarm 5`, `cancel alarm`, `draw`, `fail`."""

    things: tuple[str, ...] = ()


@message
class Said:
    what: object


@message
class Basket:
    items: list[int]


@dataclass(frozen=True)
class EchoConfig:
    greeting: str = "hello"


class Echo(Algorithm):
    def __init__(self, host: Host, config: EchoConfig, durable: Mapping[str, Any]) -> None:
        super().__init__(host, config, durable)
        self.value = durable.get("value", 0)

    def on_start(self) -> None:
        self.host.transition(FOLLOWER, self.value, None)

    def on_timer(self, name: str) -> None:
        self.host.send(1, Said(f"{name} of {self.host.me} at {self.host.now() // MILLISECOND}"))

    def on_saved(self, name: str) -> None:
        self.host.send(1, Said(name))

    def on_command(self, command: Do) -> None:
        self._on_do(self.host.me, command)

    def _on_do(self, sender: NodeId, message: Do) -> None:
        for thing in message.things:
            verb, _, value = thing.partition(" ")
            getattr(self, f"_{verb}")(sender, value)

    def _save(self, sender: NodeId, value: str) -> None:
        self.host.save(f"saved {value}", value=int(value))

    def _say(self, sender: NodeId, what: str) -> None:
        self.host.send(sender, Said(what))

    def _shout(self, sender: NodeId, what: str) -> None:
        self.host.send(sender, Said(what), ordered=False)

    def _set(self, sender: NodeId, value: str) -> None:
        name, delay = value.split()
        self.host.set_timer(name, int(delay) * MILLISECOND)

    def _cancel(self, sender: NodeId, name: str) -> None:
        self.host.cancel_timer(name)

    def _draw(self, sender: NodeId, _: str) -> None:
        self.host.send(sender, Said(self.host.random.getrandbits(64)))

    def _fail(self, sender: NodeId, _: str) -> None:
        raise RuntimeError("told to fail")

    def _on_other(self, sender: NodeId, message: object) -> None:
        pass

    receive: ClassVar = {Do: _on_do, Said: _on_other, Basket: _on_other}


ECHO = Registration(name="echo", algorithm=Echo, config=EchoConfig)


def bench_of(nodes: int = 2, **settings: Any) -> InteractionBench:
    return InteractionBench(ECHO, nodes, **settings)


def tell(bench: InteractionBench, to: NodeId, *things: str) -> list[object]:
    """Node 1 tells `to` to do these things; returns what was said meanwhile."""
    before = len(bench.sent)
    bench.deliver(bench.inject(1, to, Do(things)))
    return said(bench)[before:]


def said(bench: InteractionBench) -> list[object]:
    return [envelope.message.what for envelope in bench.sent]
