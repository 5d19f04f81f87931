"""Figures of data that never changes, for test_images: what each kind of figure looks like, small and large."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
from matplotlib.figure import Figure

from simulator.analysis.statistics.estimates import Estimate, Sample, rate
from simulator.metrics.leadership import Overlap, OverlapKind
from simulator.protocol import CANDIDATE, ELECTORATE, FOLLOWER, LEADER, SECOND, NodeId, Role
from simulator.report.figures.decomposition import Failovers, decomposition_figure
from simulator.report.figures.detectors import Tuned, trade_off_figure
from simulator.report.figures.overlaps import TrialOverlaps, overlaps_figure
from simulator.report.figures.results import ecdf_figure
from simulator.report.figures.sweeps import Curve, Quantity, map_figure, sweep_figure
from simulator.report.figures.timeline import timeline_figure
from simulator.trace import event_types
from simulator.trace.trace import MessageRow, Row, Trace

MS = 1_000_000
# By arithmetic alone, so that no version of NumPy draws others: from 150 ms on, with a long tail.
VALUES = 0.15 - 0.05 * np.log((np.arange(300) * 0.6180339887 % 1) * 0.999 + 0.0005)


def distribution() -> Figure:
    return ecdf_figure(Sample.of(VALUES), {0.25: 0.16, 0.5: 0.19, 0.75: 0.23}, title="A distribution")


def censored() -> Figure:
    cut = Sample.of(np.minimum(VALUES, 0.25), VALUES > 0.25)
    several = Sample.of(VALUES + 0.05, trials=np.arange(300) // 3)
    return ecdf_figure({"censored": cut, "three a trial": several}, title="Two distributions")


def failovers(scale: float = 1.0) -> Failovers:
    numbers = np.arange(60)
    detection = VALUES[:60] * scale
    failed = np.where(numbers % 6 == 0, 0.2, 0.0)
    asked = np.full(60, 0.025 if scale > 1 else 0.0)
    parts = np.column_stack([detection, asked, failed, np.full(60, 0.02), np.full(60, 0.01)])
    return Failovers(parts=parts, trials=numbers, unfinished=2 if scale > 1 else 0)


def decomposition() -> Figure:
    return decomposition_figure({"three nodes": failovers(1.2), "fifty nodes": failovers(0.9)}, title="Two variants")


def tenths() -> Figure:
    return decomposition_figure(failovers().by_length(), title="Tenths", intervals=False)


def overlaps(trials: int) -> Figure:
    """One kind of incident in a panel of its own, and all kinds in another."""

    def trial_overlaps(trial: int, *every: OverlapKind) -> TrialOverlaps:
        incidents = []
        for place, kind in enumerate(every):
            start = (2 + 3 * place) * SECOND + trial % 5 * 100 * MS
            incidents.append(Overlap(start, start + 2 * SECOND, kind, effective=trial % 2 == 0))
        return TrialOverlaps(
            incidents=incidents, end_ns=12 * SECOND, partitions=[(SECOND, 4 * SECOND)], trial=7 * trial
        )

    kinds_shown = (OverlapKind.SAME_TERM, OverlapKind.NO_TERM, OverlapKind.STALE_LEADER)
    return overlaps_figure(
        {
            "one kind": [trial_overlaps(trial, OverlapKind.STALE_LEADER) for trial in range(trials)],
            "all kinds": [trial_overlaps(trial, *kinds_shown) for trial in range(trials)],
        }
    )


def sweep() -> Figure:
    at = (10, 20, 40, 80)
    found = [Estimate(value, 0.8 * value, min(1.0, 1.2 * value)) for value in (0.9, 0.6, 0.3, 0.1)]
    other = [Estimate(value / 2, 0.4 * value, 0.6 * value) for value in (0.9, 0.6, 0.3, 0.1)]
    curves = {
        "three": Curve(at=at, estimates=found, exact=[0.85, 0.62, 0.31, 0.1]),
        "fifty": Curve(at=at, estimates=other),
    }
    return sweep_figure(curves, Quantity(name="width (ms)", log=True), Quantity(name="split votes", share=True))


def heat_map() -> Figure:
    values = np.add.outer(np.arange(4), np.arange(5)) / 8
    values[3, 4] = np.nan
    return map_figure(
        values,
        ("latency (ms)", ["1", "2", "5", "10", "20"]),
        ("width (ms)", ["10", "20", "40", "80"]),
        Quantity(name="split votes", share=True),
        title="Two parameters",
    )


def trade_off() -> Figure:
    def tuned(ms: float, count: int) -> Tuned:
        return Tuned(Estimate(ms / 1e3, ms / 1.1e3, ms / 0.9e3), rate(count, 3600))

    curves = {"chen": [tuned(300, 4), tuned(200, 50), tuned(400, 0)], "phi": [tuned(300, 9), tuned(200, 70)]}
    return trade_off_figure(curves, "Detectors")


def timeline(nodes: int) -> Figure:
    """The last node leads, and crashes at 100 ms; the first stands at 200, leads at 220, and all know it by 240."""
    last, others = nodes, range(2, nodes)

    def became(ms: float, node: NodeId, role: Role, term: int, leader: NodeId | None = None) -> Row:
        return Row(round(ms * MS), event_types.TRANSITION, node, term, role, leader, ELECTORATE)

    def event(ms: float, kind: str, node: NodeId | None, **detail: object) -> Row:
        return Row(round(ms * MS), kind, node, detail=tuple(detail.items()))

    rows = (
        *(event(0, event_types.STARTED, node) for node in range(1, nodes + 1)),
        *(became(0, node, FOLLOWER, 0) for node in range(1, nodes + 1)),
        became(10, last, CANDIDATE, 1),
        became(20, last, LEADER, 1, last),
        *(became(30, node, FOLLOWER, 1, last) for node in range(1, nodes)),
        event(100, event_types.CRASHED, last),
        event(100, event_types.LEADER_LOST, last, cause=event_types.CRASH),
        event(100, event_types.FAULT, None, fault="crash", nodes=(last,)),
        event(200, event_types.SUSPECTED, 1, leader=last),
        became(200, 1, CANDIDATE, 2),
        became(220, 1, LEADER, 2, 1),
        *(became(230 + 10 * node / nodes, node, FOLLOWER, 2, 1) for node in others),
    )
    asked = [MessageRow(200 * MS, 208 * MS, 1, node, "Ask", "Ask()") for node in others]
    answered = [MessageRow(209 * MS, 219 * MS, node, 1, "Answer", "Answer()") for node in others]
    lost = [MessageRow(200 * MS, None, 1, last, "Ask", "Ask()")]
    trace = Trace(
        rows=rows,
        end_ns=400 * MS,
        groups={ELECTORATE: tuple(range(1, nodes + 1))},
        messages=[*asked, *lost, *answered],
    )
    return timeline_figure(trace, title=f"{nodes} nodes")


PICTURES: Mapping[str, Callable[[], Figure]] = {
    "distribution": distribution,
    "distribution-censored": censored,
    "decomposition": decomposition,
    "decomposition-tenths": tenths,
    "overlaps-3": partial(overlaps, 3),
    "overlaps-50": partial(overlaps, 50),
    "sweep": sweep,
    "map": heat_map,
    "trade-off": trade_off,
    "timeline-3": partial(timeline, 3),
    "timeline-50": partial(timeline, 50),
}
