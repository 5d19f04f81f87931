"""`python -m studies.sentences SEED`: sentences drawn at random, for the reading test.

A reader who does not look at the code restates each sentence. At least 57 of 60 must be restated rightly at first
reading: 20 sentences of docstrings, 20 of comments and 20 of pages. CONTRIBUTING.md says what the last draws showed.
"""

from __future__ import annotations

import ast
import io
import random
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
EACH = 20
_GENERATED = {"scenario-reference.md", "algorithms.md", "changelog.md"}
_FEWEST_WORDS = 6  # A comment may have one word less.

Sentence = tuple[str, str]  # The place, and the text.


def of_docstrings() -> Iterator[Sentence]:
    """The sentences of all docstrings of the package."""
    for path, text in _sources():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and (docstring := ast.get_docstring(node)):
                for sentence in re.split(r"(?<=[.!?])\s+", _in_one_line(docstring)):
                    if len(sentence.split()) >= _FEWEST_WORDS:
                        yield f"{path} {getattr(node, 'name', 'module')}", sentence


def of_comments() -> Iterator[Sentence]:
    """The sentences of all comments of the package. A comment of several lines is read as a whole."""
    for path, text in _sources():
        for line, comment in _comments(text):
            for sentence in re.split(r"(?<=[.!?])\s+(?=[A-Z`\"*])", comment):
                if len(sentence.split()) >= _FEWEST_WORDS - 1:
                    yield f"{path}:{line}", sentence


def of_pages() -> Iterator[Sentence]:
    """The sentences of the documentation, without tables, headings, code and generated pages."""
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    for path in pages:
        if path.name not in _GENERATED:
            text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
            for paragraph in re.split(r"\n\s*\n", text):
                if not paragraph.lstrip().startswith(("|", "#", "    ", "!", "<")):
                    for sentence in re.split(r"(?<=[.!?])\s+(?=[A-Z`*])", _in_one_line(paragraph)):
                        if len(sentence.split()) >= _FEWEST_WORDS:
                            yield str(path.relative_to(ROOT)), sentence


def _sources() -> Iterator[tuple[str, str]]:
    for path in sorted((ROOT / "simulator").rglob("*.py")):
        yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


def _comments(text: str) -> Iterator[tuple[int, str]]:
    """Each comment with its first line."""
    comments: list[tuple[int, str]] = []
    expected = (0, 0)  # Where a comment would go on with the one before.
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            words = token.string.lstrip("# ")
            if token.start == expected:
                line, earlier = comments.pop()
                comments.append((line, f"{earlier} {words}"))
            else:
                comments.append((token.start[0], words))
            alone = token.line.lstrip().startswith("#")
            expected = (token.start[0] + 1, token.start[1]) if alone else (0, 0)
    yield from comments


def _in_one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def main() -> None:
    """Print the sentences."""
    chance = random.Random(int(sys.argv[1]))
    for kind, source in (("docstring", of_docstrings()), ("comment", of_comments()), ("page", of_pages())):
        for place, sentence in chance.sample(list(source), EACH):
            print(f"[{kind}; {place}] {sentence}")


if __name__ == "__main__":
    main()
