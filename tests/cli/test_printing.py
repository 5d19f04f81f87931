"""What is printed is safe for a terminal, and says how far a run is.

"Text from files reaches a terminal raw: escapes in a scenario's `published.source`, in summary.json, baselines, CSV
columns, file names. One place prints; it strips control characters" (issue 12, C3); "without a terminal a line of
progress every 30 s; … flags refused by click are one line" (issue 12, C8).
"""

from __future__ import annotations

import ast
import json
import re
import shutil
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from simulator.cli import main
from simulator.cli.printing import print_json, print_note, print_text
from simulator.cli.progress import trials_progress
from simulator.printable import printable
from tests.experiment.test_runner import CRASH
from tests.support.scenarios import ROOT

ATTACK = "\x1b[2J\x1b]0;owned\x07\x9b31m\u202e"  # Erases the screen, names the window, turns red, turns the text round.
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
PUBLISHED = r"""
published: {metric: failover, quantiles: [[0.5, 100ms]], source: "a \e[2J\e]0;owned\a\x9b31m\u202e paper"}
"""


def electsim(*words: object) -> Result:
    outcome = CliRunner().invoke(main, [str(word) for word in words])
    assert outcome.exception is None or isinstance(outcome.exception, SystemExit), outcome.exception
    return outcome


def assert_safe(outcome: Result, code: int = 0) -> None:
    assert outcome.exit_code == code, outcome.output
    assert outcome.output
    assert not OBEYED.search(outcome.output), repr(outcome.output)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of a run of two trials."""
    root = tmp_path_factory.mktemp("printing")
    (root / "crash.yaml").write_text(CRASH)
    assert electsim("run", root / "crash.yaml", "--trials", 2, "--workers", 1, "--results", root).exit_code == 0
    return root / "small-crash-001"


# --- What may hold control characters


def test_the_source_of_published_data(tmp_path: Path) -> None:
    """It is drawn into figures (the SVG has to stay well-formed), and is a part of the summary."""
    (tmp_path / "crash.yaml").write_text(CRASH + PUBLISHED)
    words = ["run", tmp_path / "crash.yaml", "--trials", 6, "--workers", 1, "--results", tmp_path]
    outcome = electsim(*words)
    assert_safe(outcome)
    svgs = list(tmp_path.glob("*/*.svg"))
    assert svgs
    for svg in svgs:
        assert not OBEYED.search(svg.read_text()), svg.name
    as_json = electsim(*words, "--json")
    assert_safe(as_json)
    assert json.loads(as_json.stdout)["published"]["source"] == f"a {ATTACK} paper", "JSON loses nothing"


def test_a_summary(kept: Path, tmp_path: Path) -> None:
    directory = shutil.copytree(kept, tmp_path / "run")
    summary = json.loads((directory / "summary.json").read_text())
    summary["command"] = summary["stopped_by"] = summary["scenario"] = f"x{ATTACK}y"
    (directory / "summary.json").write_text(json.dumps(summary))
    outcome = electsim("show", directory)
    assert_safe(outcome)
    assert "repeat  x" in outcome.output
    assert_safe(electsim("show", directory, "--json"))


def test_the_name_of_a_directory(kept: Path, tmp_path: Path) -> None:
    directory = tmp_path / f"run{ATTACK}"
    assert_safe(electsim("show", directory), code=2)
    shutil.copytree(kept, directory)
    (directory / "trials.parquet").unlink()
    assert_safe(electsim("show", directory), code=2)


@pytest.mark.parametrize("command", ["run", "validate", "compare", "gate", "latency"])
def test_the_name_of_a_scenario_file(command: str, tmp_path: Path) -> None:
    """Half a surrogate is how Python holds a byte of a file name that is no UTF-8: no output can encode it."""
    (tmp_path / f"b{ATTACK}.yaml").write_text("version: 1\n")
    assert_safe(electsim(command, tmp_path / f"b{ATTACK}.yaml"), code=2)
    assert_safe(electsim(command, tmp_path / f"missing{ATTACK}\udc9b.yaml"), code=2)


def test_a_column_of_measured_data(kept: Path, tmp_path: Path) -> None:
    (tmp_path / "measured.csv").write_text(f"x{ATTACK}_ms\n12\n")
    assert_safe(electsim("run", "leader-crash", "--measured", tmp_path / "measured.csv"), code=2)


def test_an_option_that_click_refuses() -> None:
    assert_safe(electsim("run", f"--x{ATTACK}"), code=2)
    assert_safe(electsim(f"x{ATTACK}"), code=2)


def test_a_baseline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    (tmp_path / "crash.yaml").write_text(CRASH)
    words = ["gate", tmp_path / "crash.yaml", "--baseline", tmp_path, "--workers", 1]
    assert electsim(*words, "--accept", "first").exit_code == 0
    file = tmp_path / "small-crash.json"
    baseline = json.loads(file.read_text())
    baseline["reason"], baseline["versions"]["python"] = f"{ATTACK}because", f"3{ATTACK}"
    baseline["digest"] = "0" * 64
    file.write_text(json.dumps(baseline))
    assert_safe(electsim(*words))
    assert_safe(electsim(*words, "--json"))
    baseline["durations"]["metric"] = ATTACK
    file.write_text(json.dumps(baseline))
    assert_safe(electsim(*words), code=2)


# --- One place prints


def test_nothing_else_prints() -> None:
    """ "One place prints": a text that goes past `simulator.cli.printing` would reach the terminal raw."""
    forbidden = {"echo", "secho", "print", "Console", "style", "write_stdout"}
    found = []
    for folder in ("cli", "gate", "report"):
        for path in sorted((ROOT / "simulator" / folder).rglob("*.py")):
            if path.name in ("printing.py", "progress.py"):  # The bar of progress is rich's; its texts are printable.
                continue
            for node in ast.walk(ast.parse(path.read_text())):
                if not isinstance(node, ast.Call):
                    continue
                function = ast.unparse(node.func)
                if function.startswith("click.") and function.partition(".")[2] in forbidden:
                    found.append(f"{path}:{node.lineno}: {function}")
                if function in ("print", "echo", "secho", "Console") or function.startswith(("sys.stdout", "sys.std")):
                    found.append(f"{path}:{node.lineno}: {function}")
    assert [line for line in found if not line.endswith("isatty")] == []


def test_what_is_printable_stays() -> None:
    """Words in any script, tabs and newlines are text; a sequence that was cut short loses its first character."""
    for text in ("plain", "Zürich, 東京, ∞ – “x”\n\ttab", "[95 % interval]", ""):
        assert printable(text) == text
    assert printable("a\x1b[31mred\x1b[0m, \x1b(Bb, \x1bc, c\x1b]8;;http://x\x1b\\d\x1b") == "ared, b, , cd"
    assert printable("a\r\x08\x7f\x00b\udc80") == "ab\ufffd"
    assert printable("\x1b]0;no end") == "0;no end"


def test_the_printing_functions_write_where_they_say(capsys: pytest.CaptureFixture[str]) -> None:
    """Standard output is what was asked for, and can be piped; all else goes to standard error."""
    print_text("out\x1b[1m")
    print_note("err\x9b1m")
    print_json({"a": "\x9b\u202e"}, indent=None)
    found = capsys.readouterr()
    assert found.out == 'out\n{"a": "\\u009b\\u202e"}\n'
    assert found.err == "err\n"


# --- Progress, and options that are refused


def test_without_a_terminal_progress_is_a_line_every_30_s(capsys: pytest.CaptureFixture[str]) -> None:
    """ "Without a terminal a line of progress every 30 s": a CI that sees nothing for ten minutes ends the job."""
    now = 100.0
    with trials_progress("crash", clock=lambda: now) as progress:
        for done, now in enumerate((101, 129, 130, 131, 159, 161, 400), start=1):  # noqa: B007
            progress(1_000 * done, 9_000)
        now = 500.0
        progress(9_000, 9_000)
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "crash: 3,000 of 9,000 trials after 30 s, 69.0 a second, 87 s left",  # 2,000 in the 29 s since the first call.
        "crash: 6,000 of 9,000 trials after 61 s, 83.3 a second, 36 s left",
        "crash: 7,000 of 9,000 trials after 300 s, 20.1 a second, 100 s left",
    ]


def test_progress_says_where_in_a_study_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    """ "Progress per axis, rate, remaining time" (issue 14)."""
    now = 0.0
    with trials_progress("sizes", clock=lambda: now) as progress:
        progress(0, 900, "algorithm 1 of 3, nodes 1 of 3")
        now = 40.0
        progress(400, 900, "algorithm 2 of 3, nodes 2 of 3")
    said = "sizes: 400 of 900 trials (algorithm 2 of 3, nodes 2 of 3) after 40 s, 10.0 a second, 50 s left\n"
    assert capsys.readouterr().err == said


def test_on_a_terminal_progress_is_a_bar(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The same facts as without a terminal, on one line."""
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes it for a terminal then.
    monkeypatch.setenv("COLUMNS", "160")
    with trials_progress("sizes") as progress:
        for done in (10, 20, 30):
            progress(done, 90, "nodes 2 of 3")
            time.sleep(0.15)
    said = strip_ansi(capsys.readouterr().err)
    assert "sizes: nodes 2 of 3" in said
    assert "30/90" in said
    assert "a second" in said


def strip_ansi(text: str) -> str:
    return re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", text)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("run", "x", "--tri"), "electsim: run: No such option '--tri'"),
        (("run",), "electsim: run: name a SCENARIO, or an unfinished result: --resume RESULT\n"),
        (("run", "x", "--trials", "0"), "electsim: run: Invalid value for '--trials': 0 is not in the range"),
        (("--foo",), "electsim: No such option '--foo'; `electsim --help` lists what it takes\n"),
        (("rum",), "electsim: No such command 'rum'"),
    ],
)
def test_what_click_refuses_is_said_in_one_line(words: tuple[str, ...], said: str) -> None:
    """ "Flags refused by click are one line" as is all other bad input; exit code 2."""
    outcome = electsim(*words)
    assert outcome.exit_code == 2
    assert outcome.output == outcome.stderr
    assert outcome.stderr.startswith(said)
    assert outcome.stderr.count("\n") == 1
