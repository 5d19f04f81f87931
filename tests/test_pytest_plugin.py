"""The pytest plugin, as the tests of a user's own algorithm load it (issue 6: "a pytest plugin")."""

from __future__ import annotations

import subprocess
import sys
import tomllib

import pytest

from tests.support.scenarios import ROOT

pytest_plugins = ["pytester"]

SUITE = """
import pytest

@pytest.mark.election("leader-crash", trials=20)
def test_nothing_but_the_promises():
    pass

@pytest.mark.election("leader-crash", trials=20, algorithm="bully", seed=3)
def test_a_marked_run(election):
    assert len(election.result.trials) == 20
    assert election.result.seed == 3
    assert election.result.scenario.algorithm.registration.name == "bully"
    election.assert_below(median="2s", p99="5s")
    assert election.quantile(0.5) == election.result.elections.query("cause == 'loss'")["failover_s"].quantile(
        0.5, interpolation="lower"
    )

@pytest.mark.parametrize("loss", [0, 0.05])
def test_several_runs(electsim, loss):
    outcome = electsim("raft-leader-crash", trials=10, overrides=[f"network.loss={loss}"])
    assert outcome.result.scenario.cluster_spec().network.loss == loss
    outcome.assert_below("detection", p99="400ms")

@pytest.mark.election("raft-leader-crash", trials=30)
class TestAll:
    def test_one(self, election):
        assert election.quantile(0.5) > 0.1

    def test_another(self):
        pass
"""

FAILING = """
import pytest

@pytest.mark.election("raft-leader-crash", trials=30)
def test_too_slow(election):
    election.assert_below(median="300ms", p99="100ms")

@pytest.mark.election("raft-amnesia", trials=10, overrides=["waive=[]"])
def test_two_leaders_of_a_term():
    pass

@pytest.mark.election("raft-leader-crash", trials=5, overrides=["cluster.nodes=2", "faults=[{at: 1s, crash: leader}]"])
def test_no_quorum(election):
    election.assert_below(median="10s")

@pytest.mark.election("raft-leader-crash", trials=2, overrides=["limits.events=100"])
def test_a_runaway():
    pass

@pytest.mark.election("raft-leader-crsh")
def test_a_slip_of_the_pen():
    pass

@pytest.mark.election("raft-leader-crash", trial=5)
def test_a_slip_in_a_word():
    pass

def test_no_marker(election):
    pass

def test_a_metric_that_is_none(electsim):
    electsim("raft-leader-crash", trials=1).assert_below("failovr", p99="1s")

def test_a_quantile_that_is_none(electsim):
    electsim("raft-leader-crash", trials=1).assert_below(p100="1s")
"""


@pytest.fixture
def alone(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A suite elsewhere, as strict as this one, that has this plugin and no other."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeini("[pytest]\naddopts = --strict-markers -p simulator.pytest_plugin\nfilterwarnings = error")
    return pytester


def test_what_holds_passes(alone: pytest.Pytester) -> None:
    alone.makepyfile(SUITE)
    alone.runpytest_subprocess().assert_outcomes(passed=6)


def test_what_does_not_fails_with_its_reason_and_how_to_see_it_again(alone: pytest.Pytester) -> None:
    alone.makepyfile(FAILING)
    outcome = alone.runpytest_subprocess("-rA")
    outcome.assert_outcomes(failed=4, errors=5)  # An error: before the test began.
    again, one = "again: electsim run raft", "--first-trial * --trials 1 --trace"
    for expected in (
        f"failover, p99: * ms is not below 100ms; {again}-leader-crash --seed 7",
        f"a guarantee was violated: trial *: *; {again}-amnesia --set 'waive=[[][]]' --seed * {one}",
        "failover, median: inf ms is not below 10s; *",
        f"trial 0: *; {again}-leader-crash --set limits.events=100 --seed 7 {one}",
        "raft-leader-crsh: cannot be read: *; did you mean raft-leader-crash, which comes with electsim[?]",
        "@pytest.mark.election: got an unexpected keyword argument 'trial'",
        'the fixture `election` needs the marker @pytest.mark.election("a scenario")',
        "*ValueError: failovr is not a duration that is measured; there are: failover, *",
        "*ValueError: p100 is not a quantile that is known; there are: median, p95, p99",
    ):
        outcome.stdout.fnmatch_lines_random([expected])
    assert "During handling of the above exception" not in outcome.stdout.str()


INTERRUPTED = """
import pytest
from simulator.experiment import chunks, trial

def interrupted(spec, seed, number):
    if number == 3:
        raise KeyboardInterrupt
    return trial.simulate(spec, seed, number)

chunks.simulate = interrupted

@pytest.mark.election("leader-crash", trials=10)
def test_cut_short():
    pass

def test_after():
    pass
"""


def test_ctrl_c_is_meant_for_pytest(alone: pytest.Pytester) -> None:
    # A run keeps what was finished, and goes on: pytest must not.
    alone.makepyfile(INTERRUPTED)
    outcome = alone.runpytest_subprocess()
    assert outcome.ret == pytest.ExitCode.INTERRUPTED
    outcome.assert_outcomes()


def test_it_is_found_by_pytest_and_explained(alone: pytest.Pytester) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"]["pytest11"] == {"electsim": "simulator.pytest_plugin"}
    alone.runpytest_subprocess("--markers").stdout.fnmatch_lines(["@pytest.mark.election(scenario, *"])


def test_it_costs_nothing_until_it_is_used() -> None:
    code = (
        "import pytest, sys; there = set(sys.modules); import simulator.pytest_plugin; print(*set(sys.modules) - there)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= {"simulator", "simulator.pytest_plugin", "shlex"}
