"""What the shipped scenarios find: `python -m studies.scenarios` runs them all, and prints a Markdown table."""

from __future__ import annotations

import sys
from pathlib import Path

import simulator
from simulator.experiment.runner import Result

HEADINGS = (
    "scenario",
    "what it asks",
    "failover, ms: median / p99",
    "spurious elections, per trial",
    "leaders overlap, per trial",
    "availability with a quorum",
)
DIRECTORY = Path(__file__).parents[1] / "scenarios"


def row(path: Path, result: Result) -> str:
    """A line of the table: what is asked, and what was found."""
    metrics, elections = result.summary["metrics"], result.summary["elections"]
    trials = len(result.trials)
    overlaps = sum(metrics["leaders_overlap"][kind]["count"] for kind in ("same_term", "stale_leader", "no_term"))
    cells = [
        f"[`{path.name}`](scenarios/{path.name})",
        result.scenario.about,
        _times(metrics["failover"] if elections["loss"] else metrics["stabilisation"], bool(elections["loss"])),
        _per_trial(elections["spurious"], trials),
        _per_trial(overlaps, trials),
        _share(metrics["quorum_leaderless"]["availability"]["value"]),
    ]
    return f"| {' | '.join(cells)} |"


def _times(metric: dict[str, dict[str, float | None]], lost: bool) -> str:
    """Median and 99th percentile, in ms; of the cold start where no leader was lost."""
    median, p99 = (metric[name]["value"] for name in ("median", "p99"))
    if median is None:
        return "–"
    return f"{'' if lost else 'cold start '}{_ms(median)} / {'∞' if p99 is None else _ms(p99)}"


def _share(value: float | None) -> str:
    """None where a trial ends with the first claim."""
    return "–" if value is None else f"{100 * value:.2f} %"


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:,.0f}"


def _per_trial(count: int, trials: int) -> str:
    return f"{count / trials:.2g}" if count else "0"


def main() -> None:
    """Run what is named, or every scenario that we ship."""
    named = [Path(argument) for argument in sys.argv[1:]] or sorted(DIRECTORY.glob("*.yaml"))
    print(f"| {' | '.join(HEADINGS)} |\n|{'---|' * len(HEADINGS)}")
    for path in named:
        print(row(path, simulator.run(path, workers=0)), flush=True)


if __name__ == "__main__":
    main()
