"""The algorithm against the cluster, the network, the workload and the commands of operators."""

from __future__ import annotations

from simulator.cluster.faults.operator_commands import OperatorCommand
from simulator.cluster.network.network import Transport
from simulator.cluster.stop import StopWhen
from simulator.scenario.schema import Scenario
from simulator.scenario.text.errors import FieldErrors
from simulator.scenario.text.targets import node_error


def transport_errors(scenario: Scenario) -> FieldErrors:
    """An algorithm that needs connections, over another transport than stream."""
    registration = scenario.algorithm.registration
    if registration.requires_connections and scenario.network.transport is not Transport.STREAM:
        yield ("network", "transport"), f"{registration.name} needs connections; write stream, or leave this out"


def log_errors(scenario: Scenario) -> FieldErrors:
    """Logs for an algorithm that keeps none."""
    registration = scenario.algorithm.registration
    if scenario.cluster.logs.value() is not None and registration.durable_log is None:
        yield ("cluster", "logs"), f"{registration.name} keeps no log; leave this out"


def command_errors(scenario: Scenario) -> FieldErrors:
    """Commands of clients or operators that the algorithm does not take."""
    registration = scenario.algorithm.registration
    if scenario.workload is not None and "propose" not in registration.commands:
        yield ("workload",), f"{registration.name} takes no commands of clients; leave this out"
    elif scenario.workload is not None and getattr(scenario.algorithm, "replication", True) is False:
        yield ("workload",), "nothing would be written; give algorithm.replication: true"
    for number, fault in enumerate(scenario.faults):
        if issubclass(fault.record, OperatorCommand) and (error := _command_error(scenario, fault.record)):
            yield ("faults", number, fault.keyword), error


def _command_error(scenario: Scenario, command: type[OperatorCommand]) -> str | None:
    """Why the algorithm could not do what is asked. A leader of Raft first commits an entry of its own term."""
    registration, options = scenario.algorithm.registration, scenario.algorithm
    if command.name not in registration.commands:
        return f"{registration.name} {command.if_missing}; leave this out"
    if not command.is_logged:
        return None
    if getattr(options, "replication", True) is False:
        return "the change could not be logged; give algorithm.replication: true"
    if scenario.workload is None and getattr(options, "no_op", True) is False:
        return "would wait until somebody writes; give algorithm.no_op: true, or a workload"
    return None


def member_errors(scenario: Scenario) -> FieldErrors:
    """Options of the algorithm that name nodes which the cluster does not have, or too few of its nodes."""
    for option in ("voters", "learners", "ineligible", "order", "initiators"):
        for position, node in enumerate(getattr(scenario.algorithm, option, None) or ()):
            if error := node_error(f"n{node}", scenario.cluster.nodes):
                yield ("algorithm", option, position), error
    priorities, nodes = getattr(scenario.algorithm, "priorities", None), scenario.cluster.nodes
    if priorities and len(priorities) != nodes:
        yield ("algorithm", "priorities"), f"gives {len(priorities)} priorities for {nodes} nodes; give one for each"
    order = getattr(scenario.algorithm, "order", ())
    if order and len(order) != nodes:
        yield ("algorithm", "order"), f"names {len(order)} of {nodes} nodes; name each once, or leave this out"
    if set(getattr(scenario.algorithm, "learners", ())).issuperset(range(1, scenario.cluster.nodes + 1)):
        yield ("algorithm", "learners"), "leaves nobody to elect; let at least one node vote"


def stability_errors(scenario: Scenario) -> FieldErrors:
    """A trial that ends when the leader is stable, without the time after which it is."""
    if scenario.stop_when is StopWhen.LEADER_STABLE and scenario.stable_after is None:
        name = scenario.algorithm.registration.name
        yield ("stable_after",), f"is missing; {name} has no heartbeat interval, so say how long a stable leader lasts"
