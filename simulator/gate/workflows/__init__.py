"""Ready workflows for the CIs of others, one file for each: `electsim gate --workflow github`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

WORKFLOWS: Mapping[str, Path] = {path.stem: path for path in sorted(Path(__file__).parent.glob("*.yml"))}
