"""What the tests of commands share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.experiment.test_runner import CRASH


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    """A file with a small scenario: the leader of three crashes."""
    path = tmp_path / "small.yaml"
    path.write_text(CRASH)
    return path
