"""Faults of links that let packets through, now or later: "They overlap and compose: healing one leaves the others in
force"; "`Hold`/`Release` (delay, not lose)" (issue 3)."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.cluster.distributions import Constant, Uniform
from simulator.cluster.faults.link_degradation import Degrade, Flap, Heal, HoldBack, Release
from simulator.cluster.faults.link_faults import LinkTargets
from simulator.cluster.faults.node_faults import Crash, Restart
from simulator.cluster.faults.partitions import Isolate, PartitionOneway
from simulator.cluster.faults.record import Fault
from simulator.cluster.faults.schedule import Scheduled
from simulator.cluster.faults.targets import Target
from simulator.cluster.network.network import NetworkSpec
from simulator.protocol import LEADER, Host
from simulator.trace.event_types import CUT_OFF, LEADER_BACK, LEADER_LOST
from tests.support.probe import LATENCY_MS, MS, Letter, Script, at, lasting, play, reached, send, timer

WAY = LinkTargets(senders=(2,), receivers=(1,))


def sending(nodes: int = 2) -> Script:
    """Every node writes to every other each millisecond from 0.5 on; a letter says when, by whom and to whom."""

    def write(host: Host) -> None:
        for peer in range(1, nodes + 1):
            if peer != host.me:
                host.send(peer, Letter(f"{host.now() / MS} {host.me} {peer}"))
        host.set_timer("write", MS)

    return Script(start={node: timer("write", 0.5) for node in range(1, nodes + 1)}, on={"timer write": write})


Flight = tuple[float, float, int, int]  # Sent and arrived, in ms; sender and receiver.


def flights(*faults: Scheduled, nodes: int = 2, network: NetworkSpec | None = None) -> list[Flight]:
    trace = play(sending(nodes), *faults, nodes=nodes, network=network)
    return [
        (float(words[1]), row.time_ns / MS, int(words[2]), int(words[3]))
        for row in trace.of_type("reached")
        if (words := row.field("text").split())[0] == "letter"
    ]


def delays(found: Sequence[Flight], sender: int = 2, to: int = 1) -> dict[float, list[float]]:
    """By the instant of sending, how long each copy of the letter took."""
    by_sent: dict[float, list[float]] = {sent: [] for sent in (n + 0.5 for n in range(90))}
    for sent, arrived, one, other in found:
        if (one, other) == (sender, to) and sent in by_sent:
            by_sent[sent].append(arrived - sent)
    return by_sent


def degrade(ms: float = 0, links: LinkTargets = WAY, **others: object) -> Degrade:
    return Degrade(links=links, latency=Constant(round(ms * MS)), **others)  # type: ignore[arg-type]


# --- Degrade


def test_degraded_packets_are_later_one_way_while_it_lasts() -> None:
    found = flights(lasting(10, 20, degrade(5)))
    for sent, took in delays(found).items():
        assert took == [LATENCY_MS + (5 if 10 < sent < 30 else 0)]
    assert set(map(tuple, delays(found, 1, 2).values())) == {(LATENCY_MS,)}


def test_degradations_add_up_and_each_ends_alone() -> None:
    found = flights(lasting(10, 20, degrade(5)), lasting(20, 20, degrade(3, LinkTargets(nodes=(1,)))))
    for sent, took in delays(found).items():
        assert took == [LATENCY_MS + 5 * (10 < sent < 30) + 3 * (20 < sent < 40)]
    for sent, took in delays(found, 1, 2).items():
        assert took == [LATENCY_MS + 3 * (20 < sent < 40)]


def test_degradations_lose_packets_independently_of_each_other() -> None:
    """Two of loss 1/2 let a quarter through: of 6 x 5 x 98 packets 735, standard deviation 23.5; five are 117."""
    faults = [at(0, Degrade(links=LinkTargets(nodes=("all",)), loss=0.5)) for _ in range(2)]
    assert abs(len(flights(*faults, nodes=6)) - 735) < 117


def test_a_degradation_that_loses_everything_is_a_cut_for_packets_but_not_for_the_leader() -> None:
    """Loss is chance; whether a leader has a path to a majority is asked of cuts (design.md, section 5, `loss`)."""
    found = flights(lasting(10, 20, degrade(loss=1.0)))
    assert all(len(took) == (0 if 10 < sent < 30 else 1) for sent, took in delays(found).items())


def test_every_copy_of_a_duplicated_packet_is_later() -> None:
    """ "Packets take this much longer": what arrives twice is on the slow link, too."""
    found = flights(at(0, degrade(5, duplication=1.0)))
    assert set(map(tuple, delays(found).values())) == {(7, 7)}
    twice = NetworkSpec(latency=Constant(LATENCY_MS * MS), duplication=1.0)
    assert set(map(tuple, delays(flights(at(0, degrade(5)), network=twice)).values())) == {(7, 7)}


# --- Hold and release


def test_what_is_held_is_delayed_not_lost_and_in_order() -> None:
    """With one latency, what was sent first arrives first, though all goes on at one instant."""
    found = flights(at(10, HoldBack(links=WAY)), at(30, Release()))
    mine = [(sent, arrived) for sent, arrived, sender, _ in found if sender == 2]
    assert [arrived for sent, arrived in mine if 10 < sent < 30] == [30 + LATENCY_MS] * 20
    assert mine == sorted(mine)
    assert len(mine) == 98  # Those of 0.5 to 97.5: all that can arrive in time.
    assert set(map(tuple, delays(found, 1, 2).values())) == {(LATENCY_MS,)}


@pytest.mark.parametrize("end", ["release", "heal", "lasts"])
def test_a_hold_ends_by_release_by_heal_or_in_time(end: str) -> None:
    hold = HoldBack(links=WAY, label="mine")
    ends = {"release": at(30, Release("mine")), "heal": at(30, Heal("mine"))}
    faults = [lasting(10, 20, hold)] if end == "lasts" else [at(10, hold), ends[end]]
    assert delays(flights(*faults))[15.5] == [30 + LATENCY_MS - 15.5]
    # And not by another label.
    other = flights(at(10, hold), at(30, Release("other")), at(31, Heal("other")))
    assert delays(other)[15.5] == []


def test_release_leaves_cuts_and_degradations_in_force() -> None:
    faults = at(10, HoldBack(links=WAY)), at(10, degrade(5)), at(10, Isolate(3)), at(30, Release())
    found = flights(*faults, nodes=3)
    assert delays(found)[40.5] == [LATENCY_MS + 5]
    assert delays(found, 2, 3)[40.5] == []


def test_a_packet_is_held_until_every_hold_on_its_way_is_over() -> None:
    found = flights(lasting(10, 20, HoldBack(links=WAY)), lasting(15, 25, HoldBack(links=LinkTargets(nodes=(1,)))))
    took = delays(found)
    assert (took[12.5], took[17.5], took[35.5]) == ([29.5], [24.5], [6.5])  # All at 40 + 2.
    mine = [sent for sent, _, sender, _ in found if sender == 2]
    assert mine == sorted(mine)


def test_a_cut_loses_what_a_hold_would_have_kept() -> None:
    """ "reachable? lost? … how late?" (design.md, section 6), in this order: what cannot go on its way is not kept."""
    # Held from 10 to 40, cut from 20 to 30: what is sent in the cut is lost, the rest goes on at 40.
    took = delays(flights(lasting(10, 30, HoldBack(links=WAY)), lasting(20, 10, PartitionOneway((2,), (1,)))))
    assert took[15.5] == [40 + LATENCY_MS - 15.5]
    assert took[25.5] == []
    assert took[35.5] == [40 + LATENCY_MS - 35.5]


def test_what_is_released_into_a_cut_is_lost() -> None:
    """Each packet that goes on meets its fate then."""
    took = delays(flights(lasting(10, 20, HoldBack(links=WAY)), at(20, PartitionOneway((2,), (1,)))))
    assert took[15.5] == []


@pytest.mark.parametrize("hold_first", [True, False])
def test_heal_opens_the_way_before_it_lets_go_what_was_held(hold_first: bool) -> None:
    """ "heal(all) restores everything": what was held before the cut came arrives, whichever of the two is older."""
    hold, cut = HoldBack(links=WAY), PartitionOneway((2,), (1,))
    first, second = (at(10, hold), at(20, cut)) if hold_first else (lasting(5, 7, cut), at(10, hold))
    faults = (first, second, at(14, cut), at(40, Heal()))
    took = delays(flights(*faults))
    assert took[13.5] == [40 + LATENCY_MS - 13.5]


def test_what_is_held_for_a_node_that_is_down_reaches_its_next_life() -> None:
    """Packets on their way know nothing of processes (datagrams)."""
    script = Script(start={2: timer("a", 12)}, on={"timer a": send(1, "a")})
    faults = lasting(10, 20, HoldBack(links=WAY)), at(15, Crash(1)), at(20, Crash(2)), at(25, Restart(1))
    assert reached(play(script, *faults), 1) == [(32, "letter a")]


# --- Flap


def test_a_flapping_link_is_cut_and_whole_in_turn() -> None:
    """Cut from 10 to 13, whole to 18, cut to 21, whole to 26, and so on; until 40, when the flapping is over."""
    found = flights(lasting(10, 30, Flap(links=WAY, down=3 * MS, up=5 * MS)))
    for sent, took in delays(found).items():
        assert bool(took) == (not 10 < sent < 40 or (sent - 10) % 8 > 3)
    assert set(map(tuple, delays(found, 1, 2).values())) == {(LATENCY_MS,)}


def test_a_flap_that_is_healed_flaps_no_more_though_another_begins() -> None:
    flap = Flap(links=WAY, down=3 * MS, up=5 * MS, label="flap")
    took = delays(flights(at(10, flap), at(11, Heal("flap")), at(12, flap), at(30, Heal())))
    # Cut from 10 to 11, and from 12 to 15, 20 to 23 and 28 to 30: the turn that was due at 13 is the first one's.
    lost = {sent for sent, took in took.items() if not took}
    assert lost == {10.5, 12.5, 13.5, 14.5, 20.5, 21.5, 22.5, 28.5, 29.5}


def test_a_leader_behind_a_flapping_link_is_lost_and_back() -> None:
    """`loss`: "has no two-way path to a majority of the configuration"; back when it has again."""
    script = Script(start={1: timer("claim", 5)}, on={"timer claim": lambda host: host.transition(LEADER, 1, host.me)})
    flap = Flap(links=LinkTargets(senders=("leader",)), down=3 * MS, up=5 * MS)
    trace = play(script, lasting(10, 20, flap), nodes=3)
    rows = [(row.time_ns / MS, row.kind) for row in trace.rows if row.kind in (LEADER_LOST, LEADER_BACK)]
    turns = [(10, 13), (18, 21), (26, 29)]
    assert rows == [row for lost, back in turns for row in ((lost, LEADER_LOST), (back, LEADER_BACK))]
    assert {row.field("cause") for row in trace.of_type(LEADER_LOST)} == {CUT_OFF}


@pytest.mark.parametrize("rule", [HoldBack(links=LinkTargets(nodes=(1,))), Isolate(1)])
def test_a_leader_whose_packets_are_held_is_lost_as_if_they_were_cut(rule: Fault) -> None:
    """A path on which nothing arrives is none, whether what was sent comes later or never."""
    script = Script(start={1: timer("claim", 5)}, on={"timer claim": lambda host: host.transition(LEADER, 1, host.me)})
    trace = play(script, lasting(10, 20, rule), nodes=3)
    assert [(row.time_ns / MS, row.kind) for row in trace.rows if row.kind in (LEADER_LOST, LEADER_BACK)] == [
        (10, LEADER_LOST),
        (30, LEADER_BACK),
    ]


# --- Which links


def concerned(links: LinkTargets, nodes: int = 4) -> set[tuple[int, int]]:
    """The links on which a packet of 20.5 is 5 ms late."""
    found = flights(at(10, degrade(5, links)), nodes=nodes)
    return {(sender, to) for sent, arrived, sender, to in found if sent == 20.5 and arrived - sent == LATENCY_MS + 5}


def test_a_reach_says_which_links() -> None:
    assert concerned(LinkTargets(nodes=(1,))) == {(1, 2), (1, 3), (1, 4), (2, 1), (3, 1), (4, 1)}
    assert concerned(LinkTargets(senders=(1,))) == {(1, 2), (1, 3), (1, 4)}
    assert concerned(LinkTargets(senders=(1, 2), receivers=(3,))) == {(1, 3), (2, 3)}
    assert concerned(LinkTargets(senders=(1,), receivers=(2,), both_ways=True)) == {(1, 2), (2, 1)}
    assert concerned(LinkTargets(senders=(1,), both_ways=True)) == concerned(LinkTargets(nodes=(1,)))


@pytest.mark.parametrize("pair", [("random", "random"), ("random", 1), (2, "random")])
def test_a_node_that_is_drawn_for_one_side_is_not_the_other(pair: tuple[Target, Target]) -> None:
    """A link has two ends: drawn at random, they must not be the same node, which would be no fault at all."""
    for number in range(20):  # The stream is that of the entry: other entries, other draws.
        padding = [at(99, Heal())] * number
        found = flights(*padding, at(10, degrade(5, LinkTargets(senders=pair[:1], receivers=pair[1:]))), nodes=4)
        assert len({(one, two) for sent, arrived, one, two in found if sent > 10 and arrived - sent > 5}) == 1


# --- Algebra, over whatever conditions

nodes = st.integers(1, 3)
link_targets = st.one_of(
    st.builds(lambda node: LinkTargets(nodes=(node,)), nodes),
    st.builds(
        lambda order, both: LinkTargets(senders=(order[0],), receivers=(order[1],), both_ways=both),
        st.permutations((1, 2, 3)),
        st.booleans(),
    ),
)
holds: st.SearchStrategy[Fault] = st.builds(lambda links: HoldBack(links=links), link_targets)
degradations: st.SearchStrategy[Fault] = st.builds(
    lambda links, ms: degrade(ms, links), link_targets, st.integers(0, 4)
)
weathers: st.SearchStrategy[Fault] = st.one_of(
    holds,
    degradations,
    st.builds(lambda links, down, up: Flap(links=links, down=down * MS, up=up * MS), link_targets, nodes, nodes),
    st.builds(lambda node: PartitionOneway((node,)), nodes),
)


def late(found: Sequence[Flight], sent_after: float, sent_before: float = 90) -> Counter[Flight]:
    """The flights of what was sent between two instants."""
    return Counter(flight for flight in found if sent_after < flight[0] < sent_before)


@given(st.lists(weathers, max_size=4))
def test_heal_all_restores_everything(faults: list[Fault]) -> None:
    found = flights(*(at(5 + n, fault) for n, fault in enumerate(faults)), at(30, Heal()), nodes=3)
    assert late(found, 30) == late(flights(nodes=3), 30)


@given(st.lists(weathers, min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_the_order_in_which_conditions_come_does_not_matter(faults: list[Fault], shuffler: random.Random) -> None:
    shuffled = list(faults)
    shuffler.shuffle(shuffled)
    one, other = ([at(5, fault) for fault in order] for order in (faults, shuffled))
    heal = at(30, Heal())
    assert late(flights(*one, heal, nodes=3), 5) == late(flights(*other, heal, nodes=3), 5)


@given(weathers, weathers)
def test_undoing_one_condition_leaves_the_other_in_force(one: Fault, other: Fault) -> None:
    found = flights(lasting(5, 15, one), at(5, other), at(60, Heal()), nodes=3)
    assert late(found, 20) == late(flights(at(5, other), at(60, Heal()), nodes=3), 20)


@given(
    link_targets.filter(lambda links: not links.both_ways and bool(links.senders)), st.sampled_from(["degrade", "hold"])
)
def test_one_way_with_its_reverse_is_two_way(there: LinkTargets, kind: str) -> None:
    def rule(links: LinkTargets) -> Scheduled:
        return at(5, degrade(3, links) if kind == "degrade" else HoldBack(links=links))

    back = LinkTargets(senders=there.receivers, receivers=there.senders)
    both = LinkTargets(senders=there.senders, receivers=there.receivers, both_ways=True)
    heal = at(30, Heal())
    found = flights(rule(there), rule(back), heal, nodes=3)
    assert late(found, 0) == late(flights(rule(both), heal, nodes=3), 0)


@given(st.lists(holds | degradations, max_size=4))
def test_nothing_is_lost_by_what_only_delays(faults: list[Fault]) -> None:
    found = flights(*(at(5 + n, fault) for n, fault in enumerate(faults)), at(60, Heal()), nodes=3)
    sent = Counter((flight[0], *flight[2:]) for flight in found if flight[0] < 80)
    assert sent == Counter((flight[0], *flight[2:]) for flight in flights(nodes=3) if flight[0] < 80)


@given(st.lists(holds, max_size=4))
def test_holds_keep_the_order_of_each_link(faults: list[Fault]) -> None:
    """On one latency, whatever holds overlap and however they end."""
    ends = (lasting(5 + 3 * n, 40 - 7 * n, fault) for n, fault in enumerate(faults))
    found = flights(*ends, nodes=3)
    for one in (1, 2, 3):
        for other in (1, 2, 3):
            mine = [sent for sent, _, sender, to in found if (sender, to) == (one, other)]
            assert mine == sorted(mine)


def test_a_random_latency_is_drawn_as_the_sender_has_it_whatever_is_in_force() -> None:
    """Common random numbers (design.md, section 4): a degradation of one link shifts no draw of any other."""
    network = NetworkSpec(latency=Uniform(MS, 4 * MS))
    plain, degraded = (flights(*faults, nodes=3, network=network) for faults in ((), (at(10, degrade(5)),)))
    assert late([f for f in plain if f[2:] != (2, 1)], 0) == late([f for f in degraded if f[2:] != (2, 1)], 0)
