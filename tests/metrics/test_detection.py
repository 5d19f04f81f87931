"""Quality of failure detection on hand-written traces: Chen, Toueg and Aguilera (2002), section 2; docs/metrics.md."""

from __future__ import annotations

from simulator.metrics.detection import Quality, by_pair, detection_quality, false_suspicions
from simulator.protocol import ELECTORATE
from simulator.trace import event_types
from simulator.trace.trace import Row, Trace

MS = 1_000_000
START = "0 start 1\n0 start 2\n0 1 watches 2\n"
VERBS = {
    "start": event_types.STARTED,
    "crash": event_types.CRASHED,
    "pause": event_types.PAUSED,
    "resume": event_types.RESUMED,
}


def parse_trace(text: str, end_ms: int = 1000) -> Trace:
    """Lines such as `0 start 1`, `0 1 watches 2 3`, `100 1 suspects 2 cut_off`, `150 1 trusts 2`."""
    rows = [_row(line.split()) for line in text.strip().splitlines()]
    return Trace(rows=rows, end_ns=end_ms * MS, groups={ELECTORATE: (1, 2, 3), "monitor": (4,)})


def _row(words: list[str]) -> Row:
    time_ns = int(words[0]) * MS
    match words[1:]:
        case [verb, node] if verb in VERBS:
            return Row(time_ns, VERBS[verb], int(node))
        case [node, "watches", *nodes]:
            return Row(time_ns, event_types.WATCHES, int(node), detail=(("nodes", tuple(map(int, nodes))),))
        case [node, kind, other, *cut_off]:
            field = "leader" if kind == event_types.SUSPECTED else "node"
            return Row(time_ns, kind, int(node), detail=((field, int(other)), *((field, True) for field in cut_off)))
    raise ValueError(words)


def quality(text: str) -> Quality:
    return by_pair(parse_trace(START + text))[1, 2]


def test_a_mistake_lasts_until_trust() -> None:
    # Section 2: a mistake lasts from an S-transition to the next T-transition: 200 to 230, and 500 to 600 of 1000 ms.
    found = quality("200 1 suspects 2\n230 1 trusts 2\n500 1 suspects 2\n600 1 trusts 2")
    assert found == Quality(watched_ns=1000 * MS, mistakes=2, mistaken_ns=130 * MS)


def test_a_mistake_that_is_not_over_counts_until_the_end() -> None:
    assert quality("900 1 suspects 2") == Quality(watched_ns=1000 * MS, mistakes=1, mistaken_ns=100 * MS)


def test_who_is_down_paused_or_cut_off_is_suspected_by_right() -> None:
    # design.md: a false suspicion is one of a node "that was up, unpaused and reachable both ways".
    assert quality("100 1 suspects 2 cut_off").mistakes == 0
    assert quality("100 pause 2\n200 1 suspects 2\n300 resume 2\n310 1 trusts 2").mistakes == 0
    assert quality("100 crash 2\n200 1 suspects 2\n300 start 2\n310 1 trusts 2").mistakes == 0


def test_only_time_in_which_both_are_awake_is_watched() -> None:
    # Node 2 sleeps from 100 to 300, node 1 from 250 to 400: together 300 of 1000 ms.
    assert quality("100 pause 2\n250 pause 1\n300 resume 2\n400 resume 1").watched_ns == 700 * MS


def test_a_mistake_ends_when_it_comes_true() -> None:
    # Suspected from 200 on, down from 250 on: 50 ms of mistake. It is detected already: zero, as the detection time is
    # from the crash until the final S-transition, or 0 if that came before.
    found = quality("200 1 suspects 2\n250 crash 2")
    assert found == Quality(watched_ns=250 * MS, mistakes=1, mistaken_ns=50 * MS, detections=[0])


def test_detection_is_by_the_suspicion_that_lasts() -> None:
    # Section 2: from the crash of p until q begins to suspect p for good. A late heartbeat ends the first.
    late = "100 crash 2\n180 1 suspects 2\n190 1 trusts 2\n390 1 suspects 2\n800 start 2\n810 1 trusts 2"
    assert quality(late).detections == [290 * MS]
    assert quality("100 1 suspects 2\n200 crash 2\n210 1 trusts 2\n390 1 suspects 2").detections == [190 * MS]


def test_a_crash_that_nobody_suspects_in_time_is_undetected() -> None:
    for over in ("300 start 2", "300 1 watches 3", "300 crash 1", ""):  # Or the trial is over.
        found = quality(f"100 crash 2\n{over}".strip())
        assert (found.detections, found.undetected) == ([], 1)


def test_watching_begins_and_ends() -> None:
    # 0 to 300, and 600 to 1000, as two stretches of one pair; a suspicion ends with the first.
    text = START + "100 1 suspects 2\n300 1 watches 3\n600 1 watches 2 3"
    found = by_pair(parse_trace(text))
    assert found[1, 2] == Quality(watched_ns=700 * MS, mistakes=1, mistaken_ns=200 * MS)
    assert found[1, 3].watched_ns == 0  # Node 3 never starts.


def test_a_watcher_that_restarts_has_forgotten_its_opinions() -> None:
    text = "100 1 suspects 2\n200 crash 1\n500 start 1\n500 1 watches 2"
    assert quality(text) == Quality(watched_ns=700 * MS, mistakes=1, mistaken_ns=100 * MS)


def test_the_headline_group_is_meant() -> None:
    text = START + "0 start 4\n0 4 watches 1 2\n100 4 suspects 2\n300 1 suspects 2"
    assert detection_quality(parse_trace(text)) == Quality(watched_ns=1000 * MS, mistakes=1, mistaken_ns=700 * MS)


def test_no_detector_no_quality() -> None:
    assert detection_quality(parse_trace("0 start 1\n0 start 2")) == Quality()


def test_a_false_suspicion_is_one_of_a_leader_that_was_fine() -> None:
    # "a suspicion of a leader that was up, unpaused and reachable both ways from the suspecting node" (design.md).
    text = """
        0   start 1
        0   start 2
        100 1 suspected 2
        200 1 suspected 2 cut_off
        300 pause 2
        400 1 suspected 2
        500 resume 2
        600 crash 2
        700 1 suspected 2
        800 start 2
        900 1 suspected 2
    """
    assert false_suspicions(parse_trace(text)) == 2
