"""The election of the DC against pacemaker's lib/cluster/election.c (`election_count_vote`) and daemons/controld."""

from __future__ import annotations

import pytest

from simulator.algorithms.pacemaker.config import PacemakerConfig
from simulator.algorithms.pacemaker.controller import DEADTIME, TIMEOUT, Controller
from simulator.algorithms.pacemaker.messages import Announce, NoVote, Offer, Vote
from simulator.algorithms.pacemaker.registration import PACEMAKER
from simulator.protocol import SECOND, Message, NodeId
from simulator.testing import InteractionBench

NOBODY: frozenset[NodeId] = frozenset()


def controller(me: int, members: int = 3, processor_time: int = 5000) -> Controller:
    """One whose members are all there."""
    bench = InteractionBench(PACEMAKER, 12)
    found = Controller(bench.node(me), PacemakerConfig())
    found.processor_time = processor_time
    found.start()
    found.on_membership(range(1, members + 1), NOBODY, NOBODY)
    return found


def sent(one: Controller) -> list[Message]:
    outgoing, one.outgoing = one.outgoing, []
    return outgoing


@pytest.mark.parametrize(
    ("me", "mine", "sender", "others", "opposes"),
    [
        (1, 5000, 2, 4000, True),  # "Uptime": greater processor time wins.
        (1, 4000, 2, 5000, False),
        (1, 5000, 2, 5000, True),  # "Host name": the one that sorts first.
        (2, 5000, 1, 5000, False),
        (2, 5000, 10, 5000, False),  # strcasecmp: "n10" sorts before "n2".
        (10, 5000, 2, 5000, True),
    ],
)
def test_who_opposes_whom(me: int, mine: int, sender: int, others: int, opposes: bool) -> None:
    """`election_count_vote` compares versions, then ages, then names; all nodes here are of one version."""
    one = controller(me, members=12, processor_time=mine)
    one.on_vote(sender, Vote(election=1, processor_time=others))
    assert sent(one) == ([Vote(election=1, processor_time=mine)] if opposes else [NoVote(owner=sender, election=1)])


def test_it_wins_once_all_members_have_answered() -> None:
    """`election_check`: as many votes as active members, its own among them. The winner makes itself known."""
    one = controller(1)
    one.on_timer(DEADTIME)
    assert sent(one) == [Vote(election=1, processor_time=5000)]
    one.on_vote(1, Vote(election=1, processor_time=5000))
    one.on_no_vote(2, NoVote(owner=1, election=1))
    assert not one.is_dc
    one.on_no_vote(3, NoVote(owner=1, election=1))
    assert one.is_dc
    assert sent(one) == [Offer()]


def test_answers_to_an_older_election_do_not_count() -> None:
    """ "Superseded": the number of the election is compared with the owner's count."""
    one = controller(1, members=2)
    one.on_timer(DEADTIME)
    one.on_vote(2, Vote(election=1, processor_time=1))  # It opposes, and so begins its second election.
    one.on_vote(1, Vote(election=1, processor_time=5000))
    one.on_no_vote(2, NoVote(owner=1, election=1))
    assert not one.is_dc
    one.on_vote(1, Vote(election=2, processor_time=5000))
    one.on_no_vote(2, NoVote(owner=1, election=2))
    assert one.is_dc


def test_a_member_that_leaves_is_not_waited_for() -> None:
    """`post_cache_update`: "If we lost nodes, we should re-check the election status"."""
    one = controller(1)
    one.on_timer(DEADTIME)
    one.on_vote(1, Vote(election=1, processor_time=5000))
    one.on_no_vote(2, NoVote(owner=1, election=1))
    one.on_membership([1, 2], frozenset({3}), NOBODY)
    assert one.is_dc


def test_silence_is_consent_after_two_minutes() -> None:
    """`election_timer_cb`: "Declaring local node as winner after election timed out", after 120 s."""
    one = controller(1)
    one.on_timer(DEADTIME)
    assert one.host.timers[TIMEOUT].deadline_ns == 120 * SECOND  # type: ignore[attr-defined]
    one.on_timer(TIMEOUT)
    assert one.is_dc


def test_who_has_just_lost_opposes_nobody() -> None:
    """LOSS_DAMPEN: within two whole seconds after a defeat "the peer we lost to should win again"."""
    one = controller(1)
    one.on_vote(2, Vote(election=1, processor_time=9000))
    one.on_vote(3, Vote(election=1, processor_time=1))
    assert sent(one) == [NoVote(owner=2, election=1), NoVote(owner=3, election=1)]


def test_the_loss_of_the_dc_ends_that() -> None:
    """`controld_remove_voter`: "an immediate new election could fizzle out with no new DC"."""
    one = controller(1)
    one.on_vote(2, Vote(election=1, processor_time=9000))
    one.on_offer(2)
    sent(one)
    one.on_membership([1, 3], frozenset({2}), NOBODY)
    one.on_vote(3, Vote(election=1, processor_time=1))
    assert sent(one) == [Vote(election=1, processor_time=5000), Vote(election=2, processor_time=5000)]


def test_two_dcs_elect_one() -> None:
    """`crmd_ha_msg_filter`: "Another DC detected" begins an election."""
    one = controller(1)
    one.on_timer(DEADTIME)
    one.on_timer(TIMEOUT)
    sent(one)
    one.on_offer(2)
    assert sent(one) == [Vote(election=2, processor_time=5000)]
    assert one.is_dc  # Until it loses.
    one.on_vote(2, Vote(election=4, processor_time=9000))
    assert not one.is_dc


def test_the_offer_of_another_dc_is_queried() -> None:
    """`update_dc`: "New DC … is not …": it asks who is DC, and begins an election if that is not settled in time."""
    one = controller(1)
    one.on_offer(2)
    one.on_offer(3)
    assert (one.dc, sent(one)) == (2, [Announce()])
    one.on_timer(DEADTIME)
    assert sent(one) == [Vote(election=1, processor_time=5000)]
