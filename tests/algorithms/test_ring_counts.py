"""The messages of ring elections, counted in whole simulated clusters, against closed forms and over all orders.

Nobody crashes and maintenance is off, as the papers have it. All start at once, and a message takes 10 ms.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import permutations
from math import ceil, log2, sqrt
from statistics import mean, stdev
from typing import Any

import pytest

from simulator.algorithms.registration import Registration
from simulator.algorithms.rings import (
    CHANG_ROBERTS,
    HIRSCHBERG_SINCLAIR,
    RING,
    ChangRoberts,
    HirschbergSinclair,
    Ring,
    RingConfig,
)
from simulator.cluster.cluster import Cluster
from simulator.cluster.distributions import Constant
from simulator.cluster.network.message_size import HEADER_BYTES, wire_size
from simulator.cluster.network.network import NetworkSpec
from simulator.cluster.spec import ClusterSpec
from simulator.protocol import LEADER, MILLISECOND, SECOND, NodeId
from simulator.testing import InteractionBench
from simulator.trace.trace import Trace

HOP = 10 * MILLISECOND
RING_MESSAGES = (*Ring.ends, *ChangRoberts.ends, *HirschbergSinclair.ends)


def elect(
    registration: Registration, order: Sequence[NodeId], *, maintenance: bool = False, **options: Any
) -> tuple[Mapping[str, int], Trace]:
    """The number of messages of each type until all is quiet, on a ring of this order; the highest must be elected."""
    nodes = len(order)
    spec = ClusterSpec(
        registration=registration,
        config=RingConfig(order=tuple(order), maintenance=maintenance, **options),
        nodes=nodes,
        duration=10 * nodes * HOP,
        network=NetworkSpec(latency=Constant(HOP)),
    )
    cluster = Cluster(spec, seed=1, trial=0)
    trace = cluster.run()
    assert [row.node for row in trace.rows if row.role is LEADER] == [nodes]
    last = {row.node: row.leader for row in trace.rows if row.kind == "transition"}
    assert last == dict.fromkeys(range(1, nodes + 1), nodes)
    return {kind.__name__: count for kind, count in cluster.network.sent.items()}, trace


def ascending(nodes: int) -> range:
    return range(1, nodes + 1)


def rings(nodes: int) -> Iterable[Sequence[NodeId]]:
    """Every ring of so many nodes once, the highest first: each is `nodes` orders, which differ in where one begins."""
    return ((nodes, *others) for others in permutations(range(1, nodes)))


# --- Chang and Roberts


def harmonic(number: int) -> Fraction:
    return sum((Fraction(1, k) for k in range(1, number + 1)), Fraction(0))


def elections(order: Sequence[NodeId]) -> int:
    """Election messages; those that announce the winner are n, always."""
    sent, _ = elect(CHANG_ROBERTS, order)
    assert sent["Elected"] == len(order)
    return sent["Election"]


@pytest.mark.parametrize("nodes", [2, 3, 4])
def test_where_an_order_begins_does_not_matter(nodes: int) -> None:
    """A ring has no first node, so that the enumeration below need not turn it."""
    for order in rings(nodes):
        turned = {elections((*order[place:], *order[:place])) for place in range(nodes)}
        assert len(turned) == 1


@pytest.mark.parametrize("nodes", range(2, 8))
def test_chang_roberts_over_all_rings(nodes: int) -> None:
    """The reference's closed forms: "n·H(n) election messages on average, 2n − 1 at best, n(n+1)/2 at worst, and n to
    announce", exactly, over all orders of up to seven nodes."""
    found = [elections(order) for order in rings(nodes)]
    assert Fraction(sum(found), len(found)) == nodes * harmonic(nodes)
    assert (min(found), max(found)) == (2 * nodes - 1, nodes * (nodes + 1) // 2)


@pytest.mark.parametrize("nodes", [2, 7, 30, 200])
def test_chang_roberts_at_its_best_and_at_its_worst(nodes: int) -> None:
    """Best where each id meets a higher one at once, worst where each has all lower ones before it."""
    assert elections(ascending(nodes)) == 2 * nodes - 1
    assert elections(ascending(nodes)[::-1]) == nodes * (nodes + 1) // 2


@pytest.mark.parametrize(
    ("nodes", "orders"), [(10, 400), (100, 100), (300, 30), pytest.param(1000, 20, marks=pytest.mark.verify)]
)
def test_chang_roberts_on_average(nodes: int, orders: int) -> None:
    """n·H(n) over random orders, within four standard errors: by chance, one run in 16 000 would miss it."""
    fault_rng = random.Random(f"{nodes} nodes")
    found = [elections(fault_rng.sample(ascending(nodes), nodes)) for _ in range(orders)]
    assert abs(mean(found) - nodes * harmonic(nodes)) < 4 * stdev(found) / sqrt(orders)


def test_chang_roberts_takes_two_rounds() -> None:
    """The highest's own message comes home after n hops, and the last node hears of it n - 1 hops later."""
    _, trace = elect(CHANG_ROBERTS, [3, 1, 4, 5, 2])
    assert [row.time_ns for row in trace.rows if row.role is LEADER] == [5 * HOP]
    assert max(row.time_ns for row in trace.rows if row.leader == 5) == 9 * HOP


def test_one_initiator_is_enough() -> None:
    """Whoever is higher replaces the candidate by itself: n1 starts alone, and each node stands in turn.

    On the ascending ring each of the others is higher than all before, so it stands when it is asked; n's message goes
    round: n - 1 messages that are replaced, and n.
    """
    sent, _ = elect(CHANG_ROBERTS, ascending(6), initiators=(1,))
    assert (sent["Election"], sent["Elected"]) == (5 + 6, 6)


# --- Hirschberg and Sinclair


def asked_and_answered(order: Sequence[NodeId]) -> int:
    """From, Ok and No messages; those that announce the winner are n, always."""
    sent, _ = elect(HIRSCHBERG_SINCLAIR, order)
    assert sent["Elected"] == len(order)
    return sent["From"] + sent["Ok"] + sent["No"]


def bound(nodes: int) -> int:
    return 8 * nodes * (ceil(log2(nodes)) + 1)


@pytest.mark.parametrize("nodes", range(2, 7))
def test_hirschberg_sinclair_keeps_its_bound_on_all_rings(nodes: int) -> None:
    """The reference: "at most 8n(⌈log₂ n⌉ + 1) messages"."""
    assert max(map(asked_and_answered, rings(nodes))) <= bound(nodes)


@pytest.mark.parametrize("nodes", [10, 33, 100, 300])
def test_hirschberg_sinclair_keeps_its_bound_on_larger_rings(nodes: int) -> None:
    fault_rng = random.Random(f"{nodes} nodes")
    found = [asked_and_answered(fault_rng.sample(ascending(nodes), nodes)) for _ in range(10)]
    assert 4 * nodes + 2 * nodes < min(found) <= max(found) <= bound(nodes)


@pytest.mark.parametrize("nodes", [*range(2, 20), 100, 256])
def test_hirschberg_sinclair_on_the_ascending_ring(nodes: int) -> None:
    """6n + 4·2^K - 8 messages, with K = ⌈log₂ n⌉. Our own derivation, from the paper's rules.

    In phase 0 all n ask both neighbours, and are answered: 4n messages. All but n are refused by the next, which is
    higher. In each phase k from 1 to K - 1, n
    alone asks 2^k < n nodes each way: 2^k messages out and 2^k back, twice, 4·2^k together, and 4(2^K - 2) over all
    of these phases. In phase K the messages would go 2^K >= n far: both come home after n hops, 2n messages.
    """
    phases = ceil(log2(nodes))
    assert asked_and_answered(ascending(nodes)) == 4 * nodes + 4 * (2**phases - 2) + 2 * nodes


@pytest.mark.parametrize("phases", range(1, 9))
def test_hirschberg_sinclair_on_the_ring_of_reversed_bits(phases: int) -> None:
    """n(4 log₂ n + 2) messages for n = 2^K nodes. Our own derivation, from the paper's rules.

    The node at place p of 0 … n - 1 has the rank that the K bits of p make in reverse order, from n down: places that
    more powers of two divide have higher ids. Claim: in phase k those stand whose place 2^k divides, n/2^k of them.
    Each asks 2^k nodes each way; the first higher one, if any, is the next that stands, exactly 2^k away, since fewer
    powers of two divide all between. So each sends 2^k messages each way and has as many back, Ok or No: 4·2^k, 4n for
    all. A place whose quotient by 2^k is odd is refused on both sides, an even one on none, which is the claim for
    k + 1. After K phases of 4n messages one is left, whose two messages come home after n hops: 2n more.
    """
    nodes = 2**phases
    order = [nodes - int(f"{place:0{phases}b}"[::-1], 2) for place in range(nodes)]
    assert asked_and_answered(order) == nodes * (4 * phases + 2)


# --- Le Lann


@pytest.mark.parametrize("nodes", [2, 3, 7, 50])
def test_ring_with_one_initiator(nodes: int) -> None:
    """The reference: "Le Lann / Tanenbaum ring with one initiator: n election and n coordinator messages"."""
    for initiator in {1, nodes // 2, nodes}:
        sent, trace = elect(RING, ascending(nodes), initiators=(initiator,))
        assert (sent["Election"], sent["Coordinator"]) == (nodes, nodes)
        assert max(row.time_ns for row in trace.rows if row.leader == nodes) == (2 * nodes - 1) * HOP


@pytest.mark.parametrize("initiators", [(1, 2), (5, 2, 4), (1, 2, 3, 4, 5, 6)])
def test_ring_with_several_initiators(initiators: tuple[NodeId, ...]) -> None:
    """Each message goes round, and each initiator tells all: the extra messages are all that is lost (Tanenbaum)."""
    sent, _ = elect(RING, [4, 6, 1, 3, 2, 5], initiators=initiators)
    assert (sent["Election"], sent["Coordinator"]) == (6 * len(initiators), 6 * len(initiators))


def test_ring_messages_grow_with_each_id() -> None:
    """The message collects ids: of n hops, hop k carries k of them, 8 bytes each, besides hop number and header."""
    bench = InteractionBench(RING, 5, config=RingConfig(maintenance=False, initiators=(1,)))
    bench.settle()
    sizes = [wire_size(sent.message) for sent in bench.sent if type(sent.message).__name__ == "Election"]
    assert sizes == [HEADER_BYTES + 8 + 8 * ids for ids in range(1, 6)]


# --- Maintenance


@pytest.mark.parametrize("registration", [RING, CHANG_ROBERTS, HIRSCHBERG_SINCLAIR], ids=lambda one: one.name)
def test_maintenance_adds_an_acknowledgement_to_each_message(registration: Registration) -> None:
    """Where nothing fails, an election is the same, and only that it is acknowledged and watched is added."""
    order = [4, 6, 1, 3, 2, 5]
    plain, _ = elect(registration, order)
    kept, _ = elect(registration, order, maintenance=True)
    added = {kind: kept[kind] - plain[kind] for kind in kept if kept[kind] != plain[kind]}
    assert set(added) == {"Acknowledgement", "Ping", "Pong"}
    assert added["Acknowledgement"] == sum(plain.values())


@pytest.mark.parametrize("registration", [RING, CHANG_ROBERTS, HIRSCHBERG_SINCLAIR], ids=lambda one: one.name)
def test_checks_change_no_number_of_election_messages(registration: Registration) -> None:
    """Issue 13: "message counts without faults stay exact": n Check in each interval, and none leads to an election."""
    order = [4, 6, 1, 3, 2, 5]
    plain, _ = elect(registration, order)
    kept, _ = elect(registration, order, maintenance=True, check_interval=20 * HOP)
    elections = {kind: count for kind, count in plain.items() if count}
    assert {kind: kept[kind] for kind in elections} == elections
    in_elections = 6 if registration is HIRSCHBERG_SINCLAIR else 0  # At 200 ms its election is not over.
    assert kept["Check"] == 2 * 6 - in_elections  # At 200 and at 400 ms.


@pytest.mark.parametrize("latency", [27, 60, 300])
@pytest.mark.parametrize("duplication", [0.0, 0.5])
@pytest.mark.parametrize("nodes", [2, 3, 5])
@pytest.mark.parametrize("registration", [RING, CHANG_ROBERTS, HIRSCHBERG_SINCLAIR], ids=lambda one: one.name)
def test_late_messages_do_not_lead_to_more_and_more(
    registration: Registration, nodes: int, duplication: float, latency: int
) -> None:
    """A bug: with acknowledgements that all come too late, one election led to two, until the trial's limit of events.

    Now a node begins one in a round, which is n acknowledgement timeouts long. Each node handles a message once, and
    sends it to each of the others at most. An election makes Election and Elected; in Le Lann's, Election and what each
    node may conclude from it, its initiator also when it has skipped all others; in Hirschberg and Sinclair's, in each
    phase two messages and what each node may answer.
    """
    config = RingConfig()
    spec = ClusterSpec(
        registration=registration,
        config=config,
        nodes=nodes,
        duration=10 * SECOND,
        network=NetworkSpec(latency=Constant(latency * MILLISECOND), duplication=duplication),
    )
    cluster = Cluster(spec, seed=1, trial=0)
    cluster.run()
    sent = sum(cluster.network.sent[kind] for kind in RING_MESSAGES if kind in cluster.network.sent)
    begun = nodes * (10 * SECOND // (nodes * config.acknowledgement_timeout) + 1)
    phases = 1 + ceil(log2(nodes))
    made = {"ring": 2 + nodes, "chang-roberts": 2, "hirschberg-sinclair": 2 * phases * (1 + nodes) + 1}
    assert sent <= begun * made[registration.name] * nodes * (nodes - 1)
