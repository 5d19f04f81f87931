"""docs/exit-codes.md: the codes that commands end with, and no others (issue 12: "one table of exit codes")."""

import re
from pathlib import Path

from simulator.cli import common

ROOT = Path(__file__).parents[2]


def test_the_table_has_the_codes_of_the_program_in_the_order_in_which_they_count() -> None:
    page = (ROOT / "docs" / "exit-codes.md").read_text(encoding="utf-8")
    codes = [int(code) for code in re.findall(r"^\| (\d+) \|", page, flags=re.MULTILINE)]
    assert set(codes) == {0, *(value for name, value in vars(common).items() if name.startswith("EXIT_"))}
    assert codes == [143, 130, 2, 3, 1, 0]


def test_no_command_ends_with_a_number_that_has_no_name() -> None:
    for file in (ROOT / "simulator" / "cli").glob("*.py"):
        assert not re.search(r"(?:exit|fail)\([^()]*\b[1-9]\d*\)", file.read_text(encoding="utf-8")), file
