"""The data tree against the ZooKeeper Programmer's Guide, "ZNodes", and Hunt et al. 2010, section 2."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.algorithms.zookeeper.tree import Code, DataTree, TreeError
from simulator.protocol import SECOND


class Heard:
    """What a tree has told of."""

    def __init__(self) -> None:
        self.changes: list[str] = []

    def on_created(self, path: str) -> None:
        self.changes.append(f"+{path}")

    def on_deleted(self, path: str) -> None:
        self.changes.append(f"-{path}")


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def tree(heard: Heard) -> DataTree:
    tree = DataTree(heard)
    tree.create("/election")
    tree.open_session(1, 2 * SECOND)
    tree.open_session(2, 2 * SECOND)
    heard.changes.clear()
    return tree


def _refusal(tree: DataTree, act: str, *arguments: object, **options: object) -> Code:
    before = tree.snapshot()
    with pytest.raises(TreeError) as caught:
        getattr(tree, act)(*arguments, **options)
    assert tree.snapshot() == before  # What is refused changes nothing.
    return caught.value.code


def test_a_sequential_znode_ends_in_ten_digits(tree: DataTree) -> None:
    """Guide, "Sequence Nodes": "The counter has a format of %010d -- that is 10 digits with 0 (zero) padding"."""
    assert tree.create("/election/n_", owner=1, sequential=True) == "/election/n_0000000000"
    assert tree.create("/election/n_", owner=2, sequential=True) == "/election/n_0000000001"
    assert tree.children("/election") == ("n_0000000000", "n_0000000001")


def test_a_sequence_number_is_greater_than_any_before(tree: DataTree) -> None:
    """Recipes, "Leader Election": "a sequence number that is greater than anyone previously appended to a child"."""
    first = tree.create("/election/n_", sequential=True)
    tree.delete(first)
    assert tree.create("/election/n_", sequential=True) == "/election/n_0000000001"


def test_the_counter_is_the_parents(tree: DataTree) -> None:
    """Guide, "Sequence Nodes": "This counter is unique to the parent znode"; its names do not matter."""
    tree.create("/queue")
    tree.create("/election/a_", sequential=True)
    assert tree.create("/election/b_", sequential=True) == "/election/b_0000000001"
    assert tree.create("/queue/a_", sequential=True) == "/queue/a_0000000000"


def test_ephemeral_znodes_end_with_their_session(tree: DataTree, heard: Heard) -> None:
    """Guide, "Ephemeral Nodes": "When the session ends the znode is deleted"; others, and the order, stay."""
    for owner in (1, 2, 1):
        tree.create("/election/n_", owner=owner, sequential=True)
    tree.create("/election/lasting")
    heard.changes.clear()
    tree.close_session(1)
    assert heard.changes == ["-/election/n_0000000000", "-/election/n_0000000002"]
    assert tree.children("/election") == ("n_0000000001", "lasting")
    tree.close_session(1)  # Its client and the leader may both have asked.
    assert len(heard.changes) == 2


def test_an_ephemeral_znode_that_is_deleted_does_not_end_twice(tree: DataTree, heard: Heard) -> None:
    """Guide, "Ephemeral Nodes": one "exists as long as the session", unless somebody deletes it before."""
    tree.delete(tree.create("/election/mine", owner=1))
    tree.close_session(1)
    assert heard.changes == ["+/election/mine", "-/election/mine"]


def test_what_is_refused(tree: DataTree) -> None:
    """Hunt et al., section 2.2, the client API: each call fails as a whole. Guide: ephemerals are "not allowed to have
    children"."""
    tree.create("/election/mine", owner=1)
    assert _refusal(tree, "create", "/election/mine") is Code.NODE_EXISTS
    assert _refusal(tree, "create", "/nowhere/child") is Code.NO_NODE
    assert _refusal(tree, "create", "/election/mine/child") is Code.NO_CHILDREN_FOR_EPHEMERALS
    assert _refusal(tree, "create", "/election/other", owner=3) is Code.SESSION_EXPIRED
    assert _refusal(tree, "delete", "/election") is Code.NOT_EMPTY
    assert _refusal(tree, "delete", "/") is Code.NOT_EMPTY
    assert _refusal(tree, "delete", "/nowhere") is Code.NO_NODE
    assert _refusal(tree, "data", "/nowhere") is Code.NO_NODE
    assert _refusal(tree, "children", "/nowhere") is Code.NO_NODE


def test_reads(tree: DataTree) -> None:
    """Hunt et al., section 2.2: exists, getData and getChildren."""
    tree.create("/leader", "n3", owner=1)
    assert tree.exists("/leader") and not tree.exists("/follower")
    assert tree.data("/leader") == "n3"
    assert tree.children("/") == ("election", "leader")


_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("create"), st.sampled_from([None, 1, 2, 3])),
        st.tuples(st.just("delete"), st.integers(0, 3)),
        st.tuples(st.just("close"), st.sampled_from([1, 2, 3])),
    ),
    max_size=30,
)


@given(_STEPS, st.integers(0, 30))
def test_two_trees_are_alike_and_number_nothing_twice(steps: list[tuple[str, int | None]], restarted_at: int) -> None:
    """Hunt et al., section 4: servers apply the same transactions in the same order, and have the same state.

    One of the two is replaced by its snapshot on the way; and no number is given twice, whatever is deleted.
    """
    one, other = DataTree(Heard()), DataTree(Heard())
    for tree in (one, other):
        tree.create("/election")
        for session in (1, 2, 3):
            tree.open_session(session, SECOND)
    given_out: list[str] = []
    for number, (act, which) in enumerate(steps):
        if number == restarted_at:
            snapshot, other = other.snapshot(), DataTree(Heard())
            hash(snapshot)
            other.restore(snapshot)
        outcomes = [_take(tree, act, which) for tree in (one, other)]
        assert outcomes[0] == outcomes[1]
        if act == "create" and outcomes[0].startswith("/"):
            given_out.append(outcomes[0])
    assert one.snapshot() == other.snapshot()
    assert len(set(given_out)) == len(given_out)
    assert given_out == sorted(given_out)


def _take(tree: DataTree, act: str, which: int | None) -> str:
    try:
        if act == "create":
            return tree.create("/election/n_", owner=which, sequential=True)
        if act == "close":
            tree.close_session(which or 0)
        else:
            names = tree.children("/election")
            tree.delete(f"/election/{names[which or 0]}" if which is not None and which < len(names) else "/nowhere")
    except TreeError as error:
        return str(error.code)
    return ""
