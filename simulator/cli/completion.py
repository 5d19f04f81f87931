"""Shell completion: names of scenarios, algorithms and faults, and files."""

from __future__ import annotations

from collections.abc import Iterable

import click
from click.shell_completion import CompletionItem


def scenario_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the names of the scenarios that come with electsim. If no name begins with the typed text, complete file
    names.
    """
    from simulator.shipped import shipped

    return _beginning(shipped(), incomplete) or [CompletionItem(incomplete, type="file")]


def algorithm_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Every algorithm, plug-ins included."""
    from simulator.algorithms.registry import REGISTRY

    return _beginning(REGISTRY, incomplete)


def fault_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Every fault of a schedule."""
    from simulator.cluster.faults.registry import FAULTS

    return _beginning(FAULTS, incomplete)


def _beginning(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]
