"""For how long can two nodes lead at once when the network is partitioned? `python examples/two_leaders.py`

The old leader is cut off with a minority. With CheckQuorum it steps down by itself; without it, it leads on until the
network heals.
"""

import sys

import simulator


def main(trials: int = 100) -> None:
    """Print how often and for how long leaders overlap, with CheckQuorum and without it."""
    for check_quorum in ("true", "false"):
        scenario = simulator.load("raft-partition", [f"algorithm.check_quorum={check_quorum}"])
        overlaps = simulator.run(scenario, trials=trials).overlaps
        longest = (overlaps["end_s"] - overlaps["start_s"]).max() if len(overlaps) else 0.0
        print(f"check_quorum={check_quorum:5}  {len(overlaps)} overlaps in {trials} trials,", end=" ")
        print(f"the longest {longest:.2f} s")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
