"""Lists what the operators of cosmic-ray can change in a file, and draws from it."""

from __future__ import annotations

import ast
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import parso
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.operator import Operator
from cosmic_ray.plugins import get_operator, operator_names

STRATA = ("algorithms", "checks", "metrics", "cluster")  # Folders of simulator/.
_CHANGED = (parso.python.tree.Operator, parso.python.tree.Number, parso.python.tree.Keyword)

Position = tuple[int, int]  # A line, from 1, and a column in characters, from 0.
Span = tuple[Position, Position]


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one file."""

    stratum: str
    path: str  # From the root of the repository.
    line: int
    lines: tuple[int, int]  # The statement that is changed, or the header of the block: its first and last line.
    operator: str
    occurrence: int
    before: str  # The text of the line.
    after: str
    code: str  # The changed file.

    @property
    def name(self) -> str:
        """What identifies it: the same for the same seed and the same code."""
        return f"{self.path}:{self.line} {self.operator} {self.occurrence}"


def drawn(root: Path, seed: int, each: int) -> Iterator[Mutant]:
    """Draw `each` mutants of every stratum, the strata taking turns.

    A place is drawn from all places of the stratum that some operator can change, each with the same probability and
    none twice. Then one of the possible changes of that place is drawn. (Drawn from all changes at once, one `+` would
    count eleven times.) Annotations, code for type checkers only, and changes that do not compile or that leave the
    same program are no mutants; another place is drawn for them.
    """
    decks = {stratum: _Deck(root, stratum, seed) for stratum in STRATA}
    for _ in range(each):
        for stratum in STRATA:
            yield decks[stratum].draw()


class _Deck:
    """The places of a stratum in random order."""

    def __init__(self, root: Path, stratum: str, seed: int) -> None:
        self._root, self._stratum = root, stratum
        self._random = random.Random(f"{seed} {stratum}")
        files = sorted((root / "simulator" / stratum).rglob("*.py"))
        self._changes = {str(path.relative_to(root)): changes(path.read_text(encoding="utf-8")) for path in files}
        self._places = [(path, span) for path, found in self._changes.items() for span in sorted(found)]
        self._random.shuffle(self._places)

    def draw(self) -> Mutant:
        while True:
            path, span = self._places.pop()
            operator, occurrence = self._random.choice(self._changes[path][span])
            source = (self._root / path).read_text(encoding="utf-8")
            code = mutate_code(source, get_operator(operator)(), occurrence)
            if code is not None and _is_another_program(source, code):
                return self._mutant(path, span, operator, occurrence, source, code)

    def _mutant(self, path: str, span: Span, operator: str, occurrence: int, source: str, code: str) -> Mutant:
        old, new = source.splitlines(), code.splitlines()
        line = span[0][0]
        removed = len(old) != len(new)  # A decorator.
        return Mutant(
            stratum=self._stratum,
            path=path,
            line=line,
            lines=statement_lines(source, line),
            operator=operator.removeprefix("core/"),
            occurrence=occurrence,
            before=old[line - 1].strip(),
            after="" if removed else new[line - 1].strip(),
            code=code,
        )


def changes(source: str) -> Mapping[Span, Sequence[tuple[str, int]]]:
    """The operators that can change each place of a file, with the number of the place among those of the operator."""
    excluded = list(_excluded(source))
    found: dict[Span, list[tuple[str, int]]] = {}
    nodes = [node for node in ast_nodes(get_ast(source)) if hasattr(node, "children") or isinstance(node, _CHANGED)]
    for name, operator in _operators():
        spans = (span for node in nodes for span in operator.mutation_positions(node))
        for occurrence, span in enumerate(spans):
            if not any(start <= span[0] and span[1] <= end for start, end in excluded):
                found.setdefault(span, []).append((name, occurrence))
    return found


def _operators() -> Iterator[tuple[str, Operator]]:
    """Those that need no arguments."""
    for name in sorted(operator_names()):
        kind = get_operator(name)
        if not kind.arguments():
            yield name, kind()


def _excluded(source: str) -> Iterator[Span]:
    """Annotations, and blocks for type checkers."""
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            yield _span(node, lines)
        for field in ("annotation", "returns"):
            if (annotation := getattr(node, field, None)) is not None:
                yield _span(annotation, lines)


def _span(node: ast.expr | ast.stmt, lines: Sequence[str]) -> Span:
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    start = (node.lineno, _characters(lines[node.lineno - 1], node.col_offset))
    return start, (node.end_lineno, _characters(lines[node.end_lineno - 1], node.end_col_offset))


def _characters(line: str, offset: int) -> int:
    """The column of an offset in UTF-8 bytes."""
    return len(line.encode()[:offset].decode())


def _is_another_program(source: str, code: str) -> bool:
    try:
        return ast.dump(ast.parse(code)) != ast.dump(ast.parse(source)) and bool(compile(code, "mutant", "exec"))
    except (SyntaxError, ValueError):
        return False


def statement_lines(source: str, line: int) -> tuple[int, int]:
    """The first and last line of the innermost statement on a line; of a compound one, those of its header."""
    first, last = line, line
    for node in ast.walk(ast.parse(source)):  # Outer nodes come before inner ones.
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or line):
            body = getattr(node, "body", None)
            end = (node.end_lineno or line) if not body else max(node.lineno, body[0].lineno - 1)
            if node.lineno <= line <= end:
                first, last = node.lineno, end
    return first, last
