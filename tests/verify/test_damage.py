"""More random damage to results and baselines than the fast suite draws (issue 12, C5: 24 tracebacks in 480)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.test_damage import DAMAGES
from tests.support.damaged_results import check, make_whole

pytestmark = pytest.mark.verify


def test_much_damage_is_one_line_and_2(tmp_path: Path) -> None:
    (tmp_path / "whole").mkdir()
    whole = make_whole(tmp_path / "whole")
    for seed in range(DAMAGES, DAMAGES + 600):
        check(whole, tmp_path / str(seed), seed)
