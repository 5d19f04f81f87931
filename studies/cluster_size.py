"""What an election costs in a larger cluster: `python -m studies.cluster_size --figure docs/images/cluster-size.png`.

The leader, which is the highest node, crashes. Counted is from its crash until everybody names another leader, without
what detects failures, and without the acknowledgements of the rings, which double their messages. Timed is from the
first suspicion or candidacy: how long it takes to detect a crash is for the detector to choose. A message takes 10 ms.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from math import ceil, log2
from pathlib import Path
from typing import Any

from simulator.algorithms.bully import BullyConfig
from simulator.algorithms.detectors import DETECTOR_MESSAGES, PingOptions
from simulator.algorithms.raft import RaftConfig
from simulator.algorithms.registry import REGISTRY
from simulator.algorithms.rings import Acknowledgement, Check, RingConfig
from simulator.analysis.statistics.estimates import Sample, mean
from simulator.cluster.cluster import Cluster
from simulator.cluster.distributions import Constant
from simulator.cluster.faults.node_faults import Crash
from simulator.cluster.faults.schedule import Scheduled
from simulator.cluster.network.network import NetworkSpec
from simulator.cluster.spec import ClusterSpec
from simulator.cluster.stop import StopWhen
from simulator.protocol import CANDIDATE, MILLISECOND, SECOND
from simulator.report.figures.cluster_size import Size, Theory, cluster_size_figure
from simulator.report.figures.results import save
from simulator.trace import event_types

HOP = 10 * MILLISECOND
SIZES = (3, 10, 30, 100, 300, 1000)
NOT_COUNTED = {*DETECTOR_MESSAGES, Acknowledgement, Check}
RINGS = ("ring", "chang-roberts", "hirschberg-sinclair")
NAMES = (*RINGS, "bully", "raft")


def config(name: str, nodes: int, fault_rng: random.Random) -> Any:
    """Options by which each can elect at all in a cluster of that size.

    A ring's order is random, and only n1 initiates at the boot. Raft's timeouts spread the more, the more nodes there
    are: 40 ms for each, so that few of them stand within a round trip.
    """
    if name in RINGS:
        order = tuple(fault_rng.sample(range(1, nodes + 1), nodes))
        detector = PingOptions(interval=SECOND, timeout=50 * MILLISECOND)
        return RingConfig(order=order, initiators=(1,), detector=detector)
    if name == "bully":
        return BullyConfig(check_interval=1000 * SECOND)
    return RaftConfig(election_timeout=(SECOND, SECOND + 4 * nodes * HOP), heartbeat_interval=SECOND // 2)


def election(name: str, nodes: int, trial: int) -> tuple[int, float]:
    """Messages and seconds of one election."""
    fault_rng = random.Random(f"{name} {nodes} {trial}")
    crash_at = 8 * nodes * HOP + 5 * SECOND + fault_rng.randrange(SECOND)
    spec = ClusterSpec(
        registration=REGISTRY[name],
        config=config(name, nodes, fault_rng),
        nodes=nodes,
        duration=crash_at + 1000 * SECOND,
        network=NetworkSpec(latency=Constant(HOP)),
        faults=(Scheduled(at=Constant(crash_at), fault=Crash("leader")),),
        stop_when=StopWhen.LEADER_ANNOUNCED,
    )
    cluster = Cluster(spec, seed=1, trial=trial)
    before: Counter[type] = Counter()
    cluster.control.call_after(crash_at, lambda: before.update(cluster.network.sent))
    trace = cluster.run()
    began = next(
        row.time_ns
        for row in trace.rows
        if row.time_ns > crash_at and (row.kind == event_types.SUSPECTED or row.role is CANDIDATE)
    )
    sent = Counter(cluster.network.sent) - before
    return sum(sent[kind] for kind in sent if kind not in NOT_COUNTED), (trace.end_ns - began) / SECOND


def sizes(name: str, trials: int) -> Iterator[Size]:
    """As many trials as asked for in clusters of up to 100 nodes, and fewer in larger ones, down to two."""
    for nodes in SIZES:
        found = [election(name, nodes, trial) for trial in range(max(2, trials // max(1, nodes // 100)))]
        messages, seconds = zip(*found, strict=True)
        yield Size(nodes, mean(Sample.of([float(count) for count in messages])), mean(Sample.of(list(seconds))))


# m = n - 1 nodes are left. On a ring one of them notices; of Chang and Roberts's, its message and those that replace it
# come to the highest after m/2 hops on average, whose own goes round, and is announced. We know of no bound on the time
# of Hirschberg and Sinclair's where a single node initiates: seven rounds are for orientation.
THEORY: Mapping[str, Theory] = {
    "ring": Theory(lambda n: 2 * (n - 1), lambda n: (2 * (n - 1) - 1) * HOP / SECOND),
    "chang-roberts": Theory(lambda n: 2.5 * (n - 1), lambda n: (2.5 * (n - 1) - 1) * HOP / SECOND),
    "hirschberg-sinclair": Theory(
        lambda n: 8 * n * (ceil(log2(n)) + 1) + n, lambda n: 7 * n * HOP / SECOND, bound=True
    ),
    "bully": Theory(lambda n: n * n - n - 1, lambda n: 0.1 + HOP / SECOND),  # All notice at once.
    "raft": Theory(lambda n: 4 * n - 6, lambda n: 3 * HOP / SECOND),  # Of one candidate: requests, votes, heartbeats.
}


def table(curves: Mapping[str, Sequence[Size]]) -> Iterator[str]:
    """Lines of Markdown."""
    yield "| nodes | " + " | ".join(curves) + " |"
    yield "| ---: |" + " ---: |" * len(curves)
    for row in zip(*curves.values(), strict=True):
        cells = (f"{size.messages.value:,.0f}, {size.seconds.value:,.2f} s" for size in row)
        yield f"| {row[0].nodes} | " + " | ".join(cells) + " |"


def main() -> None:
    """Print the table; draw the figure where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--trials", type=int, default=20, help="of each size, and fewer above 100 nodes")
    parser.add_argument("--figure", type=Path, help="where to draw it")
    given = parser.parse_args()
    curves = {name: list(sizes(name, given.trials)) for name in NAMES}
    for line in table(curves):
        print(line)
    if given.figure is not None:
        title = "The leader has crashed: until all name another"
        save(cluster_size_figure(curves, THEORY, title), given.figure, ("png",))


if __name__ == "__main__":
    main()
