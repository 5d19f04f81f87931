"""`electsim clean`: removes what killed runs have left, and nothing else."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from simulator.cli.common import EXIT_BAD_INPUT, fail
from simulator.cli.printing import print_text


@click.command()
@click.option("--results", "root", type=click.Path(path_type=Path), default=Path("results"), show_default=True)
@click.option("--yes", is_flag=True, help="Remove them without asking.")
def clean(root: Path, yes: bool) -> None:
    """Remove the unfinished results that killed runs have left under results/, after listing them.

    \b
      electsim clean
      electsim clean --results /tmp/results --yes

    Such a directory has the trials that a run had finished when it was killed. `electsim run --resume` goes on with it,
    and `electsim show` reads it. Other results, those of runs that a signal has ended, and those of runs that are still
    going on, are left as they are. Exits with 2 if there is nobody to ask, or a directory cannot be removed.
    """
    from simulator.experiment.drafts import dead_drafts, described, remove

    drafts = dead_drafts(root)
    if not drafts:
        print_text(f"{root}: no results of killed runs")
        return
    for path in drafts:
        draft = described(path)
        print_text(f"{path}: {draft.trials:,} finished trials, {draft.bytes / 1e6:,.1f} MB")
    if not yes and not _confirmed(len(drafts)):
        return
    for path in drafts:
        try:
            removed = remove(path)
        except OSError as error:
            fail(f"{path}: cannot be removed: {error.strerror or error}", EXIT_BAD_INPUT)
        print_text(f"{path}: {'removed' if removed else 'in use again, and left as it is'}")


def _confirmed(count: int) -> bool:
    if not sys.stdin.isatty():
        fail("nothing was removed: there is nobody to ask; say --yes to remove them", EXIT_BAD_INPUT)
    return click.confirm(f"Remove {'it' if count == 1 else f'all {count}'}?", err=True)
