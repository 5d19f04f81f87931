"""`python -m studies.mutants --contexts DATA`: draw mutants, run tests on each, and print the score.

A run that was ended goes on where it was: what is known stands in build/mutants/results.jsonl, a line for each mutant.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import subprocess
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from studies.mutants.covering import Covering
from studies.mutants.draw import STRATA, Mutant, drawn
from studies.mutants.trying import NO_TEST, SURVIVED, Outcome, Trials

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build" / "mutants"
SEED = 12

Row = dict[str, Any]


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contexts", type=Path, required=True, help="what coverage measured, each test a context")
    parser.add_argument("--seconds", type=Path, default=BUILD, help="the folder with how long each test took")
    parser.add_argument("--measured-in", type=Path, default=ROOT, help="the tree in which both were measured")
    parser.add_argument("--each", type=int, default=100, help="mutants of each stratum")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--more-seconds", type=float, default=60.0, help="of further tests, for each that survives")
    parser.add_argument("--minutes", type=float, default=150.0, help="after which the run ends; it can be gone on with")
    given = parser.parse_args()
    covering = Covering(given.contexts, given.seconds.glob("seconds-*.jsonl"), given.measured_in.resolve())
    mutants = _Drawn(drawn(ROOT, given.seed, given.each))
    results = _Results(BUILD / "results.jsonl", _fingerprint(given.seed))
    deadline = time.monotonic() + 60 * given.minutes
    copy = copied()

    def try_them(trials: Trials) -> None:
        try_all(mutants, covering, results, trials, given.more_seconds, deadline)

    arguments = ["-s", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *covering.files]
    pytest.main(arguments, [Trials(ROOT, copy, try_them)])
    from studies.mutants.score import score_table  # It imports the program, which pytest must do first.

    print(score_table(list(results.rows.values()), STRATA))


class _Drawn:
    """Mutants that are drawn as they are needed, and kept."""

    def __init__(self, source: Iterator[Mutant]) -> None:
        self._source, self._kept = source, list[Mutant]()

    def __iter__(self) -> Iterator[Mutant]:
        yield from self._kept
        for mutant in self._source:
            self._kept.append(mutant)
            yield mutant


class _Results:
    """What is known of the mutants. The file begins with a line that says of which."""

    def __init__(self, path: Path, fingerprint: str) -> None:
        self._path = path
        self.rows: dict[str, Row] = {}
        head = json.dumps({"mutants": fingerprint})
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        if lines[:1] != [head]:  # Of another seed, or of other code.
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(head + "\n", encoding="utf-8")
        for line in lines[1:] if lines[:1] == [head] else []:
            row = json.loads(line)
            self.rows[row["name"]] = row

    def add(self, row: Row) -> None:
        """Also write it down."""
        self.rows[row["name"]] = row
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")


def try_all(
    mutants: Iterable[Mutant],
    covering: Covering,
    results: _Results,
    trials: Trials,
    more_seconds: float,
    deadline: float,
) -> None:
    """Run the few tests on each mutant, then further tests on each that survived, until the deadline."""
    tests = list(dict.fromkeys(test for mutant in islice(mutants, 8) for test in covering.first(mutant)))
    if not trials.passes(tests, 300.0):
        raise SystemExit("tests fail without a mutant: each would seem to be noticed")
    for stage in ("first", "more"):
        for mutant in mutants:
            row = results.rows.get(mutant.name)
            known = row is not None and (stage == "first" or row["stage"] == "more" or row["outcome"] != SURVIVED)
            if time.monotonic() > deadline:
                return
            if known:
                continue
            tests = covering.first(mutant) if stage == "first" else covering.more(mutant, more_seconds)
            tried = trials.try_mutant(mutant, tests, covering.seconds(tests))
            if stage == "more" and tried.outcome == NO_TEST:  # No others.
                tried.outcome = SURVIVED
            results.add(_row(mutant, stage, tried, len(tests)))
            changed = f"{mutant.name}   {mutant.before}   ->   {mutant.after}"
            print(f"{tried.outcome:9} {stage:5} {len(results.rows)} {changed}   {tried.by}", flush=True)


def copied() -> Path:
    """A fresh copy of the files that are under version control."""
    copy = BUILD / "tree"
    shutil.rmtree(copy, ignore_errors=True)
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, copy / name, follow_symlinks=False)
    return copy


def _row(mutant: Mutant, stage: str, tried: Outcome, tests: int) -> Row:
    kept = {key: getattr(mutant, key) for key in ("name", "stratum", "path", "line", "before", "after")}
    return {**kept, "stage": stage, "outcome": tried.outcome, "tests": tests, "by": tried.by}


def _fingerprint(seed: int) -> str:
    """Of all that decides which mutants are drawn."""
    files = sorted(path for stratum in STRATA for path in (ROOT / "simulator" / stratum).rglob("*.py"))
    return hashlib.sha256(b"\0".join([str(seed).encode(), *(path.read_bytes() for path in files)])).hexdigest()


if __name__ == "__main__":
    main()
