"""`electsim gate` as a CI calls it (issue 6): exits, reports, acceptance, and what is said of bad input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from simulator.algorithms.raft import Raft, election_timer
from simulator.cli import main
from simulator.cluster.spec import ClusterSpec
from simulator.experiment import chunks
from simulator.experiment.signals import Terminated
from simulator.experiment.trial import TrialResult, simulate
from simulator.gate.baseline import read
from simulator.gate.reports import junit_of_errors
from simulator.protocol import MILLISECOND, uniform
from tests.experiment.test_runner import CRASH

SLOWER = CRASH.replace("{name: raft}", "{name: raft, election_timeout: [250ms, 500ms]}")


class Desk:
    """A repository with one guarded scenario of 45 trials."""

    def __init__(self, root: Path) -> None:
        self.file, self.baselines = root / "crash.yaml", root / "baselines"
        self.baseline = self.baselines / "small-crash.json"
        self.file.write_text(CRASH)

    def gate(self, *options: object, files: tuple[Path, ...] = ()) -> Result:
        words = ["gate", *(files or (self.file,)), "--baseline", self.baselines, "--workers", 1, *options]
        return CliRunner().invoke(main, [str(word) for word in words])

    def rewrite(self, **changed: Any) -> None:
        """As if somebody had accepted something else."""
        plain = json.loads(self.baseline.read_text())
        self.baseline.write_text(json.dumps({**plain, **changed}))


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    found = Desk(tmp_path)
    assert found.gate("--accept", "the first").exit_code == 0
    return found


@pytest.fixture
def slower(desk: Desk, tmp_path: Path) -> Desk:
    """What was accepted is what shorter timeouts gave, with the same random numbers: the code is slower now."""
    (tmp_path / "faster").mkdir()
    faster = Desk(tmp_path / "faster")
    faster.file.write_text(CRASH.replace("{name: raft}", "{name: raft, election_timeout: [80ms, 160ms]}"))
    assert faster.gate("--accept", "faster").exit_code == 0
    plain = json.loads(faster.baseline.read_text())
    desk.rewrite(**{name: plain[name] for name in ("digest", "durations", "trials")})
    return desk


def test_what_is_as_accepted_passes(desk: Desk) -> None:
    outcome = desk.gate()
    assert outcome.exit_code == 0
    assert "small-crash  identical\nall 45 trials went as before, event by event\n" in outcome.stdout
    assert "accepted because: the first" in outcome.stdout


def test_a_regression_exits_with_1_and_says_what_can_be_done(slower: Desk) -> None:
    outcome = slower.gate()
    assert outcome.exit_code == 1
    assert "regressed" in outcome.stdout
    assert "regression: failover, median" in outcome.stdout
    remedy = f'electsim gate {slower.file} --baseline {slower.baselines} --accept "why"'
    assert outcome.stderr == f"Regressed: if it is meant: {remedy}\n"
    # Which is what it does.
    assert slower.gate("--accept", "why").exit_code == 0
    assert slower.gate().exit_code == 0
    assert read(slower.baseline).reason == "why"


def test_code_that_got_slower_is_caught(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the scenario but the algorithm changes: it draws every timeout longer by 100 ms."""
    later_ns = 100 * MILLISECOND
    monkeypatch.setattr(
        election_timer, "uniform", lambda fault_rng, span: uniform(fault_rng, (span[0] + later_ns, span[1] + later_ns))
    )
    outcome = desk.gate()
    assert outcome.exit_code == 1
    assert "45 of 45 trials went otherwise than before; regression: failover, median; " in outcome.stdout


def test_an_algorithm_that_fails_is_no_regression(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(server: object) -> None:
        raise ZeroDivisionError("no votes")

    monkeypatch.setattr(Raft, "_campaign", stumble)
    outcome = desk.gate()
    assert outcome.exit_code == 3
    assert "broken\ntrial 0: ZeroDivisionError: no votes" in outcome.stdout
    accepting = desk.gate("--accept", "never mind")
    assert accepting.exit_code == 3
    assert f"electsim: {desk.file}: not accepted: trial 0: ZeroDivisionError" in accepting.stderr
    assert read(desk.baseline).reason == "the first"


def test_an_improvement_passes_and_is_reported(desk: Desk) -> None:
    plain = json.loads(desk.baseline.read_text())
    durations = {**plain["durations"], "seconds": [2 * value for value in plain["durations"]["seconds"]]}
    desk.rewrite(digest="0" * 64, durations=durations)
    outcome = desk.gate()
    assert outcome.exit_code == 0
    assert "improvement: failover, median" in outcome.stdout
    assert outcome.stderr.startswith("Improved: to guard the gain: electsim gate ")


def test_the_reports_agree(slower: Desk, tmp_path: Path) -> None:
    outcome = slower.gate("--json", "--junit", tmp_path / "gate.xml", "--markdown", tmp_path / "gate.md")
    assert outcome.exit_code == 1
    document = json.loads(outcome.stdout)
    (scenario,) = document["scenarios"]
    assert (document["passed"], scenario["outcome"], scenario["trials"]) == (
        False,
        "regressed",
        {"run": 45, "changed": scenario["trials"]["changed"]},
    )
    worse = [figure["name"] for figure in scenario["figures"] if figure["finding"] == "regression"]
    assert "failover, median" in worse
    root = ElementTree.parse(tmp_path / "gate.xml").getroot()
    (suite,) = root
    failed = [case.get("name") for case in suite if case.find("failure") is not None]
    assert failed == worse
    assert (suite.get("tests"), suite.get("failures")) == (str(1 + len(scenario["figures"])), str(len(worse)))
    page = (tmp_path / "gate.md").read_text()
    assert page.startswith("## Election timing: failed\n")
    assert [
        row.split(" | ")[0].removeprefix("| ").split(", ms")[0].split(", %")[0]
        for row in page.splitlines()
        if "**regression**" in row
    ] == worse


def test_the_step_summary_of_github_is_added_to(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "summary.md"
    page.write_text("An earlier step.\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    assert desk.gate().exit_code == 0
    lines = page.read_text().splitlines()
    assert lines[:2] == ["An earlier step.", "## Election timing: passed"]
    assert "| small-crash | identical | all 45 trials went as before, event by event |" in lines


@pytest.mark.parametrize(
    ("error", "name", "code"), [(KeyboardInterrupt, "interrupted", 130), (Terminated, "terminated", 143)]
)
def test_an_interrupt_leaves_everything_as_it_is(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, error: type[KeyboardInterrupt], name: str, code: int
) -> None:
    """A signal ends a run with the trials that were finished: they are no candidate, and above all no baseline."""

    def interrupted(spec: ClusterSpec, seed: int, trial: int) -> TrialResult:
        if trial == 9:
            raise error
        return simulate(spec, seed, trial)

    monkeypatch.setattr(chunks, "simulate", interrupted)
    before = desk.baseline.read_bytes()
    for options in ((), ("--accept", "half of it", "--tolerance", 0.2)):
        outcome = desk.gate(*options)
        assert (outcome.exit_code, outcome.stderr) == (code, f"electsim: {name}\n")
    assert desk.baseline.read_bytes() == before


# --- Acceptance


def test_what_still_holds_is_left_as_it_is(desk: Desk) -> None:
    """So that accepting all keeps the reasons of those that nothing happened to."""
    outcome = desk.gate("--accept", "another change")
    assert outcome.stdout.endswith(f"{desk.baseline}: holds, and is left as it is\n")
    assert read(desk.baseline).reason == "the first"


def test_tolerance_and_alpha_are_kept_in_the_baseline(desk: Desk) -> None:
    assert (read(desk.baseline).tolerance, read(desk.baseline).alpha) == (0.05, 0.001)
    assert desk.gate("--accept", "wider", "--tolerance", 0.2).exit_code == 0
    desk.file.write_text(SLOWER)
    assert desk.gate("--accept", "slower").exit_code == 0
    found = read(desk.baseline)
    assert (found.reason, found.tolerance, found.alpha) == ("slower", 0.2, 0.001)


# --- Bad input


def test_a_missing_baseline(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    outcome = desk.gate()
    assert (outcome.exit_code, outcome.stdout) == (2, "")
    said = f'{desk.baseline}: there is no baseline; accept what is there now with --accept "why"\n'
    assert outcome.stderr == said


def test_a_changed_scenario(desk: Desk) -> None:
    desk.file.write_text(SLOWER)
    outcome = desk.gate()
    assert outcome.exit_code == 2
    assert outcome.stderr == (
        f"{desk.file}: is not the scenario of which {desk.baseline} was accepted: algorithm.election_timeout is new, "
        'and is [250ms, 500ms]; put it back, or accept the new one with --accept "why"\n'
    )


def test_all_errors_are_printed_before_anything_is_run(desk: Desk) -> None:
    other = desk.file.with_name("other.yaml")
    other.write_text(CRASH.replace("small-crash", "other"))
    desk.file.write_text(SLOWER)
    outcome = desk.gate(files=(desk.file, other))
    assert (outcome.exit_code, len(outcome.stderr.splitlines())) == (2, 2)


def test_two_scenarios_of_one_name(desk: Desk) -> None:
    other = desk.file.with_name("other.yaml")
    other.write_text(CRASH)
    outcome = desk.gate(files=(desk.file, other))
    assert outcome.exit_code == 2
    assert outcome.stderr == f"{other}: has the name of {desk.file}, small-crash; give each a name of its own\n"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--accept", " "), "electsim: --accept: say why, in a few words\n"),
        (("--accept", "x", "--json"), "--accept reports on the screen only"),
        (("--tolerance", 0.1), "--tolerance and --alpha are kept in the baseline: give them with --accept"),
        (("--accept", "x", "--tolerance", 1), "1.0 is not in the range 0<=x<1"),
        (("--junit", "nowhere/gate.xml"), "electsim: nowhere/gate.xml: cannot be written: No such file or directory\n"),
    ],
)
def test_options_that_make_no_sense(desk: Desk, options: tuple[object, ...], said: str) -> None:
    outcome = desk.gate(*options)
    assert outcome.exit_code == 2
    assert said in outcome.stderr


def test_a_scenario_that_is_none(desk: Desk) -> None:
    desk.file.write_text("version: 2")
    outcome = desk.gate()
    assert outcome.exit_code == 2
    assert f"{desk.file}:1: version: " in outcome.stderr


def test_a_baseline_that_cannot_be_written(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.baselines.write_text("a file")
    outcome = desk.gate("--accept", "x")
    assert outcome.exit_code == 2
    assert "a file" in desk.baselines.read_text()


def test_a_baseline_cannot_damage_the_reports(desk: Desk, tmp_path: Path) -> None:
    """ "JUnit stays well-formed whatever a baseline holds; Markdown from a baseline is text" (issue 12, C3)."""
    attack = "\x00\x1b[31m\ufffe|a](http://x)![b]\n# `c`<img src=x onerror=y>&amp;**d**"
    plain = json.loads(desk.baseline.read_text())
    desk.rewrite(reason=attack, digest="0" * 64, versions={**plain["versions"], attack: attack})
    outcome = desk.gate("--junit", tmp_path / "gate.xml", "--markdown", tmp_path / "gate.md")
    assert outcome.exit_code == 0, outcome.output
    ElementTree.parse(tmp_path / "gate.xml")
    (note,) = [line for line in (tmp_path / "gate.md").read_text().splitlines() if line.startswith("accepted because")]
    text = r"\|a\](http://x)!\[b\] # \`c\`&lt;img src=x onerror=y&gt;&amp;amp;\*\*d\*\*"
    assert note.startswith(f"accepted because: \ufffe{text}; tolerance 5 %")


@pytest.mark.parametrize("damage", ["scenario", "baseline", "none"])
def test_junit_is_written_for_bad_input_too(desk: Desk, tmp_path: Path, damage: str) -> None:
    """ "`gate` … writes JUnit also for bad input" (issue 12, C8): a CI that finds no file shows no reason."""
    if damage == "scenario":
        desk.file.write_text("version: \x0b\n")
    elif damage == "baseline":
        desk.baseline.write_text("[]")
    else:
        desk.baseline.unlink()
    outcome = desk.gate("--junit", tmp_path / "gate.xml")
    assert outcome.exit_code == 2
    (suite,) = ElementTree.parse(tmp_path / "gate.xml").getroot()
    assert (suite.get("tests"), suite.get("errors")) == ("1", "1")
    (error,) = suite.iter("error")
    assert error.text == outcome.stderr.rstrip("\n")


def test_junit_holds_no_character_that_xml_forbids() -> None:
    """XML 1.0, section 2.2: a document with U+001B or U+FFFE in it is not well-formed, and a CI shows none of it."""
    root = ElementTree.fromstring(junit_of_errors([("a\x1b", 'b\x00\ufffe\ud800<&>"\n')]))
    (error,) = root.iter("error")
    assert error.text == 'b\ufffd\ufffd\ufffd<&>"\n'
