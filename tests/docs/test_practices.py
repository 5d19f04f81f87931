"""docs/practices/: what a page tells its reader to run can be run, and studies.practices draws its figures."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from simulator.cli import main
from studies import practices

ROOT = Path(__file__).parents[2]
GUIDES = {"calibrate"}  # A guide has no figure of a practice; tests/docs/test_calibrate.py runs it.
PAGES = {
    path.stem: path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "docs" / "practices").glob("*.md"))
    if path.stem not in GUIDES
}
COMMANDS = [
    (name, line)
    for name, page in PAGES.items()
    for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    for line in block.splitlines()
]


def test_the_six_practices_of_the_issue_have_their_pages() -> None:
    """Issue 6: "Each practice has a page with a runnable scenario and a figure"."""
    assert sorted(PAGES) == [
        "failure-detection",
        "graceful-transfer",
        "monitoring-elections",
        "partitions-and-quorum",
        "quick-recovery",
        "randomised-timeouts",
    ]
    listed = (ROOT / "mkdocs.yml").read_text(encoding="utf-8") + (ROOT / "README.md").read_text(encoding="utf-8")
    assert all(listed.count(f"practices/{name}.md") == 2 for name in [*PAGES, *GUIDES])


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_its_parts(name: str) -> None:
    """A question, something to run, a figure, what was measured by which command, and what follows for production."""
    page = PAGES[name]
    (question,) = re.findall(r"\*\*(.+?)\*\*", page.split("\n\n")[1], re.DOTALL)
    assert question.endswith("?") or "?" in question
    assert (
        page.index("```sh")
        < page.index("![")
        < page.index("`python -m studies.practices")
        < page.index("## In production")
    )
    assert page.count("\n- ") >= 4
    for figure in re.findall(r"!\[[^]]+]\(\.\./(images/[^)]+)\)", page):
        assert (ROOT / "docs" / figure).stat().st_size < 150_000


@pytest.mark.parametrize(("name", "command"), COMMANDS, ids=lambda value: value[:60])
def test_commands_run(name: str, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With few trials, and beside a checkout: scenarios are named, and shipped."""
    monkeypatch.chdir(tmp_path)
    program, *arguments = shlex.split(command)
    assert program == "electsim"
    outcome = CliRunner().invoke(main, [*arguments, "--trials", "3", "--workers", "1"])
    assert outcome.exit_code == 0, outcome.output


@pytest.mark.parametrize(("name", "draw"), [(name, draw) for name, draw, _ in practices.PRACTICES])
def test_the_command_draws_the_figures_of_its_page(name: str, draw: practices.Draw, tmp_path: Path) -> None:
    """`python -m studies.practices --only NAME`, as the page has it, with two trials."""
    (page,) = [page for page in PAGES.values() if re.search(rf"studies\.practices --only {name.split()[0]} ", page)]
    draw(2, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(re.findall(r"images/(practice-[\w-]+\.png)", page))
