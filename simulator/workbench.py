"""The name that `simulator.testing` had in version 0.2. Importing it warns; the next version will not have it."""

from __future__ import annotations

import sys
import warnings
from importlib import import_module

from simulator.testing import *  # noqa: F403
from simulator.testing import InteractionBench as Workbench
from simulator.testing import InteractionError as WorkbenchError

__all__ = ["Workbench", "WorkbenchError"]

warnings.warn(
    "simulator.workbench is called simulator.testing, Workbench InteractionBench, and WorkbenchError InteractionError",
    DeprecationWarning,
    stacklevel=2,
)
for _name in ("bench", "commands", "errors", "node", "script", "syntax"):
    globals()[_name] = sys.modules[f"{__name__}.{_name}"] = import_module(f"simulator.testing.{_name}")
