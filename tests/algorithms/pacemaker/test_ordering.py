"""Totem delivers one order: a small chatter over it, under loss, crashes, pauses and partitions.

The paper (Amir et al. 1995, section 2.2): messages of a configuration are delivered by all in one total order; a
message is delivered at most once; and members that go from one configuration to the next together have delivered the
same messages in the first (virtual synchrony, "recovery").
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, ClassVar

import pytest

from simulator.algorithms.pacemaker.config import PacemakerConfig
from simulator.algorithms.pacemaker.messages import Multicast, RingId
from simulator.algorithms.pacemaker.node import PacemakerNode
from simulator.algorithms.pacemaker.ordering import Received
from simulator.algorithms.registration import Registration
from simulator.cluster.cluster import run_trial
from simulator.cluster.distributions import Uniform
from simulator.cluster.faults.node_faults import Crash, Pause
from simulator.cluster.faults.partitions import Partition
from simulator.cluster.faults.schedule import Scheduled
from simulator.cluster.network.network import NetworkSpec
from simulator.cluster.spec import ClusterSpec
from simulator.protocol import MILLISECOND, SECOND, Message, NodeId, message, uniform
from simulator.trace.trace import Trace

CONFIG = PacemakerConfig(token=300 * MILLISECOND, token_coefficient=0, dc_deadtime=5 * SECOND)


@message
class Word:
    """The sender's so manieth word since it started."""

    incarnation: int
    number: int


class Chatter(PacemakerNode):
    """It says a word now and then, and notes all that it hears."""

    def on_start(self) -> None:
        self.words = 0
        self.started = self.host.monotonic()
        self.host.set_timer("word", uniform(self.host.random, (1, 100 * MILLISECOND)))
        super().on_start()

    def on_timer(self, name: str) -> None:
        if name == "word":
            self.words += 1
            self.totem.multicast(Word(incarnation=self.started, number=self.words))
            self.host.set_timer("word", uniform(self.host.random, (1, 100 * MILLISECOND)))
            self._send_and_declare()
        else:
            super().on_timer(name)

    def on_delivery(self, origin: NodeId, content: Message) -> None:
        if isinstance(content, Word):
            self.host.note("heard", word=(origin, content.incarnation, content.number))
        super().on_delivery(origin, content)

    receive: ClassVar[Any] = PacemakerNode.receive


CHATTER = Registration(name="chatter", algorithm=Chatter, config=PacemakerConfig, terms_count_rounds=False)


def _at(at_s: float, fault: Any, lasts_s: float) -> Scheduled:
    return Scheduled(
        at=Uniform(round(at_s * SECOND), round((at_s + 2) * SECOND)),
        fault=fault,
        lasts=Uniform(round(lasts_s * SECOND), round((lasts_s + 2) * SECOND)),
    )


def chat(number: int) -> Trace:
    spec = ClusterSpec(
        registration=CHATTER,
        config=CONFIG,
        nodes=4,
        duration=30 * SECOND,
        network=NetworkSpec(latency=Uniform(MILLISECOND, 8 * MILLISECOND), loss=0.05),
        faults=(
            _at(2, Crash("random"), 1),
            _at(7, Partition(((1, 2),)), 2),
            _at(13, Pause("random"), 2),
            _at(18, Crash("random"), 0.1),
            _at(22, Partition(((1, 3),)), 1),
        ),
    )
    return run_trial(spec, 7, number)


Said = list[tuple[int, int, int]]
Heard = Mapping[tuple[NodeId, int], Sequence[tuple[object, Said]]]


def heard(trace: Trace) -> Heard:
    """By node and incarnation: what it heard in each membership, as (membership, words)."""
    found: defaultdict[tuple[NodeId, int], list[tuple[object, Said]]] = defaultdict(list)
    incarnation: defaultdict[NodeId, int] = defaultdict(int)
    for row in trace.rows:
        if row.node is None:
            continue
        key = row.node, incarnation[row.node]
        if row.kind == "started":
            incarnation[row.node] += 1
            found[row.node, incarnation[row.node]].append((None, []))
        elif row.kind == "membership":
            found[key].append(((row.field("ring"), row.field("members")), []))
        elif row.kind == "heard":
            found[key][-1][1].append(row.field("word"))
    return found


@pytest.mark.parametrize("number", range(5))
def test_all_hear_the_same_in_the_same_order(number: int) -> None:
    found = heard(chat(number))
    by_ring: defaultdict[object, list[Said]] = defaultdict(list)
    words = 0
    for memberships in found.values():
        everything = [word for _, said in memberships for word in said]
        assert len(set(everything)) == len(everything)  # At most once.
        words += len(everything)
        for ring, said in memberships:
            by_ring[ring].append(said)
    assert words > 2000
    for ring, all_said in by_ring.items():
        if ring is not None:
            longest = max(all_said, key=len)
            place = {word: index for index, word in enumerate(longest)}
            for one in all_said:
                # One order. Only at the end of a ring, whoever leaves it alone may hear what follows a gap.
                common = [place[word] for word in one if word in place]
                assert common == sorted(common)
                assert longest[: len(one) - 20] == one[: len(one) - 20]


@pytest.mark.parametrize("number", range(5))
def test_who_goes_on_together_has_heard_the_same(number: int) -> None:
    """Virtual synchrony: two that install the same next ring after the same one have the same words of the first."""
    by_step: defaultdict[object, list[Said]] = defaultdict(list)
    for memberships in heard(chat(number)).values():
        for (ring, said), (following, _) in pairwise(memberships):
            if ring is not None:
                by_step[ring, following].append(said)
    shared = [said for said in by_step.values() if len(said) > 1]
    assert len(shared) >= 5
    assert all(one == said[0] for said in shared for one in said)


def test_a_missing_message_is_asked_for_only_after_some_passes() -> None:
    """totemsrp.c, `orf_token_rtr`: a message under way needs no repetition (`miss_count_const`)."""
    received = Received()
    ring = RingId(4, 1)
    for number in (1, 3):
        received.add(Multicast(ring=ring, number=number, origin=1, content=None))
    assert [received.missing(3, 3) for _ in range(4)] == [[], [], [2], [2]]
    assert [found.number for found in received.deliver()] == [1]
    received.add(Multicast(ring=ring, number=2, origin=1, content=None))
    assert [found.number for found in received.deliver()] == [2, 3]
    assert received.missing(3, 3) == []
