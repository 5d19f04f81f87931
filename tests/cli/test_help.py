"""Every `--help` teaches by example; it starts at once; shells complete (issue 6, command line and front door)."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from simulator.algorithms.registry import REGISTRY
from simulator.cli import main
from simulator.cluster.faults.registry import FAULTS
from simulator.shipped import shipped

HEAVY = {"numpy", "scipy", "pandas", "pyarrow", "matplotlib", "pydantic", "simpy", "yaml", "rich", "asyncio"}


def help_of(*words: str) -> str:
    outcome = CliRunner().invoke(main, [*words, "--help"])
    assert outcome.exit_code == 0, outcome.output
    return outcome.stdout


@pytest.mark.parametrize("name", main.commands)
def test_every_help_has_an_example_with_options_that_exist(name: str) -> None:
    examples = re.findall(rf"^ +(electsim {name}\b.*(?:\\\n.*)*)", help_of(name), re.MULTILINE)
    assert examples
    known = {option for param in main.commands[name].params for option in param.opts}
    for example in examples:
        command = example.replace("\\\n", " ").split("|")[0].split(" > ")[0]
        assert set(re.findall(r"(?<=\s)--[a-z-]+", command)) <= known


def test_the_help_says_how_to_complete() -> None:
    assert 'eval "$(_ELECTSIM_COMPLETE=bash_source electsim)"' in help_of()


def test_help_imports_nothing_that_is_slow() -> None:
    """ "Starts in under 0.3 s (lazy imports)": a clock would measure the machine, so here is what takes the time."""
    code = (
        "import sys; sys.argv = ['electsim', '--help']\n"
        "from simulator.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        f"print(sorted({HEAVY!r} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"


@pytest.mark.parametrize(
    ("program", "absent"),
    [
        ("import simulator", HEAVY),
        ("import simulator.protocol, simulator.testing", HEAVY),
        (
            "import simulator.analysis.summary, simulator.analysis.comparison",
            {"scipy.stats", "scipy.optimize", "matplotlib", "pydantic", "simpy", "yaml"},
        ),
        ("import simulator; simulator.load('leader-crash')", {"scipy", "pandas", "pyarrow", "matplotlib", "rich"}),
        (
            "import simulator; simulator.results, simulator.run('leader-crash', trials=1)",
            {"scipy.stats", "scipy.optimize", "matplotlib"},
        ),
    ],
)
def test_programs_import_only_what_they_need(program: str, absent: set[str]) -> None:
    """ "Nothing draws in scipy.stats, matplotlib or pydantic before it is needed" (issue 12, section A)."""
    code = f"{program}\nimport sys\nprint(sorted({absent!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def completed(line: str) -> list[str]:
    """What bash is offered at the end of that line."""
    words = shlex.split(line)
    words += [""] if line.endswith(" ") else []
    environment = {
        **os.environ,
        "_ELECTSIM_COMPLETE": "bash_complete",
        "COMP_WORDS": shlex.join(words) if words[-1] else f"{shlex.join(words[:-1])} ",
        "COMP_CWORD": str(len(words) - 1),
    }
    code = "from simulator.cli import main; main(prog_name='electsim')"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("electsim sc", ["plain,scenarios", "plain,schema"]),
        ("electsim run raft-leader-c", ["plain,raft-leader-crash"]),
        ("electsim validate leader-c", ["plain,leader-crash"]),
        ("electsim run ./my", ["file,./my"]),
        ("electsim run leader-crash --algorithm bu", ["plain,bully"]),
        ("electsim algorithms inv", ["plain,invitation"]),
        ("electsim faults slow", ["plain,slow_node", "plain,slow_disk"]),
        ("electsim run leader-crash --tri", ["plain,--trials"]),
    ],
)
def test_shells_complete(line: str, offered: list[str]) -> None:
    assert completed(line) == offered


def test_where_nothing_is_typed_yet_all_names_are_offered() -> None:
    contexts = {"run": (shipped(), "scenario_file"), "algorithms": (REGISTRY, "name"), "faults": (FAULTS, "name")}
    for command, (names, argument) in contexts.items():
        (param,) = (param for param in main.commands[command].params if param.name == argument)
        items = param.shell_complete(click.Context(main.commands[command]), "")
        assert [item.value for item in items] == list(names)


def test_every_command_is_described_in_one_line_that_is_not_cut() -> None:
    listed = help_of().partition("Commands:\n")[2].splitlines()
    assert [line.split()[0] for line in listed] == list(main.commands)
    assert not [line for line in listed if "..." in line]


def test_tables_show_brackets_as_they_are() -> None:
    """Rich would take `[leader, follower]` for markup, and leave it out."""
    shown = CliRunner().invoke(main, ["faults"]).stdout
    assert "cut_link: [leader, follower]" in shown
