"""Records what each node shows of itself (`Algorithm.view`), in trials that were asked for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from simulator.cluster.kernel import Kernel
from simulator.cluster.node.node import Node
from simulator.protocol import Algorithm, Message, NodeId
from simulator.trace.trace import ViewRow


class ViewRecorder:
    """Collects a row whenever a node's view, or the names of its pending timers, has changed."""

    def __init__(self, kernel: Kernel, nodes: Mapping[NodeId, Node]) -> None:
        self.rows: list[ViewRow] = []
        self._kernel = kernel
        self._nodes = nodes
        self._last: dict[NodeId, tuple[Mapping[str, object], tuple[str, ...]]] = {}

    def record(self, node: NodeId, algorithm: Algorithm) -> None:
        """Add a row for this node, unless it would repeat the node's last one."""
        shown = dict(algorithm.view()), self._nodes[node].timers
        if self._last.get(node) != shown:
            self._last[node] = shown
            self.rows.append(ViewRow(int(self._kernel.now), node, *shown))

    def forget(self, node: NodeId) -> None:
        """The node restarts: its next view is recorded even if it equals the last."""
        self._last.pop(node, None)


class ViewedAlgorithm(Algorithm):
    """Passes each input on to an algorithm, then calls `record` with it.

    It stands between node and algorithm, so that a trial without views does no work for them.
    """

    def __init__(self, algorithm: Algorithm, record: Callable[[NodeId, Algorithm], None]) -> None:
        super().__init__(algorithm.host, algorithm.config, {})
        self.algorithm = algorithm
        self._record = record

    def on_start(self) -> None:
        self.algorithm.on_start()
        self._record(self.host.me, self.algorithm)

    def on_message(self, sender: NodeId, message: Message) -> None:
        self.algorithm.on_message(sender, message)
        self._record(self.host.me, self.algorithm)

    def on_timer(self, name: str) -> None:
        self.algorithm.on_timer(name)
        self._record(self.host.me, self.algorithm)

    def on_saved(self, name: str) -> None:
        self.algorithm.on_saved(name)
        self._record(self.host.me, self.algorithm)

    def on_command(self, command: Message) -> None:
        self.algorithm.on_command(command)
        self._record(self.host.me, self.algorithm)

    def on_request(self, client: NodeId, request: Message) -> None:
        self.algorithm.on_request(client, request)
        self._record(self.host.me, self.algorithm)

    def on_connect(self, peer: NodeId) -> None:
        self.algorithm.on_connect(peer)
        self._record(self.host.me, self.algorithm)

    def on_disconnect(self, peer: NodeId, reason: str) -> None:
        self.algorithm.on_disconnect(peer, reason)
        self._record(self.host.me, self.algorithm)

    def view(self) -> Mapping[str, object]:
        return self.algorithm.view()
