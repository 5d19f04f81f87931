"""All faults by name. A record is found in its module of this package; no list has to be edited."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping

from simulator.cluster import faults
from simulator.cluster.faults.record import Fault


def _records() -> Iterator[type[Fault]]:
    """The records of every module, by the module's name, then in the order of their definition."""
    for module in sorted(module.name for module in pkgutil.iter_modules(faults.__path__)):
        path = f"{faults.__name__}.{module}"
        if path == __name__:
            continue
        defined = (value for value in vars(importlib.import_module(path)).values() if isinstance(value, type))
        for value in defined:
            if value.__module__ == path and issubclass(value, Fault) and "name" in vars(value):
                yield value


def _by_name() -> dict[str, type[Fault]]:
    """Raises ValueError if two records have one name."""
    found: dict[str, type[Fault]] = {}
    for record in sorted(_records(), key=lambda record: record.family):  # A stable sort keeps the order in a family.
        if record.name in found:
            raise ValueError(f"{record.__module__} and {found[record.name].__module__} both define {record.name}")
        found[record.name] = record
    return found


FAULTS: Mapping[str, type[Fault]] = _by_name()
