"""The timeline must say what the trace says: roles, terms, faults and messages, each at its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.quiver import Quiver

from simulator.algorithms.raft import RaftConfig
from simulator.algorithms.registry import REGISTRY
from simulator.cluster.cluster import run_trial
from simulator.cluster.distributions import Uniform
from simulator.cluster.faults.node_faults import Crash
from simulator.cluster.faults.schedule import Scheduled
from simulator.cluster.network.network import NetworkSpec
from simulator.cluster.spec import ClusterSpec
from simulator.metrics.node_timelines import fault_label, node_timelines
from simulator.protocol import CANDIDATE, ELECTORATE, FOLLOWER, LEADER, MILLISECOND, NodeId, Role
from simulator.report.figures.style import DOWN, ROLES
from simulator.report.figures.timeline import _duration, timeline_figure
from simulator.trace import event_types
from simulator.trace.trace import MessageRow, Row, Trace


def at(ms: float) -> int:
    return round(ms * MILLISECOND)


def became(ms: float, node: NodeId, role: Role, term: int, leader: NodeId | None = None) -> Row:
    return Row(at(ms), event_types.TRANSITION, node, term, role, leader, ELECTORATE)


def event(ms: float, kind: str, node: NodeId | None, **detail: object) -> Row:
    return Row(at(ms), kind, node, detail=tuple(detail.items()))


def message(sent: float, arrives: float | None, sender: NodeId, to: NodeId, name: str = "Ask") -> MessageRow:
    return MessageRow(at(sent), None if arrives is None else at(arrives), sender, to, name, f"{name}()")


# n3 leads in term 1, is paused at 60 and crashes at 100; n1 stands in term 2 at 200, leads at 220; n2 hears of it at
# 240. n3 is back at 400. n4 is a member of the configuration that never starts.
ROWS = (
    *(event(0, event_types.STARTED, node) for node in (1, 2, 3)),
    *(became(0, node, FOLLOWER, 0) for node in (1, 2, 3)),
    became(10, 3, CANDIDATE, 1),
    became(20, 3, LEADER, 1, 3),
    became(30, 1, FOLLOWER, 1, 3),
    became(30, 2, FOLLOWER, 1, 3),
    event(60, event_types.PAUSED, 3),
    event(60, event_types.FAULT, None, fault="pause", nodes=(3,)),
    event(80, event_types.RESUMED, 3),
    event(100, event_types.CRASHED, 3),
    event(100, event_types.LEADER_LOST, 3, cause=event_types.CRASH),
    event(100, event_types.FAULT, None, fault="crash", nodes=(3,)),
    event(200, event_types.SUSPECTED, 1, leader=3),
    became(200, 1, CANDIDATE, 2),
    became(210, 2, FOLLOWER, 2),
    became(220, 1, LEADER, 2, 1),
    became(240, 2, FOLLOWER, 2, 1),
    event(400, event_types.STARTED, 3),
    became(400, 3, FOLLOWER, 1),
    event(400, event_types.FAULT, None, fault="restart", nodes=(3,)),
)
MESSAGES = (
    message(20, 30, 3, 1, "Beat"),
    message(200, 210, 1, 2),
    message(200, None, 1, 3),
    message(210, 220, 2, 1, "Answer"),
    message(220, 240, 1, 2, "Beat"),
    message(390, 401, 1, 3, "Beat"),
)
TRACE = Trace(
    rows=ROWS,
    end_ns=at(500),
    groups={ELECTORATE: (1, 2, 3, 4)},
    message_types=("Ask", "Answer", "Beat"),
    sent=(2, 1, 3),
    messages=MESSAGES,
)


def axes_of(figure: Figure) -> Axes:
    return figure.axes[0]


def whole() -> Axes:
    """The whole trial, in milliseconds since its start."""
    return axes_of(timeline_figure(TRACE, (0, 0.5)))


def bar_at(axes: Axes, lane: int, ms: float) -> Rectangle:
    bars = [
        bar
        for bar in axes.patches
        if isinstance(bar, Rectangle) and abs(bar.get_y() + bar.get_height() / 2 - lane) < 0.1
    ]
    (found,) = [bar for bar in bars if bar.get_x() <= ms < bar.get_x() + bar.get_width()]
    return found


Arrow = tuple[float, int, float, int]


def arrows(axes: Axes) -> Mapping[str, Sequence[Arrow]]:
    """The arrows of each type: where they begin (time, lane) and end; they touch the lanes' edges."""

    def ends(arrow: Quiver) -> list[Arrow]:
        x, y, u, v = (np.asarray(part, dtype=float) for part in (arrow.X, arrow.Y, arrow.U, arrow.V))
        return [
            (round(left, 6), round(start), round(left + across, 6), round(start + down))
            for left, start, across, down in zip(x.tolist(), y.tolist(), u.tolist(), v.tolist(), strict=True)
        ]

    return {str(arrow.get_label()): ends(arrow) for arrow in axes.collections if isinstance(arrow, Quiver)}


# --- Lanes


def test_a_lane_has_a_segment_for_each_state() -> None:
    # Read off the trace above: what n3 was, with instants in ms.
    segments_shown = [
        (s.start_ns // at(1), s.end_ns // at(1), s.running, s.paused, s.role, s.term) for s in node_timelines(TRACE)[3]
    ]
    assert segments_shown == [
        (0, 10, True, False, FOLLOWER, 0),
        (10, 20, True, False, CANDIDATE, 1),
        (20, 60, True, False, LEADER, 1),
        (60, 80, True, True, LEADER, 1),
        (80, 100, True, False, LEADER, 1),
        (100, 400, False, False, None, None),
        (400, 500, True, False, FOLLOWER, 1),
    ]


def test_there_is_a_lane_for_each_member_even_if_absent() -> None:
    # A quorum counts the members that never start: the picture must show that they are not there.
    axes = whole()
    assert [label.get_text() for label in axes.get_yticklabels()] == ["n1", "n2", "n3", "n4"]
    assert to_hex(bar_at(axes, 3, 250).get_facecolor()) == DOWN.lower()


@pytest.mark.parametrize(
    ("lane", "ms", "colour"),
    [
        (0, 199, ROLES[FOLLOWER]),
        (0, 201, ROLES[CANDIDATE]),
        (0, 221, ROLES[LEADER]),
        (2, 15, ROLES[CANDIDATE]),
        (2, 99, ROLES[LEADER]),
        (2, 101, DOWN),
        (2, 401, ROLES[FOLLOWER]),
    ],
)
def test_nodes_are_coloured_by_role(lane: int, ms: float, colour: str) -> None:
    # Issue 2: "a lane per node coloured by role".
    assert to_hex(bar_at(whole(), lane, ms).get_facecolor()) == colour.lower()


def test_a_paused_leader_still_shows_as_leader() -> None:
    # design.md, section 5: a paused node still claims. Hatched, and the colour of its role.
    paused = bar_at(whole(), 2, 70)
    assert paused.get_hatch()
    assert to_hex(paused.get_facecolor()) == ROLES[LEADER].lower()
    assert not bar_at(whole(), 2, 50).get_hatch()


def test_terms_are_written_where_they_change() -> None:
    # Lane n1: term 1 at 30, 2 at 200; n2: 1 at 30, 2 at 210; n3: 1 at 10, and the same after its restart.
    written = {(text.get_position()[1], text.get_position()[0], text.get_text().strip()) for text in whole().texts}
    assert {(0, 30.0, "1"), (0, 200.0, "2"), (1, 30.0, "1"), (1, 210.0, "2"), (2, 10.0, "1")} <= written
    assert not any(text == "0" for _, _, text in written)


def test_terms_that_change_too_fast_to_read_are_thinned() -> None:
    # 500 terms in 500 ms would be a black bar.
    rows = (event(0, event_types.STARTED, 1), *(became(ms, 1, CANDIDATE, ms + 1) for ms in range(500)))
    axes = axes_of(timeline_figure(Trace(rows=rows, end_ns=at(1000), groups={ELECTORATE: (1,)}), (0, 1)))
    assert [text.get_text().strip() for text in axes.texts] == ["500"]


# --- Faults and crashes


def test_faults_are_labelled_marks() -> None:
    # Issue 2: "faults"; each at its instant, whom it struck by name.
    axes = whole()
    assert [float(line.get_xdata()[0]) for line in axes.lines] == [60, 100, 400]  # type: ignore[index, arg-type]
    assert {"pause n3", "crash n3", "restart n3"} <= {text.get_text() for text in axes.texts}


def test_fault_labels_that_would_overlap_are_stacked() -> None:
    # Two faults at one instant: one label each, at different heights.
    both = (
        event(100, event_types.FAULT, None, fault="crash", nodes=(1,)),
        event(100, event_types.FAULT, None, fault="heal", nodes=()),
    )
    figure = timeline_figure(Trace(rows=both, end_ns=at(500), groups={ELECTORATE: (1,)}), (0, 0.5))
    crash, heal = (text for text in axes_of(figure).texts)
    assert crash.get_position() != heal.get_position()


def test_labels_name_nodes_groups_or_their_number() -> None:
    # A partition's groups must be told apart; fifty names would cover the figure.
    assert (
        fault_label(event(1, event_types.FAULT, None, fault="partition", nodes=((1, 2), (3,))))
        == "partition n1 n2 | n3"
    )
    assert fault_label(event(1, event_types.FAULT, None, fault="heal", nodes=())) == "heal"
    assert fault_label(event(1, event_types.FAULT, None, fault="restart", nodes=tuple(range(50)))) == "restart 50 nodes"


def test_labels_say_what_became_of_a_fault() -> None:
    # Issue 3: a fault is repaired in time, left out, or still waits at the end; none of these is a fault that strikes.
    assert fault_label(event(1, event_types.REPAIRED, None, fault="crash", nodes=(3,))) == "crash n3 repaired"
    assert fault_label(event(1, event_types.SKIPPED, None, fault="crash", why="there is no leader")) == "crash skipped"
    assert fault_label(event(1, event_types.NOT_INJECTED, None, fault="crash")) == "crash not injected"
    rows = (
        event(100, event_types.FAULT, None, fault="hold", nodes=(1,)),
        event(300, event_types.REPAIRED, None, fault="hold", nodes=(1,)),
        event(500, event_types.NOT_INJECTED, None, fault="crash"),
    )
    axes = axes_of(timeline_figure(Trace(rows=rows, end_ns=at(500), groups={ELECTORATE: (1,)}), (0, 0.5)))
    assert [text.get_text() for text in axes.texts] == ["hold n1", "hold n1 repaired", "crash not injected"]
    assert len(axes.lines) == 3


def test_labels_never_cover_each_other_and_what_has_no_room_is_counted() -> None:
    # The last label stands to the left of its mark, and must not reach over the one before it; of ten at once, six fit.
    rows = [event(250, event_types.FAULT, None, fault="crash", nodes=(1,))] * 10
    rows += [event(ms, event_types.REPAIRED, None, fault="partition", nodes=((1, 2), (3,))) for ms in (440, 490)]
    figure = timeline_figure(Trace(rows=rows, end_ns=at(500), groups={ELECTORATE: (1,)}), (0, 0.5))
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in axes_of(figure).texts]
    assert len(boxes) == 8
    assert not any(one.overlaps(other) for one in boxes for other in boxes if one is not other)
    assert "4 names of faults are left out" in str(figure.get_suptitle())


def test_crashes_and_restarts_are_marked_on_their_lines() -> None:
    # The brief. A start at 0 is no restart.
    marks = {str(c.get_label()): c.get_offsets() for c in whole().collections if not isinstance(c, Quiver)}
    assert np.array(marks["crashed"]).tolist() == [[100, 2]]
    assert np.array(marks["started"]).tolist() == [[400, 2]]


# --- Messages


def test_messages_go_from_lane_to_lane_from_sent_to_arrival() -> None:
    # Issue 2: "messages of the election as arrows".
    found = arrows(whole())
    assert found["Beat"] == [(20, 2, 30, 0), (220, 0, 240, 1), (390, 0, 401, 2)]
    assert found["Answer"] == [(210, 1, 220, 0)]


def test_a_lost_message_ends_in_a_cross_half_way() -> None:
    # n1 to n3, sent at 200: flights take 10 ms in the median, so after 5 ms, between lanes 0 and 2.
    axes = whole()
    (crosses,) = [c.get_offsets() for c in axes.collections if c.get_label() == "lost"]
    assert np.array(crosses) == pytest.approx(np.array([[205, 1]]))
    assert arrows(axes)["Ask"] == [(200, 0, 210, 1), (200, 0, 205, 1)]


def test_only_messages_under_way_in_the_window_are_drawn() -> None:
    # The default window spans the election, 100 to 240 ms, and 12 % more; its axis counts from the loss.
    axes = axes_of(timeline_figure(TRACE))
    assert axes.get_xlim() == pytest.approx((-16.8, 156.8))
    assert arrows(axes) == {
        "Ask": [(100, 0, 110, 1), (100, 0, 105, 1)],
        "Answer": [(110, 1, 120, 0)],
        "Beat": [(120, 0, 140, 1)],
    }


def test_the_legend_names_what_is_to_be_seen_and_nothing_else() -> None:
    # In the default window: no node is paused, none restarts, and no fault but the crash.
    figure = timeline_figure(TRACE, title="trial 0")
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["follower", "candidate", "leader", "down", "term", "crashed", "Ask", "Answer", "Beat", "lost"]
    assert [text.get_text() for text in axes_of(figure).texts if " " in text.get_text().strip()] == ["crash n3"]


def test_the_heading_gives_the_parts_of_the_election() -> None:
    # Suspected 100 ms after the loss, claimed 20 ms later; of two running nodes, both name n1 20 ms after that.
    heading = timeline_figure(TRACE, title="trial 0").get_suptitle()
    assert heading.splitlines() == ["trial 0", "detection 100 ms, election 20 ms, announced to a majority after 20 ms"]


def test_a_long_election_is_written_in_seconds() -> None:
    """ "Titles write 7.28 s, not 7.28e+03 ms" (issue 12, C8)."""
    assert _duration(7_284 * MILLISECOND) == "7.28 s"
    assert _duration(123_456 * MILLISECOND) == "123 s"
    assert _duration(999 * MILLISECOND) == "999 ms"
    assert _duration(16_700_000) == "16.7 ms"


def test_a_trial_without_loss_shows_its_first_election() -> None:
    # The brief: around the first loss; where there is none, the boot is what there is to see.
    quiet = Trace(rows=ROWS[:10], end_ns=at(500), groups={ELECTORATE: (1, 2, 3, 4)})
    axes = axes_of(timeline_figure(quiet))
    assert axes.get_xlim() == pytest.approx((0, 33.6))
    assert axes.get_xlabel() == "time since the start of the trial (ms)"


# --- Real trials


@pytest.mark.parametrize("nodes", [3, 50, 90])
def test_a_real_trial_of_any_size_can_be_drawn(nodes: int) -> None:
    # Bars that do not cover the window without gap or overlap would fail in `bar_at`; above 60 lanes, the telling stay.
    spec = ClusterSpec(
        registration=REGISTRY["raft"],
        config=RaftConfig(),
        nodes=nodes,
        duration=at(1500),
        network=NetworkSpec(latency=Uniform(at(5), at(15)), loss=0.02),
        faults=(Scheduled(at=Uniform(at(1000), at(1050)), fault=Crash("leader")),),
    )
    trace = run_trial(spec, 7, 0, journal=True)
    figure = timeline_figure(trace)
    axes = axes_of(figure)
    left, right = axes.get_xlim()
    shown = [label.get_text() for label in axes.get_yticklabels()]
    assert len(shown) == min(nodes, 60)
    assert all(bar_at(axes, lane, x) for lane in range(len(shown)) for x in np.linspace(left, right, 7)[:-1])
    assert f"n{next(row.node for row in trace.rows if row.kind == event_types.CRASHED)}" in shown
    assert ("30 other nodes are left out" in figure.get_suptitle()) == (nodes == 90)


def test_more_messages_than_can_be_told_apart_are_left_out_and_that_is_said() -> None:
    # A million arrows take minutes and show a grey field.
    many = tuple(message(200 + number / 1000, 210, 1, 2) for number in range(5001))
    figure = timeline_figure(
        Trace(rows=ROWS, end_ns=at(500), groups={ELECTORATE: (1, 2, 3, 4)}, messages=many), (0, 0.5)
    )
    assert not arrows(axes_of(figure))
    assert "5,001 messages are left out" in figure.get_suptitle()
