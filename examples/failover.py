"""How long is a Raft cluster without a leader after its leader crashes? `python examples/failover.py`

Runs a scenario that comes with electsim, and prints the failover time with its 95 % interval.
"""

import sys

import simulator


def main(trials: int = 200) -> None:
    """Print the median and the 99th percentile of the failover time, in milliseconds."""
    result = simulator.run("raft-leader-crash", trials=trials)
    failover = result.summary["metrics"]["failover"]
    for name in ("median", "p99"):
        median, low, high = (failover[name][part] for part in ("value", "low", "high"))
        bounds = f"{1000 * (low or 0):.0f} – {'∞' if high is None else round(1000 * high)}"  # None: too few trials.
        print(f"failover, {name}: {1000 * median:.0f} ms [{bounds}]")
    print(f"the same seed and version give the same digest: {result.digest[:12]}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
