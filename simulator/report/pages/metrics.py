"""The generated parts of docs/metrics.md: the definitions of the metrics, and the rules that elections follow.

`python -m simulator.report.pages.metrics docs/metrics.md` writes both into that page.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from simulator.analysis.records.registry import METRICS
from simulator.metrics.election_rules import RULES, Action, Event, Rule, State


def definitions() -> str:
    """A row for each metric that has a definition of its own."""
    rows = [
        (metric.label, f"`{metric.key}`", metric.unit, metric.definition)
        for metric in METRICS
        if metric.definition is not None
    ]
    return _table(["metric", "key", "unit", "definition"], rows)


def election_rules() -> str:
    """The states, the events, the rules, and what each action records."""
    parts = [
        _table(["state", "meaning"], [(state.label, state.meaning) for state in State]),
        _table(["event", "meaning"], [(event.label, event.meaning) for event in Event]),
        _rules(),
        _table(["action", "what is recorded"], [(action.label, action.meaning) for action in Action]),
    ]
    return "\n\n".join(parts)


def _rules() -> str:
    """A row for each event, a column for each state; in each cell the action, and the next state if it is another."""
    rows = [[event.label, *(_cell(state, RULES[state].get(event)) for state in State)] for event in Event]
    return _table(["event \\ state", *(state.label for state in State)], rows)


def _cell(state: State, rule: Rule | None) -> str:
    if rule is None:
        return ""
    if rule.next_state is state:
        return rule.action.label
    return f"{rule.action.label} → *{rule.next_state.label if rule.next_state else 'the state before'}*"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("|" + "|".join(f" {cell} " if cell else " " for cell in cells) + "|" for cells in lines)


def with_parts(page: str) -> str:
    """The text of docs/metrics.md with both parts between their marks. Raises ValueError if a mark is missing."""
    for name, text in (("metrics", definitions()), ("election rules", election_rules())):
        begin, end = f"<!-- {name} -->", f"<!-- end: {name} -->"
        if begin not in page or end not in page:
            raise ValueError(f"no place for {name}; write the lines {begin} and {end}")
        page = re.sub(f"(?s){begin}.*{end}", lambda _, new=f"{begin}\n\n{text}\n\n{end}": new, page)  # type: ignore[misc]
    return page


if __name__ == "__main__":
    _path = Path(sys.argv[1])
    _path.write_text(with_parts(_path.read_text(encoding="utf-8")), encoding="utf-8")
