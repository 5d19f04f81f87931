"""What is measured of one trial of Raft, in the terms in which others have published or measured it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from simulator.algorithms.raft import RequestVote, RequestVoteReply
from simulator.cluster.cluster import run_trial
from simulator.cluster.spec import ClusterSpec
from simulator.metrics.elections import Cause, elections
from simulator.protocol import LEADER, MILLISECOND
from simulator.scenario import load
from simulator.trace import event_types

SCENARIOS = Path(__file__).parents[2] / "scenarios"


class Elected(NamedTuple):
    """From a cold start to the first claim, and the vote requests and replies sent by then."""

    time_ms: float
    packets: int


class Failover(NamedTuple):
    """After a loss. Infinite where the trial ended first."""

    failover_ms: float
    detection_ms: float
    terms: int


def scenario_spec(name: str, *overrides: str) -> ClusterSpec:
    """The cluster of a scenario that users run, with some of its values replaced."""
    return load(SCENARIOS / f"{name}.yaml", overrides).cluster_spec()


def elected(spec: ClusterSpec, seed: int, trial: int) -> Elected:
    trace = run_trial(spec, seed, trial)
    claim = next(row for row in trace.rows if row.role is LEADER)
    sent = dict(zip(trace.message_types, claim.sent, strict=True))
    packets = sent[RequestVote.__name__] + sent[RequestVoteReply.__name__]
    return Elected(claim.time_ns / MILLISECOND, packets)


def downtime_ms(spec: ClusterSpec, seed: int, trial: int) -> float:
    """From the crash to the end of a trial that stops once everybody names the current leader; infinite if cut off."""
    trace = run_trial(spec, seed, trial)
    crashes = [row.time_ns for row in trace.rows if row.kind == event_types.CRASHED]
    if not crashes or trace.end_ns >= spec.duration:
        return float("inf")
    return (trace.end_ns - crashes[0]) / MILLISECOND


def failover(spec: ClusterSpec, seed: int, trial: int) -> Failover:
    *_, election = (one for one in elections(run_trial(spec, seed, trial)) if one.cause is Cause.LOSS)
    if election.failover_ns is None or election.detection_ns is None or election.terms_spent is None:
        return Failover(float("inf"), float("inf"), 0)
    return Failover(election.failover_ns / MILLISECOND, election.detection_ns / MILLISECOND, election.terms_spent)
