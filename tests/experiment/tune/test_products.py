"""Settings in a product's flags: each from the product's own documentation or source."""

from __future__ import annotations

import pytest

import simulator
from simulator.experiment.tune.products import product_settings


def settings(name: str, *overrides: str) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    found = product_settings(simulator.load(name, overrides))
    assert found is not None
    return found.product, found.lines, found.remarks


def etcd(heartbeat: str, tick: str, timeout: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    fields = {"heartbeat_interval": heartbeat, "tick": tick, "election_timeout": timeout}
    return settings("raft-etcd-failover", *(f"algorithm.{field}={text}" for field, text in fields.items()))[1:]


def test_etcd_has_two_flags_in_milliseconds() -> None:
    """etcd.io/docs, "Tuning": `--heartbeat-interval=100 --election-timeout=1000` are the defaults, and `--pre-vote`."""
    lines = ("--heartbeat-interval=100", "--election-timeout=1000", "--pre-vote=false")
    assert settings("raft-etcd-failover") == ("etcd", lines, ())
    assert etcd("50ms", "50ms", "[500ms, 950ms]")[0][:2] == ("--heartbeat-interval=50", "--election-timeout=500")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (("50ms", "10ms", "[500ms, 990ms]"), "etcd's tick is its heartbeat interval"),
        (("50ms", "50ms", "[500ms, 1s]"), "less one tick: here 950ms"),
        (("50ms", "50ms", "[200ms, 350ms]"), "below five heartbeat intervals"),
        (("5s", "5s", "[60s, 115s]"), "above 50s"),
    ],
)
def test_what_etcd_cannot_be_set_to_is_said(fields: tuple[str, str, str], said: str) -> None:
    """embed/config.go refuses 5 x heartbeat > election and election > 50 s; raft.go draws from E to 2E - 1 ticks."""
    assert any(said in remark for remark in etcd(*fields)[1])


def test_consul_multiplies_hashicorps_timeouts() -> None:
    """Consul's documentation: raft_multiplier, 1 to 10, scales the three timeouts; 1 gives hashicorp/raft's own."""
    name = "raft-hashicorp-failover"
    assert settings(name) == ("Consul", ('"performance": {"raft_multiplier": 1}',), ())
    times = {
        "heartbeat_interval": "500ms",
        "heartbeat_spread": "500ms",
        "leader_lease": "2500ms",
        "least_silence": "5s",
    }
    times |= {"election_timeout": "[5s, 10s]", "candidate_timeout": "[5s, 10s]"}
    five = [f"algorithm.{field}={text}" for field, text in times.items()]
    assert settings(name, *five)[1] == ('"performance": {"raft_multiplier": 5}',)
    product, lines, remarks = settings(name, "algorithm.leader_lease=400ms")
    assert product == "hashicorp/raft"
    assert lines[2] == "LeaderLeaseTimeout: 400 * time.Millisecond"
    assert "no raft_multiplier of Consul" in remarks[0]


def test_others() -> None:
    """PySyncObj's SyncObjConf is in seconds; zoo.cfg's tickTime in milliseconds; the paper's Raft is no product."""
    assert settings("raft-pysyncobj-failover")[1][:3] == (
        "raftMinTimeout=0.4",
        "raftMaxTimeout=1.4",
        "appendEntriesPeriod=0.1",
    )
    assert settings("zookeeper-ensemble-failover")[0] == "ZooKeeper"
    assert product_settings(simulator.load("raft-leader-crash")) is None
