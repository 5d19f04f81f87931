"""Random scenarios for fast-forward: what is drawn depends on the seed only, and covers what could go wrong."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

LATENCIES = (
    "5ms",
    "{uniform: [1ms, 12ms]}",
    "{uniform: [5ms, 15ms]}",
    "{empirical: {samples: 1ms 2ms 3ms 9ms}}",
    "{mixture: [{weight: 0.9, of: 2ms}, {weight: 0.1, of: {uniform: [3ms, 8ms]}}]}",
    "25ms",
    "{uniform: [20ms, 40ms]}",
    "{lognormal: {median: 1ms, p99: 3ms}}",
    "{exponential: 500us}",
    "{gamma: {shape: 2, mean: 1ms}}",
    "{normal: {mean: 5ms, sd: 500us}}",
)
FAULTS = (
    "crash: leader",
    "crash: random",
    "kill: leader",
    "bounce: follower",
    "amnesia: random",
    "pause: leader",
    "pause: random",
    "slow_node: random, service: {exponential: 5ms}",
    "slow_disk: random, write: {exponential: 30ms}",
    "stall_disk: random",
    "skew_clock: random, drift_ppm: 50000, jump: 200ms",
    "skew_clock: leader, jump: -100ms",
    "partition: [[leader-and-minority]]",
    "partition: [[n1], [n2]]",
    "partition_oneway: {senders: leader}",
    "isolate: random",
    "degrade: random, latency: {exponential: 10ms}, loss: 0.2, duplication: 0.2",
    "flap: {senders: leader}, down: 200ms, up: 200ms",
    "hold: {senders: leader}",
)


def raft(draw: random.Random) -> str:
    """Options of Raft that have keep-alives."""
    options = {
        "pre_vote": ("true", "false"),
        "check_quorum": ("true", "false"),
        "lease_slides": ("true", "false"),
        "leader_stickiness": ("off", "refuse", "ignore"),
        "leader_lease": ("null", "100ms", "350ms"),
        "first_entry": ("true", "false"),
        "step_down_resets_timer": ("leader", "candidate", "anybody"),
    }
    chosen = {name: draw.choice(values) for name, values in options.items()}
    chosen |= draw.choice(
        (
            {},
            {"tick": "25ms"},
            {"tick": "50ms"},
            {"election_timeout": "[150ms, 150ms]"},
            {"heartbeat_interval": "30ms"},
            {"learners": "[n3]"},
        )
    )
    if "tick" in chosen:
        chosen["leader_lease"] = draw.choice(("null", "100ms", "350ms"))
    return "".join(f"  {name}: {value}\n" for name, value in chosen.items())


def watching(draw: random.Random) -> str:
    """The detectors that have keep-alives, with intervals that do and do not fit each other."""
    options = ("heartbeat", "heartbeat: {interval: 30ms}", "ping", "ping: {interval: 60ms}", "ping: {retries: 0}")
    detector = draw.choice(options)
    return f"  detector: {detector if ':' not in detector else '{' + detector + '}'}\n"


def checking(draw: random.Random) -> str:
    """A detector, and an interval of checks that is no multiple of the detector's."""
    return watching(draw) + draw.choice(("", "  check_interval: 70ms\n", "  check_interval: 333ms\n"))


def priority(draw: random.Random) -> str:
    """Intervals of the simple election."""
    return draw.choice(("", "  check_interval: 300ms\n", "  heartbeat_interval: 1500ms\n"))


OPTIONS: Mapping[str, Callable[[random.Random], str]] = {
    "raft": raft,
    "bully": checking,
    "omega": watching,
    "ring": checking,
    "chang-roberts": checking,
    "hirschberg-sinclair": checking,
    "priority": priority,
}
SCALE: Mapping[str, int] = {"priority": 25}


def scenario(algorithm: str, seed: int) -> str:
    """A scenario of some faults at instants that often coincide with timers, or of a nemesis."""
    draw = random.Random(f"{algorithm} {seed}")
    scale = SCALE.get(algorithm, 1)
    duration_ms = scale * draw.choice((2000, 4000, 10_000))
    times = (lambda: f"{draw.randrange(duration_ms)}ms", lambda: f"{duration_ms // 100 * draw.randrange(100)}ms")
    faults = []
    for _ in range(draw.choice((0, 1, 2, 4))):
        fault = draw.choice(FAULTS)
        lasts = "" if fault.startswith("amnesia") else f", lasts: {draw.randrange(50, 1000) * scale}ms"
        faults.append(f"  - {{at: {draw.choice(times)()}, without_target: skip, {fault}{lasts}}}\n")
    if draw.random() < 0.5:
        faults.append(f"  - {{at: {draw.choice(times)()}, restart: all, without_target: skip}}\n")
    mix = "".join(f"    - {{{fault}}}\n" for fault in draw.sample(FAULTS, 6))
    nemesis = (
        f"nemesis:\n  mix:\n{mix}  time_to_failure: {duration_ms // 4}ms\n  time_to_repair: {duration_ms // 20}ms\n"
        f"  start: {duration_ms // 4}ms\n  at_most: minority\n  quiet: {duration_ms // 5}ms\n"
    )
    network = f"  latency: {draw.choice(LATENCIES)}\n"
    if draw.random() < 0.4:
        network += f"  loss: {draw.choice((0.0005, 0.002, 0.01))}\n"
    if draw.random() < 0.2:
        network += f"  duplication: {draw.choice((0.0005, 0.002, 0.01))}\n"
    if draw.random() < 0.2:
        network = "  topology: {preset: three-zones}\n" + network
    stop = draw.choice(("", "", "stop_when: leader-announced\n", "stop_when: leader-stable\nstable_after: 800ms\n"))
    return f"""\
version: 1
name: quiet
algorithm:
  name: {algorithm}
{OPTIONS[algorithm](draw)}cluster:
  nodes: {draw.choice((3, 5, 5, 5, 7))}
  start: {draw.choice(("together", "{spread: 100ms}"))}
  disk: {{write: {draw.choice(("null", "{uniform: [100us, 3ms]}"))}, blocking: {draw.choice(("true", "false"))}}}
network:
{network}{"faults:" + chr(10) + "".join(faults) if faults else ""}{nemesis if draw.random() < 0.4 else ""}\
duration: {duration_ms}ms
trials: 1
seed: {seed}
{stop}"""
