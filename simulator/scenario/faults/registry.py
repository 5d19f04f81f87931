"""How a scenario writes faults: `{at: 2s, crash: leader}`. A new one is a verb in `node_faults` or `link_faults`."""

from __future__ import annotations

from typing import Annotated

from simulator.scenario.faults.forms import FaultForm, Verb, timed
from simulator.scenario.faults.link_faults import LINK_VERBS
from simulator.scenario.faults.node_faults import NODE_VERBS
from simulator.scenario.faults.operator_commands import AddServerVerb, RemoveServerVerb, TransferVerb
from simulator.scenario.text.fields import OneKey

_REQUESTS: tuple[type[Verb], ...] = (TransferVerb, AddServerVerb, RemoveServerVerb)
VERBS: dict[str, type[Verb]] = {**NODE_VERBS, **LINK_VERBS, **{verb.key: verb for verb in _REQUESTS}}
FAULTS: dict[str, type[FaultForm]] = {key: timed(verb) for key, verb in VERBS.items()}

AnyFault = Annotated[FaultForm, OneKey(FAULTS, what="a fault")]

# One of each, to learn from and to copy: `electsim faults` shows them, and a test holds each to be valid.
EXAMPLES: dict[str, str] = {
    "crash": "{at: {uniform: [1s, 1050ms]}, crash: leader, lasts: 1500ms}",
    "kill": "{at: 1s, kill: n2}",
    "bounce": "{at: 1s, bounce: follower, lasts: {uniform: [100ms, 2s]}}",
    "restart": "{at: 2s, restart: all}",
    "amnesia": "{at: 1s, amnesia: n2}",
    "pause": "{at: 1s, pause: leader, lasts: 400ms}",
    "resume": "{at: 2s, resume: all}",
    "slow_node": "{at: 1s, slow_node: highest-id, service: {exponential: 2ms}}",
    "slow_disk": "{at: 1s, slow_disk: all, write: {lognormal: {median: 5ms, p99: 200ms}}, lasts: 1s}",
    "stall_disk": "{at: 1s, stall_disk: leader, lasts: 300ms}",
    "skew_clock": "{at: 0, skew_clock: n1, drift_ppm: 200, jump: 150ms}",
    "partition": "{at: 1s, partition: [[leader-and-minority]], lasts: 1s}",
    "partition_oneway": "{at: 1s, partition_oneway: {senders: leader}, lasts: 1s}",
    "cut_link": "{at: 1s, cut_link: [leader, follower], lasts: 1s}",
    "isolate": "{after: leader-elected + 500ms, isolate: leader, lasts: 2s}",
    "bridge": "{at: 1s, bridge: n3}",
    "majorities_ring": "{at: 1s, majorities_ring: all}",
    "degrade": "{at: 1s, degrade: n1, latency: {uniform: [10ms, 50ms]}, loss: 0.05}",
    "flap": "{at: 1s, flap: {between: [leader, follower]}, down: 200ms, up: 300ms, lasts: 2s}",
    "hold": "{at: 1s, hold: {senders: leader}, lasts: 200ms}",
    "release": "{at: 2s, release: all}",
    "heal": "{at: 2s, heal: all}",
    "transfer_leadership": "{at: 1s, transfer_leadership: leader, to: n3}",
    "add_server": "{at: 2s, add_server: n2}",
    "remove_server": "{at: 3500ms, remove_server: leader}",
}
