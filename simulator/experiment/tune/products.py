"""Settings in a product's own flags: the one place that knows how a dialect's product names them.

A product for another dialect or algorithm is a function here and an entry in `_PRODUCTS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from simulator.protocol import MILLISECOND, SECOND, Nanoseconds
from simulator.scenario import Scenario
from simulator.scenario.text.units import format_duration


@dataclass(frozen=True, slots=True)
class ProductSettings:
    """The product, its settings as one writes them, and what about the scenario's options they cannot say."""

    product: str
    lines: tuple[str, ...]
    remarks: tuple[str, ...] = ()


def product_settings(scenario: Scenario) -> ProductSettings | None:
    """The settings of a scenario in the flags of the product that it models; None if it models none."""
    algorithm: Any = scenario.algorithm
    name = algorithm.registration.name
    make = _PRODUCTS.get((name, getattr(algorithm, "dialect", None)))
    return None if make is None else make(algorithm.config())


def _etcd(config: Any) -> ProductSettings:
    """etcd counts in ticks of the heartbeat interval, and draws from E to 2E - 1 of them (etcd-io/raft, raft.go).

    Its server refuses an election timeout below five heartbeat intervals or above 50 s (embed/config.go).
    """
    interval, (least, most) = config.heartbeat_interval, config.election_timeout
    remarks = []
    if config.tick != interval:
        remarks.append("etcd's tick is its heartbeat interval: link algorithm.tick to algorithm.heartbeat_interval")
    if most != 2 * least - interval:
        right = format_duration(max(0, 2 * least - interval))
        remarks.append(f"etcd draws timeouts up to two election timeouts less one tick: here {right}")
    if least < 5 * interval:
        remarks.append("etcd refuses an election timeout below five heartbeat intervals")
    if least > 50 * SECOND:
        remarks.append("etcd refuses an election timeout above 50s")
    flags = {"heartbeat-interval": _whole_ms(interval, remarks), "election-timeout": _whole_ms(least, remarks)}
    lines = [f"--{flag}={value}" for flag, value in flags.items()]
    return ProductSettings("etcd", (*lines, f"--pre-vote={str(config.pre_vote).lower()}"), tuple(remarks))


def _hashicorp(config: Any) -> ProductSettings:
    """Consul multiplies the three timeouts of hashicorp/raft (1 s, 1 s, 500 ms) by raft_multiplier, from 1 to 10.

    A leader sends heartbeats after a tenth to a fifth of the heartbeat timeout (hashicorp/raft, replication.go).
    """
    heartbeat, (least, most), lease = config.least_silence or 0, config.candidate_timeout or (0, 0), config.lease_ns
    remarks = []
    if config.election_timeout != (heartbeat, 2 * heartbeat) or most != 2 * least:
        remarks.append("hashicorp/raft draws each timeout from T to 2 T: election_timeout from least_silence on")
    if config.heartbeat_interval * 10 != heartbeat or config.heartbeat_spread != config.heartbeat_interval:
        remarks.append("hashicorp/raft sends heartbeats after a tenth to a fifth of its heartbeat timeout")
    multiplier = heartbeat // SECOND
    if 1 <= multiplier <= 10 and (heartbeat, least, lease) == (multiplier * SECOND,) * 2 + (multiplier * SECOND // 2,):
        return ProductSettings("Consul", (f'"performance": {{"raft_multiplier": {multiplier}}}',), tuple(remarks))
    remarks.append("no raft_multiplier of Consul, a whole number from 1 to 10, gives these: see hashicorp/raft's own")
    lines = [
        f"HeartbeatTimeout: {_go(heartbeat)}",
        f"ElectionTimeout: {_go(least)}",
        f"LeaderLeaseTimeout: {_go(lease)}",
    ]
    return ProductSettings("hashicorp/raft", tuple(lines), tuple(remarks))


def _logcabin(config: Any) -> ProductSettings:
    """LogCabin draws timeouts from E to 2 E (RaftConsensus.cc)."""
    least, most = config.election_timeout
    remarks = [] if most == 2 * least else ["LogCabin draws timeouts from one to two election timeouts"]
    lines = (
        f"electionTimeoutMilliseconds = {_whole_ms(least, remarks)}",
        f"heartbeatPeriodMilliseconds = {_whole_ms(config.heartbeat_interval, remarks)}",
    )
    return ProductSettings("LogCabin", lines, tuple(remarks))


def _pysyncobj(config: Any) -> ProductSettings:
    """The fields of SyncObjConf are seconds."""
    least, most = config.election_timeout
    lines = (
        f"raftMinTimeout={least / SECOND:g}",
        f"raftMaxTimeout={most / SECOND:g}",
        f"appendEntriesPeriod={config.heartbeat_interval / SECOND:g}",
        f"leaderFallbackTimeout={config.lease_ns / SECOND:g}",
    )
    return ProductSettings("PySyncObj", lines)


def _zookeeper(config: Any) -> ProductSettings:
    """The lines of zoo.cfg; tickTime is in milliseconds."""
    remarks: list[str] = []
    lines = (
        f"tickTime={_whole_ms(config.tick_time, remarks)}",
        f"initLimit={config.init_limit}",
        f"syncLimit={config.sync_limit}",
    )
    return ProductSettings("ZooKeeper", lines, tuple(remarks))


def _whole_ms(duration_ns: Nanoseconds, remarks: list[str]) -> int:
    """Whole milliseconds, with a remark if that is not exact."""
    found = round(duration_ns / MILLISECOND)
    if found * MILLISECOND != duration_ns:
        remarks.append(f"{format_duration(duration_ns)} is rounded to {found} ms")
    return found


def _go(duration_ns: Nanoseconds) -> str:
    return f"{duration_ns / MILLISECOND:g} * time.Millisecond"


_PRODUCTS: Mapping[tuple[str, str | None], Callable[[Any], ProductSettings]] = {
    ("raft", "etcd"): _etcd,
    ("raft", "hashicorp"): _hashicorp,
    ("raft", "logcabin"): _logcabin,
    ("raft", "pysyncobj"): _pysyncobj,
    ("zookeeper-ensemble", None): _zookeeper,
}
