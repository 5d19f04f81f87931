"""studies/zookeeper_elections.py reads the stages of an election from the logs of real servers (docs/zookeeper.md).

The lines are those of ZooKeeper 3.8.0, shortened; the study itself needs Java and is not run here.
"""

from __future__ import annotations

from datetime import datetime

import pytest

from studies.zookeeper_elections import read_log, stages, table

LEADER = """\
2026-11-30 21:00:09,990 Notification: my state:FOLLOWING; n.sid:1, n.state:LOOKING
2026-11-30 21:00:10,008 Exception when following the leader
2026-11-30 21:00:10,015 New election. My id = 3, proposed zxid=0x0
2026-11-30 21:00:10,018 Notification: my state:LOOKING; n.sid:3, n.state:LOOKING
2026-11-30 21:00:10,022 Notification: my state:LOOKING; n.sid:1, n.state:LOOKING
2026-11-30 21:00:10,223 LEADING
2026-11-30 21:00:10,228 LEADING - LEADER ELECTION TOOK - 208 MS
2026-11-30 21:00:10,349 Have quorum of supporters, sids: [[1, 3]]
"""
FOLLOWER = """\
2026-11-30 21:00:10,007 Exception when following the leader
	at java.base/java.net.SocketInputStream.read
2026-11-30 21:00:10,010 New election. My id = 1, proposed zxid=0x0
2026-11-30 21:00:10,012 Notification: my state:LOOKING; n.sid:1, n.state:LOOKING
2026-11-30 21:00:10,222 FOLLOWING
2026-11-30 21:00:10,224 Unexpected exception, tries=0, remaining init limit=10000
2026-11-30 21:00:10,325 Successfully connected to leader, using address: /127.0.0.1
"""
FAULT = datetime(2026, 11, 30, 21, 0, 10).timestamp()


def test_stages_are_those_of_the_logs() -> None:
    """Each figure of the page can be found in a log by hand: here from the lines above."""
    logs = {1: read_log(FOLLOWER, FAULT), 3: read_log(LEADER, FAULT)}
    found = stages(logs, leader=3)
    assert found.detection == pytest.approx(7, abs=0.01)
    assert (found.leader_looks, *found.others_look) == pytest.approx((8, 3), abs=0.01)
    assert found.elected == pytest.approx(216, abs=0.01)
    assert list(found.notifications) == [1, 2]
    assert list(found.handled) == pytest.approx([2, 7], abs=0.01)
    assert (*found.connecting, found.opening, found.served) == pytest.approx((2, 5, 126), abs=0.01)
    assert found.refused == 1
    assert "elected" in table([found])


def test_a_stage_that_is_missing_is_named() -> None:
    """A log that was read too early must not give a figure."""
    logs = {1: read_log(FOLLOWER, FAULT), 3: read_log(LEADER.replace("LEADING", "LOOKING"), FAULT)}
    with pytest.raises(ValueError, match="no 'LEADING' in the log"):
        stages(logs, leader=3)
