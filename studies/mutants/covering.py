"""Which tests reach a line, the quickest first."""

from __future__ import annotations

import ast
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import accumulate
from pathlib import Path

from coverage import CoverageData

from studies.mutants.draw import Mutant

# The tests that run against each mutant: the quickest, at least so many, and more of them while they take so long
# together; and golden ones.
QUICKEST, MOST, TOGETHER_S, GOLDEN = 12, 100, 4.0, 3
_OF_ONE_FUNCTION = 5  # Of a test with many parameters.


class Covering:
    """The contexts of a coverage run with `studies.mutants.contexts`."""

    def __init__(self, data: Path, seconds: Iterable[Path], root: Path) -> None:
        """`root` is where the run was made, and what its paths begin with."""
        self._data = CoverageData(str(data))
        self._data.read()
        self._root = root
        self._seconds: dict[str, float] = {}
        for path in seconds:
            for line in path.read_text(encoding="utf-8").splitlines():
                row = json.loads(line)
                if row["passed"]:  # A test that fails, or is stopped, without a mutant says nothing about one.
                    self._seconds[row["test"]] = row["seconds"]

    @property
    def files(self) -> list[str]:
        """The files of all tests, in order."""
        return sorted({test.partition("::")[0] for test in self._seconds})

    def seconds(self, tests: Iterable[str]) -> float:
        """How much processor time the tests took, with their lines counted."""
        return sum(self._seconds[test] for test in tests)

    def reaching(self, mutant: Mutant) -> list[str]:
        """The tests that reach the statement, the quickest first.

        What stands outside of functions runs at import, whichever test is first. For it, these are the tests that reach
        a line which names it; or else its class; or else its file.
        """
        by_line = _by_line(self._data, str(self._root / mutant.path))
        source = (self._root / mutant.path).read_text(encoding="utf-8")
        for lines in _lines_to_try(source, mutant.lines):
            tests = {test for line in lines for test in by_line.get(line, ()) if test in self._seconds}
            if tests or _in_a_function(source, mutant.lines[0]):
                return sorted(tests, key=lambda test: (self._seconds[test], test))
        return []

    def first(self, mutant: Mutant) -> list[str]:
        """The tests that run first: the quickest, not many of one function, and some golden ones."""
        tests = self.reaching(mutant)
        of_function: Counter[str] = Counter()
        chosen: list[str] = []
        for test in tests:
            function = test.partition("[")[0]
            of_function[function] += 1
            if of_function[function] <= _OF_ONE_FUNCTION:
                chosen.append(test)
        sums = enumerate(accumulate(self._seconds[test] for test in chosen))
        count = sum(number < QUICKEST or (number < MOST and seconds <= TOGETHER_S) for number, seconds in sums)
        golden = [test for test in tests if test.startswith("tests/golden/")][:GOLDEN]
        return list(dict.fromkeys(chosen[:count] + golden))

    def more(self, mutant: Mutant, most_s: float) -> list[str]:
        """The other tests that reach the statement, as many as take `most_s` together, the quickest first."""
        first = set(self.first(mutant))
        others = [test for test in self.reaching(mutant) if test not in first]
        sums = accumulate(self._seconds[test] for test in others)
        return [test for test, seconds in zip(others, sums, strict=True) if seconds <= most_s]


@cache
def _by_line(data: CoverageData, path: str) -> Mapping[int, Sequence[str]]:
    """The tests that reach each line."""
    return {
        line: [context for context in contexts if "::" in context]
        for line, contexts in data.contexts_by_lineno(path).items()
    }


def _in_a_function(source: str, line: int) -> bool:
    return any(
        function.body[0].lineno <= line <= (function.end_lineno or line)
        for function in ast.walk(ast.parse(source))
        if isinstance(function, ast.FunctionDef)
    )


def _lines_to_try(source: str, lines: tuple[int, int]) -> Iterator[Iterable[int]]:
    """The statement's own lines; outside of a function: where its name is used, its class or function, its file."""
    statement = range(lines[0], lines[1] + 1)
    if _in_a_function(source, lines[0]):
        yield statement
        return
    tree = ast.parse(source)
    inside = set(_lines_of_functions(tree))
    names = _assigned(tree, lines[0])
    yield {
        node.lineno
        for node in ast.walk(tree)
        if (isinstance(node, ast.Name) and node.id in names) or (isinstance(node, ast.Attribute) and node.attr in names)
    } & inside
    for node in reversed(list(ast.walk(tree))):  # Inner ones first.
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            start = min((decorator.lineno for decorator in node.decorator_list), default=node.lineno)
            if start <= lines[0] <= (node.end_lineno or start):
                yield set(range(node.lineno, (node.end_lineno or node.lineno) + 1)) & inside
    yield inside


def _assigned(tree: ast.Module, line: int) -> set[str]:
    """The names that the statement on a line gives a value."""
    return {
        name.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.lineno <= line <= (node.end_lineno or line)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        for name in ast.walk(target)
        if isinstance(name, ast.Name)
    }


def _lines_of_functions(tree: ast.Module) -> Iterator[int]:
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            yield from range(function.body[0].lineno, (function.end_lineno or function.lineno) + 1)
