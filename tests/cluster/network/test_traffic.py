"""Bytes sent: a message's size is its fields' wire size plus a header of 40 bytes (design.md, section 5)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from simulator.algorithms.bully_messages import Answer, NotNormal
from simulator.algorithms.detectors.external import HealthReport
from simulator.algorithms.raft.log import Entry
from simulator.algorithms.raft.messages import AppendEntries, AppendEntriesReply, RequestVoteReply
from simulator.cluster.cluster import Cluster
from simulator.cluster.network.message_size import wire_layout, wire_size
from simulator.cluster.network.network import Network
from simulator.cluster.network.tcp.stream_network import StreamNetwork
from simulator.cluster.network.traffic import Traffic
from simulator.protocol import message
from simulator.scenario import load


@message
class Text:
    words: str
    more: int | None = None


@message
class Odd:
    nested: tuple[tuple[int, ...], ...] = ()
    words: str = "four"


@pytest.mark.parametrize(
    ("sent", "size"),
    [
        (None, 40),  # A packet without contents.
        (Answer(), 40),
        (RequestVoteReply(1, vote_granted=True), 40 + 8 + 1),
        (AppendEntries(1), 40 + 4 * 8 + 9),  # Four numbers, no entries, and a round that might be None.
        (AppendEntries(1, round=3), 40 + 4 * 8 + 9),  # Nothing is saved by its absence.
        (AppendEntriesReply(1, success=True), 40 + 8 + 1 + 8 + 9),
        (AppendEntries(1, entries=(Entry(1, 100, None), Entry(1, 50, None))), 40 + 4 * 8 + 9 + (8 + 100) + (8 + 50)),
        (NotNormal(None), 40 + 9),
        (NotNormal(3), 40 + 9),
        (HealthReport(1, (1, 2, 3)), 40 + 8 + 3 * 8 + 8),
        (Text("naïve"), 40 + 6 + 9),  # UTF-8.
        (Odd(((1, 2), (3,)), "five!"), 40 + 3 * 8 + 5),
        (Odd(), 40 + 4),
    ],
)
def test_sizes(sent: Any, size: int) -> None:
    # The rules are those of `wire_size`: numbers 8, truth values 1, one more for what may be None, contents theirs.
    assert wire_size(sent) == size


def test_only_what_may_vary_is_looked_at() -> None:
    # The hot path: a type whose messages are all alike is counted, and nothing of it is read.
    assert [wire_layout(kind).parts is None for kind in (Answer, RequestVoteReply, AppendEntriesReply, NotNormal)] == [
        True
    ] * 4
    assert [wire_layout(kind).parts is None for kind in (AppendEntries, HealthReport, Text, Odd)] == [False] * 4


def test_what_is_counted_is_what_each_message_takes() -> None:
    # One usual message after an unusual one, and again: the sum of the sizes, by type.
    sent = [AppendEntries(1), AppendEntries(1, entries=(Entry(1, 9, None),)), AppendEntries(1), Text(""), Text("abc")]
    traffic = Traffic([AppendEntries, Text])
    for each in sent:
        traffic.count(each)
    assert traffic.messages == [3, 2]
    assert counted(traffic) == {
        kind: sum(wire_size(each) for each in sent if type(each) is kind) for kind in (AppendEntries, Text)
    }


def counted(traffic: Traffic) -> dict[type, int]:
    rows = zip(traffic.kinds, traffic.messages, traffic.layouts, traffic.extra_bytes, strict=True)
    return {kind: count * layout.usual_bytes + extra for kind, count, layout, extra in rows}


SCENARIOS = (
    ("raft-transfer", ()),  # Entries of a log, sent to each follower as it needs them.
    ("raft-membership", ()),  # Configurations among them.
    ("raft-leader-crash", ("algorithm.lease_reads=true", "algorithm.leader_stickiness=refuse")),  # Rounds.
    ("raft-leader-crash", ("network.transport=stream",)),
    ("bully-partition", ("algorithm.detector=external",)),
    ("invitation-partition", ()),
    ("priority-partition", ()),
)


@pytest.mark.parametrize(("name", "overrides"), SCENARIOS)
def test_a_trial_counts_the_size_of_every_message(
    name: str, overrides: Sequence[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Against the plainest account: `wire_size` of each message as it is handed to the network.
    weighed: Counter[str] = Counter()
    for network in (Network, StreamNetwork):
        plain = network.send_message

        def send_message(self: Any, interface: Any, to: int, message: Any, plain: Any = plain) -> None:
            weighed[type(message).__name__] += wire_size(message)
            plain(self, interface, to, message)

        monkeypatch.setattr(network, "send_message", send_message)
    trace = Cluster(load(name, (*overrides, "fast_forward=off")).cluster_spec(), seed=5, trial=0).run()
    counts = zip(trace.message_types, trace.sent, trace.usual_bytes, trace.extra_bytes, strict=True)
    assert {kind: count * usual + extra for kind, count, usual, extra in counts if count} == dict(weighed)
    assert trace.rows[-1].extra_bytes <= tuple(trace.extra_bytes)


def test_bytes_stay_out_of_the_digest() -> None:
    # They follow from the messages, so that a better account of sizes is no other behaviour.
    spec = load("raft-leader-crash").cluster_spec()
    trace = Cluster(spec, seed=5, trial=0).run()
    other = type(trace)(
        rows=[row._replace(extra_bytes=(1,) * len(row.sent)) for row in trace.rows],
        end_ns=trace.end_ns,
        groups=trace.groups,
        sent=trace.sent,
        extra_bytes=(9,),
    )
    assert other.digest == trace.digest
