"""`python -m studies.mutants --contexts DATA`: draw mutants, run tests on each, and print the score.

A run that was ended goes on where it was: what is known stands in build/mutants/results.jsonl, a line for each mutant.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from studies.mutants.covering import Covering
from studies.mutants.draw import STRATA, Mutant, drawn
from studies.mutants.trying import KILLED, LOG, NO_TEST, SURVIVED, prepare, run_tests, try_mutant

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
    mutants = list(drawn(ROOT, given.seed, given.each))
    results = _Results(BUILD / "results.jsonl", _fingerprint(mutants))
    try_all(mutants, covering, results, given.more_seconds, time.monotonic() + 60 * given.minutes)
    from studies.mutants.score import score_table  # It imports the program that is to be changed.

    print(score_table([row for mutant in mutants if (row := results.rows.get(mutant.name))], STRATA))


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
    mutants: Sequence[Mutant], covering: Covering, results: _Results, more_seconds: float, deadline: float
) -> None:
    """Run the few tests on each mutant, then further tests on each that survived, until the deadline."""
    copy = copied()
    prepare()
    _check_the_copy(copy, covering, mutants)
    for stage in ("first", "more"):
        for mutant in mutants:
            row = results.rows.get(mutant.name)
            known = row is not None and (stage == "first" or row["stage"] == "more" or row["outcome"] != SURVIVED)
            if known or time.monotonic() > deadline:
                continue
            tests = covering.first(mutant) if stage == "first" else covering.more(mutant, more_seconds)
            outcome = try_mutant(copy, mutant, tests, covering.seconds(tests))
            if stage == "more" and outcome == NO_TEST:  # No others.
                outcome = SURVIVED
            by = _failed(copy) if outcome == KILLED else ""
            results.add(_row(mutant, stage, outcome, len(tests), by))
            print(f"{outcome:9} {stage:5} {mutant.name}   {mutant.before}   ->   {mutant.after}   {by}", flush=True)


def _check_the_copy(copy: Path, covering: Covering, mutants: Sequence[Mutant]) -> None:
    """Without a mutant, tests must pass there: else each mutant would seem to be noticed."""
    tests = list(dict.fromkeys(test for mutant in mutants[:8] for test in covering.first(mutant)))
    if run_tests(copy, tests, 300.0) != SURVIVED:
        raise SystemExit(f"{copy}: tests fail without a mutant; {copy / LOG} says why")


def copied() -> Path:
    """A fresh copy of the files that are under version control."""
    copy = BUILD / "tree"
    shutil.rmtree(copy, ignore_errors=True)
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, copy / name, follow_symlinks=False)
    return copy


def _failed(copy: Path) -> str:
    """The test that failed, or why none ran."""
    log = (copy / LOG).read_text(encoding="utf-8", errors="replace")
    found = re.findall(r"^(?:FAILED|ERROR) (\S+)", log, re.MULTILINE)
    return found[0] if found else log.strip().splitlines()[-1][:200] if log.strip() else ""


def _row(mutant: Mutant, stage: str, outcome: str, tests: int, by: str) -> Row:
    kept = {key: getattr(mutant, key) for key in ("name", "stratum", "path", "line", "before", "after")}
    return {**kept, "stage": stage, "outcome": outcome, "tests": tests, "by": by}


def _fingerprint(mutants: Iterable[Mutant]) -> str:
    codes: Mapping[str, str] = {mutant.name: mutant.code for mutant in mutants}
    return hashlib.sha256(json.dumps(codes, sort_keys=True).encode()).hexdigest()


if __name__ == "__main__":
    main()
