"""Watches against the ZooKeeper Programmer's Guide, "ZooKeeper Watches" and "Semantics of Watches"."""

from __future__ import annotations

import pytest

from simulator.algorithms.zookeeper.tree import DataTree
from simulator.algorithms.zookeeper.watches import Change, Watches
from simulator.protocol import SECOND


class Watched:
    """A tree with watches, and what they told."""

    def __init__(self) -> None:
        self.told: list[tuple[int, str, str]] = []
        self.watches = Watches(self)
        self.tree = DataTree(self.watches)
        self.tree.create("/election")

    def on_watch_triggered(self, client: int, path: str, change: Change) -> None:
        self.told.append((client, path, str(change)))


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_a_watch_is_told_once(watched: Watched) -> None:
    """ "One-time trigger": "no watch event will be sent unless the client has done another read"."""
    watched.watches.watch_node("/leader", 1)
    watched.tree.create("/leader")
    watched.tree.delete("/leader")
    assert watched.told == [(1, "/leader", "created")]
    watched.watches.watch_node("/leader", 1)
    watched.watches.watch_node("/leader", 1)  # Twice the same watch is one.
    watched.tree.create("/leader")
    assert watched.told == [(1, "/leader", "created")] * 2


def test_a_deletion_tells_who_watches_the_znode_its_children_and_its_parent(watched: Watched) -> None:
    """ "A successful delete() will trigger both a data watch and a child watch … as well as a child watch for the
    parent znode"; whoever watches both of the znode's is told once (DataTree.deleteNode)."""
    watched.tree.create("/election/n_1")
    watched.watches.watch_node("/election/n_1", 1)
    watched.watches.watch_children("/election/n_1", 1)
    watched.watches.watch_children("/election/n_1", 2)
    watched.watches.watch_children("/election", 3)
    watched.watches.watch_node("/election", 4)
    watched.tree.delete("/election/n_1")
    assert watched.told == [
        (1, "/election/n_1", "deleted"),
        (2, "/election/n_1", "deleted"),
        (3, "/election", "children"),
    ]


def test_a_creation_tells_who_watches_for_it_and_the_parents_children(watched: Watched) -> None:
    """ "A successful create() will trigger a data watch for the znode being created and a child watch for the parent
    znode"."""
    watched.watches.watch_node("/election/n_0000000000", 1)
    watched.watches.watch_children("/election", 2)
    watched.tree.create("/election/n_", sequential=True)
    assert watched.told == [(1, "/election/n_0000000000", "created"), (2, "/election", "children")]


def test_the_end_of_a_session_tells_as_deletions_do(watched: Watched) -> None:
    """Guide, "ZooKeeper Sessions": the cluster will "immediately notify any/all connected clients of the change".

    A child watch is triggered once, however many children go.
    """
    watched.tree.open_session(7, SECOND)
    for name in ("a", "b"):
        watched.tree.create(f"/election/{name}", owner=7)
        watched.watches.watch_node(f"/election/{name}", 1)
    watched.watches.watch_children("/election", 2)
    watched.tree.close_session(7)
    assert watched.told == [
        (1, "/election/a", "deleted"),
        (2, "/election", "children"),
        (1, "/election/b", "deleted"),
    ]


def test_watches_are_told_in_the_order_in_which_they_were_set(watched: Watched) -> None:
    """What a server does is the same in every run: nothing of it goes by the order of a set."""
    for client in (5, 3, 9, 1):
        watched.watches.watch_node("/leader", client)
    watched.tree.create("/leader")
    assert [client for client, _, _ in watched.told] == [5, 3, 9, 1]


def test_a_client_that_is_gone_is_told_nothing(watched: Watched) -> None:
    """ "Watches are maintained locally at the ZooKeeper server to which the client is connected"."""
    for client in (1, 2):
        watched.watches.watch_node("/leader", client)
        watched.watches.watch_children("/election", client)
    watched.watches.forget(1)
    watched.tree.create("/leader")
    watched.tree.create("/election/n_1")
    assert {client for client, _, _ in watched.told} == {2}


def test_an_event_comes_before_the_change_can_be_read(watched: Watched) -> None:
    """ "A client will never see a change for which it has set a watch until it first sees the watch event": the tree
    tells of each change as it makes it, and so before any read that sees the change is answered."""
    seen: list[tuple[str, ...]] = []

    class Reader:
        def on_watch_triggered(self, client: int, path: str, change: Change) -> None:
            seen.append(tree.children("/election"))

    watches = Watches(Reader())
    tree = DataTree(watches)
    tree.create("/election")
    tree.open_session(7, SECOND)
    tree.create("/election/a", owner=7)
    tree.create("/election/b", owner=7)
    watches.watch_node("/election/a", 1)
    tree.close_session(7)
    assert seen == [("b",)]
