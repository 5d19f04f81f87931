"""Text scripts of commands and expected answers, like the datadriven tests of CockroachDB and etcd.

    # A comment: what this scene is about, and the sentence of the paper that it tests.
    cluster raft 3
    ----

    timeout 1
    ----
    1->2 RequestVote(term=1)
    1->3 RequestVote(term=1)
    1 candidate term 1

An empty line ends an answer. Several commands may precede one `----`; their answers follow one another.
`simulator.testing.commands` lists the commands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from simulator.algorithms.registration import Registration
from simulator.algorithms.registry import REGISTRY
from simulator.testing.commands import Session
from simulator.testing.errors import InteractionError

SEPARATOR = "----"


class ScriptError(InteractionError):
    """A script cannot be run. The message names its file and line."""


def replay(text: str, name: str = "script", registry: Mapping[str, Registration] = REGISTRY) -> str:
    """Run a script. Returns its text with the answers of this run in place of the expected ones.

    If all answers are as expected, the text is returned unchanged. Raises ScriptError, whose message begins with
    `name:line: `, if a command cannot be run.
    """
    session = Session(registry)
    lines = enumerate(text.splitlines(), start=1)
    replayed: list[str] = []
    commands: list[tuple[int, str]] = []
    for number, line in lines:
        replayed.append(line)
        if line.rstrip() == SEPARATOR:
            if not commands:
                raise ScriptError(f"{name}:{number}: no command above {SEPARATOR}")
            for command in commands:
                replayed.extend(_run(session, name, *command))
            commands = []
            replayed.extend(_skip_answer(lines, name))
        elif line.strip() and not line.startswith("#"):
            commands.append((number, line))
        elif commands:
            break
    if commands:
        raise ScriptError(f"{name}:{commands[0][0]}: no {SEPARATOR} below this command")
    return "".join(f"{line}\n" for line in replayed)


def replay_file(path: Path, registry: Mapping[str, Registration] = REGISTRY) -> tuple[str, str]:
    """The text of a script file, and the same text with the answers of this run."""
    text = path.read_text(encoding="utf-8")
    return text, replay(text, str(path), registry)


def _run(session: Session, name: str, number: int, command: str) -> list[str]:
    try:
        return session.run(command)
    except InteractionError as error:
        raise ScriptError(f"{name}:{number}: {error}") from error
    except Exception as error:
        error.add_note(f"{name}:{number}: {command}")  # The algorithm has failed, not the script.
        raise


def _skip_answer(lines: Iterator[tuple[int, str]], name: str) -> list[str]:
    """Skip the expected answer. Returns the empty line that ends it; nothing at the end of the file."""
    for number, line in lines:
        if not line.strip():
            return [line]
        if line.startswith("#"):  # Rewriting would lose it.
            raise ScriptError(f"{name}:{number}: a comment in an answer: leave an empty line above it")
    return []
