"""The shipped scenarios of clients do what they say, in one trial each: issue 15, "Done when"."""

from __future__ import annotations

from functools import cache

import pytest

import simulator
from simulator.cluster.cluster import run_trial
from simulator.trace.requests import RequestOutcome
from simulator.trace.trace import Trace

FENCING = ("fencing-pause", "fencing-partition", "fencing-slow-packet", "fencing-clock")


@cache
def trial(name: str, *overrides: str) -> Trace:
    return run_trial(simulator.load(name, overrides).cluster_spec(), 7, 0)


def dangerous(trace: Trace) -> int:
    """Writes that the resource accepted from a claimant after it had accepted one of a later claimant (issue 15)."""
    found, latest = 0, 0
    for row in trace.writes:
        if row.accepted:
            assert row.token is not None
            found += row.token < latest
            latest = max(latest, row.token)
    return found


@pytest.mark.parametrize("name", FENCING)
def test_a_deposed_leader_writes_unless_its_token_is_checked(name: str) -> None:
    """Kleppmann (2016): "you need to use a fencing token … with every write request to the storage service"."""
    assert dangerous(trial(name)) > 0
    fenced = trial(name, "resource.fencing=token")
    assert dangerous(fenced) == 0
    assert any(not row.accepted for row in fenced.writes)


@pytest.mark.parametrize("change", ["faults.0.drift_ppm=0", "algorithm.stop_leading=disconnect"])
def test_a_leader_with_a_good_clock_or_that_stops_at_once_needs_no_token(change: str) -> None:
    """The recipe's session lasts, at least, from the sending of the last answered request: only a clock that is slow
    lets a leader go on for longer (docs/zookeeper-recipe.md)."""
    assert dangerous(trial("fencing-clock", change)) == 0


@pytest.mark.parametrize("name", ["clients-leader-crash", "clients-disk-stall"])
def test_no_write_succeeds_from_the_fault_until_another_leads(name: str) -> None:
    """Section 5.4.2: only a leader commits, and a leader whose blocking disk stalls does nothing."""
    trace = trial(name)
    (fault,) = trace.of_type("fault")
    (victim,) = fault.field("nodes")
    claimed_ns = next(
        row.time_ns for row in trace.rows if row.role == "leader" and row.time_ns > fault.time_ns and row.node != victim
    )
    ended = [row.ended_ns for row in trace.requests if row.outcome is RequestOutcome.ACKNOWLEDGED]
    after = [ended_ns for ended_ns in ended if ended_ns is not None and ended_ns > fault.time_ns + 10_000_000]
    assert min(after) > claimed_ns
    assert max(after) > trace.end_ns - 500_000_000  # Clients are served until the end.


def test_servers_without_a_quorum_answer_reads_only() -> None:
    trace = trial("read-only-without-quorum")
    (crash, *_) = trace.of_type("fault")
    stale = [row for row in trace.requests if row.stale]
    assert stale
    assert {row.operation for row in stale} == {"read"}
    assert all(row.ended_ns is not None and row.ended_ns > crash.time_ns for row in stale)
    partition = trial("read-only-partition")
    # Some answers on the smaller side lack a write that was committed on the other before they were asked for.
    newer = 0
    for row in (row for row in partition.requests if row.stale and row.value):
        (read_ns,) = [write.time_ns for write in partition.writes if write.value == row.value]
        newer += any(read_ns < write.time_ns < row.sent_ns for write in partition.writes)
    assert newer > 0
