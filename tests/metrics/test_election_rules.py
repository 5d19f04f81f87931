"""The table by which a trial is divided into elections (issue 12: "an explicit table, state × event → state and action
… printed into docs/metrics.md by the code that uses it").
"""

from __future__ import annotations

import random
from collections import Counter

import pytest

from simulator.metrics import elections as module
from simulator.metrics.election_actions import ElectionLog
from simulator.metrics.election_rules import RULES, Action, Event, State
from simulator.protocol import CANDIDATE, ELECTORATE, FOLLOWER, LEADER, PRE_CANDIDATE, NodeId, Role
from simulator.trace import event_types
from simulator.trace.trace import Row, Trace

NODES = [1, 2, 3]


def test_every_action_is_carried_out_by_a_method_of_its_own() -> None:
    # h11's _state.py, the model of the issue: the table is complete, or it is no table.
    assert (
        set(ElectionLog.actions) == set(Action) == {rule.action for rules in RULES.values() for rule in rules.values()}
    )


def random_trace(seed: int) -> Trace:
    """Anything that a host could write of three nodes, in an order that no algorithm needs to have."""
    draw = random.Random(seed)
    rows: list[Row] = []
    claimed: set[NodeId] = set()
    with_terms, highest, time_ns = draw.random() < 0.8, 0, 0

    def add(kind: str, node: NodeId, **detail: object) -> None:
        rows.append(Row(time_ns, kind, node, detail=tuple(detail.items()), sent=(len(rows),), extra_bytes=(0,)))

    def declare(node: NodeId, role: Role, term: int, leader: NodeId | None) -> None:
        sent = (len(rows),)
        rows.append(Row(time_ns, event_types.TRANSITION, node, term, role, leader, ELECTORATE, (), sent, (0,)))

    for node in NODES:
        add(event_types.STARTED, node)
        declare(node, FOLLOWER, 0, None)
    for _ in range(draw.randrange(5, 40)):
        time_ns += draw.choice([0, 0, 0, 5])
        node = draw.choice(NODES)
        term = max(0, highest + draw.choice([-1, 0, 0, 1])) if with_terms else 0
        what = draw.choices(
            ["stand", "claim", "follow", "suspect", "transfer", "abort", "lost", "back", "crash", "start"],
            [20, 15, 15, 8, 6, 4, 16, 10, 3, 3],
        )[0]
        if what in ("stand", "claim"):
            highest = max(highest, term)
        if what == "stand":
            declare(node, draw.choice([CANDIDATE, CANDIDATE, PRE_CANDIDATE]), term, None)
        elif what == "claim":
            claimed.add(node)
            declare(node, LEADER, term, node)
        elif what == "follow":
            declare(node, FOLLOWER, term, draw.choice([None, *NODES]))
        elif what == "suspect":
            add(event_types.SUSPECTED, node, leader=draw.choice(NODES))
        elif what == "transfer":
            add(event_types.TRANSFER, node, to=draw.choice(NODES))
        elif what == "abort":
            add(event_types.TRANSFER_ABORTED, node)
        elif what == "lost" and claimed:
            cause = draw.choice([event_types.CRASH, event_types.STEP_DOWN, event_types.CUT_OFF])
            add(event_types.LEADER_LOST, draw.choice(sorted(claimed)), cause=cause)
        elif what == "back" and claimed:
            add(event_types.LEADER_BACK, draw.choice(sorted(claimed)))
        elif what in ("crash", "start"):
            add(event_types.CRASHED if what == "crash" else event_types.STARTED, node)
    return Trace(
        rows=tuple(rows),
        end_ns=time_ns + 10,
        groups={ELECTORATE: NODES},
        message_types=("m",),
        sent=(len(rows),),
        usual_bytes=(1,),
        extra_bytes=(0,),
    )


def test_every_rule_can_apply_and_states_mean_what_the_page_says(monkeypatch: pytest.MonkeyPatch) -> None:
    # docs/metrics.md: "In every state but led, one election is open"; a rule that no trace reaches would be a riddle.
    applied: Counter[tuple[State, Event]] = Counter()
    apply = module._ElectionReader._apply

    def watched(self: module._ElectionReader, event: Event, row: Row) -> None:
        if event in RULES[self.state]:
            applied[self.state, event] += 1
        apply(self, event, row)
        assert (self.log.election is None) == (self.state is State.LED)
        if self.state in (State.BOOT, State.LOST, State.DEPOSED):
            assert self.log.current_leader is None
        assert self.state is not State.LED or self.log.current_leader is not None

    monkeypatch.setattr(module._ElectionReader, "_apply", watched)
    for seed in range(3000):
        module.elections(random_trace(seed))
    missed = [(state.label, event.label) for state in State for event in RULES[state] if not applied[state, event]]
    assert missed == []
