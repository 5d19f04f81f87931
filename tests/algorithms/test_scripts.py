"""Every script under tests/scripts/ answers as it says. `pytest --rewrite` accepts what it answers now."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from simulator.testing import replay_file

SCRIPTS = Path(__file__).parents[1] / "scripts"
SCENES = sorted(SCRIPTS.rglob("*.txt"))


@pytest.mark.parametrize("path", SCENES, ids=lambda path: path.relative_to(SCRIPTS).with_suffix("").as_posix())
def test_scene(path: Path, request: pytest.FixtureRequest) -> None:
    """The reason is in the script: design.md, house rule 6."""
    text, replayed = replay_file(path)
    if request.config.getoption("--rewrite") and replayed != text:
        path.write_text(replayed, encoding="utf-8")
        request.node.user_properties.append(("rewritten", str(path)))
    else:
        assert replayed == text


@pytest.mark.parametrize("path", SCENES, ids=lambda path: path.relative_to(SCRIPTS).with_suffix("").as_posix())
def test_scene_cites_its_reason(path: Path) -> None:
    """House rule 6: every test cites its reason. A scene opens with a comment that names a section or a figure."""
    opening = path.read_text(encoding="utf-8").partition("\ncluster ")[0]
    assert all(line.startswith("#") for line in opening.splitlines())
    assert re.search(r"section (\d|\")|Figure \d", opening)  # ZooKeeper's documentation names its sections.


def test_raft_has_its_scenes() -> None:
    """Issue 2, part 3: at least 25 scenes; issue 4: 60 more. Also, a glob that finds nothing must not pass."""
    raft = [path.relative_to(SCRIPTS / "raft") for path in SCENES if path.is_relative_to(SCRIPTS / "raft")]
    assert len([path for path in raft if len(path.parts) == 1]) >= 30
    assert len([path for path in raft if len(path.parts) == 2]) >= 60
