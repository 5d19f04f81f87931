"""Reads files that may be damaged. Whatever is wrong with one is a StoreError: one line, which names the file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulator.experiment.files import StoreError
from simulator.scenario import ScenarioError
from simulator.scenario.text.errors import one_line

if TYPE_CHECKING:
    import pandas as pd

_LONGEST = 200  # The most characters of a decoder's message that are shown.
_REMEDY = "restore it from a copy, or run the scenario again"


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn every exception in the block into a StoreError that names the file.

    All exceptions are caught, because the decoders of Parquet, YAML and JSON raise many kinds, and so does code that
    reads a missing field. To the user, all of them say that the file is damaged.
    """
    try:
        yield
    except StoreError:
        raise
    except OSError as error:
        raise StoreError(_line(path, "cannot be read", error.strerror or str(error))) from error
    except ScenarioError as error:
        raise StoreError(str(error).splitlines()[0]) from error  # The error names file, line and field.
    except Exception as error:
        raise damaged(path, error) from error


def damaged(path: Path, error: Exception) -> StoreError:
    """The error message for a file whose content made a reader fail."""
    said = f"{type(error).__name__}: {error}" if isinstance(error, LookupError | AttributeError) else str(error)
    return StoreError(f"{_line(path, 'is damaged', said or type(error).__name__)}; {_REMEDY}")


def _line(path: Path, what: str, said: str) -> str:
    text = " ".join(said.split())
    return one_line(f"{path}: {what}: {text[:_LONGEST]}{'…' if len(text) > _LONGEST else ''}")


def read_object(path: Path, types: Mapping[str, type]) -> dict[str, Any]:
    """A JSON object that has these fields, of these types. Numbers are finite, and all text can be printed."""
    with reading(path):
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise ValueError(f"it holds {_named(content)}, and no object")
        json.dumps(content, ensure_ascii=False, allow_nan=False).encode()
        check_fields(content, types)
        return content


def check_fields(content: Mapping[str, Any], types: Mapping[str, type], where: str = "") -> None:
    """Raises ValueError if a field is missing or has another type."""
    for name, expected in types.items():
        if name not in content:
            raise ValueError(f"{where}{name} is missing")
        if type(content[name]) is not expected:  # `true` is no number.
            raise ValueError(f"{where}{name} is {_named(content[name])}")
        if expected is int and not 0 <= content[name] < 1 << 63:
            raise ValueError(f"{where}{name} is out of range")


def read_table(path: Path, columns: Mapping[str, str] | None = None) -> pd.DataFrame:
    """A Parquet table, with the checksums of its pages verified where it has any.

    `columns`: names that it must have, with a row at least; `i` for whole numbers, `s` for text.
    """
    import pandas as pd

    with reading(path):
        table = pd.read_parquet(path, page_checksum_verification=True)
        for name, kind in (columns or {}).items():
            if name not in table.columns:
                raise ValueError(f"it has no column {name}")
            if not (pd.api.types.is_integer_dtype if kind == "i" else pd.api.types.is_string_dtype)(table[name]):
                raise ValueError(f"its column {name} is of type {table[name].dtype}")
            if table.empty:
                raise ValueError("it has no row")
        return table


def _named(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
