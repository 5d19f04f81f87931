"""What no single field can know: whether the parts of a scenario fit together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

from simulator.cluster.faults.link_degradation import Remedy
from simulator.cluster.faults.operator_commands import OperatorCommand
from simulator.cluster.faults.schedule import TRIGGERS
from simulator.cluster.network.network import Transport
from simulator.cluster.stop import StopWhen
from simulator.scenario import liveness as demands
from simulator.scenario.faults.affected_nodes import max_affected_nodes
from simulator.scenario.text.errors import Path, alternatives, reject
from simulator.scenario.text.targets import group_named, is_node, node_id, zone_named
from simulator.scenario.text.units import format_duration

if TYPE_CHECKING:  # The models call these checks.
    from simulator.scenario.durations.form import DistributionForm
    from simulator.scenario.faults.forms import FaultForm, ScheduledForm
    from simulator.scenario.faults.nemesis import Nemesis
    from simulator.scenario.schema import Cluster, Published, Scenario

Found: TypeAlias = Iterator[tuple[Path, str]]


def cluster(cluster: Cluster) -> None:
    """Absent nodes and logs against the number of nodes."""
    reject([*_absent(cluster), *_logs(cluster)])


def published(published: Published) -> None:
    """Whether the quantiles rise."""
    reject(list(_quantiles(published)))


def scenario(scenario: Scenario) -> None:
    """Algorithm, cluster, faults, demands and duration against each other."""
    checks = (
        _transport,
        _logs_are_kept,
        _members,
        _is_asked_for,
        _stability,
        _placement,
        _faults,
        _nemesis,
        demands.troubles,
    )
    reject([found for check in checks for found in check(scenario)])


def _is_node(name: str, nodes: int) -> str | None:
    """What is wrong with a node's name, if anything, where there are so many."""
    if node_id(name) <= nodes:
        return None
    return f"{name} is not a node; {'the only node is n1' if nodes == 1 else f'the nodes are n1 to n{nodes}'}"


def _absent(cluster: Cluster) -> Found:
    for position, name in enumerate(cluster.absent):
        if trouble := _is_node(name, cluster.nodes):
            yield ("absent", position), trouble
        elif name in cluster.absent[:position]:
            yield ("absent", position), f"{name} is named twice"
    if len(set(cluster.absent)) >= cluster.nodes:
        yield ("absent",), "leaves nobody to elect; let at least one node be present"


def _logs(cluster: Cluster) -> Found:
    given = len(cluster.logs.lengths)
    if (given and given != cluster.nodes) or (not given and cluster.logs.value() is not None):
        kind = next(iter(type(cluster.logs).model_fields))
        yield ("logs", kind), f"gives {given} lengths for {cluster.nodes} nodes; give one for each"


def _transport(scenario: Scenario) -> Found:
    registration = scenario.algorithm.registration
    if registration.requires_connections and scenario.network.transport is not Transport.STREAM:
        yield ("network", "transport"), f"{registration.name} needs connections; write stream, or leave this out"


def _logs_are_kept(scenario: Scenario) -> Found:
    registration = scenario.algorithm.registration
    if scenario.cluster.logs.value() is not None and registration.durable_log is None:
        yield ("cluster", "logs"), f"{registration.name} keeps no log; leave this out"


def _is_asked_for(scenario: Scenario) -> Found:
    """Whether the algorithm takes the commands of clients and operators."""
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


def _members(scenario: Scenario) -> Found:
    """What the algorithm's options say of nodes, against the cluster."""
    for option in ("voters", "learners", "order", "initiators"):
        for position, node in enumerate(getattr(scenario.algorithm, option, None) or ()):
            if trouble := _is_node(f"n{node}", scenario.cluster.nodes):
                yield ("algorithm", option, position), trouble
    priorities, nodes = getattr(scenario.algorithm, "priorities", None), scenario.cluster.nodes
    if priorities and len(priorities) != nodes:
        yield ("algorithm", "priorities"), f"gives {len(priorities)} priorities for {nodes} nodes; give one for each"
    order = getattr(scenario.algorithm, "order", ())
    if order and len(order) != nodes:
        yield ("algorithm", "order"), f"names {len(order)} of {nodes} nodes; name each once, or leave this out"
    if set(getattr(scenario.algorithm, "learners", ())).issuperset(range(1, scenario.cluster.nodes + 1)):
        yield ("algorithm", "learners"), "leaves nobody to elect; let at least one node vote"


def _stability(scenario: Scenario) -> Found:
    if scenario.stop_when is StopWhen.LEADER_STABLE and scenario.stable_after is None:
        name = scenario.algorithm.registration.name
        yield ("stable_after",), f"is missing; {name} has no heartbeat interval, so say how long a stable leader lasts"


def _placement(scenario: Scenario) -> Found:
    for path, trouble in scenario.network.topology.troubles(scenario.size):
        yield ("network", "topology", *path), trouble


def _faults(scenario: Scenario) -> Found:
    labels, coming = {fault.label for fault in scenario.faults if fault.label}, _labels_that_come(scenario)
    for number, fault in enumerate(scenario.faults):
        here: Path = ("faults", number)
        yield from (((*here, *path), trouble) for path, trouble in _naming(fault, labels - {fault.label}, coming))
        yield from (((*here, *path), trouble) for path, trouble in _times(scenario, fault))
        yield from (((*here, *path), trouble) for path, trouble in _fault_errors(scenario, fault))


def _nemesis(scenario: Scenario) -> Found:
    nemesis = scenario.nemesis
    if nemesis is None:
        return
    for path, trouble in (*_span(scenario, nemesis), *_size(scenario, nemesis)):
        yield ("nemesis", *path), trouble
    if scenario.stop_when is not None and not nemesis.quiet:
        yield ("stop_when",), "never comes: the nemesis goes on until the end of the trial; give nemesis.quiet"
    well = not any(_placement(scenario))
    for number, entry in enumerate(nemesis.mix):
        for path, trouble in _fault_errors(scenario, entry):
            well = False
            yield ("nemesis", "mix", number, *path), trouble
    if well:
        yield from _too_many(scenario, nemesis)


def _span(scenario: Scenario, nemesis: Nemesis) -> Found:
    if nemesis.start + nemesis.quiet >= scenario.duration:
        start, quiet, end = map(format_duration, (nemesis.start, nemesis.quiet, scenario.duration))
        field = "start" if nemesis.start >= scenario.duration else "quiet"
        yield (field,), f"a start at {start} and a quiet of {quiet} leave nothing of a trial of {end} (duration)"


def _size(scenario: Scenario, nemesis: Nemesis) -> Found:
    nodes, most = scenario.cluster.nodes, nemesis.most(scenario.cluster.nodes)
    if not most:
        yield ("at_most",), f"a {nemesis.at_most} of {nodes} is nobody; write all, or a number of nodes"
    elif most > nodes:
        yield ("at_most",), f"{most} is more than the {nodes} nodes of the cluster; write all"


def _too_many(scenario: Scenario, nemesis: Nemesis) -> Found:
    spec, most = scenario.cluster_spec(), nemesis.most(scenario.cluster.nodes)
    for number, entry in enumerate(nemesis.mix):
        affected = max_affected_nodes(entry.fault(), spec)
        if affected > most > 0:
            error = f"affects {affected} nodes, and at_most lets {most} be affected at once; name fewer, or allow more"
            yield ("nemesis", "mix", number, entry.keyword), error


def _fault_errors(scenario: Scenario, fault: FaultForm) -> Found:
    """A fault against the cluster and the other faults."""
    seen: set[str] = set()
    for path, target in fault.targets():
        if trouble := _target_trouble(scenario, target):
            yield path, trouble
        elif target in seen and is_node(target):
            yield path, f"{target} is named twice"
        elif target in fault.record.impossible_targets:
            yield path, fault.record.impossible_targets[target]
        seen.add(target)
    if issubclass(fault.record, Remedy):
        yield from _label_errors(scenario, fault, fault.record)
    size, absent = scenario.cluster.nodes, len(scenario.cluster.absent)
    if error := fault.record.cluster_error(size, size - absent):
        yield (fault.keyword,), error


def _label_errors(scenario: Scenario, fault: FaultForm, remedy: type[Remedy]) -> Found:
    label = getattr(fault, fault.keyword)
    ended = (other.label for other in scenario.faults if issubclass(other.record, remedy.ends) and other.label)
    labels = ["all", *sorted(set(ended))]
    if label not in labels:
        yield (fault.keyword,), f"{label} is the label of no {remedy.ends.what}; {alternatives(label, labels)}"


def _labels_that_come(scenario: Scenario) -> set[str]:
    """The labels of faults that do not wait, directly or by way of others, for themselves."""
    coming: set[str] = set()
    while True:
        known = len(coming)
        for fault in scenario.faults:
            if fault.label and (fault.after is None or fault.after.occasion in {*TRIGGERS, *coming}):
                coming.add(fault.label)
        if len(coming) == known:
            return coming


def _naming(fault: ScheduledForm, labels: set[str], coming: set[str]) -> Found:
    """Its label, and the label that it waits for."""
    if fault.label == "all":
        yield ("label",), "all means every label where it is healed; choose another name"
    elif fault.label in TRIGGERS:
        yield ("label",), f"{fault.label} is a trigger of its own; choose another name"
    trigger = None if fault.after is None else fault.after.occasion
    if trigger in labels and trigger not in coming:
        yield ("after",), f"{trigger} waits, in the end, for itself; give a fault of that label an instant"


def _times(scenario: Scenario, fault: ScheduledForm) -> Found:
    if fault.at is not None:
        yield from _in_time(scenario, ("at",), fault.at)
    if fault.after is not None:
        yield from _in_time(scenario, ("after",), fault.after.delay)
        labels = (other.label for other in scenario.faults if other.label and other is not fault)
        known = list(dict.fromkeys((*TRIGGERS, *labels)))
        if fault.after.occasion not in known:
            trigger = fault.after.occasion
            yield ("after",), f"{trigger} is neither a trigger nor another label; {alternatives(trigger, known)}"


def _in_time(scenario: Scenario, path: Path, moment: DistributionForm) -> Found:
    least, greatest = moment.bounds()
    latest = least if greatest is None else greatest
    if latest >= scenario.duration:
        end = format_duration(scenario.duration)
        yield path, f"{format_duration(latest)} is not before the trial's end at {end} (duration)"


def _target_trouble(scenario: Scenario, target: str) -> str | None:
    zones = scenario.network.zones()
    zone = zone_named(target)
    if zone is not None or target == "zone-of-leader":
        if not zones:
            return f"there are no zones to name; give network.topology, or name nodes instead of {target}"
        return None if zone is None else _zone_trouble(scenario, zone, zones)
    group = group_named(target)
    if group is not None and not scenario.groups.get(group):
        known = [name for name, members in scenario.groups.items() if members]
        return f"{group} is not a group of nodes; {alternatives(group, known)}"
    if not is_node(target):
        return None  # A description: it finds its nodes when the fault strikes.
    if target in scenario.cluster.absent:
        return f"{target} is absent and never starts; name another node"
    return _is_node(target, scenario.size)


def _zone_trouble(scenario: Scenario, zone: str, zones: Sequence[str]) -> str | None:
    if zone not in zones:
        return f"{zone} is not a zone; {alternatives(zone, zones)}"
    topology, nodes = scenario.network.topology, scenario.size
    if any(topology.troubles(nodes)) or zone in topology.occupied(nodes):
        return None
    return f"no node is in {zone}; place one there (network.topology.placement), or name another zone"


def _quantiles(published: Published) -> Found:
    pairs = published.quantiles
    if not pairs and published.mean is None:
        yield (), "gives neither quantiles nor a mean"
    for position, (earlier, later) in enumerate(pairwise(pairs), start=1):
        if not (earlier[0] < later[0] and earlier[1] <= later[1]):
            pair = f"[{later[0]}, {format_duration(later[1])}]"
            yield ("quantiles", position), f"{pair} does not rise from the pair before it"
