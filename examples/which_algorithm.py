"""Which algorithm finds a new leader soonest, with default options? `python examples/which_algorithm.py`

Each algorithm meets the same crashes at the same instants: the trials share their random numbers, so that a difference
between two rows is a difference between two algorithms.
"""

import sys

import simulator

ALGORITHMS = ("omega", "raft", "ring", "bully")


def main(trials: int = 100) -> None:
    """Print the median failover time of each algorithm, in milliseconds."""
    for name in ALGORITHMS:
        result = simulator.run(simulator.load("leader-crash", algorithm=name), trials=trials)
        median = result.summary["metrics"]["failover"]["median"]
        print(f"{name:8} {1000 * median['value']:6.0f} ms   {len(result.overlaps)} times two leaders")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
