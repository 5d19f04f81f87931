"""What a node tells the fast-forward about itself, and what the fast-forward changes in the node."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from simulator.cluster.node.node import Node
from simulator.protocol import Nanoseconds

_WORD = 64  # The bits that `protocol.uniform` draws.
_FEW = 1 << 16  # Up to so many numbers, NumPy's generator takes longer to make than it saves.


def is_settled(node: Node) -> bool:
    """Whether a running node handles each input at once: nothing waits in it, and its clock is right."""
    return node.ready and not node._outbox and not node._backlog and not node.clock.drift_ppb


def forget_draws(source: random.Random, count: int) -> None:
    """Draw this many numbers as `protocol.uniform` does, and forget them.

    Both libraries have the same Mersenne Twister. NumPy's throws numbers away without making integers of them.
    """
    if count <= _FEW:
        source.getrandbits(_WORD * count)
        return
    version, (*key, position), gauss = source.getstate()
    twister: Any = np.random.MT19937(0)
    twister.state = {"bit_generator": "MT19937", "state": {"key": np.array(key, dtype=np.uint32), "pos": position}}
    twister.random_raw(count * _WORD // 32, output=False)
    state = twister.state["state"]
    source.setstate((version, (*state["key"].tolist(), int(state["pos"])), gauss))


def timer_place(node: Node, name: str) -> tuple[Nanoseconds, int] | None:
    """When a pending timer is due, and its place among things due at this instant; None if it is not pending."""
    return node._timers.place(name)


def move_timer(node: Node, name: str, deadline_ns: Nanoseconds, order: int) -> None:
    """Give a pending timer another deadline and place, and queue it anew."""
    node._timers.move(name, deadline_ns, order)


def forget_cancelled_timers(node: Node) -> None:
    """Forget the timers that are not pending: their entries were taken out of the queue."""
    node._timers.forget_cancelled()
