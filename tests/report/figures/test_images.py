"""Figures against pictures that somebody looked at (issue 6: "Image tests against committed baselines").

Letters come out otherwise in each release of matplotlib, and move all else by their size, by more than a missing bar
would. So a picture is compared without its texts and legends, its axes at fixed places; and what a figure says is
compared as text, in a file beside it.

`pytest tests/report/figures/test_images.py --rewrite` accepts what is drawn now: look at each picture first.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.testing.compare import compare_images
from matplotlib.testing.exceptions import ImageComparisonFailure
from matplotlib.text import Text
from matplotlib.ticker import NullLocator

from simulator.report.figures.style import SERIES, VERMILLION, style
from tests.report.figures.pictures import PICTURES

IMAGES = Path(__file__).parent / "images"
DOTS_PER_INCH = 50  # Small, so that a clone stays small.
# Root mean square, of 255. Between matplotlib 3.9 and 3.11 the map differs by 3.6 (its hatched cell), all others by 0;
# what spoils a picture makes more (test_what_is_seen).
TOLERANCE = 4.0


def draw(figure: Figure, path: Path) -> Path:
    """What is drawn besides texts, of a figure that has not been drawn yet. Agg comes with matplotlib."""
    figure.set_layout_engine("none")
    for item in (*figure.findobj(Text), *figure.findobj(Legend)):
        item.set_visible(False)
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(NullLocator())
            axis.set_minor_locator(NullLocator())
    with style():
        figure.savefig(path, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
    return path


def words(figure: Figure) -> str:
    """All that a figure says, each text once, in order of the alphabet: what stands where, the picture shows. Ticks
    beyond an axis's ends are not seen; how many of them there are depends on the release of matplotlib.
    """
    figure.draw_without_rendering()
    unseen = {
        label
        for axes in figure.axes
        for axis in (axes.xaxis, axes.yaxis)
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks())
        for label in (tick.label1, tick.label2)
        if not min(axis.get_view_interval()) <= tick.get_loc() <= max(axis.get_view_interval())
    }
    said = {text.get_text() for text in figure.findobj(Text) if text.get_visible() and text not in unseen}
    return "".join(f"{text!r}\n" for text in sorted(said) if text)


@pytest.mark.parametrize("name", PICTURES)
def test_picture(name: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    baseline, texts = IMAGES / f"{name}.png", IMAGES / f"{name}.txt"
    said, drawn = words(PICTURES[name]()), draw(PICTURES[name](), tmp_path / f"{name}.png")
    difference = _difference(baseline, drawn) if baseline.is_file() else "there is no such picture yet"
    if request.config.getoption("--rewrite"):
        _accept(
            request,
            texts,
            said.encode(),
            unless=texts.is_file() and texts.read_text(encoding="utf-8") == said,
        )
        _accept(request, baseline, drawn.read_bytes(), unless=difference is None)
    else:
        assert difference is None, difference
        assert said == texts.read_text(encoding="utf-8")


def _accept(request: pytest.FixtureRequest, path: Path, content: bytes, *, unless: bool) -> None:
    if not unless:
        path.write_bytes(content)
        request.node.user_properties.append(("rewritten", str(path)))


def _difference(baseline: Path, drawn: Path) -> str | None:
    """What is wrong, and where to see it; None where they are alike."""
    try:
        found = compare_images(str(baseline), str(drawn), tol=TOLERANCE)
    except ImageComparisonFailure as failure:  # Of another size.
        return str(failure)
    return None if found is None else str(found)


def _without_one_bar(figure: Figure) -> None:
    figure.axes[0].patches[0].set_visible(False)


def _other_colour(figure: Figure) -> None:
    figure.axes[0].lines[0].set_color(VERMILLION if figure.axes[0].lines[0].get_color() == SERIES[0] else SERIES[0])


def _other_scale(figure: Figure) -> None:
    figure.axes[0].set_xlim(0, 1.3 * figure.axes[0].get_xlim()[1])


def _without_hatch(figure: Figure) -> None:
    for patch in figure.axes[0].patches:
        patch.set_hatch("")


def _without_one_incident(figure: Figure) -> None:
    figure.axes[1].collections[-1].set_visible(False)


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("decomposition", _without_one_bar),
        ("distribution", _other_scale),
        ("sweep", _other_colour),
        ("decomposition-tenths", _without_hatch),
        ("overlaps-3", _without_one_incident),
        ("timeline-3", _other_scale),
    ],
)
def test_what_is_seen(name: str, spoil: object, tmp_path: Path) -> None:
    """A tolerance under which these pass would be none."""
    figure = PICTURES[name]()
    assert callable(spoil)
    spoil(figure)
    assert _difference(IMAGES / f"{name}.png", draw(figure, tmp_path / f"{name}.png")) is not None


def test_every_picture_is_of_something() -> None:
    """What is drawn no more leaves no picture behind, and all of them together stay small."""
    for ending in ("png", "txt"):
        assert {path.stem for path in IMAGES.glob(f"*.{ending}")} == set(PICTURES)
    assert sum(path.stat().st_size for path in IMAGES.glob("*.png")) < 400_000
