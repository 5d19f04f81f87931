"""A pytest plugin: which lines each test reaches, and how long it takes.

    coverage run -m pytest -p studies.mutants.contexts

A test is a context of the coverage data, named by its node id. A test is stopped after ELECTSIM_TEST_SECONDS of
processor time, if that is set: what it has reached by then is known, and its seconds say that it is slow.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Generator
from pathlib import Path
from types import FrameType

import pytest
from coverage import Coverage

SECONDS = "build/mutants/seconds-{pid}.jsonl"
_BETWEEN = "between tests"


def _stop(_number: int, _frame: FrameType | None) -> None:
    """As if the test had been skipped: the code under test does not catch this, and no traceback is made of it."""
    raise pytest.skip.Exception("the test has used its processor time")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """Measure the test in a context of its own."""
    coverage = Coverage.current()
    assert coverage is not None, "run this plugin under `coverage run`"
    coverage.switch_context(item.nodeid)
    limit_s = float(os.environ.get("ELECTSIM_TEST_SECONDS", "0"))
    start = time.process_time()
    signal.signal(signal.SIGVTALRM, _stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, limit_s, 1.0)
    passed = False
    try:
        yield
        passed = True
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.0)
        coverage.switch_context(_BETWEEN)
        path = item.config.rootpath / SECONDS.format(pid=os.getpid())
        _write(path, {"test": item.nodeid, "seconds": round(time.process_time() - start, 3), "passed": passed})


def _write(path: Path, row: dict[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")
