"""`python -m tests.checks.table` prints how soon each deliberate fault is found, as docs/raft.md shows it."""

from __future__ import annotations

from collections.abc import Iterator

from tests.checks.mutants import MUTANTS
from tests.checks.replay import hunt
from tests.support.raft_mutants import BENCH_MUTANTS, SCENE_MUTANTS, tries_until_convicted

SEED = 1
LIMIT = 3000


def rows() -> Iterator[tuple[str, str, str, str]]:
    """Fault, rule, what it violates, and the first trial or schedule, or the scene, that shows it."""
    for name, mutant in MUTANTS.items():
        for guarantee in mutant.breaks:
            tries = hunt(name, guarantee, SEED, LIMIT).trial + 1
            yield name, _rule(mutant.registration.algorithm), guarantee, f"trial {tries}"
    for algorithm in BENCH_MUTANTS:
        tries, violation = tries_until_convicted(algorithm)
        yield algorithm.__name__, _rule(algorithm), violation.partition(":")[0], f"schedule {tries}"
    for algorithm, scene in SCENE_MUTANTS.items():
        yield algorithm.__name__, _rule(algorithm), "another answer", f"scene `{scene}`"


def _rule(algorithm: type) -> str:
    return (algorithm.__doc__ or "").splitlines()[0]


if __name__ == "__main__":
    print("| fault | the rule that it breaks | violation found | in |\n| --- | --- | --- | --- |")
    for row in rows():
        print(f"| {' | '.join(row)} |")
