"""`electsim run … --measured failovers.csv` (issue 6): "ECDFs, KS distance, what differs"; bad files give one line."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from scipy import stats

import simulator
import simulator.results
from simulator.analysis import measured as module
from simulator.analysis.measured import Measured, MeasuredError, compared_with_measured, read_measured
from simulator.cli import main
from simulator.report.tables.summary import summary_table
from tests.experiment.test_runner import CRASH


def write(place: Path, text: str) -> Path:
    path = place / "failovers.csv"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "options", "column", "values"),
    [
        ("failover_ms\n150\n2.5e2\n", {}, "failover_ms", [0.15, 0.25]),
        ("failover_s\n1.5\n\n2\n", {}, "failover_s", [1.5, 2.0]),
        # As our own reference has them: that of failovers is meant, among others with units.
        ("failover_ms,detection_ms,terms\n150,90,1\n250,80,2\n", {}, "failover_ms", [0.15, 0.25]),
        ("failover_ms,detection_ms\n1,90\n2,80\n", {"column": "detection_ms"}, "detection_ms", [0.09, 0.08]),
        ("run,took_us\na,150\nb,250\n", {}, "took_us", [0.00015, 0.00025]),
        ('"run","took"\n"a, b","150"\n"c","250"\n', {"column": "took", "unit": "ms"}, "took", [0.15, 0.25]),
        ("took\n1\n2\n", {"unit": "m"}, "took", [60.0, 120.0]),
        ("\ufefffailover_ms\r\n1\r\n2\r\n", {}, "failover_ms", [0.001, 0.002]),
    ],
)
def test_a_column_is_read_in_its_unit(
    tmp_path: Path, text: str, options: dict[str, str], column: str, values: list[float]
) -> None:
    found = read_measured(write(tmp_path, text), **options)
    assert (found.column, found.values.tolist()) == (column, values)


@pytest.mark.parametrize(
    ("text", "options", "says"),
    [
        ("", {}, ": is empty; write a header, such as failover_ms, and a value a line"),
        ("failover_ms\n150\nn/a\n", {}, ":3: failover_ms: n/a is not a number of 0 or more; write a duration that was"),
        ("failover_ms\n150\n-1\n", {}, ":3: failover_ms: -1 is not a number of 0 or more"),
        ("failover_ms\n150\nnan\n", {}, ":3: failover_ms: nan is not a number of 0 or more"),
        ("run,failover_ms\n1,150\n2\n", {}, ":3: failover_ms: is missing; write a duration that was measured, or le"),
        ("run,failover_ms\n1,150\n2,\n", {}, ":3: failover_ms: is missing"),
        ("failover_h\n1\n1e99\n", {}, ":3: failover_h: 1e99 is too long; at most"),
        ("failover_ms\n150\n", {}, ": holds 1 values of failover_ms; a distribution needs two at least"),
        (
            "failover\n150\n200\n",
            {},
            ":1: failover does not end in its unit, as failover_ms does; the first line names columns",
        ),
        ("took_ms\n1\n2\n", {"unit": "s"}, ":1: took_ms ends in its unit; leave --measured-unit s out, or rename it"),
        ("a_ms,b_ms\n1,2\n3,4\n", {}, ":1: which column is meant? say --measured-column, one of a_ms, b_ms"),
        ("a_ms,b_ms\n1,2\n", {"column": "failover"}, ":1: there is no column failover; known: a_ms, b_ms"),
        ("a_ms,b_ms\n1,2\n", {"column": "a_m"}, ":1: there is no column a_m; did you mean a_ms?"),
        ('failover_ms\n"150\n', {}, ":2: not CSV: unexpected end of data; save it with commas between cells"),
        ("failover_ms;terms\n150;1\n", {}, ":1: failover_ms;terms does not end in its unit"),
    ],
)
def test_a_bad_file_is_one_line_with_its_place_and_a_remedy(
    tmp_path: Path, text: str, options: dict[str, str], says: str
) -> None:
    path = write(tmp_path, text)
    with pytest.raises(MeasuredError) as caught:
        read_measured(path, **options)
    assert str(caught.value).startswith(f"{path}{says}")
    assert "\n" not in str(caught.value)


@given(st.text('failover_ms,;"\n\r 0123456789.eE+-\x00\ufeffé', max_size=60).map(str.encode) | st.binary(max_size=40))
def test_whatever_is_in_a_file_it_is_read_or_refused_in_a_line(content: bytes) -> None:
    with TemporaryDirectory() as place:
        path = Path(place) / "failovers.csv"
        path.write_bytes(content)
        try:
            found, refused = read_measured(path, unit="ms").values, str(path)
        except MeasuredError as error:
            found, refused = np.zeros(0), str(error)
        assert refused.startswith(str(path))
        assert len(refused.splitlines()) == 1
        assert (np.isfinite(found) & (found >= 0)).all()


def test_more_values_than_are_of_use_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_VALUES", 2)
    with pytest.raises(MeasuredError, match="holds 3 values, and 2 are enough; thin it out"):
        read_measured(write(tmp_path, "failover_ms\n1\n2\n3\n"))


def test_a_file_that_is_none_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(MeasuredError, match=r"nowhere\.csv: is not a file$"):
        read_measured(tmp_path / "nowhere.csv")
    (tmp_path / "latin.csv").write_bytes(b"failover_ms\n\xe9\n")
    with pytest.raises(MeasuredError, match=r"latin\.csv: not UTF-8; save the file in that encoding$"):
        read_measured(tmp_path / "latin.csv")


# --- Beside the simulated values


def lost(failovers: list[float], censored: int = 0) -> pd.DataFrame:
    """A loss in each trial, with its failover; of the last ones, only that it took longer than 9 s."""
    values = np.array([*failovers, *[np.nan] * censored])
    ended = ~np.isnan(values)
    return pd.DataFrame(
        {
            "trial": np.arange(values.size),
            "cause": "loss",
            "outcome": np.where(ended, "elected", "censored"),
            "start_s": 0.0,
            "followed_until_s": np.where(ended, values, 9.0),
            "failover_s": values,
        }
    )


def measured(values: list[float]) -> Measured:
    return Measured(file="failovers.csv", column="failover_s", values=np.array(values))


def test_the_distance_is_that_of_scipy_and_is_found_where_it_says() -> None:
    generator = np.random.default_rng(5)
    ours, theirs = generator.uniform(1, 2, 300).tolist(), generator.uniform(1.2, 2.2, 100).tolist()
    beside = compared_with_measured(lost(ours), measured(theirs))
    expected = stats.ks_2samp(ours, theirs)
    assert (beside["distance"], beside["p"]) == (expected.statistic, expected.pvalue)
    shares = [np.mean(np.array(values) <= beside["furthest_s"]) for values in (theirs, ours)]
    assert [beside["measured_over"], beside["simulated_over"]] == pytest.approx(shares)
    assert abs(shares[0] - shares[1]) == pytest.approx(beside["distance"])
    # Inverse ECDF: of 100 values the median is the 50th, of 300 the 150th.
    assert beside["median"]["measured"]["value"] == sorted(theirs)[49]
    assert beside["median"]["simulated"]["value"] == sorted(ours)[149]
    ratio = beside["median"]["ratio"]
    assert ratio["value"] == pytest.approx(sorted(theirs)[49] / sorted(ours)[149])
    assert 1 < ratio["low"] < ratio["value"] < ratio["high"]
    assert beside["p99"]["measured"]["high"] is None  # 100 values do not bound it.
    assert beside["difference"].startswith("They differ (distance 0.2")


def test_equal_distributions_are_not_said_to_differ() -> None:
    # By design once in twenty; among these hundred draws, no more than chance allows (binomial, 1 in 1000: 13).
    generator = np.random.default_rng(6)
    said = [
        compared_with_measured(
            lost(generator.uniform(1, 2, 60).tolist()), measured(generator.uniform(1, 2, 40).tolist())
        )
        for _ in range(100)
    ]
    differ = [beside for beside in said if beside["difference"].startswith("They differ")]
    assert len(differ) <= 13
    # "5 % critical KS distance at 10 000 against 10 000 is 0.0192" (the reference's AvailSim).
    large = compared_with_measured(lost([1.0, 2.0] * 5000), measured([1.0, 2.0] * 5000))
    assert large["critical"] == pytest.approx(0.0192, abs=5e-5)
    assert large["difference"].startswith("No difference beyond chance (distance 0.000, p = 1.000)")


def test_what_has_not_ended_is_longer_than_all_that_has() -> None:
    # Half of 4 never end: of them, all that is known is that none is over when the measured are.
    beside = compared_with_measured(lost([1.0, 2.0], censored=2), measured([1.0, 2.0]))
    assert (beside["distance"], beside["furthest_s"], beside["simulated_over"]) == (0.5, 2.0, 0.5)
    assert beside["p99"]["simulated"]["value"] is None


def test_where_no_leader_was_lost_there_is_no_failover_but_a_cold_start() -> None:
    started = simulator.run(simulator.loads(CRASH, overrides=["faults=[]"]), trials=5)
    beside = compared_with_measured(started.elections, measured([1.0, 2.0]))
    assert beside["difference"] == "Nothing was simulated to compare with: no trial has a failover."
    assert (beside["simulated_count"], beside["distance"], beside["median"]["ratio"]["value"]) == (0, None, None)
    told = StringIO()
    Console(file=told).print(summary_table(replace(started, measured=measured([1.0, 2.0])).summary))
    assert "no trial has a failover" in told.getvalue()
    # A column that is called after no metric is of what the run is about: the time to a stable leader.
    cold = compared_with_measured(started.elections, replace(measured([1.0, 2.0]), column="took_s"))
    assert (cold["metric"], cold["simulated_count"]) == ("stabilisation", 5)


# --- The command


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_a_run_lays_them_over_keeps_them_and_shows_them_again(tmp_path: Path) -> None:
    scenario, values = tmp_path / "small.yaml", write(tmp_path, "failover_ms\n150\n250\n200\n")
    scenario.write_text(CRASH)
    ran = invoke("run", scenario, "--trials", 5, "--results", tmp_path / "out", "--measured", values, "--json")
    assert ran.exit_code == 0, ran.output
    summary = json.loads(ran.stdout)
    assert (summary["measured"]["count"], summary["measured"]["simulated_count"]) == (3, 5)
    assert f"--measured {values}" in summary["command"]
    kept = tmp_path / "out" / "small-crash-001"
    assert (kept / "measured.csv").read_text() == "failover_s\n0.15\n0.25\n0.2\n"
    assert (kept / "measured.png").stat().st_size > 10_000
    values.unlink()  # What was kept is enough.
    shown = invoke("show", kept, "--figures", tmp_path / "again")
    assert "Beside failovers.csv, column failover_ms" in shown.stdout
    assert " ".join(summary["measured"]["difference"].split()) in " ".join(shown.stdout.split())
    assert (tmp_path / "again" / "measured.png").read_bytes() == (kept / "measured.png").read_bytes()
    assert simulator.results.load(kept).result().summary["measured"] == summary["measured"]
    (kept / "measured.csv").unlink()
    lacking = invoke("show", kept)
    assert (lacking.exit_code, lacking.stderr.count("\n")) == (2, 1)
    assert "measured.csv: is not a file" in lacking.stderr


def test_a_bad_file_is_told_before_anything_is_run(tmp_path: Path) -> None:
    scenario, values = tmp_path / "small.yaml", write(tmp_path, "failover_ms\n150\nfast\n")
    scenario.write_text(CRASH)
    ran = invoke("run", scenario, "--results", tmp_path / "out", "--measured", values)
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert ran.stderr == (
        f"electsim: {values}:3: failover_ms: fast is not a number of 0 or more; write a duration that was measured, or "
        "leave the row out\n"
    )
    assert not (tmp_path / "out").exists()
