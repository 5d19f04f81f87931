"""The nemesis against the cluster and the duration: it must have time, targets, and a limit that allows its faults."""

from __future__ import annotations

from simulator.scenario.consistency.faults import fault_errors
from simulator.scenario.consistency.targets import placement_errors
from simulator.scenario.faults.affected_nodes import max_affected_nodes
from simulator.scenario.faults.nemesis import Nemesis
from simulator.scenario.schema import Scenario
from simulator.scenario.text.errors import FieldErrors, below
from simulator.scenario.text.units import format_duration


def nemesis_errors(scenario: Scenario) -> FieldErrors:
    """A nemesis that has no time, or whose limit or targets do not fit the cluster."""
    nemesis = scenario.nemesis
    if nemesis is None:
        return
    yield from below(("nemesis",), _time_errors(scenario, nemesis))
    yield from below(("nemesis",), _limit_errors(scenario, nemesis))
    if scenario.stop_when is not None and not nemesis.quiet:
        yield ("stop_when",), "never comes: the nemesis goes on until the end of the trial; give nemesis.quiet"
    targets_exist = not any(placement_errors(scenario))
    for number, entry in enumerate(nemesis.mix):
        errors = list(fault_errors(scenario, entry))
        targets_exist = targets_exist and not errors
        yield from below(("nemesis", "mix", number), errors)
    if targets_exist:
        yield from _affected_errors(scenario, nemesis)


def _time_errors(scenario: Scenario, nemesis: Nemesis) -> FieldErrors:
    if nemesis.start + nemesis.quiet >= scenario.duration:
        start, quiet, end = map(format_duration, (nemesis.start, nemesis.quiet, scenario.duration))
        field = "start" if nemesis.start >= scenario.duration else "quiet"
        yield (field,), f"a start at {start} and a quiet of {quiet} leave nothing of a trial of {end} (duration)"


def _limit_errors(scenario: Scenario, nemesis: Nemesis) -> FieldErrors:
    nodes, most = scenario.cluster.nodes, nemesis.most(scenario.cluster.nodes)
    if not most:
        yield ("at_most",), f"a {nemesis.at_most} of {nodes} is nobody; write all, or a number of nodes"
    elif most > nodes:
        yield ("at_most",), f"{most} is more than the {nodes} nodes of the cluster; write all"


def _affected_errors(scenario: Scenario, nemesis: Nemesis) -> FieldErrors:
    """Faults that affect more nodes than the limit allows, so that they could never be injected."""
    spec, most = scenario.cluster_spec(), nemesis.most(scenario.cluster.nodes)
    for number, entry in enumerate(nemesis.mix):
        affected = max_affected_nodes(entry.fault(), spec)
        if affected > most > 0:
            error = f"affects {affected} nodes, and at_most lets {most} be affected at once; name fewer, or allow more"
            yield ("nemesis", "mix", number, entry.keyword), error
