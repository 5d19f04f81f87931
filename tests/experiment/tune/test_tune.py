"""`electsim tune` and `simulator.tune` as their users meet them (issue 14, "The tuner")."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import simulator
import simulator.results
from simulator.cli import main
from simulator.experiment.trial import simulate

TIMEOUT = "algorithm.election_timeout"
NETWORK = """
version: 1
name: bounded
algorithm: {name: raft, heartbeat_interval: 50ms}
cluster: {nodes: 3}
network: {latency: {uniform: [5ms, 15ms]}}
faults:
  - {at: {uniform: [1s, 1050ms]}, crash: leader}
duration: 4s
stop_when: leader-claimed
seed: 3
"""
TIMEOUTS = ["[52ms, 104ms]", "[56ms, 112ms]", "[60ms, 120ms]", "[80ms, 160ms]", "[120ms, 240ms]"]
BOUND = "false_elections < 1/minute"
OPTIONS: tuple[object, ...] = (
    "--minimise",
    "detection.median",
    "--vary",
    f"{TIMEOUT}={','.join(TIMEOUTS)}",
    "--subject-to",
    BOUND,
)
OPTIONS += ("--trials", 20, "--workers", 1)


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    path = tmp_path / "bounded.yaml"
    path.write_text(NETWORK)
    return path


@pytest.mark.verify
def test_the_least_safe_timeout_of_a_bounded_network(scenario: Path, tmp_path: Path) -> None:
    """Closed form: heartbeats leave every H and take from a to b, so a follower waits H + (b - a) for the next at most.

    A timeout from there on is never reached, and one below it is: here 50 + (15 - 5) = 60 ms. Detection takes longer
    with every longer timeout. Latencies times k make it 50 + 10 k ms, so that 80 ms would have a margin of 3.
    """
    outcome = invoke("tune", scenario, *OPTIONS, "--json", "--results", tmp_path / "out")
    assert outcome.exit_code == 0, outcome.output
    found = json.loads(outcome.stdout)
    kept = tmp_path / "out" / "tune-bounded-001"
    assert found == json.loads((kept / "tune.json").read_text())
    rows = {row["settings"][TIMEOUT]: row for row in found["candidates"]}
    assert [rows[text]["verdict"] for text in TIMEOUTS] == ["violates", "violates", "keeps", "open", "open"]
    best = found["recommendation"]
    assert best["settings"] == {TIMEOUT: TIMEOUTS[2]}
    margin = best["margin"]["latency_factor"]
    assert 1 <= margin["kept_at"] < margin["fails_at"] < 1.5  # A few false elections an hour are allowed.
    assert rows[TIMEOUTS[2]]["false_elections"]["count"] == 0
    assert {file.name for file in kept.iterdir()} >= {"tune.png", "tune.svg", "tune.json"}
    assert not (kept / "run.json").exists()
    checks = [json.loads(invoke(*shlex.split(best["check"][name])[1:], "--json", "--results", tmp_path / name,
                                "--workers", 1).stdout) for name in ("faults", "fault_free")]  # fmt: skip
    assert checks[0]["metrics"]["detection"]["median"] == rows[TIMEOUTS[2]]["metrics"]["detection.median"]
    assert (checks[0]["elections"]["loss"], checks[1]["elections"]["spurious"]) == (20, 0)
    shown = invoke("show", kept)
    assert shown.exit_code == 0 and "Recommended:" in shown.stdout and "fewer than" in shown.stdout


def test_a_network_without_jitter(scenario: Path, tmp_path: Path) -> None:
    """With a constant latency a follower hears a heartbeat every H exactly: any timeout above H is never reached."""
    timeouts = ["[40ms, 80ms]", "[51ms, 102ms]", "[75ms, 150ms]"]
    options: tuple[str, ...] = (
        "--set",
        "network.latency=5ms",
        "--minimise",
        "detection.median",
        "--subject-to",
        BOUND,
        "--no-margin",
    )
    options += ("--subject-to", "failover.median < 1s", "--trials", "20", "--fault-free", "190s", "--json")
    outcome = invoke("tune", scenario, "--vary", f"{TIMEOUT}={','.join(timeouts)}", *options, "--workers", 1,
                     "--results", tmp_path / "out")  # fmt: skip
    assert outcome.exit_code == 0, outcome.output
    found = json.loads(outcome.stdout)
    assert [row["verdict"] for row in found["candidates"]] == ["violates", "keeps", "open"]
    assert found["recommendation"]["settings"] == {TIMEOUT: timeouts[1]}
    shown = invoke("show", tmp_path / "out" / "tune-bounded-001")
    assert shown.exit_code == 0 and "Recommended:" in shown.stdout and "fewer than" in shown.stdout
    assert (tmp_path / "out" / "tune-bounded-001" / "tune.png").is_file()


@pytest.mark.verify
def test_an_interrupted_tuner_goes_on(scenario: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ "Resume after kill (as sweeps do), Ctrl-C/SIGTERM keep what is finished": and it ends as if uninterrupted."""
    options = (*OPTIONS, "--no-margin", "--fault-free", "190s")
    whole = json.loads(invoke("tune", scenario, *options, "--results", tmp_path / "a", "--json").stdout)
    run: list[tuple[object, int, int]] = []
    stop_after = 105

    def watched(spec: object, seed: int, trial: int) -> object:
        if len(run) == stop_after:
            raise KeyboardInterrupt
        run.append((spec, seed, trial))
        return simulate(spec, seed, trial)  # type: ignore[arg-type]

    monkeypatch.setattr("simulator.experiment.chunks.simulate", watched)
    outcome = invoke("tune", scenario, *options, "--results", tmp_path / "b")
    kept = tmp_path / "b" / "tune-bounded-001"
    assert outcome.exit_code == 130
    assert f"go on with `electsim tune --resume {kept}`" in outcome.stderr
    state = json.loads((kept / "tune.json").read_text())
    assert (state["state"], state["stopped_by"]) == ("unfinished", "interrupted")
    assert invoke("show", kept).exit_code == 0
    assert f"electsim tune --resume {kept}" in invoke("run", "--resume", kept).stderr
    before, stop_after = len(run), sys.maxsize
    again = invoke("tune", "--resume", kept, "--json", "--workers", 1)
    found = json.loads(again.stdout)
    assert len(set(map(repr, run))) == len(run) > before  # No finished trial was run again.
    assert {name: found[name] for name in ("candidates", "digest", "recommendation")} == {
        name: whole[name] for name in ("candidates", "digest", "recommendation")
    }
    assert invoke("tune", "--resume", kept).exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "axes: is empty; write a field and its values"),
        (("--minimise", "failover"), "minimise failover: not known; did you mean failover."),
        (("--subject-to", "false_elections < often"), "write a number above 0 and a period: 1/month"),
        (("--subject-to", "false_elections"), "write a metric and its bound"),
        (("--subject-to", "failover.median < 5"), "5 is no bound; write a duration: 2s"),
        (("--subject-to", "failovr.median < 5s"), "did you mean failover.median"),
        (("--vary", "algorithm.elction_timeout=[1s, 2s],[2s, 4s]"), "did you mean election_timeout"),
        (("--fault-free", "10"), "10 is not a duration"),
        (("--resume", "nowhere"), "leave STUDY out"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    scenario: Path, arguments: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    vary = () if not arguments or "--vary" in arguments else ("--vary", f"{TIMEOUT}=[1s, 2s],[2s, 4s]")
    outcome = invoke("tune", scenario, *arguments, *vary, "--workers", 1)
    assert (outcome.exit_code, outcome.stdout) == (2, "")
    assert len(outcome.stderr.splitlines()) == 1
    assert said in outcome.stderr


def test_without_optuna_a_large_search_names_the_remedy(scenario: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ "`import simulator` imports none of them"; "without optuna a large search gives a one-line error"."""
    monkeypatch.setitem(sys.modules, "optuna", None)
    outcome = invoke("tune", scenario, "--vary", f"{TIMEOUT}=[1s, 2s],[2s, 4s]", "--points", 4)
    assert outcome.exit_code == 2
    assert 'pip install "electsim[study]"' in outcome.stderr
    assert len(outcome.stderr.splitlines()) == 1


@pytest.mark.verify
def test_optuna_searches_a_range_of_intervals(scenario: Path) -> None:
    """The same closed form over a range of intervals: with timeouts from 60 ms on, those up to 50 ms are safe."""
    found = [
        simulator.tune(
            scenario,
            {"algorithm.heartbeat_interval": "20ms..100ms:lin"},
            overrides={TIMEOUT: "[60ms, 120ms]"},
            minimise="detection.median",
            subject_to=[BOUND],
            trials=20,
            points=20,
            fault_free="190s",
            margin=False,
        )
        for _ in range(2)
    ]
    assert found[0].digest == found[1].digest  # The sampler has our seed.
    frame = found[0].frame
    assert len(frame) == 20
    interval_ms = frame["algorithm.heartbeat_interval"].str.removesuffix("ms").astype(float)
    safe = interval_ms <= 50
    assert (frame["verdict"][~safe & (interval_ms > 52)] == "violates").all()
    assert not (frame["verdict"][safe] == "violates").any()
    assert found[0].recommendation is not None
