"""The score of some mutants, with its interval."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from simulator.analysis.statistics.estimates import fraction
from studies.mutants.trying import KILLED, SURVIVED, TIMEOUT

NOTICED = (KILLED, TIMEOUT)


def score_table(rows: Sequence[Mapping[str, object]], strata: Sequence[str]) -> str:
    """A Markdown table: how many mutants the tests noticed, by stratum and in all, with Wilson intervals of 95 %.

    A mutant that no test reaches counts as not noticed.
    """
    lines = [
        "| part | mutants | failed a test | ended by its bound | survived | no test reaches it | noticed |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in (*strata, "all"):
        outcomes = Counter(str(row["outcome"]) for row in rows if name in (row["stratum"], "all"))
        if not outcomes:
            continue
        total = outcomes.total()
        score = fraction(sum(outcomes[outcome] for outcome in NOTICED), total)
        counted = [outcomes[KILLED], outcomes[TIMEOUT], outcomes[SURVIVED]]
        rest = total - sum(counted)
        cells = [
            name,
            total,
            *counted,
            rest,
            f"{100 * score.value:.1f} % [{100 * score.low:.1f} – {100 * score.high:.1f}]",
        ]
        lines.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    return "\n".join(lines)
