"""What a tuner found, as `tune.json` keeps it, and the commands that check its recommendation."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from hashlib import sha256
from typing import Any

from simulator.analysis.estimates import Summary
from simulator.experiment.files import UNFINISHED
from simulator.experiment.result import FINISHED, SCHEMA
from simulator.experiment.sweep.axes import ALGORITHM, SCENARIO
from simulator.experiment.sweep.running import Ending
from simulator.experiment.tune.candidates import Candidate
from simulator.experiment.tune.products import product_settings
from simulator.experiment.tune.request import Request
from simulator.experiment.tune.tuner import Tuner
from simulator.scenario import load


def tuned(request: Request, tuner: Tuner, ending: Ending) -> Summary:
    """The content of `tune.json`. Raises StoreError."""
    stopped_by = ending.reason
    plan = tuner.plan
    return request.head() | {
        "schema": SCHEMA,
        "state": UNFINISHED if stopped_by else FINISHED,
        "stopped_by": stopped_by,
        "name": request.study.name,
        "about": request.study.about,
        "seed": request.study.seed,
        "minimise": tuner.goal.minimise,
        "subject_to": [asdict(bound) for bound in tuner.goal.bounds],
        "search": tuner.search.name,
        "fault_free": {"trial_s": plan.trial_s, "looks": list(plan.looks), "length_s": plan.length_s},
        "candidates": [candidate.summary() for candidate in tuner.candidates],
        "recommendation": _recommendation(request, tuner),
        "digest": sha256("\n".join(tuner.stages.digests()).encode()).hexdigest(),
    }


def _recommendation(request: Request, tuner: Tuner) -> Summary | None:
    best = tuner.recommendation
    if best is None:
        return None
    path, overrides, algorithm = _scenario_of(request, best)
    product = product_settings(load(path, overrides, algorithm=algorithm, allow_files=request.allow_files))
    return {
        "candidate": best.number,
        "settings": best.texts,
        "product": None if product is None else asdict(product),
        "margin": None if tuner.margin is None else tuner.margin.summary(),
        "check": _commands(request, tuner, best),
    }


def _scenario_of(request: Request, best: Candidate) -> tuple[str, list[str], str | None]:
    """The scenario's path, its overrides, and its algorithm if the settings name one."""
    texts = best.texts
    path, algorithm = texts.pop(SCENARIO, request.study.scenario), texts.pop(ALGORITHM, None)
    shared = [f"{field}={_text(value)}" for field, value in request.study.set.items()]
    return path, [*shared, *(f"{field}={text}" for field, text in texts.items())], algorithm


def _commands(request: Request, tuner: Tuner, best: Candidate) -> dict[str, str]:
    path, overrides, algorithm = _scenario_of(request, best)
    words = ["electsim", "run", request.scenario_name(path), *([] if algorithm is None else ["--algorithm", algorithm])]
    allowed = _options("--allow-files", request.allow_files)
    ends = {"trials": request.study.trials, "seed": request.study.seed}
    fault_free = [f"{field}={_text(value)}" for field, value in tuner.plan.settings().items()]
    return {
        "faults": _command(words, overrides, allowed, ends),
        "fault_free": _command(words, [*overrides, *fault_free], allowed, {**ends, "trials": tuner.plan.looks[-1]}),
    }


def _command(words: Iterable[str], overrides: Iterable[str], allowed: list[str], ends: Mapping[str, Any]) -> str:
    numbers = [word for name, value in ends.items() for word in (f"--{name}", str(value))]
    return shlex.join([*words, *_options("--set", overrides), *allowed, *numbers])


def _options(name: str, values: Iterable[str]) -> list[str]:
    return [word for value in values for word in (name, value)]


def _text(value: object) -> str:
    import json

    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
