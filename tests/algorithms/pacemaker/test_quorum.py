"""Votequorum against its manual: votequorum(5), and corosync's exec/votequorum.c."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.algorithms.pacemaker.config import PacemakerConfig
from simulator.algorithms.pacemaker.quorum import WINDOW, VoteQuorum
from simulator.algorithms.pacemaker.registration import PACEMAKER
from simulator.testing import InteractionBench


def votes(nodes: int, **options: Any) -> VoteQuorum:
    host = InteractionBench(PACEMAKER, nodes).node(1)
    return VoteQuorum(host, PacemakerConfig(**options))


@pytest.mark.parametrize(("nodes", "needed"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3), (8, 5), (9, 5)])
def test_a_majority_of_expected_votes(nodes: int, needed: int) -> None:
    """ "an 8-nodes cluster … quorum is 5" (votequorum(5)): half of the expected votes, and one."""
    for present in range(1, nodes + 1):
        quorum = votes(nodes)
        quorum.changed(range(1, present + 1))
        assert quorum.quorate is (present >= needed)


def test_one_of_two_is_a_quorum_once_both_were_there() -> None:
    """ "two_node: 1 … wait_for_all is automatically enabled": a node that starts alone waits for the other."""
    quorum = votes(2, two_node=True)
    quorum.changed([1])
    assert not quorum.quorate
    quorum.changed([1, 2])
    assert quorum.quorate
    quorum.changed([1])
    assert quorum.quorate
    alone = votes(2, two_node=True, wait_for_all=False)
    alone.changed([1])
    assert alone.quorate


def test_all_must_have_been_there_once() -> None:
    """ "wait_for_all: … quorate for the first time only after all nodes have been visible at least once"."""
    quorum = votes(3, wait_for_all=True)
    quorum.changed([1, 2])
    assert not quorum.quorate
    quorum.changed([1, 2, 3])
    quorum.changed([1, 2])
    assert quorum.quorate
    quorum.changed([1])
    quorum.changed([1, 2])  # It has been without a quorum: again it waits (are_we_quorate sets the status).
    assert not quorum.quorate


def test_the_half_with_the_lowest_node_wins_a_tie() -> None:
    """ "auto_tie_breaker: … the partition, or the set of nodes, that are still in contact with the node with the lowest
    nodeid will remain quorate"."""
    lower, higher = votes(4, auto_tie_breaker=True), votes(4, auto_tie_breaker=True)
    for quorum in (lower, higher):
        quorum.changed([1, 2, 3, 4])
    lower.changed([1, 2])
    higher.changed([3, 4])
    assert (lower.quorate, higher.quorate) == (True, False)
    without = votes(4)
    without.changed([1, 2, 3, 4])
    without.changed([1, 2])
    assert not without.quorate


def test_the_last_man_stands() -> None:
    """ "last_man_standing: … expected_votes and quorum are recalculated after last_man_standing_window": eight nodes
    of which one after another fails stay quorate down to two."""
    quorum = votes(8, last_man_standing=True, wait_for_all=True)
    quorum.changed(range(1, 9))
    for left in range(7, 1, -1):
        quorum.changed(range(1, left + 1))
        assert quorum.quorate
        assert WINDOW in quorum.host.timers  # type: ignore[attr-defined]
        quorum.on_window()
        assert quorum.expected == left
    too_fast = votes(8, last_man_standing=True, wait_for_all=True)
    too_fast.changed(range(1, 9))
    too_fast.changed([1, 2, 3, 4])  # At once, within the window.
    assert not too_fast.quorate
