"""What Raft guarantees, with where that is stated. `simulator.checks` checks these guarantees on every trace."""

from __future__ import annotations

from simulator.protocol import Guarantee

GUARANTEES = frozenset(
    {
        Guarantee.ELECTION_SAFETY,  # "At most one leader can be elected in a given term" (Figure 3).
        Guarantee.ONE_VOTE,  # "Each server will vote for at most one candidate in a given term" (5.2).
        Guarantee.QUORUM_OF_VOTES,  # "… if it receives votes from a majority of the servers" (5.2).
        Guarantee.MONOTONIC_TERMS,  # "A current term number, which increases monotonically over time" (5.1).
        Guarantee.LOG_UP_TO_DATE,  # "The voter denies its vote if its own log is more up-to-date" (5.4.1).
        Guarantee.DISJOINT_LEASES,  # Leases for reads (dissertation, 6.4.1).
        Guarantee.LEADER_COMPLETENESS,  # A committed entry is in the logs of all later leaders (Figure 3).
    }
)
