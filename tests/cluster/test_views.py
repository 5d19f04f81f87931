"""Views: "`view()` returns what a page may show of a node (plain values …; optional rows outside the digest, asked for
in a replay run only)" (the issue)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from simulator.algorithms.registration import Registration
from simulator.cluster.cluster import run_trial
from simulator.cluster.distributions import Constant
from simulator.cluster.faults.node_faults import Crash, Restart
from simulator.cluster.network.network import NetworkSpec
from simulator.cluster.spec import ClusterSpec
from simulator.protocol import Algorithm, NodeId
from simulator.trace.trace import Trace, ViewRow
from tests.support.probe import MS, Letter, Script, at


class Postman(Algorithm):
    """Sends one letter to its peer after 10 ms, and shows the letters that it has. It counts how often it was asked."""

    asked: ClassVar[list[NodeId]] = []

    def __init__(self, host: Any, config: Script, durable: Mapping[str, Any]) -> None:
        super().__init__(host, config, durable)
        self.letters: list[str] = []

    def on_start(self) -> None:
        self.host.set_timer("post", 10 * MS)

    def on_timer(self, name: str) -> None:
        for peer in self.host.peers:
            self.host.send(peer, Letter("hello"))
            self.host.send(peer, Letter(""))  # Changes nothing.

    def _on_letter(self, sender: NodeId, message: Letter) -> None:
        self.letters += [message.text] if message.text else []

    def view(self) -> Mapping[str, object]:
        self.asked.append(self.host.me)
        return {"letters": tuple(self.letters)}

    receive: ClassVar = {Letter: _on_letter}


def play(*, views: bool) -> Trace:
    spec = ClusterSpec(
        registration=Registration(name="postman", algorithm=Postman, config=Script),
        config=Script(),
        nodes=2,
        duration=100 * MS,
        network=NetworkSpec(latency=Constant(2 * MS)),
        faults=(at(50, Crash(2)), at(60, Restart(2))),
    )
    return run_trial(spec, seed=1, trial=0, views=views)


def test_a_view_is_recorded_whenever_it_or_the_set_of_timers_has_changed() -> None:
    """A second letter that changes nothing leaves no row. A node that restarts is shown anew, although its first view
    was the same in its earlier life."""
    shown = [(row.time_ns // MS, row.node, row.view["letters"], row.timers) for row in play(views=True).views]
    assert shown == [
        (0, 1, (), ("post",)),
        (0, 2, (), ("post",)),
        (10, 1, (), ()),
        (10, 2, (), ()),
        (12, 2, ("hello",), ()),
        (12, 1, ("hello",), ()),
        (60, 2, (), ("post",)),
        (70, 2, (), ()),
        (72, 1, ("hello", "hello"), ()),
    ]


def test_a_trial_that_was_not_asked_for_views_takes_none_and_has_the_same_digest() -> None:
    """The issue: "optional rows outside the digest"."""
    Postman.asked.clear()
    without = play(views=False)
    assert (without.views, Postman.asked) == ((), [])
    watched = play(views=True)
    assert Postman.asked and all(isinstance(row, ViewRow) for row in watched.views)
    assert (watched.digest, watched.rows) == (without.digest, without.rows)
