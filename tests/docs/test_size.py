"""How long a file and a function of the package may be (issue 12, A).

"In `simulator/`, no file over 300 lines (Raft's node may take what reading it in one go needs, up to 600), no function
over 60." A function counts from its `def` to its last line, with its docstring and without its decorators.
"""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "simulator").rglob("*.py"))
LONGEST_FILE, LONGEST_FUNCTION = 300, 60
LONGEST_OF = {"simulator/algorithms/raft/node.py": 600}


def test_no_file_is_too_long() -> None:
    """A file that outgrows the bound has a second responsibility, which belongs into a file of its own."""
    lines = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    assert len(lines) > 150  # A pattern that finds nothing tests nothing.
    assert {path: count for path, count in lines.items() if count > LONGEST_OF.get(path, LONGEST_FILE)} == {}


def test_no_function_is_too_long() -> None:
    """A function that outgrows the bound does two things: the second belongs into a function with a name of its own."""
    lengths = {
        f"{path.relative_to(ROOT)}:{function.lineno} {function.name}": function.end_lineno - function.lineno + 1
        for path in FILES
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) and function.end_lineno is not None
    }
    assert len(lengths) > 1_000
    assert {name: length for name, length in lengths.items() if length > LONGEST_FUNCTION} == {}
