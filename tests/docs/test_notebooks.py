"""The notebooks: executed with fewer trials, no error hidden, the public interface only (issue 6). `make notebooks`."""

from __future__ import annotations

import ast
import os
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.support.scenarios import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PUBLIC = {"simulator", "simulator.figures", "simulator.results", "simulator.protocol", "simulator.testing"}
PUBLIC |= {"simulator.algorithms.registration"}  # docs/write-an-algorithm.md

by_name = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]


def code_of(path: Path) -> list[Any]:
    return [cell for cell in read(path).cells if cell.cell_type == "code"]


@by_name
def test_a_notebook_shows_its_answer_as_a_figure_first(path: Path) -> None:
    """ "Each opens with its question, shows the answer as a figure within the first screen"."""
    question, first, *_ = read(path).cells
    assert question.cell_type == "markdown"
    assert "?**" in question.source
    assert any("image/png" in output.get("data", {}) for output in first.outputs)


@by_name
def test_a_notebook_was_committed_with_outputs_and_without_errors(path: Path) -> None:
    assert all(cell.execution_count is not None for cell in code_of(path))
    assert not [output for cell in code_of(path) for output in cell.outputs if output.output_type == "error"]


@by_name
def test_a_notebook_uses_the_public_interface_only(path: Path) -> None:
    text = "\n".join(line for cell in code_of(path) for line in cell.source.splitlines() if not line.startswith("%"))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            modules = [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [node.module or ""]
        else:
            continue
        assert [name for name in modules if name.startswith("simulator") and name not in PUBLIC] == []


@pytest.mark.notebooks
@by_name
def test_a_notebook_runs(path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from nbclient import NotebookClient

    monkeypatch.setenv("ELECTSIM_TRIALS", os.environ.get("ELECTSIM_TRIALS", "30"))
    notebook = read(path)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
