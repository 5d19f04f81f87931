"""What was renamed since the net was recorded: new name -> old name. Read by `canonical`; see the package's docstring.

An entry is added in the commit that renames. Example: after the rows `undone` are called `repaired`,
`ROW_TYPES = {"repaired": "undone"}`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

# Of `Row.kind`.
ROW_TYPES: Mapping[str, str] = {"repaired": "undone", "suppressed": "spared", "not-injected": "unstruck"}
DETAIL_KEYS: Mapping[str, str] = {}  # Keys of a row's detail.
MESSAGES: Mapping[str, str] = {}  # Types of messages, alone and in names of columns (`sent_RequestVote`).
GROUPS: Mapping[str, str] = {}  # Names of groups of nodes.

# Texts in details and results, such as `why`: regular expression of the new text -> old text, applied in this order.
TEXTS: Sequence[tuple[str, str]] = (
    ("^no node would be affected$", "there is nobody to trouble"),
    ("^(more than [0-9]+ nodes would be) affected$", r"\1 troubled"),
    ("^(the leader.*, n[0-9]+,) is in a state that the fault does not apply to$", r"\1 cannot be struck as it is"),
    ("^there is no node that the fault applies to$", "there is no node to strike"),
    ("^there is no node but the leader$", "there is nobody but the leader"),
)

KEYS: Mapping[str, str] = {}  # Columns of the tables, and keys of a summary at any depth.
# Columns and keys that the old code did not have: left out of the comparison. `who`: of a demand for liveness;
# `all_know_s`: of an election.
ADDED: Collection[str] = frozenset(
    ("all_know_s", "failover_incidence", "fast_forward", "faults_without_effect", "who", "without_effect")
)

SCENARIOS: Mapping[str, str] = {}  # Paths below scenarios/, without the ending: "ci/raft-3-nodes".
