"""Failure detectors, which an algorithm's option `detector` chooses from."""

from __future__ import annotations

from collections.abc import Mapping
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
from simulator.protocol import Host, OneOf

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
]
