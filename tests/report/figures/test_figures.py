"""Distributions drawn must be those that the statistics compute, and files must not differ from run to run."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from simulator.analysis.statistics.estimates import Sample, quantile
from simulator.analysis.statistics.survival import ecdf
from simulator.report.figures.results import ecdf_figure, save

VALUES = np.random.default_rng(1).gamma(4, 0.05, size=200)
PLAIN = Sample.of(VALUES)
CENSORED = Sample.of(np.minimum(VALUES, 0.3), VALUES > 0.3)
CLUSTERED = Sample.of(VALUES, trials=np.arange(200) // 4)


def axes_of(figure: Figure) -> Axes:
    return figure.axes[0]


def line(axes: Axes, start: str) -> Line2D:
    (found,) = [each for each in axes.lines if str(each.get_label()).startswith(start)]
    return found


def texts(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


@pytest.mark.parametrize("sample", [PLAIN, CENSORED, CLUSTERED])
def test_the_steps_are_those_of_the_statistics(sample: Sample) -> None:
    # The brief: "ECDF steps equal statistics' values"; drawn in ms, from 0 on, and a step holds until the next.
    curve, drawn = ecdf(sample), line(axes_of(ecdf_figure(sample)), "simulated")
    assert drawn.get_drawstyle() == "steps-post"
    x, y = np.asarray(drawn.get_xdata()), np.asarray(drawn.get_ydata())
    assert x[1:-1] == pytest.approx(curve.times * 1e3)
    assert y[1:-1] == pytest.approx(curve.probabilities)
    assert (x[0], y[0], y[-1]) == (0, 0, curve.probabilities[-1])


@pytest.mark.parametrize("sample", [PLAIN, CENSORED, CLUSTERED])
def test_the_band_is_that_of_the_statistics(sample: Sample) -> None:
    # design.md, section 5: every reported statistic carries its interval, a curve its pointwise band.
    curve = ecdf(sample)
    corners = axes_of(ecdf_figure(sample)).collections[0].get_paths()[0].vertices
    drawn = {(round(float(x), 6), round(float(y), 6)) for x, y in np.asarray(corners)}
    for bound in (curve.low, curve.high):
        assert {(round(x * 1e3, 6), round(y, 6)) for x, y in zip(curve.band_times, bound, strict=True)} <= drawn


def test_median_and_p99_are_marked_with_their_intervals() -> None:
    # The brief. Of 200 values p99 has no upper end (0.99**200 = 13 % > 2.5 %), and must not get one.
    axes = axes_of(ecdf_figure(PLAIN))
    median, p99 = quantile(PLAIN, 0.5), quantile(PLAIN, 0.99)
    assert f"median {median.value * 1e3:.0f} ms\n[{median.low * 1e3:.0f} – {median.high * 1e3:.0f}]" in texts(axes)
    assert f"p99 {p99.value * 1e3:.0f} ms\n[{p99.low * 1e3:.0f} – ∞)" in texts(axes)


def test_a_hidden_quantile_has_no_mark_and_censoring_is_noted() -> None:
    # A tenth was cut off at 300 ms: p99 is beyond, wherever that is.
    axes, censored = axes_of(ecdf_figure(CENSORED)), int(CENSORED.censored.sum())
    assert not any(text.startswith("p99") for text in texts(axes))
    assert f"n = 200, of which {censored} censored ({censored / 2:.2f} %)" in str(line(axes, "simulated").get_label())
    assert line(axes, "simulated").get_ydata()[-1] < 1  # type: ignore[index, operator]


def test_published_quantiles_lie_over_the_curve() -> None:
    # Issue 2: "overlays the published quantiles": p on the y axis, milliseconds on the x axis.
    axes = axes_of(ecdf_figure(PLAIN, {0.5: 0.18, 0.05: 0.07, 0.99: 0.6}, published_by="Ongaro 2014"))
    drawn = line(axes, "Ongaro 2014")
    assert list(np.asarray(drawn.get_xdata())) == pytest.approx([70, 180, 600])
    assert list(np.asarray(drawn.get_ydata())) == [0.05, 0.5, 0.99]
    assert axes.get_xlim()[1] > 600


def test_several_samples_have_a_colour_and_a_name_each() -> None:
    # Colours from one palette that the colour-blind tell apart, never one twice.
    axes = axes_of(ecdf_figure({"a": PLAIN, "b": CENSORED, "c": CLUSTERED}))
    assert len({line(axes, f"{name}, ").get_color() for name in "abc"}) == 3


def test_axes_name_quantity_unit_and_what_is_counted() -> None:
    # A trial with several elections makes the curve one of elections. Long durations are in seconds.
    axes = axes_of(ecdf_figure(PLAIN, quantity="detection"))
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("detection (ms)", "cumulative share of trials")
    axes = axes_of(ecdf_figure(Sample.of(VALUES * 100, trials=np.arange(200) // 4)))
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("failover (s)", "cumulative share of elections")


def test_a_long_tail_does_not_press_the_rest_into_a_corner() -> None:
    # One election of 20 s among those of 0.2 s: on a linear axis all others would share the first hundredth.
    axes = axes_of(ecdf_figure(Sample.of(np.append(VALUES, 20.0))))
    assert axes.get_xscale() == "log"
    assert axes.get_xlim()[1] > 20
    assert axes_of(ecdf_figure(PLAIN)).get_xscale() == "linear"


@pytest.mark.parametrize(
    "sample",
    [Sample.of([0.2]), Sample.of([1.0] * 3, [True] * 3), Sample.of([0.0, 0.0]), Sample.of([1, 2, 3], trials=[0, 0, 0])],
)
def test_samples_at_the_edge_are_drawn_without_a_warning(sample: Sample, tmp_path: Path) -> None:
    # One value; all censored; all at once; one trial: warnings are errors here, and nothing may divide by zero.
    assert save(ecdf_figure(sample), tmp_path / "edge", ("png",))[0].stat().st_size > 0


def test_files_are_the_same_to_the_byte(tmp_path: Path) -> None:
    # No dates, no random ids, no version of matplotlib: a result that is repeated is the same result.
    first, again = (save(ecdf_figure(CENSORED, title="t"), tmp_path / name) for name in ("first", "again"))
    assert [path.name for path in first] == ["first.png", "first.svg"]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in again]
    assert b"Software" not in first[0].read_bytes()
    assert b"dc:date" not in first[1].read_bytes()


def test_nothing_global_is_changed() -> None:
    # A notebook's own style, and pyplot's figures, are none of ours.
    before = dict(mpl.rcParams)
    ecdf_figure(PLAIN)
    assert dict(mpl.rcParams) == before
