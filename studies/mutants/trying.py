"""Runs tests against mutants: tests are collected once, and each mutant is tried in a process that is forked then."""

from __future__ import annotations

import gc
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol

from studies.mutants.draw import Mutant
from studies.mutants.live import Functions, changed_functions, functions, put_in

KILLED, TIMEOUT, SURVIVED, NO_TEST = "killed", "timeout", "survived", "no test"
_MEMORY = 3 << 30  # Bytes. A mutant that never ends may fill the memory.
_STEADY_S, _TIMES_AS_LONG = 15.0, 4.0  # Processor time for a mutant: to begin with, and by that of its tests.
_SLOWED = 12.0  # How much longer a run may take by the clock, on a machine that others use.


@dataclass(slots=True)
class Outcome:
    """What became of a mutant, and the test that failed, if one did."""

    outcome: str
    by: str = ""


class Trials:
    """A pytest plugin. In place of running the collected tests, it calls `main` with itself."""

    def __init__(self, root: Path, copy: Path, main: Callable[[Trials], None]) -> None:
        self._root, self._copy, self._main = root, copy, main
        self._items: dict[str, pytest.Item] = {}
        self._functions: Functions = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Try the mutants."""
        self._items = {item.nodeid: item for item in session.items}
        self._functions = functions(self._root / "simulator")
        gc.freeze()  # Processes that are forked share this memory.
        self._main(self)
        return True

    def try_mutant(self, mutant: Mutant, tests: Sequence[str], seconds: float) -> Outcome:
        """Run tests on a mutant, up to the first that fails. `seconds` is what they take without it.

        A mutant that uses up its processor time or its memory is noticed as well: the test would never end.
        """
        tests = [test for test in tests if test in self._items]
        if not tests:
            return Outcome(NO_TEST)
        limit_s = _STEADY_S + _TIMES_AS_LONG * seconds
        path = self._root / mutant.path
        changed = changed_functions(path.read_text(encoding="utf-8"), mutant.code, path)
        if changed is not None:
            outcome = self._fork(changed, tests, limit_s)
            if outcome is not None:
                return outcome
        return self._in_the_copy(mutant, tests, limit_s)

    def passes(self, tests: Sequence[str], limit_s: float) -> bool:
        """Whether the tests pass without a mutant."""
        outcome = self._fork((), [test for test in tests if test in self._items], limit_s)
        return outcome is not None and outcome.outcome == SURVIVED

    def _fork(self, changed: Sequence[object], tests: Sequence[str], limit_s: float) -> Outcome | None:
        """None if the change cannot be put into functions that exist."""
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            self._in_child(write, changed, tests, limit_s)
        os.close(write)
        deadline = time.monotonic() + _SLOWED * limit_s
        while (ended := os.waitpid(child, os.WNOHANG))[0] == 0:
            if time.monotonic() > deadline:
                with suppress(ProcessLookupError):
                    os.killpg(child, signal.SIGKILL)
            time.sleep(0.02)
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)  # What the tests have started.
        with os.fdopen(read, encoding="utf-8") as pipe:
            text = pipe.read()
        if os.WIFSIGNALED(ended[1]):
            return Outcome(TIMEOUT)
        return None if text == "not put in" else Outcome(KILLED if text else SURVIVED, text)

    def _in_child(self, write: int, changed: Sequence[object], tests: Sequence[str], limit_s: float) -> None:
        said = "error"
        try:
            os.setpgid(0, 0)
            resource.setrlimit(resource.RLIMIT_CPU, (int(limit_s), int(limit_s) + 5))
            resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 1)
            os.dup2(nowhere, 2)
            said = self._first_failure(tests) if put_in(self._functions, changed) else "not put in"  # type: ignore[arg-type]
        except BaseException as error:
            said = f"{type(error).__name__}: {error}"[:200]
        finally:
            os.write(write, said.encode())
            os._exit(0)

    def _first_failure(self, tests: Sequence[str]) -> str:
        items = [self._items[test] for test in tests]
        for item, following in zip(items, [*items[1:], None], strict=True):
            if any(report.failed for report in runtestprotocol(item, nextitem=following, log=False)):
                return item.nodeid
        return ""

    def _in_the_copy(self, mutant: Mutant, tests: Sequence[str], limit_s: float) -> Outcome:
        """Change the file in a copy of the repository, and run the tests there: the change has an effect at import."""
        path = self._copy / mutant.path
        source = path.read_text(encoding="utf-8")
        try:
            _write(path, mutant.code)
            command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *tests]
            done = subprocess.run(
                command,
                cwd=self._copy,
                env={**os.environ, "PYTHONPATH": str(self._copy)},
                capture_output=True,
                text=True,
                check=False,
                timeout=_SLOWED * limit_s,
            )
        except subprocess.TimeoutExpired:
            return Outcome(TIMEOUT)
        finally:
            _write(path, source)
        if done.returncode == pytest.ExitCode.OK:
            return Outcome(SURVIVED)
        failed = [line.split()[1] for line in done.stdout.splitlines() if line.startswith(("FAILED ", "ERROR "))]
        return Outcome(KILLED, failed[0] if failed else (done.stdout + done.stderr).strip()[-200:])


def _write(path: Path, code: str) -> None:
    """Without what was compiled from the file: within the same second, its time does not tell one from the other."""
    for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
        compiled.unlink()
    path.write_text(code, encoding="utf-8")
