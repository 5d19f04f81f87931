"""The algorithms that a scenario can name: those of this package, those registered by a program, and plug-ins.

A plug-in is an entry point of the group `simulator.algorithms`, whose name is that of the algorithm and whose object is
its `Registration`. It is imported when it is asked for, and not before.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import is_dataclass
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points

from simulator.algorithms.bully import BULLY
from simulator.algorithms.invitation import INVITATION
from simulator.algorithms.omega import OMEGA
from simulator.algorithms.priority import PRIORITY
from simulator.algorithms.raft.registration import RAFT
from simulator.algorithms.registration import Registration
from simulator.algorithms.rings import CHANG_ROBERTS, HIRSCHBERG_SINCLAIR, RING
from simulator.algorithms.zookeeper.registration import ENSEMBLE, ZOOKEEPER

_BUILT_IN = (RAFT, BULLY, INVITATION, RING, CHANG_ROBERTS, HIRSCHBERG_SINCLAIR, OMEGA, PRIORITY, ZOOKEEPER, ENSEMBLE)

GROUP = "simulator.algorithms"
_NAME = re.compile(r"[a-z][a-z0-9_-]*")


class PluginError(ValueError):
    """An algorithm of an installed package that cannot be had: one line, with the package."""


class Registry(Mapping[str, Registration]):
    """Every algorithm by its name. Iteration knows the names of plug-ins without importing them.

    Asking for a plug-in that is broken raises PluginError.
    """

    def __init__(self, built_in: Iterable[Registration]) -> None:
        self.built_in = {registration.name: registration for registration in built_in}
        self._added: dict[str, Registration] = {}
        self._loaded: dict[str, Registration] = {}

    def add(self, registration: Registration) -> None:
        """Register it, in place of an earlier one that was registered by this name. Raises ValueError as `check`."""
        self.check(registration)
        self._added[registration.name] = registration

    def check(self, registration: Registration) -> None:
        """Raises ValueError for a name that is not free, and for what could not be handed to worker processes."""
        if trouble := _trouble(registration):
            raise ValueError(trouble)
        if registration.name in self.built_in or registration.name in self._plugins:
            raise ValueError(f"{registration.name} is the name of another algorithm; choose one that is free")

    def __getitem__(self, name: str) -> Registration:
        for known in (self.built_in, self._added, self._loaded):
            if name in known:
                return known[name]
        self._loaded[name] = _load(self._plugins[name])
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter({**self.built_in, **self._added, **self._plugins})

    def __len__(self) -> int:
        return len({**self.built_in, **self._added, **self._plugins})

    def __contains__(self, name: object) -> bool:
        return name in self.built_in or name in self._added or name in self._plugins

    @cached_property
    def _plugins(self) -> Mapping[str, list[EntryPoint]]:
        """Those that name each algorithm; an installed package cannot change what a name of this one means."""
        found: dict[str, list[EntryPoint]] = {}
        for entry in entry_points(group=GROUP):
            if entry.name not in self.built_in:
                found.setdefault(entry.name, []).append(entry)
        return dict(sorted(found.items()))


def _load(entries: list[EntryPoint]) -> Registration:
    entry = entries[0]
    if len(entries) > 1:
        raise PluginError(
            f"{' and '.join(sorted(map(_package, entries)))} both name an algorithm {entry.name}; uninstall one"
        )
    try:
        registration = entry.load()
    except Exception as error:  # Whatever may go wrong in somebody else's module.
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise PluginError(f"{_package(entry)} cannot be imported ({entry.value}): {reason}") from error
    if trouble := _trouble(registration):
        raise PluginError(f"{_package(entry)}: {entry.value}: {trouble}")
    if registration.name != entry.name:
        raise PluginError(f"{_package(entry)}: the entry point {entry.name} is a registration of {registration.name}")
    return registration  # type: ignore[no-any-return]


def _package(entry: EntryPoint) -> str:
    return f"the package {entry.dist.name} {entry.dist.version}" if entry.dist else "a package"


def _trouble(registration: object) -> str | None:
    """Why it could not be run by name, and in worker processes; None where it can."""
    if not isinstance(registration, Registration):
        return f"{type(registration).__name__} is not a Registration (simulator.algorithms.registration)"
    if not _NAME.fullmatch(registration.name):
        return f"{registration.name!r} is not a name; write small letters, digits, hyphens and underscores"
    if not is_dataclass(registration.config):
        return f"the config of {registration.name} is not a dataclass of options"
    try:
        pickle.dumps(registration)
    except Exception as error:  # pickle raises its own error, AttributeError or TypeError.
        return (
            f"{registration.name} cannot be pickled, and so not be sent to worker processes: {error}; "
            "define its classes and functions at the top of a module, and use no lambda"
        )
    return None


REGISTRY = Registry(_BUILT_IN)
