"""The schedule of faults against the cluster, the duration and itself."""

from __future__ import annotations

from simulator.cluster.faults.link_degradation import Remedy
from simulator.cluster.faults.schedule import TRIGGERS
from simulator.scenario.consistency.targets import target_error
from simulator.scenario.durations.form import DistributionForm
from simulator.scenario.faults.forms import FaultForm, ScheduledForm
from simulator.scenario.schema import Scenario
from simulator.scenario.text.errors import FieldErrors, Path, alternatives, below
from simulator.scenario.text.targets import is_node
from simulator.scenario.text.units import format_duration


def schedule_errors(scenario: Scenario) -> FieldErrors:
    """Faults that name what does not exist, or that could not be injected before the trial ends."""
    labels = {fault.label for fault in scenario.faults if fault.label}
    injected = _labels_without_circle(scenario)
    for number, fault in enumerate(scenario.faults):
        yield from below(("faults", number), _label_errors(fault, labels - {fault.label}, injected))
        yield from below(("faults", number), _time_errors(scenario, fault))
        yield from below(("faults", number), fault_errors(scenario, fault))


def fault_errors(scenario: Scenario, fault: FaultForm) -> FieldErrors:
    """A fault of the schedule, or of the nemesis, against the cluster and the other faults."""
    seen: set[str] = set()
    for path, target in fault.targets():
        if error := target_error(scenario, target):
            yield path, error
        elif target in seen and is_node(target):
            yield path, f"{target} is named twice"
        elif target in fault.record.impossible_targets:
            yield path, fault.record.impossible_targets[target]
        seen.add(target)
    if issubclass(fault.record, Remedy):
        yield from _remedy_errors(scenario, fault, fault.record)
    size, absent = scenario.cluster.nodes, len(scenario.cluster.absent)
    if error := fault.record.cluster_error(size, size - absent):
        yield (fault.keyword,), error


def _remedy_errors(scenario: Scenario, fault: FaultForm, remedy: type[Remedy]) -> FieldErrors:
    """A heal or release of a label that no fault has."""
    label = getattr(fault, fault.keyword)
    ended = (entry.label for entry in scenario.faults if issubclass(entry.record, remedy.ends) and entry.label)
    labels = ["all", *sorted(set(ended))]
    if label not in labels:
        yield (fault.keyword,), f"{label} is the label of no {remedy.ends.what}; {alternatives(label, labels)}"


def _labels_without_circle(scenario: Scenario) -> set[str]:
    """The labels of the faults that do not wait for themselves, directly or through other faults."""
    injected: set[str] = set()
    while True:
        before = len(injected)
        for fault in scenario.faults:
            if fault.label and (fault.after is None or fault.after.occasion in {*TRIGGERS, *injected}):
                injected.add(fault.label)
        if len(injected) == before:
            return injected


def _label_errors(fault: ScheduledForm, labels: set[str], injected: set[str]) -> FieldErrors:
    """The label of a fault, and the label of the other fault that it waits for.

    `labels` are those of the other faults, and `injected` those of the faults that do not wait for themselves.
    """
    if fault.label == "all":
        yield ("label",), "all means every label where it is healed; choose another name"
    elif fault.label in TRIGGERS:
        yield ("label",), f"{fault.label} is a trigger of its own; choose another name"
    trigger = None if fault.after is None else fault.after.occasion
    if trigger in labels and trigger not in injected:
        yield ("after",), f"{trigger} waits, in the end, for itself; give a fault of that label an instant"


def _time_errors(scenario: Scenario, fault: ScheduledForm) -> FieldErrors:
    if fault.at is not None:
        yield from _instant_errors(scenario, ("at",), fault.at)
    if fault.after is not None:
        yield from _instant_errors(scenario, ("after",), fault.after.delay)
        labels = (entry.label for entry in scenario.faults if entry.label and entry is not fault)
        known = list(dict.fromkeys((*TRIGGERS, *labels)))
        if fault.after.occasion not in known:
            trigger = fault.after.occasion
            yield ("after",), f"{trigger} is neither a trigger nor another label; {alternatives(trigger, known)}"


def _instant_errors(scenario: Scenario, path: Path, moment: DistributionForm) -> FieldErrors:
    least, greatest = moment.bounds()
    latest = least if greatest is None else greatest
    if latest >= scenario.duration:
        end = format_duration(scenario.duration)
        yield path, f"{format_duration(latest)} is not before the trial's end at {end} (duration)"
