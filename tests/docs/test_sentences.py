"""`python -m studies.sentences`: the draw of the reading test (issue 12, B: "60 sentences drawn at random")."""

from __future__ import annotations

from collections import Counter

import pytest

from studies import sentences


def test_it_draws_twenty_of_each_kind_and_the_same_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """ "(20 docstrings, 20 comments, 20 of pages; seed stated)": a seed must give the sentences that were read."""
    monkeypatch.setattr("sys.argv", ["sentences", "7"])
    drawn = []
    for _ in range(2):
        sentences.main()
        drawn.append(capsys.readouterr().out.splitlines())
    assert Counter(line[1:].partition(";")[0] for line in drawn[0]) == {"docstring": 20, "comment": 20, "page": 20}
    assert drawn[0] == drawn[1]
    assert all(len(line.partition("] ")[2].split()) >= 5 for line in drawn[0])


def test_a_comment_of_several_lines_is_one_comment() -> None:
    """A sentence that is cut by the end of a line could not be understood."""
    text = "x = 1  # One word.\n# A sentence that\n# goes on here. Another.\n\n# A new one.\n"
    assert [comment for _, comment in sentences._comments(text)] == [
        "One word.", "A sentence that goes on here. Another.", "A new one.",
    ]  # fmt: skip
