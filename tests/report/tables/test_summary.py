"""What a summary says must be in its tables, readable in 80 columns; what it does not know must not be."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from rich.console import Console

from simulator.analysis.records.registry import DURATION_LABELS
from simulator.report.tables.numbers import interval
from simulator.report.tables.summary import summary_table

DIGEST = "2e4b4f9c515c37b3b4b010de2a654c4ab08e834a72ddcdb0f0ebdb9db801adba"
TYPES = ("RequestVote", "RequestVoteReply", "AppendEntries", "AppendEntriesReply")


def statistic(value: float | None, low: float | None = None, high: float | None = None) -> dict[str, float | None]:
    return {"value": value, "low": low, "high": high}


def duration(median: float) -> dict[str, Any]:
    """A sample of 1000 whose p99 has an open upper end."""
    return {
        "count": 1000,
        "censored": 0,
        "median": statistic(median, 0.98 * median, 1.02 * median),
        "p95": statistic(1.6 * median, 1.5 * median, 1.7 * median),
        "p99": statistic(2.4 * median, 2.2 * median, None),
        "mean": statistic(1.1 * median, median, 1.2 * median),
        "max": {"value": 3.3 * median},
    }


def without_data() -> dict[str, Any]:
    return {"count": 0, "censored": 0, "max": {"value": None}} | {
        name: statistic(None) for name in ("median", "p95", "p99", "mean")
    }


def time_share(mean: float, availability: float) -> dict[str, Any]:
    return {
        "mean": statistic(mean, mean * 0.9, mean * 1.1),
        "total_s": 1000 * mean,
        "availability": statistic(availability, availability - 0.01, availability + 0.01),
    }


def traffic(per_election: float, per_second: float) -> dict[str, Any]:
    found = {"per_election": per_election, "per_second": per_second}
    return {per: statistic(value, 0.9 * value, 1.1 * value) for per, value in found.items()}


def summary() -> dict[str, Any]:
    """As docs/results.md has it: 1000 trials of a leader's crash."""
    counts = {"boot": 1000, "loss": 1000, "transfer": 0, "spurious": 12}
    return {
        "scenario": "raft-leader-crash",
        "seed": 7,
        "command": "electsim run scenarios/raft-leader-crash.yaml --trials 1000 --seed 7",
        "digest": DIGEST,
        "stopped_by": None,
        "trials": {"run": 1000, "requested": 1000, "censored": 0},
        "elections": counts | {"elected": 2009, "recovered": 2, "withdrawn": 1, "censored": 0},
        "metrics": {
            **{name: duration(0.01 * number) for number, name in enumerate(DURATION_LABELS, start=12)},
            "rounds_per_election": {"mean": statistic(1.034, 1.02, 1.05)},
            "term_inflation": {"mean": statistic(0.034, 0.02, 0.05)},
            "split_votes": {"count": 17, "rounds": 2034, "fraction": statistic(0.0083, 0.005, 0.013)},
            "failed_rounds": {"count": 34, "rounds": 2034, "fraction": statistic(0.0167, 0.012, 0.023)},
            "leaders_overlap": {kind: {"count": 0} for kind in ("same_term", "stale_leader", "no_term")}
            | {"effective": 0, "total_s": 0.0, "max": {"value": 0.0}},
            "leaderless": time_share(0.215, 0.9431),
            "quorum_leaderless": time_share(0.215, 0.9431),
            "disagreement": {"total_s": 2.0},
            "messages": {
                "per_election": {name: statistic(4.2, 4.1, 4.3) for name in TYPES},
                "per_second": {name: statistic(79.3, 79.2, 79.4) for name in TYPES},
                "total": dict.fromkeys(TYPES, 8340),
                "all_types": traffic(16.8, 317.2),
            },
            "bytes": {"all_types": traffic(1009.0, 12345.0)},
        },
        "violations": {},
    }


def printed(data: dict[str, Any], width: int = 80) -> str:
    """As a pipe or a file gets it."""
    out = io.StringIO()
    Console(file=out, width=width, highlight=False).print(summary_table(data))
    return out.getvalue()


def lines_of(text: str, start: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith(start)]


@pytest.mark.parametrize("width", [80, 100])
def test_tables_fit_and_nothing_is_cut(width: int) -> None:
    # The brief: at most 100 columns, good at 80. Rich cuts what does not fit, and marks it with an ellipsis.
    text = printed(summary(), width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text


def test_a_pipe_gets_plain_text() -> None:
    # Escape codes in a log file are noise.
    assert "\x1b" not in printed(summary())


def test_durations_are_written_with_their_interval_and_open_ends() -> None:
    # Issue 2: median, p95, p99, each with its 95 % interval, and max. Of 120 ms: 0.98 and 1.02, 1.5 and 1.7, 2.2 and ∞.
    text = printed(summary(), 100).splitlines()
    row = next(number for number, line in enumerate(text) if line.startswith("failover, ms"))
    assert text[row].split()[2:] == ["1,000", "120", "192", "288", "396"]
    assert re.findall(r"\[.*?[])]", text[row + 1]) == ["[118 – 122]", "[180 – 204]", "[264 – ∞)"]


def test_three_digits_are_enough() -> None:
    # 9.4 ms is 9.40, not 9.400000000000001; and a row keeps one unit, 12 s and all.
    data = summary()
    data["metrics"]["election"] = duration(0.0094)
    data["metrics"]["failover"] = duration(12.0)
    text = printed(data, 100)
    assert "[9.21 – 9.59]" in text
    assert lines_of(text, "failover, s")[0].split()[-4:] == ["12.0", "19.2", "28.8", "39.6"]


def test_every_metric_of_the_issue_is_there() -> None:
    # Issue 2, "run shows …".
    text = printed(summary(), 100)
    for word in ("failover", "detection", "election", "rounds per election", "split votes", "leaders overlap"):
        assert lines_of(text, word), word
    assert "0.83 %" in text
    assert "17 of 2,034 rounds" in text
    assert "94.31 %" in text
    assert all(lines_of(text, name) for name in TYPES)
    assert f"digest  {DIGEST}" in text
    assert summary()["command"] in text


def test_stabilisation_is_shown_where_nothing_was_lost_and_failover_is_left_out() -> None:
    # The brief: stabilisation when there is no loss; rows without data are left out, never shown as nan or null.
    assert not lines_of(printed(summary()), "stabilisation")
    data = summary()
    data["elections"]["loss"] = 0
    data["metrics"]["failover"] = without_data()
    text = printed(data)
    assert lines_of(text, "stabilisation")
    assert not lines_of(text, "failover")
    assert "nan" not in text
    assert "None" not in text


def test_censored_trials_are_shown_and_a_hidden_quantile_is_not_a_number() -> None:
    # design.md, section 5: "a table shows how many trials were censored".
    data = summary()
    data["trials"]["censored"] = 30
    data["metrics"]["failover"] |= {"censored": 30, "p99": statistic(None, 3.01, None)}
    text = printed(data)
    assert "30 censored" in text.splitlines()[0]
    assert "30 cens." in text
    assert "not reached" in text
    assert "[3,010 – ∞)" in text


def test_nothing_at_all_reached_still_prints() -> None:
    # Every trial censored: no quantile, no maximum, no unit to take from them.
    data = summary()
    data["metrics"]["failover"] = without_data() | {"count": 3, "censored": 3}
    assert lines_of(printed(data), "failover, ms")[0].split()[-1] == "–"


def test_overlaps_are_listed_by_kind() -> None:
    # design.md, section 5: one of the same term is a safety violation, a stale leader is not.
    assert "never two leaders at once" in printed(summary())
    data = summary()
    data["metrics"]["leaders_overlap"] |= {"same_term": {"count": 2}, "stale_leader": {"count": 13}}
    data["metrics"]["leaders_overlap"] |= {"effective": 1, "total_s": 1.3, "max": {"value": 0.31}}
    rows = lines_of(printed(data, 100), "leaders overlap")
    assert [row.split()[2] for row in rows] == ["2", "13"]
    assert "of one term" in rows[0]
    assert "stale" in rows[1]
    assert "310 ms" in printed(data)


def test_a_quorums_view_has_its_own_row_only_where_it_differs() -> None:
    # Without partitions the two are equal by definition: repeating them would only raise questions.
    assert not lines_of(printed(summary()), "no leader with a quorum")
    data = summary()
    data["metrics"]["quorum_leaderless"] = time_share(0.4, 0.9)
    assert lines_of(printed(data), "no leader with a quorum")


def test_no_time_at_all_is_nought() -> None:
    # Seen in a scenario without faults: "0.0000 ms" claims a precision that nought has not.
    data = summary()
    data["metrics"]["leaderless"] = time_share(0.0, 1.0)
    data["metrics"]["quorum_leaderless"] = time_share(0.0, 1.0)
    assert lines_of(printed(data), "leaderless")[0].split()[1:3] == ["0", "ms"]


def test_an_unbounded_share_ends_at_100_percent() -> None:
    # One trial leaves a mean unbounded, but no availability exceeds 1.
    data = summary()
    data["metrics"]["leaderless"]["availability"] = statistic(0.94)
    assert "[0.00 – 100.00]" in printed(data)


def test_violations_and_early_ends_are_printed() -> None:
    # A run that stopped, or broke election safety, must not look like any other.
    assert "Broken" not in printed(summary())
    data = summary() | {"violations": {"election-safety": 3}, "stopped_by": "interrupted"}
    data["trials"] |= {"run": 321}
    text = printed(data)
    assert "Violated guarantees: election-safety 3" in text
    assert "stopped early: interrupted; 1,000 trials were asked for" in text


def test_published_quantiles_stand_beside_the_simulated_ones() -> None:
    # Issue 2: "published experiment; overlays the published quantiles". Of a hundred, the table shows a choice.
    data = summary()
    quantiles = [
        {"p": percent / 100, "published": percent / 100, "simulated": statistic(percent / 100 + 0.002, 0.0, None)}
        for percent in range(1, 100)
    ]
    data["published"] = {"metric": "failover", "source": "Ongaro 2014, section 9.3; CC-BY", "quantiles": quantiles}
    data["published"] |= {"mean": 0.13, "distance": 0.0123}
    text = printed(data)
    rows = [line.split()[0] for line in text.splitlines() if " % " in line and line[0].isdigit()]
    assert rows == ["1", "5", "25", "50", "75", "95", "99"]
    assert lines_of(text, "50 %")[0].split()[2:4] == ["500", "502"]
    assert lines_of(text, "mean")[0].split()[1:3] == ["130", "132"]
    assert "0.0123" in text
    assert "Ongaro 2014" in text


def test_markup_in_a_name_is_text() -> None:
    # Rich would take [bold] for an instruction, and drop it.
    assert "crash[bold]" in printed(summary() | {"scenario": "crash[bold]"})


def test_open_ends_of_intervals() -> None:
    # docs: null is an end that the data do not bound; durations are never below 0.
    assert interval(None, 2.0, "{:.1f}".format) == "[0.0 – 2.0]"
    assert interval(1.0, None, "{:.1f}".format) == "[1.0 – ∞)"


def test_faults_that_were_not_injected_are_mentioned_only_if_there_are_any() -> None:
    # A scenario whose fault finds no target measures something else than its name says; one that has none needs no row.
    assert "not injected" not in printed(summary())
    assert "not injected" not in printed({**summary(), "faults": {"never_struck": 0, "trials": 0}})
    text = printed({**summary(), "faults": {"never_struck": 1200, "trials": 600}})
    assert "faults that were not injected: 1,200 times, in 600 trials" in text


# --- Demands and waivers (docs/nemesis.md)


def liveness(recovered: int, failed: int, undecided: int) -> dict[str, Any]:
    return {
        "liveness": {"within_s": 2.0, "recovered": recovered, "failed": failed, "undecided": undecided}
        | {"recovery": duration(0.2)}
    }


def test_failures_of_liveness_are_printed_once() -> None:
    text = printed(summary() | liveness(990, 7, 3) | {"violations": {"liveness": 7}})
    assert "Liveness: a majority follows a leader within 2 s of the last fault" in text
    assert "990 recovered, 7 failed, 3 undecided; the trial ended first" in text
    assert "recovery  median 200 ms, at most 660 ms" in text
    assert "Violated guarantees" not in text


def test_what_is_not_required_is_not_printed() -> None:
    assert "Liveness" not in printed(summary())
    assert "undecided" not in printed(summary() | liveness(1000, 0, 0))


def test_waived_guarantees_are_named_as_such() -> None:
    text = printed(summary() | {"violations": {"one-vote": 2}, "waived": {"monotonic-terms": 1234}})
    assert "Violated guarantees: one-vote 2" in text
    assert "Violated guarantees, waived by the scenario: monotonic-terms 1,234" in text


def test_traffic_has_a_line_for_each_type_and_one_in_bytes() -> None:
    # docs/metrics.md: messages and bytes, per election and per second of steady state.
    text = printed(summary())
    assert f"Messages sent ({8340 * len(TYPES):,} in all)" in text
    (line,) = lines_of(text, f"{TYPES[0]} ")
    assert line.split() == [TYPES[0], "4.20", "[4.10", "–", "4.30]", "79.3", "[79.2", "–", "79.4]"]
    (size,) = lines_of(text, "all types, kB")
    assert size.split()[3:] == ["1.01", "[0.91", "–", "1.11]", "12.3", "[11.1", "–", "13.6]"]


def test_a_summary_of_an_earlier_version_is_shown_without_steady_state() -> None:
    # `electsim show` reads what was kept before messages per second were.
    data = summary()
    del data["metrics"]["bytes"], data["metrics"]["messages"]["per_second"], data["metrics"]["messages"]["all_types"]
    (line,) = lines_of(printed(data), f"{TYPES[0]} ")
    assert line.split() == [TYPES[0], "4.20", "[4.10", "–", "4.30]", "–"]
