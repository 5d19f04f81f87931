"""Record the net: `python -m tests.safety_net.record`, from the code of commit 8e0ce0a, before the rebuild.

The kept values are of the OLD code. Recording them again from rebuilt code would approve whatever has been broken: do
it only from a work tree of the old commit (with this folder copied into it), never to make a failing test pass. When
the rebuild is over and behaviour is changed on purpose, the net is removed or recorded anew, and the changelog says so.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from tests.safety_net import canonical, drive, schedules

KEPT = Path(__file__).parent / "kept"
TRIALS = 20


def kept(name: str) -> dict[str, Any]:
    """The values of kept/NAME.json."""
    values: dict[str, Any] = json.loads((KEPT / f"{name}.json").read_text(encoding="utf-8"))
    return values


def shipped_digests(path: Path) -> dict[str, list[str]]:
    """What is kept of the first trials of a shipped scenario."""
    return columns(drive.shipped_trials(path, range(TRIALS)))


def shipped_summary(path: Path) -> Any:
    """The summary of those trials, in the old words."""
    return canonical.summary(drive.shipped_summary(path, TRIALS))


def single(family: str) -> dict[str, list[str]]:
    """The digests of twenty seeds, one by one."""
    text = schedules.FAMILIES[family]
    return columns([drive.schedule(text(seed), seed) for seed in schedules.SINGLE])


def hundred(family: str, seeds: range) -> list[str]:
    """One SHA-256 over the digests of these seeds, and one over their measures."""
    text = schedules.FAMILIES[family]
    seen = columns([drive.schedule(text(seed), seed) for seed in seeds])
    return [canonical.hashed(values) for values in seen.values()]


def columns(seen: Iterable[drive.Seen]) -> dict[str, list[str]]:
    """What is kept of some trials, in their order."""
    found = list(seen)
    return {"digests": [one.digest for one in found], "measures": [one.measures for one in found]}


def parallel(call: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
    """The results in the order of the arguments, over all cores."""
    method = multiprocessing.get_context("forkserver" if hasattr(os, "fork") else "spawn")
    with ProcessPoolExecutor(mp_context=method) as pool:
        return list(pool.map(call, *zip(*arguments, strict=True)))


def all_hundreds(families: Sequence[str]) -> dict[str, list[list[str]]]:
    """Of each family, the two SHA-256 of every hundred."""
    portions = schedules.hundreds()
    found = parallel(hundred, [(family, seeds) for family in families for seeds in portions])
    size = len(portions)
    return {family: found[at * size : (at + 1) * size] for at, family in enumerate(families)}


def write(name: str, values: Mapping[str, Any]) -> None:
    """Keep the values: one line for each scenario or family, so that a difference is readable."""
    lines = [f"{json.dumps(key)}: {json.dumps(value, separators=(',', ':'))}" for key, value in values.items()]
    (KEPT / f"{name}.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def main() -> None:
    began = time.monotonic()
    paths = drive.shipped()
    arguments = [(path,) for path in paths.values()]
    write("shipped", dict(zip(paths, parallel(shipped_digests, arguments), strict=True)))
    write("summaries", dict(zip(paths, parallel(shipped_summary, arguments), strict=True)))
    print(f"shipped scenarios: {time.monotonic() - began:.0f} s", flush=True)
    families = list(schedules.FAMILIES)
    write("singles", dict(zip(families, parallel(single, [(family,) for family in families]), strict=True)))
    print(f"singles: {time.monotonic() - began:.0f} s", flush=True)
    write("hundreds", all_hundreds(families))
    print(f"all: {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
