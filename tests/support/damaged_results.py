"""Results and baselines with random damage, and what every command that reads them has to do then."""

from __future__ import annotations

import random
import shutil
from dataclasses import replace
from pathlib import Path

from click.testing import CliRunner, Result

import simulator
import simulator.results
from simulator.analysis.measured import read_measured
from simulator.cli import main
from simulator.experiment.executors import InThisProcess
from simulator.experiment.plan import Plan
from simulator.experiment.schedule import run_cells
from simulator.experiment.store import StoreError, new_directory
from simulator.scenario import ScenarioError
from tests.experiment.test_runner import CRASH
from tests.support.damage import damage

SCENARIO = CRASH.replace("trials: 45", "trials: 6") + "liveness: {within: 900ms}\nlimits: {events: 20000}\n"


def make_whole(root: Path) -> Path:
    """A run, a comparison, a draft and a baseline in a directory, all of which are as they should be."""
    (root / "small.yaml").write_text(SCENARIO)
    (root / "measured.csv").write_text("failover_s\n0.2\n0.31\n0.4\n0.22\n")
    scenario = simulator.load(root / "small.yaml")
    result = simulator.run(scenario, precision=0.5)
    simulator.save(replace(result, measured=read_measured(root / "measured.csv")), root / "run")
    vary = ("--vary", "network.loss=0,0.1", "--results", root / "compare", "--workers", 1)
    assert invoke("compare", root / "small.yaml", *vary).exit_code == 0
    assert gate(root, "--accept", "the first").exit_code == 0
    with new_directory(root, "begun") as writer:
        plan = Plan(
            scenario=scenario, seed=3, first=0, requested=6, command="electsim run small.yaml --trials 6 --seed 3"
        )
        writer.begin(plan)
        run_cells([plan.cell(writer.trials)], InThisProcess(), lambda: 1, lambda cell, chunk: None)
        shutil.copytree(writer.path, root / "small-crash-unfinished")
    shutil.rmtree(root / "begun-001")
    return root


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def gate(root: Path, *options: object) -> Result:
    return invoke("gate", root / "small.yaml", "--baseline", root / "baselines", "--workers", 1, *options)


Command = tuple[object, ...]


def damaged(whole: Path, place: Path, chance: random.Random) -> tuple[str, list[Command]]:
    """A copy with one damaged file; what was done to it, and the commands that read it."""
    shutil.copytree(whole, place)
    run, compared = place / "run" / "small-crash-001", place / "compare" / "compare-small-crash-001"
    draft = place / "small-crash-unfinished"
    figures = [("--figures", place / "figures")] if chance.random() < 0.1 else []
    of_a_run: list[Command] = [("show", run, *option) for option in ((), ("--json",), *figures)]
    of_a_run += [("trace", run, "--trial", 2), ("replay", run, "--trial", 2)]
    of_a_draft: list[Command] = [("show", draft), ("show", draft, "--json"), ("replay", draft)]
    of_a_comparison: list[Command] = [("show", compared, *option) for option in ((), ("--json",), *figures)]
    of_a_gate: list[Command] = [
        ("gate", place / "small.yaml", "--baseline", place / "baselines", "--workers", 1, "--json")
    ]
    choices: list[tuple[Path, list[Command]]] = [
        *((file, of_a_run) for file in sorted(run.iterdir())),
        *([(run / "summary.json", of_a_run)] * 4),
        *((file, of_a_draft) for file in sorted(draft.rglob("*")) if file.is_file()),
        *([(compared / "study.json", of_a_comparison)] * 3),
        *([(place / "baselines" / "small-crash.json", of_a_gate)] * 4),
    ]
    file, commands = chance.choice(choices)
    return f"{file.relative_to(place)} {damage(file, chance)}", commands


def larger_than_before(scenario: Path) -> bool:
    """Damage has made it another scenario, which may run for hours."""
    try:
        loaded = simulator.load(scenario)
    except (ScenarioError, OSError):
        return False
    return loaded.size > 5 or "duration: 2s" not in scenario.read_text(encoding="utf-8", errors="replace")


def check(whole: Path, place: Path, seed: int) -> None:
    done, commands = damaged(whole, place, random.Random(seed))
    for command in commands:
        directory = Path(str(command[1]))
        again = command[0] in ("trace", "replay") or "--figures" in command  # Then a trial is run.
        if again and larger_than_before(directory / "scenario.yaml"):
            continue
        outcome = invoke(*command)
        context = f"seed {seed}: {done}: {command[0]}: {outcome.exit_code}: {outcome.stderr!r}"
        assert outcome.exception is None or isinstance(outcome.exception, SystemExit), (context, outcome.exc_info)
        lines = [line for line in outcome.stderr.splitlines() if "look again" not in line]
        if command[0] in ("trace", "replay") and outcome.exit_code == 1:
            assert "is not what it was" in outcome.stderr, context  # Another scenario: its digest is another.
        elif command[0] in ("trace", "replay") and outcome.exit_code == 3:
            assert "trial " in outcome.stderr, context  # Another scenario, of which a trial fails.
        else:
            assert outcome.exit_code in (0, 2), context
        if outcome.exit_code:
            assert len(lines) == 1, context
    load(place / "run" / "small-crash-001", done)
    shutil.rmtree(place)


def load(run: Path, context: str) -> None:
    """`simulator.results.load` raises what it says, in one line."""
    said = ""
    try:
        simulator.results.load(run).result()
    except StoreError as error:
        said = str(error)
    assert "\n" not in said, (context, said)
