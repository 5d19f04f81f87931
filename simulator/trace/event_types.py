"""The event types of the rows that a host writes to a trace. An algorithm's notes add types of their own."""

from __future__ import annotations

STARTED = "started"  # A node starts or restarts.
CRASHED = "crashed"  # A node loses everything but its disk. cause: `kill` where only its process died.
PAUSED = "paused"  # A node stops handling anything; it still believes what it believed.
RESUMED = "resumed"
LIFECYCLE_EVENTS = frozenset((STARTED, CRASHED, PAUSED, RESUMED))  # Events of a node's process, under any algorithm.
TRANSITION = "transition"  # A node declares its role, term and the leader that it knows of.
FAULT = "fault"  # A fault was injected; the detail says which, and into which nodes.
REPAIRED = "repaired"  # The time of a fault is over, and its effect is repaired.
SKIPPED = "skipped"  # A fault of the schedule was left out, since its target did not exist.
SUPPRESSED = "suppressed"  # A fault of the nemesis was left out: no target, or too many nodes affected at once.
NOT_INJECTED = "not-injected"  # A fault of the schedule was still waiting when the trial ended.
LEADER_LOST = "leader-lost"  # The current leader crashed, paused, stepped down or was cut off (the cause).
LEADER_BACK = "leader-back"  # The lost leader, still claiming, resumed or reached a majority again.
# Only where a scenario demands that all nodes name one leader (`liveness: {who: all}`):
MAJORITY_LOST = "majority-lost"  # This node, which is awake, could not reach a quorum if it led, from now on.
MAJORITY_BACK = "majority-back"  # It could again. A node that starts or resumes can, unless the row above follows.

# Notes that algorithms write for metrics and checks.
SUSPECTED = "suspected"  # leader: the leader that the node suspects. The host adds `cut_off` as below.
WATCHES = "watches"  # nodes: this node's failure detector watches these from now on, and no others.
SUSPECTS = "suspects"  # node: this node's failure detector takes another to be down, from now on. The host adds
# `cut_off` where that node is awake, but not reachable both ways: then the suspicion is no mistake.
TRUSTS = "trusts"  # node: this node's failure detector takes that node to be up again.
VOTE = "vote"  # term, voter: a candidate counts this voter's vote.
LOG = "log"  # last_term, last_index: the end of the node's log. runs (of a claimant): each term, and its last index.
COMMIT = "commit"  # term, index, entry_term: this leader has committed its log up to an entry of that term.
CONFIGURATION = "configuration"  # voters, learners: the members in this node's eyes from now on; at first, everybody.
CHANGE_GIVEN_UP = "change-given-up"  # node, why: this leader gives up adding a server.
WROTE = "wrote"  # A client's write took effect, or not. It makes a row of its own (`simulator.trace.requests`).
UNSURE = "unsure"  # why: this server, which has clients, knows no leader (`no-leader`) or leads without a quorum.
SURE = "sure"  # It follows a leader, or leads with a quorum, again.
# term, lasts_ns: this leader's lease is granted or extended. It lasts for lasts_ns by the leader's own clock.
LEASE = "lease"
LEASE_ENDED = "lease-ended"  # term, late_ns: this leader has lost its lease, and notices it late_ns later.
TRANSFER = "transfer"  # to: a leader begins to hand over, and serves nobody meanwhile.
TRANSFER_ABORTED = "transfer-aborted"  # The named leader keeps its leadership.

# The causes of a loss.
CRASH = "crash"
KILL = "kill"
PAUSE = "pause"
STEP_DOWN = "step-down"
CUT_OFF = "cut-off"
