"""Failure detectors, which an algorithm's option `detector` chooses from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeAlias

from simulator.algorithms.detectors.chen import ChenDetector, ChenOptions
from simulator.algorithms.detectors.detector import TIMELY_NETWORK, Bounds, Detector, DetectorListener
from simulator.algorithms.detectors.external import (
    MONITOR,
    MONITOR_GROUP,
    ExternalDetector,
    ExternalOptions,
    HealthCheck,
    HealthReport,
    HealthStatus,
    Monitor,
)
from simulator.algorithms.detectors.heartbeat import Heartbeat, HeartbeatDetector, HeartbeatOptions
from simulator.algorithms.detectors.phi import PhiDetector, PhiOptions
from simulator.algorithms.detectors.ping import Ping, PingDetector, PingOptions, Pong
from simulator.protocol import Host, NodeId, OneOf
from simulator.quiet import Beat, Quiet, Watch

DETECTORS: Mapping[str, tuple[type[Any], type[Detector]]] = {
    "heartbeat": (HeartbeatOptions, HeartbeatDetector),
    "ping": (PingOptions, PingDetector),
    "chen": (ChenOptions, ChenDetector),
    "phi": (PhiOptions, PhiDetector),
    "external": (ExternalOptions, ExternalDetector),
}

# The type of an algorithm's option `detector`. A scenario writes the name of a detector, with options if wanted.
DetectorOptions: TypeAlias = Annotated[Any, OneOf({name: options for name, (options, _) in DETECTORS.items()})]

DETECTOR_MESSAGES: tuple[type, ...] = tuple(  # The messages of all detectors, for the table `receive` of an algorithm.
    dict.fromkeys(kind for _, detector in DETECTORS.values() for kind in detector.receive)
)


def make_detector(host: Host, options: Any, listener: DetectorListener) -> Detector:
    """A detector of the kind that these options belong to. It calls `listener.on_opinion` when its opinion changes."""
    _, detector = next(pair for pair in DETECTORS.values() if pair[0] is type(options))
    return detector(host, options, listener)


def never_quiet(config: Any) -> str | None:
    """Why an algorithm with the option `detector` has no keep-alives that could be skipped; None if it has."""
    if isinstance(config.detector, HeartbeatOptions | PingOptions):
        return None
    name = next(name for name, (options, _) in DETECTORS.items() if options is type(config.detector))
    return f"the detector {name} does not say when it is quiet"


def watching(leader: NodeId | None, watch: Watch | None, beats: Sequence[Beat] = ()) -> Quiet | None:
    """The part of a node that follows a leader, watches others, and has these beats of its own."""
    if leader is None or watch is None:
        return None
    return Quiet(leader=leader, beats=[*watch.beats, *beats], awaits=watch.awaits, suspected=watch.suspected)


__all__ = [
    "DETECTORS",
    "DETECTOR_MESSAGES",
    "MONITOR",
    "MONITOR_GROUP",
    "TIMELY_NETWORK",
    "Bounds",
    "ChenDetector",
    "ChenOptions",
    "Detector",
    "DetectorListener",
    "DetectorOptions",
    "ExternalDetector",
    "ExternalOptions",
    "HealthCheck",
    "HealthReport",
    "HealthStatus",
    "Heartbeat",
    "HeartbeatDetector",
    "HeartbeatOptions",
    "Monitor",
    "PhiDetector",
    "PhiOptions",
    "Ping",
    "PingDetector",
    "PingOptions",
    "Pong",
    "make_detector",
    "never_quiet",
    "watching",
]
