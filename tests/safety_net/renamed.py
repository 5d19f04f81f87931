"""What was renamed since the net was recorded: new name -> old name. Read by `canonical`; see the package's docstring.

An entry is added in the commit that renames. Example: after the rows `undone` are called `repaired`,
`ROW_TYPES = {"repaired": "undone"}`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

ROW_TYPES: Mapping[str, str] = {}  # Of `Row.kind`.
DETAIL_KEYS: Mapping[str, str] = {}  # Keys of a row's detail.
MESSAGES: Mapping[str, str] = {}  # Types of messages, alone and in names of columns (`sent_RequestVote`).
GROUPS: Mapping[str, str] = {}  # Names of groups of nodes.

# Texts in details and results, such as `why`: regular expression of the new text -> old text, applied in this order.
TEXTS: Sequence[tuple[str, str]] = ()

KEYS: Mapping[str, str] = {}  # Columns of the tables, and keys of a summary at any depth.
ADDED: Collection[str] = frozenset()  # Columns and keys that the old code did not have: left out of the comparison.

SCENARIOS: Mapping[str, str] = {}  # Paths below scenarios/, without the ending: "ci/raft-3-nodes".
