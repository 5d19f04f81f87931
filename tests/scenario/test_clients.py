"""Clients and the resource in a scenario: what does not fit is an error in one line, with its remedy (design.md)."""

from __future__ import annotations

from typing import Any

import pytest

import simulator
from simulator.cluster.clients.spec import AddressSpec
from simulator.cluster.distributions import Constant, Exponential
from simulator.protocol import MILLISECOND, SECOND
from simulator.scenario import ScenarioError
from simulator.scenario.export import resolved_text

TEXT = """
version: 1
name: clients
algorithm: {name: raft}
cluster: {nodes: 3}
clients: {nodes: 2}
duration: 2s
"""


@pytest.mark.parametrize(
    ("overrides", "path", "says"),
    [
        (["algorithm={name: bully}", "resource.fencing=token"], "resource.fencing", "write fencing: none"),
        (["algorithm={name: invitation}", "resource.fencing=token"], "resource.fencing", "write fencing: none"),
        (["clients=null", "resource={}"], "resource", "give clients"),
        (["clients.servers=[n4]"], "clients.servers.0", "the nodes are n1 to n3"),
        (["clients.servers=[]"], "clients.servers", "name a server"),
        (["clients.start=2s"], "clients.start", "give an earlier instant"),
        (["clients.consistency=stale"], "clients.consistency", "leave this out"),
        (
            ["algorithm.replication=true", "clients.consistency=lease"],
            "clients.consistency",
            "give algorithm.lease_reads: true",
        ),
        (
            ["algorithm={name: zookeeper-ensemble}", "clients.consistency=read_index"],
            "clients.consistency",
            "write one of default, stale",
        ),
        (["clients.load={rate_per_s: 1, think: 1s}"], "clients.load", "give one of them"),
        (["clients.finds=nobody"], "clients.finds", "leader"),
        (["clients.backoff={first: 2s}"], "clients.backoff.most", "give a longer one"),
        (["faults=[{at: 1s, crash: 'group:client'}]"], "faults.0.crash", "did you mean clients"),
        (["faults=[{at: 1s, crash: 'leader-of:clients'}]"], "faults.0.crash", "is not a group"),
        (["faults=[{at: 1s, crash: n4}]"], "faults.0.crash", "the nodes are n1 to n3"),
        (["clients=null", "faults=[{at: 1s, crash: 'group:clients'}]"], "faults.0.crash", "is not a group"),
    ],
)
def test_what_does_not_fit_is_an_error(overrides: list[str], path: str, says: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        simulator.loads(TEXT, overrides=overrides)
    (line,) = str(caught.value).splitlines()
    assert path in line
    assert says in line


@pytest.mark.parametrize("target", ["group:clients", "group:resource"])
def test_the_groups_outside_the_cluster_are_targets(target: str) -> None:
    simulator.loads(TEXT, overrides=[f"faults=[{{at: 1s, crash: '{target}'}}, {{at: 1s, cut_link: [n1, '{target}']}}]"])


def test_a_log_has_no_resource() -> None:
    """With a log, writes go there, so that there is no `group:resource` unless the scenario gives one."""
    fault = "faults=[{at: 1s, crash: 'group:resource'}]"
    with pytest.raises(ScenarioError, match="is not a group of nodes"):
        simulator.loads(TEXT, overrides=["algorithm.replication=true", fault])
    simulator.loads(TEXT, overrides=["algorithm.replication=true", "resource={}", fault])


@pytest.mark.parametrize(
    ("field", "attribute", "value"),
    [
        ("load={think: 5ms}", "gaps", Constant(5 * MILLISECOND)),
        ("load={rate_per_s: 50}", "gaps", Exponential(20 * MILLISECOND)),
        ("load={every: 5ms}", "closed_loop", False),
        ("finds=next", "finds", "next"),
        ("finds={address: 1s, each_client: true}", "address", AddressSpec(delay=Constant(SECOND), each_client=True)),
        ("servers=[n2, n1]", "servers", (2, 1)),
        ("stale_reads_for=1s", "stale_reads_for", SECOND),
    ],
)
def test_fields_reach_the_cluster(field: str, attribute: str, value: Any) -> None:
    scenario = simulator.loads(TEXT, overrides=[f"clients.{field}"])
    clients = scenario.cluster_spec().clients
    assert clients is not None
    assert getattr(clients, attribute) == value
    assert simulator.loads(resolved_text(scenario)) == scenario  # It can be run again.
