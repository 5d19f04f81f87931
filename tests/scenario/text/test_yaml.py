"""Files that are not scenarios, or that would exhaust memory: refused in one line (issue 2, part 5)."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from simulator.scenario import ScenarioError, load, loads
from simulator.scenario.text.tree import LARGEST_BYTES, MOST_VALUES, parse
from tests.support.scenarios import SMALL


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "x.yaml: empty; a scenario is a mapping that begins with version: 1"),
        ("# only a comment\n", "x.yaml: empty"),
        ("- 1\n", "x.yaml:1: [1] is not a scenario"),
        ("plain\n", "x.yaml:1: plain is not a scenario"),
        (SMALL + "seed: 7\nseed: 8\n", "x.yaml:7: seed: given twice; the first is on line 6"),
        (SMALL + "limits: {events: 1, events: 2}\n", "x.yaml:6: limits.events: given twice; the first is on line 6"),
        (SMALL + "about: &a text\n", "x.yaml:6: anchors and aliases (& and *) are not used in scenarios"),
        (SMALL + "about: *a\n", "x.yaml:6: anchors and aliases (& and *) are not used in scenarios"),
        (SMALL + "about: !!python/object/apply:os.system [ls]\n", "x.yaml:6: tags (!) are not used in scenarios"),
        (SMALL + "about: !!binary aGVsbG8=\n", "x.yaml:6: tags (!) are not used in scenarios"),
        (SMALL + "<<: {seed: 7}\n", "x.yaml:6: <<: unknown key"),
        (SMALL + "? [a, b]\n: 1\n", "x.yaml:6: a key must be a word"),
        (SMALL + "about: [\n", "x.yaml:7: not YAML: while parsing a flow node, expected the node content"),
        (SMALL + "about: a: b\n", "x.yaml:6: not YAML: mapping values are not allowed here"),
        (SMALL + "\tabout: x\n", "x.yaml:6: not YAML: "),
        (SMALL + "---\n" + SMALL, "x.yaml:6: not YAML: expected a single document in the stream"),
        (SMALL + "about: \0\n", r"x.yaml:6: a character that YAML does not allow: \x00"),
        (SMALL + "about: \ud800\n", r"x.yaml:6: a character that YAML does not allow: \ud800"),
        (SMALL + 'about: "\\ud800"\n', r"x.yaml:6: about: \ud800 holds half a character"),
        (SMALL + 'about: "\\Uffffffff"\n', "x.yaml: not YAML: "),
        (SMALL + "about: " + "[" * 21 + "]" * 21, "x.yaml:6: nested deeper than 20, which no scenario needs"),
        (SMALL + "about: " + "[" * 400_000, "x.yaml:6: nested deeper than 20, which no scenario needs"),
        (SMALL + "seed: " + "9" * 5000, "x.yaml:6: seed: 99999"),  # Python itself refuses to read such an integer.
    ],
)
def test_a_text_that_is_no_scenario(text: str, says: str) -> None:
    """Issue 2, part 5: each is refused in one line that names file and line."""
    with pytest.raises(ScenarioError) as caught:
        loads(text, "x.yaml")
    assert str(caught.value).startswith(says)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("written", "read"),
    [  # YAML 1.1 takes these for a truth value, 90, 8, a date, 1000 as text, 10 and null. Scenarios follow YAML 1.2.
        ("on", "on"),
        ("yes", "yes"),
        ("n", "n"),
        ("1:30", "1:30"),
        ("010", "010"),
        ("0x1F", "0x1F"),
        ("2024-01-01", "2024-01-01"),
        ("1e3", 1000.0),
        ("1_0", "1_0"),
        ("-0", 0),
        (".5", 0.5),
        ("true", True),
        ("null", None),
        ("", None),
        ("=", "="),
        ("'1'", "1"),
    ],
)
def test_scalars_are_read_as_yaml_1_2_reads_them(written: str, read: object) -> None:
    """YAML 1.2, section 10.2 (JSON schema): `on`, `1:30` and `2024-01-01` are text."""
    found = parse(f"key: {written}", "x.yaml").tree["key"]
    assert (found, type(found)) == (read, type(read))


@pytest.mark.parametrize("key", ["on", "1", "null", "1.5", "2024-01-01"])
def test_keys_are_words_whatever_they_look_like(key: str) -> None:
    """YAML 1.1 reads `on:` as the key True, which Python's json and pydantic would each take in their own way."""
    assert list(parse(f"{key}: 1", "x.yaml").tree) == [key]


def test_nested_aliases_are_refused_not_expanded() -> None:
    """ "A file … of nested aliases is refused, not expanded" (issue 2): ten levels of ten would be 10**10 values."""
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10))
    with pytest.raises(ScenarioError, match=r"x\.yaml:1: anchors and aliases"):
        loads(bomb, "x.yaml")


def test_a_file_of_10_mb_is_refused(tmp_path: Path) -> None:
    """Issue 2, part 5: "a file of 10 MB" is refused at once, before its YAML is read."""
    path = tmp_path / "large.yaml"
    path.write_text(SMALL + "#" * 10_000_000)
    started = time.perf_counter()
    with pytest.raises(ScenarioError, match=f"larger than {LARGEST_BYTES} bytes"):
        load(path)
    with pytest.raises(ScenarioError, match=f"larger than {LARGEST_BYTES} bytes"):
        loads(path.read_text(), "large.yaml")
    assert time.perf_counter() - started < 5  # Far above what it takes, far below what parsing it would.


def test_a_small_file_of_very_many_values_is_refused() -> None:
    """A list of one-character entries has half a million values within the largest size."""
    with pytest.raises(ScenarioError, match=f"more than {MOST_VALUES} values"):
        loads("a: [" + "1," * (MOST_VALUES + 1) + "]", "x.yaml")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"name: x\nabout: \xff\n", "{path}:2: not UTF-8; save the file in that encoding"),
        ("name: x".encode("utf-16"), "{path}:1: not UTF-8"),
        (b"\x00\x01\x02", "{path}:1: a character that YAML does not allow"),
    ],
)
def test_a_file_that_is_no_text(tmp_path: Path, content: bytes, says: str) -> None:
    """Issue 2, part 5: a file that is not UTF-8 is refused with the line of the first bad byte."""
    path = tmp_path / "x.yaml"
    path.write_bytes(content)
    with pytest.raises(ScenarioError) as caught:
        load(path)
    assert str(caught.value).startswith(says.format(path=path))


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    """Some editors on Windows write a byte order mark."""
    path = tmp_path / "x.yaml"
    path.write_text(SMALL, encoding="utf-8-sig")
    assert load(path) == loads(SMALL)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """A wrong path is the most common mistake: the error names it."""
    for path, says in (
        (tmp_path / "none.yaml", "none.yaml: cannot be read: No such file or directory"),
        (tmp_path, "cannot be read: Is a directory"),
        (Path("a\0b"), r"a\x00b: cannot be read: "),
    ):
        with pytest.raises(ScenarioError) as caught:
            load(path)
        assert says in str(caught.value)
