"""Runs tests against a mutant, in a copy of the repository and in a process of its own."""

from __future__ import annotations

import importlib
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from studies.mutants.draw import Mutant

LOG = "mutant.log"  # What pytest printed about the last one.
KILLED, TIMEOUT, SURVIVED, NO_TEST = "killed", "timeout", "survived", "no test"
_MEMORY = 3 << 30  # Bytes. A mutant that never ends may fill the memory.
_STEADY_S, _TIMES_AS_LONG = 15.0, 4.0  # Processor time for a mutant: to begin with, and by that of its tests.
_SLOWED = 12.0  # How much longer a run may take by the clock, on a machine that others use.
_ROOT = str(Path(__file__).parents[2])
# What tests import whichever file is changed: imported once, and not by each process. Nothing of `simulator`, and no
# plugin of pytest, which must be imported by pytest itself.
_LIBRARIES = (
    *("click", "numpy", "pandas", "pyarrow", "pydantic", "rich.console", "rich.table", "simpy", "yaml"),
    *("scipy.special", "scipy.stats"),
)


def prepare() -> None:
    """Import what every test needs, so that a process that is forked has it."""
    for name in _LIBRARIES:
        importlib.import_module(name)
    assert not any(name.partition(".")[0] == "simulator" for name in sys.modules)


def try_mutant(copy: Path, mutant: Mutant, tests: Sequence[str], seconds: float) -> str:
    """Put the mutant into the copy, run the tests on it, and take it out again. `seconds` is what the tests take.

    A mutant that uses up its processor time or its memory is noticed as well: the test would never end.
    """
    if not tests:
        return NO_TEST
    path = copy / mutant.path
    source = path.read_text(encoding="utf-8")
    try:
        _write(path, mutant.code)
        return run_tests(copy, tests, _STEADY_S + _TIMES_AS_LONG * seconds)
    finally:
        _write(path, source)


def _write(path: Path, code: str) -> None:
    """Without what was compiled from the file: within the same second, its time does not tell one from the other."""
    for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
        compiled.unlink()
    path.write_text(code, encoding="utf-8")


def run_tests(copy: Path, tests: Sequence[str], limit_s: float) -> str:
    """How the tests end, up to the first that fails, with `limit_s` of processor time."""
    child = os.fork()
    if child == 0:
        _in_child(copy, tests, limit_s)
    deadline = time.monotonic() + _SLOWED * limit_s
    while (ended := os.waitpid(child, os.WNOHANG))[0] == 0:
        if time.monotonic() > deadline:
            with suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return TIMEOUT
        time.sleep(0.05)
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)  # What the tests have started.
    if os.WIFSIGNALED(ended[1]):
        return TIMEOUT
    code = os.WEXITSTATUS(ended[1])
    ends: dict[int, str] = {pytest.ExitCode.OK: SURVIVED, pytest.ExitCode.NO_TESTS_COLLECTED: NO_TEST}
    return ends.get(code, KILLED)


def _in_child(copy: Path, tests: Sequence[str], limit_s: float) -> None:
    code = int(pytest.ExitCode.INTERNAL_ERROR)
    try:
        os.setpgid(0, 0)
        resource.setrlimit(resource.RLIMIT_CPU, (int(limit_s), int(limit_s) + 5))
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        log = os.open(copy / LOG, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.chdir(copy)
        os.environ["PYTHONPATH"] = str(copy)
        sys.path[:] = [str(copy), *(entry for entry in sys.path if entry not in ("", _ROOT))]
        for name in [name for name in sys.modules if name.partition(".")[0] in ("studies", "tests", "simulator")]:
            del sys.modules[name]
        code = int(pytest.main(["-x", "-q", "--no-header", "-p", "no:cacheprovider", "-p", "no:xdist", *tests]))
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
