"""How short may the election timeout be in my network? `python examples/choose_a_timeout.py`

A short timeout detects a crash soon. If it is too short for the latency, healthy leaders are suspected, and candidates
split the votes. Replace the latency by your own: any distribution of docs/network.md, or a CSV file of measurements.
"""

import sys

import simulator

LATENCY = "{lognormal: {median: 20ms, p99: 80ms}}"
TIMEOUTS_MS = (60, 120, 240, 480)


def main(trials: int = 60) -> None:
    """Print failover, split votes and spurious elections for each lower bound of the election timeout."""
    print("timeout, ms   failover median, ms   split votes   spurious elections")
    for timeout_ms in TIMEOUTS_MS:
        scenario = simulator.load(
            "raft-leader-crash",
            [
                f"network.latency={LATENCY}",
                f"algorithm.election_timeout=[{timeout_ms}ms, {2 * timeout_ms}ms]",
                f"algorithm.heartbeat_interval={timeout_ms // 4}ms",
            ],
        )
        result = simulator.run(scenario, trials=trials)
        metrics, elections = result.summary["metrics"], result.elections
        failover = 1000 * metrics["failover"]["median"]["value"]
        split = 100 * metrics["split_votes"]["fraction"]["value"]
        spurious = int((elections["cause"] == "spurious").sum())
        print(f"{timeout_ms:>5}–{2 * timeout_ms:<5} {failover:18.0f} {split:15.1f} % {spurious:14}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
