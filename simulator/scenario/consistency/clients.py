"""Clients and the resource against the algorithm and the nodes."""

from __future__ import annotations

from simulator.clients.messages import Consistency
from simulator.scenario.schema import Scenario
from simulator.scenario.text.errors import FieldErrors
from simulator.scenario.text.targets import node_error


def client_errors(scenario: Scenario) -> FieldErrors:
    """Clients that know servers which do not exist, or ask for reads that the algorithm does not have."""
    clients = scenario.clients
    if clients is None:
        return
    if clients.servers == ():
        yield ("clients", "servers"), "names nobody; name a server, or leave this out"
    for position, name in enumerate(clients.servers or ()):
        if error := node_error(name, scenario.cluster.nodes):
            yield ("clients", "servers", position), error
    if clients.start >= scenario.duration:
        yield ("clients", "start"), "is not before the end of the trial; give an earlier instant"
    yield from _read_errors(scenario, clients.consistency)


def _read_errors(scenario: Scenario, consistency: Consistency) -> FieldErrors:
    here, name = ("clients", "consistency"), scenario.algorithm.registration.name
    if consistency is Consistency.DEFAULT:
        return
    if scenario.cluster_spec().resource_of_leaders is not None:
        yield here, f"{consistency} is a way to read from a log; here leaders read from the resource; leave this out"
    elif consistency not in scenario.algorithm.registration.consistencies:
        known = ", ".join(("default", *scenario.algorithm.registration.consistencies))
        yield here, f"{name} has no {consistency} reads; write one of {known}"
    elif consistency is Consistency.LEASE and not getattr(scenario.algorithm, "lease_reads", True):
        yield here, "no server has a lease; give algorithm.lease_reads: true"


def resource_errors(scenario: Scenario) -> FieldErrors:
    """A resource that nobody uses, or whose fencing needs tokens that the algorithm does not have."""
    if scenario.resource is None:
        return
    registration = scenario.algorithm.registration
    if scenario.clients is None:
        yield ("resource",), "nobody asks for writes; give clients, or leave this out"
    if scenario.resource.fencing == "token" and not registration.fencing_token:
        message = f"{registration.name} has no number that grows with each leader; write fencing: none"
        yield ("resource", "fencing"), message
