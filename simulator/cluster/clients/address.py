"""A virtual address, a name or a proxy: where it leads follows the leader after a delay.

Examples: keepalived moves an address and sends gratuitous ARP when it becomes master; HAProxy sends clients to another
server when its checks say so; Redis's clients are told of a new master by Sentinel. Their common part is that the last
node to claim the lead gets the traffic some time after its claim, and the one before it until then, dead or alive.
"""

from __future__ import annotations

from collections.abc import Iterator

from simulator.cluster.kernel import Kernel
from simulator.protocol import Nanoseconds, NodeId


class Address:
    """Where the address leads now: `first` until a first claim is known."""

    def __init__(self, kernel: Kernel, delays: Iterator[Nanoseconds], first: NodeId) -> None:
        self.server = first
        self._kernel = kernel
        self._delays = delays
        self._claims = 0
        self._last_followed = 0

    def on_claim(self, node: NodeId) -> None:
        """A node begins to lead: follow it after a delay, unless the address has followed a later claim by then."""
        self._claims += 1
        self._kernel.push(self._kernel._now + next(self._delays), self._follow, node, self._claims)

    def _follow(self, node: NodeId, claim: int) -> None:
        if claim > self._last_followed:
            self._last_followed = claim
            self.server = node
