"""The scenarios that come with electsim, by name: `raft-leader-crash` is one, wherever one works."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

_PACKAGE = Path(__file__).parent
# In an installed package beside its modules (pyproject.toml); in a checkout, beside the package.
_PLACES = (_PACKAGE / "scenarios", _PACKAGE.parent / "scenarios")


def shipped() -> Mapping[str, Path]:
    """Every shipped scenario, in order of name."""
    place = next((place for place in _PLACES if place.is_dir()), None)
    return {} if place is None else {file.stem: file for file in sorted(place.glob("*.yaml"))}


def find(path: str | os.PathLike[str]) -> str:
    """The file that is meant: this one; or, if there is none and no folder is given, the shipped one of that name."""
    text = os.fspath(path)
    if os.path.exists(text) or os.path.dirname(text):
        return text
    found = shipped().get(text.removesuffix(".yaml"))
    return text if found is None else str(found)
