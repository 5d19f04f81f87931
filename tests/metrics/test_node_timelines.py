"""The timeline of each node, on hand-written traces (`text.parse_trace`)."""

from __future__ import annotations

from simulator.metrics.node_timelines import node_timelines
from tests.support.trace_text import MS, parse_trace


def test_the_segments_of_a_node_that_starts_late_begin_with_the_trial() -> None:
    """The function's docstring: "from the start of the trial to its end, without gaps". A node that joins at 400 ms is
    down from the first nanosecond on."""
    trace = parse_trace("0 start 1 2\n400 start 3\n500 crash 1", end_ms=1000)
    timelines = node_timelines(trace)
    cuts = {node: [(one.start_ns / MS, one.end_ns / MS, one.running) for one in timelines[node]] for node in timelines}
    assert cuts == {
        1: [(0, 500, True), (500, 1000, False)],
        2: [(0, 1000, True)],
        3: [(0, 400, False), (400, 1000, True)],
    }
