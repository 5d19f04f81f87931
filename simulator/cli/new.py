"""`electsim new`: writes a small working scenario or algorithm to start from."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import click

from simulator.cli.common import EXIT_BAD_INPUT, fail
from simulator.cli.printing import print_note

_STARTERS = Path(__file__).parent / "starters"
_ALGORITHM = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_SCENARIO = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")  # The value in the scenario schema; a test holds both equal.


@click.command()
@click.argument("name")
@click.option("--algorithm", is_flag=True, help="An algorithm with its test, rather than a scenario.")
def new(name: str, *, algorithm: bool) -> None:
    """Write a scenario NAME.yaml to begin with, or an algorithm with its test: small, commented, and working.

    \b
      electsim new my-scenario
      electsim run my-scenario.yaml
    \b
    An algorithm in a directory of its own, which pip makes known to electsim by its name:
      electsim new my-algorithm --algorithm
      pip install -e my-algorithm
      electsim run leader-crash --algorithm my-algorithm

    Nothing that exists is overwritten: exits with 2 then, and for a name that cannot be one.
    """
    files, then = _algorithm(name) if algorithm else _scenario(name)
    for path in files:
        if path.exists():
            fail(f"{path} exists; choose another name, or move it away", EXIT_BAD_INPUT)
    try:
        for path, text in files.items():
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print_note(f"Written: {path}")
    except OSError as error:
        fail(f"{path}: cannot be written: {error.strerror or error}", EXIT_BAD_INPUT)
    print_note(f"Now: {then}")


def _scenario(name: str) -> tuple[Mapping[Path, str], str]:
    """The files by their paths, and the command to go on with."""
    name = name.removesuffix(".yaml")
    if not _SCENARIO.fullmatch(name):
        fail(f"{name} is not a name; write letters, digits, dots, hyphens and underscores, 80 at most", EXIT_BAD_INPUT)
    text = (_STARTERS / "scenario.yaml").read_text(encoding="utf-8").replace("my-scenario", name)
    return {Path(f"{name}.yaml"): text}, f"electsim run {name}.yaml"


def _algorithm(name: str) -> tuple[Mapping[Path, str], str]:
    words = name.split("-")
    module = "_".join(words)
    names = {
        "highest-alive": name,
        "highest_alive": module,
        "HIGHEST_ALIVE": module.upper(),
        "HighestAlive": "".join(word.capitalize() for word in words),
        "Highest alive": " ".join(words).capitalize(),
    }
    if reason := _reason_against(name, module, names):
        fail(f"{name}: {reason}; choose another name", EXIT_BAD_INPUT)
    files = {"highest_alive.py": f"{module}.py", "test_highest_alive.txt": f"test_{module}.py"}
    files["pyproject.txt"] = "pyproject.toml"
    written = {}
    for starter, file in files.items():
        text = (_STARTERS / starter).read_text(encoding="utf-8")
        written[Path(name) / file] = re.sub("|".join(names), lambda found: names[found[0]], text)
    return written, f"pip install -e {name}, then electsim run leader-crash --algorithm {name}"


def _reason_against(name: str, module: str, names: Mapping[str, str]) -> str | None:
    """Why a module and its algorithm could not be called that."""
    from simulator.algorithms.registry import REGISTRY
    from simulator.cli.starters import highest_alive

    if not _ALGORITHM.fullmatch(name):
        return "not a name for an algorithm: small letters and digits, words parted by hyphens"
    if name in REGISTRY:
        return "an algorithm is called that"
    used = {*vars(highest_alive)} - {*names}
    if keyword.iskeyword(module) or used & {names["HighestAlive"], names["HIGHEST_ALIVE"]}:
        return "a word that its module needs for something else"
    return f"Python has a module {module}" if find_spec(module) is not None else None
