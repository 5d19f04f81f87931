"""What the verification suite has found, as a table: printed, and written to docs/verification.md on request."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import astuple, dataclass, field, fields
from importlib.metadata import version

COMMAND = "make verify"
REWRITE = "pytest tests/verify -m verify --write-verification"
_VERSIONS = ("electsim", "simpy", "numpy", "scipy")


@dataclass(frozen=True, slots=True)
class Comparison:
    """One simulated figure against an outside truth, as text; units stand in the figure's name.

    `agrees` is None where a distance is published and nothing is demanded of it.
    """

    figure: str
    source: str
    published: str
    simulated: str
    distance: str
    critical: str
    agrees: bool | None


@dataclass
class Record:
    """What the tests of one run have found."""

    found: list[Comparison] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def table(found: Sequence[Comparison]) -> str:
    """A Markdown table, a line per comparison."""
    head = [column.name for column in fields(Comparison)]
    lines = [head, ["---"] * len(head)]
    verdicts = {True: "yes", False: "**no**", None: "–"}
    lines += [[*map(str, astuple(one)[:-1]), verdicts[one.agrees]] for one in found]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def page(found: Sequence[Comparison], notes: Sequence[str]) -> str:
    """docs/verification.md, whole."""
    versions = ", ".join([f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in _VERSIONS)])
    return (
        "\n\n".join(
            (
                "# Verification",
                "Simulated figures against outside truths. The verification suite writes this page:\n"
                f"`{COMMAND}` repeats every line, and `{REWRITE}` also rewrites them.",
                f"Made with {versions}, {platform.system()} {platform.machine()}.",
                table(found),
                *notes,
            )
        )
        + "\n"
    )
