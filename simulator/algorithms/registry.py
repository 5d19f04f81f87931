"""The algorithms that a scenario can name: those of this package, those registered by a program, and plug-ins.

Every `Registration` that a module of `simulator.algorithms` defines is built in, so a new algorithm needs no line here.
If an algorithm is a package with a module `registration`, that module defines it.

A plug-in is an entry point of the group `simulator.algorithms`. Its name is the name of the algorithm, and its object
is the `Registration`. It is imported only when the algorithm is asked for."""

from __future__ import annotations

import pickle
import pkgutil
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import is_dataclass
from functools import cached_property
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType

import simulator.algorithms as built_in_algorithms
from simulator.algorithms.registration import Registration

GROUP = "simulator.algorithms"
_NAME = re.compile(r"[a-z][a-z0-9_-]*")


class PluginError(ValueError):
    """A plug-in cannot be used. The message is one line and names the package."""


class Registry(Mapping[str, Registration]):
    """Every algorithm by its name. Iterating over the names imports no plug-in.

    Looking up a plug-in that is broken raises PluginError.
    """

    def __init__(self, built_in: Iterable[Registration]) -> None:
        self.built_in = {registration.name: registration for registration in built_in}
        self._added: dict[str, Registration] = {}
        self._loaded: dict[str, Registration] = {}

    def add(self, registration: Registration) -> None:
        """Register an algorithm. Replaces one that was added under the same name. Raises ValueError as `check` does."""
        self.check(registration)
        self._added[registration.name] = registration

    def check(self, registration: Registration) -> None:
        """Raises ValueError if the name is not free, or the registration cannot be sent to worker processes."""
        if error := _error(registration):
            raise ValueError(error)
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
        """The entry points by the name of the algorithm. They cannot replace a built-in algorithm."""
        points: dict[str, list[EntryPoint]] = {}
        for entry in entry_points(group=GROUP):
            if entry.name not in self.built_in:
                points.setdefault(entry.name, []).append(entry)
        return dict(sorted(points.items()))


def _load(entries: list[EntryPoint]) -> Registration:
    entry = entries[0]
    if len(entries) > 1:
        raise PluginError(
            f"{' and '.join(sorted(map(_package, entries)))} both name an algorithm {entry.name}; uninstall one"
        )
    try:
        registration = entry.load()
    except Exception as error:  # The module of a plug-in may raise anything.
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise PluginError(f"{_package(entry)} cannot be imported ({entry.value}): {reason}") from error
    if mistake := _error(registration):
        raise PluginError(f"{_package(entry)}: {entry.value}: {mistake}")
    if registration.name != entry.name:
        raise PluginError(f"{_package(entry)}: the entry point {entry.name} is a registration of {registration.name}")
    return registration  # type: ignore[no-any-return]


def _package(entry: EntryPoint) -> str:
    return f"the package {entry.dist.name} {entry.dist.version}" if entry.dist else "a package"


def _error(registration: object) -> str | None:
    """Why it cannot be run by name and in worker processes; None if it can."""
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


def _built_in() -> Iterator[Registration]:
    """The registrations that the modules of `simulator.algorithms` define, each once, by name."""
    registrations: dict[str, Registration] = {}
    for path in _modules(built_in_algorithms):
        if path != __name__:
            module = import_module(path)
            own = f"{path}.registration"
            defining = import_module(own) if own in _modules(module) else module
            registrations |= {value.name: value for value in vars(defining).values() if isinstance(value, Registration)}
    yield from (registrations[name] for name in sorted(registrations))


def _modules(package: ModuleType) -> list[str]:
    """The full names of the modules of a package; none if it is a plain module."""
    return [f"{package.__name__}.{name}" for _, name, _ in pkgutil.iter_modules(getattr(package, "__path__", ()))]


REGISTRY = Registry(_built_in())
