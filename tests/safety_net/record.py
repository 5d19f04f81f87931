"""Record the net anew where behaviour has changed on purpose: `python -m tests.safety_net.record NAME…`.

A NAME is a family (`ring`), a shipped scenario (`raft-fig16`), or `hundreds`: the 2000 schedules of every family, which
take ten minutes on two cores. Without a name, the command lists what can be named and records nothing.

First find out which rule changes each digest: recording approves whatever has been broken. The changelog names the rule
and the digests. Values that are not named stay; the first ones are of commit 8e0ce0a, before the rebuild.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from tests.safety_net import canonical, drive, renamed, schedules

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


def main(names: Sequence[str]) -> int:
    """Record what is named; the exit code."""
    paths = {renamed.SCENARIOS.get(name, name): path for name, path in drive.shipped().items()}
    known = [*schedules.FAMILIES, *(name for name in paths if name not in schedules.FAMILIES), "hundreds"]
    if unknown := [name for name in names if name not in known]:
        print(f"unknown: {', '.join(unknown)}")
    if unknown or not names:
        print(f"record: name some of {', '.join(known)}")
        return 2
    families = [name for name in names if name in schedules.FAMILIES]
    scenarios = [name for name in names if name in paths]
    arguments = [(paths[name],) for name in scenarios]
    update("shipped", scenarios, parallel(shipped_digests, arguments))
    update("summaries", scenarios, parallel(shipped_summary, arguments))
    update("singles", families, parallel(single, [(family,) for family in families]))
    if "hundreds" in names:
        write("hundreds", all_hundreds(list(schedules.FAMILIES)))
    return 0


def update(name: str, changed: Sequence[str], values: Iterable[Any]) -> None:
    """Keep new values of what has changed, in its old place."""
    write(name, {**kept(name), **dict(zip(changed, values, strict=True))})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
