"""How a scenario writes faults: `{at: 2s, crash: leader}`. A new one is a verb in `node_faults` or `link_faults`."""

from __future__ import annotations

from typing import Annotated

from simulator.scenario.fault_forms import FaultForm, Verb, timed
from simulator.scenario.fields import OneKey
from simulator.scenario.link_faults import LINK_VERBS
from simulator.scenario.node_faults import NODE_VERBS
from simulator.scenario.requests import AddServerVerb, RemoveServerVerb, TransferVerb

_REQUESTS: tuple[type[Verb], ...] = (TransferVerb, AddServerVerb, RemoveServerVerb)
VERBS: dict[str, type[Verb]] = {**NODE_VERBS, **LINK_VERBS, **{verb.key: verb for verb in _REQUESTS}}
FAULTS: dict[str, type[FaultForm]] = {key: timed(verb) for key, verb in VERBS.items()}

AnyFault = Annotated[FaultForm, OneKey(FAULTS, what="a fault")]
