"""The random schedules of the net: scenarios as users write them, whose nemesis draws the faults from the seed.

For each algorithm with its default options, five nodes run under a swarm of every fault that a nemesis could draw when
the net was recorded. Further families use options that are off by default: `raft-options` and `raft-log` draw Raft's
options from the seed (dialects, timers, leases, members, transfers), `omega-detectors` and `ring-detectors` draw the
failure detector, and `raft-streams` runs over connections.

The scenarios are text. If an option or a key of the scenario format is renamed and the old name is no longer read,
rename it here too: only what a trial does may not change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

SEEDS = range(1, 2001)
PER_HASH = 100
SINGLE = range(7, 2001, 100)  # Twenty seeds, spread over all hundreds, whose digests are kept one by one.

_MIX = """\
  mix:
    - {weight: 2, crash: random}
    - {weight: 2, crash: leader}
    - {kill: random}
    - {weight: 2, kill: leader}
    - {bounce: random}
    - {bounce: follower}
    - {amnesia: random}
    - {pause: random}
    - {weight: 2, pause: leader}
    - {slow_node: random, service: {exponential: SHORT}}
    - {weight: 2, slow_disk: random, write: {exponential: SHORT}}
    - {stall_disk: random}
    - {skew_clock: random, drift_ppm: 50000, jump: LONG}
    - {skew_clock: leader, jump: -LONG}
    - {partition: [[leader-and-minority]]}
    - {partition: [[minority]]}
    - {partition: [[n1], [n2]]}
    - {partition_oneway: {senders: leader}}
    - {partition_oneway: {senders: [n1, n2], receivers: n5}}
    - {cut_link: [leader, follower]}
    - {weight: 2, isolate: random}
    - {isolate: leader}
    - {bridge: n3}
    - {majorities_ring: all}
    - {degrade: random, latency: {exponential: SHORT}, loss: 0.2, duplication: 0.2}
    - {degrade: {between: [leader, follower]}, loss: 0.9}
    - {flap: {senders: leader}, down: LONG, up: LONG}
    - {hold: {nodes: random}}
    - {hold: {senders: leader}}
"""
_STRIKES_ALL = "    - {majorities_ring: all}\n"  # Refused where at_most is less than all nodes.
# The recipe's candidates are clients of an ensemble of servers, which fail, too.
_SERVERS = """\
    - {weight: 2, kill: "leader-of:ensemble"}
    - {crash: n7}
    - {pause: "leader-of:ensemble"}
    - {isolate: "leader-of:ensemble"}
    - {stall_disk: "leader-of:ensemble"}
    - {cut_link: [leader, "leader-of:ensemble"]}
    - {weight: 2, cut_link: [n1, n6]}
    - {amnesia: n8}
"""


class Pace(NamedTuple):
    """What is long and short for an algorithm with its timeouts: in milliseconds, the duration in seconds."""

    short_ms: int  # A delay that elections stand.
    long_ms: int  # A delay about as long as it takes to suspect a leader.
    duration_s: int


PACES: Mapping[str, Pace] = {
    "raft": Pace(30, 200, 8),
    "bully": Pace(30, 300, 10),
    "invitation": Pace(60, 600, 24),
    "ring": Pace(30, 300, 10),
    "chang-roberts": Pace(30, 300, 10),
    "hirschberg-sinclair": Pace(30, 300, 10),
    "omega": Pace(30, 200, 8),
    "priority": Pace(300, 5000, 200),
    "zookeeper": Pace(200, 3000, 120),
    "zookeeper-ensemble": Pace(200, 2500, 120),
}

# Options of Raft, each with values that go with all others. Times are multiples of 25 ms, as ticks want them.
_RAFT_OPTIONS: Mapping[str, Sequence[str]] = {
    "step_down_resets_timer": ("leader", "candidate", "anybody"),
    "votes_after_stepping_down": ("true", "false"),
    "new_term_heartbeat_only_steps_down": ("false", "true"),
    "separate_writes": ("false", "true"),
    "refusals": ("always", "not_stale", "never"),
    "vote_retry_interval": ("null", "15ms"),
    "candidate_timeout": ("null", "[50ms, 100ms]"),
    "candidate_backoff": ("1.0", "1.5"),
    "refusals_end_candidacy": ("false", "true"),
    "pre_vote": ("false", "true"),
    "check_quorum": ("false", "true"),
    "leader_lease": ("null", "75ms"),
    "lease_slides": ("false", "true"),
    "leader_stickiness": ("off", "refuse", "ignore"),
    "priorities": ("[]", "[]", "[3, 1, 2, 1, 5]"),
}
_RAFT_TIMERS = ("", "heartbeat_spread: 25ms", "tick: 25ms", "least_silence: 100ms", "poll_interval: 10ms")
_RAFT_DIALECTS = ("availsim", "logcabin", "refloated", "etcd", "hashicorp", "pysyncobj")
_RAFT_LOG = """\
workload: {rate_per_s: 40, size_bytes: 256, start: 300ms}
faults:
  - {at: {uniform: [500ms, 2s]}, transfer_leadership: leader, without_target: skip}
  - {at: {uniform: [1s, 4s]}, add_server: n6, without_target: skip}
  - {at: {uniform: [2s, 6s]}, remove_server: leader, without_target: skip}
  - {at: {uniform: [3s, 7s]}, transfer_leadership: leader, to: n2, without_target: skip}
"""
_DETECTORS = ("heartbeat", "ping", "chen", "phi", "external")


def _scenario(
    name: str, seed: int, options: Sequence[str] = (), *, nodes: int = 5, network: str = "", more: str = ""
) -> str:
    """A scenario of this algorithm: long enough for a dozen failures, and for the cluster to recover at the end."""
    pace = PACES[name]
    clients = name == "zookeeper"
    others = clients or any("external" in option for option in options)  # `all` counts the five only.
    at_most = _pick(seed, "at_most", ("3" if clients else "minority", "majority", "all"))
    mix = _MIX if at_most == "all" and not others else _MIX.replace(_STRIKES_ALL, "")
    mix += _SERVERS if clients else ""
    mix = mix.replace("SHORT", f"{pace.short_ms}ms").replace("LONG", f"{pace.long_ms}ms")
    given = "".join(f"  {option}\n" for option in options if option)
    return f"""\
version: 1
name: net
algorithm:
  name: {name}
{given}cluster:
  nodes: {nodes}
  start: {{spread: {pace.short_ms}ms}}
  disk: {{write: {{uniform: [100us, 3ms]}}}}
network:
  latency: {{uniform: [1ms, 12ms]}}
  loss: 0.005
  duplication: 0.005
{network}nemesis:
{mix}  time_to_failure: {pace.duration_s * 50}ms
  time_to_repair: {pace.duration_s * 50}ms
  start: {pace.duration_s * 25}ms
  quiet: {pace.duration_s * 150}ms
  at_most: {at_most}
  swarm: true
duration: {pace.duration_s}s
{more}"""


def _pick(seed: int, what: str, values: Sequence[str]) -> str:
    """One of the values, by a hash of the seed and of what is drawn: no draw depends on another."""
    return values[int.from_bytes(sha256(f"{seed} {what}".encode()).digest()[:8]) % len(values)]


def _raft_options(seed: int) -> list[str]:
    if seed % 4 == 0:
        return [f"dialect: {_pick(seed, 'dialect', _RAFT_DIALECTS)}"]
    options = {name: _pick(seed, name, values) for name, values in _RAFT_OPTIONS.items()}
    sticky = options["leader_stickiness"] != "off"
    lasts = _pick(seed, "stickiness_lasts", ("least_timeout", "least_timeout", "own_timeout"))
    options["stickiness_lasts"] = lasts
    if sticky and lasts == "least_timeout":
        options["lease_reads"] = _pick(seed, "lease_reads", ("true", "false"))
    return [*(f"{name}: {value}" for name, value in options.items()), _pick(seed, "timers", _RAFT_TIMERS)]


def _raft_with_options(seed: int) -> str:
    return _scenario("raft", seed, _raft_options(seed))


def _raft_log(seed: int) -> str:
    log = [
        "replication: true",
        f"no_op: {_pick(seed, 'no_op', ('true', 'false'))}",
        "voters: [n1, n2, n3, n4, n5]",
    ]
    chosen = [option for option in _raft_options(seed) if not option.startswith("priorities")]
    return _scenario("raft", seed, [*chosen, *log], nodes=6, more=_RAFT_LOG)


def _raft_streams(seed: int) -> str:
    streams = "  transport: stream\n  stream: {notice: {uniform: [1ms, 20ms]}}\n"
    return _scenario("raft", seed, ["pre_vote: true"], network=streams)


def _with_detector(name: str) -> Callable[[int], str]:
    return lambda seed: _scenario(name, seed, [f"detector: {{{_pick(seed, 'detector', _DETECTORS)}: {{}}}}"])


def _default(name: str) -> Callable[[int], str]:
    return lambda seed: _scenario(name, seed)


# The scenario for a seed, by the name of the family.
FAMILIES: Mapping[str, Callable[[int], str]] = {
    **{name: _default(name) for name in PACES},
    "raft-options": _raft_with_options,
    "raft-log": _raft_log,
    "raft-streams": _raft_streams,
    "omega-detectors": _with_detector("omega"),
    "ring-detectors": _with_detector("ring"),
}


def hundreds() -> list[Any]:
    """The seeds in the portions of which one SHA-256 is kept."""
    return [range(first, first + PER_HASH) for first in range(SEEDS.start, SEEDS.stop, PER_HASH)]
