"""The leader's sessions: buckets of a tick, as the reference states the rule, and the Guide's bounds of a timeout."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.algorithms.zookeeper.sessions import SessionTracker, negotiated
from simulator.protocol import MILLISECOND as MS

TICK, TIMEOUT = 500 * MS, 2000 * MS


@pytest.mark.parametrize(
    ("asked", "granted"), [(100 * MS, 1000 * MS), (2000 * MS, 2000 * MS), (60_000 * MS, 10_000 * MS)]
)
def test_a_timeout_is_negotiated(asked: int, granted: int) -> None:
    """Guide, "ZooKeeper Sessions": "a minimum of 2 times the tickTime … and a maximum of 20 times the tickTime"."""
    assert negotiated(asked, TICK) == granted


@pytest.mark.parametrize(
    ("touched", "expires"), [(0, 2500), (1, 2500), (499, 2500), (500, 3000), (501, 3000), (999, 3000), (1000, 3500)]
)
def test_a_session_expires_at_the_end_of_its_bucket(touched: int, expires: int) -> None:
    """Reference: "(⌊(last touch + timeout) / tick⌋ + 1)·tick", worked out by hand with tick 500 and timeout 2000."""
    tracker = SessionTracker(TICK)
    tracker.track(1, TIMEOUT, 0)
    assert tracker.touch(1, touched * MS)
    assert tracker.expire(expires * MS - 1) == []
    assert tracker.expire(expires * MS) == [1]


@given(
    st.lists(st.integers(0, 400 * MS), min_size=1, max_size=20),
    st.integers(0, TICK - 1),
    st.integers(0, 10**12),
)
def test_the_rule_holds_for_any_touches_and_any_phase(waits: list[int], phase: int, start: int) -> None:
    """The reference's rule, with ticks counted from `phase`: after the timeout, and at most a tick after it."""
    tracker = SessionTracker(TICK, phase)
    now = start
    tracker.track(1, TIMEOUT, now)
    for wait in waits:
        now += wait
        assert tracker.expire(now) == [] and tracker.touch(1, now)
    due = ((now + TIMEOUT - phase) // TICK + 1) * TICK + phase
    assert now + TIMEOUT < due <= now + TIMEOUT + TICK
    looks = 0
    while (look := tracker.next_look(now)) < due:
        assert tracker.expire(look) == []
        now, looks = look, looks + 1
    assert look == due and tracker.expire(look) == [1] and looks <= 5


def test_an_expired_session_cannot_be_saved_any_more() -> None:
    """Guide: "Session expiration is managed by the ZooKeeper cluster itself": once decided, a late ping is too late."""
    tracker = SessionTracker(TICK)
    tracker.track(1, TIMEOUT, 0, owner=4)
    assert tracker.owned_by(1, 4)
    tracker.expire(2500 * MS)
    assert not tracker.touch(1, 2500 * MS) and not tracker.owned_by(1, 4)
    tracker.forget(1)
    assert tracker.expire(10_000 * MS) == []


def test_a_session_that_is_closed_does_not_expire() -> None:
    """Hunt et al., section 2.3: a session ends when its client closes it, or when the timeout has passed: not twice."""
    tracker = SessionTracker(TICK)
    tracker.track(1, TIMEOUT, 0)
    tracker.track(2, TIMEOUT, 0)
    tracker.forget(1)
    tracker.forget(1)
    assert not tracker.touch(1, 0)
    assert tracker.expire(2500 * MS) == [2]


def test_buckets_that_were_missed_expire_in_their_order() -> None:
    """A leader that was paused looks at every bucket that has come meanwhile, as ZooKeeper's does, oldest first."""
    tracker = SessionTracker(TICK)
    for session, touched in ((1, 700), (2, 100), (3, 800)):
        tracker.track(session, TIMEOUT, touched * MS)
    assert tracker.expire(60_000 * MS) == [2, 1, 3]


def test_a_session_that_has_moved_is_another_servers() -> None:
    """Guide, SessionMovedException: a delayed request on the old connection is not taken for the session's."""
    tracker = SessionTracker(TICK)
    tracker.track(1, TIMEOUT, 0, owner=4)
    tracker.moved_to(1, 5)
    assert tracker.owned_by(1, 5) and not tracker.owned_by(1, 4)
