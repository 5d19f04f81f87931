"""Every public method of the package is told about (house.md, section 5: "Every public function has a docstring").

ruff demands a docstring of each method of most of the package (D102). Where most methods implement an interface, its
rule would ask for the same sentence again and again. Here it is enough if the interface has it.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from typing import Any

import simulator
from simulator.cluster.node.node import Node
from simulator.protocol import Host
from simulator.testing.node import BenchNode

# Two methods of these are attributes, so that they cannot be recognised as a `Host` by their methods.
HOSTS = (Node, BenchNode)


def classes() -> list[type]:
    names = {found.name for found in pkgutil.walk_packages(simulator.__path__, "simulator.")}
    # An old name; and programs that a page shows and explains.
    names = {name for name in names if not name.startswith(("simulator.workbench", "simulator.cli.starters"))}
    modules = [importlib.import_module(name) for name in sorted(names)]
    return [
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and value.__module__ == module.__name__ and not value.__name__.startswith("_")
    ]


def methods(of: type) -> Iterator[tuple[str, Any]]:
    """The public methods and properties that a class defines itself."""
    for name, value in vars(of).items():
        function = getattr(value, "fget", None) or getattr(value, "func", None) or getattr(value, "__func__", value)
        if not name.startswith("_") and inspect.isfunction(function) and function.__module__ == of.__module__:
            yield name, function


def test_every_public_method_or_its_interface_has_a_docstring() -> None:
    found = classes()
    names_of = {kind: {name for name, _ in methods(kind)} for kind in found if getattr(kind, "_is_protocol", False)}
    assert len(found) > 400
    assert Host in names_of
    missing: list[str] = []
    for kind in found:
        interfaces = [one for one, names in names_of.items() if names and one is not kind and names <= set(dir(kind))]
        interfaces += [Host] if kind in HOSTS else []
        for name, function in methods(kind):
            bases = [base for base in (*kind.__mro__[1:], *interfaces) if name in vars(base)]
            if not function.__doc__ and not any(vars(base)[name].__doc__ for base in bases):
                missing.append(f"{kind.__module__}.{kind.__name__}.{name}")
    assert missing == []
