"""The scenarios that come with electsim. A user names them without a path, in every working directory."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

_PACKAGE = Path(__file__).parent
# In an installed package, the scenarios are inside the package (pyproject.toml). In a checkout, they are beside the
# package.
_FOLDERS = (_PACKAGE / "scenarios", _PACKAGE.parent / "scenarios")


def shipped() -> Mapping[str, Path]:
    """The file of every shipped scenario, by the name of the scenario, in alphabetical order."""
    folder = next((folder for folder in _FOLDERS if folder.is_dir()), None)
    return {} if folder is None else {file.stem: file for file in sorted(folder.glob("*.yaml"))}


def find(path: str | os.PathLike[str]) -> str:
    """The path itself, or the path of the shipped scenario with this name if the working directory has no such file."""
    text = os.fspath(path)
    if os.path.exists(text) or os.path.dirname(text):
        return text
    file = shipped().get(text.removesuffix(".yaml"))
    return text if file is None else str(file)
