"""Scraped text files, written by the client library of Prometheus itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.exposition import generate_latest

RTT = "etcd_network_peer_round_trip_time_seconds"
FSYNC = "etcd_disk_wal_fsync_duration_seconds"


class Server:
    """A process that publishes one histogram, with a series for each value of the label `To`."""

    def __init__(self, metric: str, bounds: Iterable[float]) -> None:
        self.registry = CollectorRegistry()
        self.histogram = Histogram(metric, "What took how long.", ["To"], buckets=list(bounds), registry=self.registry)

    def observe(self, to: str, durations: Mapping[float, int]) -> None:
        """Observes each duration as often as given."""
        for duration, times in durations.items():
            for _ in range(times):
                self.histogram.labels(to).observe(duration)

    def scrape(self) -> str:
        """The text that a scraper gets now."""
        return generate_latest(self.registry).decode()
