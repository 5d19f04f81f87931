"""Elections on hand-written traces: the definitions are those of docs/metrics.md."""

from dataclasses import replace

import pytest

from simulator.metrics.elections import Cause, Election, Outcome, elections
from simulator.trace import event_types
from simulator.trace.trace import Row
from tests.support.trace_text import MS, parse_trace

BOOT = """
    0   start 1 2 3
    0   1 follower 0
    0   2 follower 0
    0   3 follower 0
    100 1 candidate 1
    120 1 leader 1
    130 2 follower 1 of 1
    135 3 follower 1 of 1
"""


def only(found: list[Election], cause: Cause) -> Election:
    (election,) = [election for election in found if election.cause is cause]
    return election


def test_boot_ends_with_the_first_claim() -> None:
    # From 0 to the claim at 120; first suspicion (a candidacy without one counts) at 100. Two of three name the leader
    # at 130, all at 135. Each row is preceded by one message: the row at 130 is the ninth (number 8 from 0).
    (boot,) = elections(parse_trace(BOOT, end_ms=1000))
    assert (boot.cause, boot.outcome, boot.winner, boot.term) == (Cause.BOOT, Outcome.ELECTED, 1, 1)
    assert (boot.detection_ns, boot.election_ns) == (100 * MS, 20 * MS)
    assert (boot.announced_majority_ns, boot.announced_all_ns) == (130 * MS, 135 * MS)
    assert boot.sent_after is not None and boot.sent_after.messages == (8,)
    assert boot.failover_ns is None  # Nothing was lost.


def test_a_loss_is_followed_to_another_nodes_claim() -> None:
    # Loss at 500, first suspicion at 650, claim at 690: failover 190 = detection 150 + election 40. Running nodes are
    # 2 and 3: a majority of two is two, at 700. Messages: the row of the loss is number 11, that at 700 is 15.
    text = (
        BOOT
        + """
        500 crash 1
        500 lost 1 crash
        650 2 suspects 1
        650 2 candidate 2
        690 2 leader 2
        700 3 follower 2 of 2
    """
    )
    loss = only(elections(parse_trace(text, end_ms=1000)), Cause.LOSS)
    assert (loss.failover_ns, loss.detection_ns, loss.election_ns) == (190 * MS, 150 * MS, 40 * MS)
    assert (loss.outcome, loss.lost_leader, loss.winner, loss.terms_spent) == (Outcome.ELECTED, 1, 2, 1)
    assert loss.announced_majority_ns == loss.announced_all_ns == 700 * MS
    assert loss.sent_after is not None and (loss.sent_before.messages, loss.sent_after.messages) == ((11,), (15,))
    assert [(a_round.candidates, a_round.winner) for a_round in loss.rounds] == [({2}, 2)]


def test_a_split_vote_is_a_failed_round_with_two_candidates() -> None:
    # Term 2: nodes 2 and 3 stand, nobody wins: split. Term 3: node 2 stands alone, nobody wins: failed, not split.
    # Term 4: node 3 stands and wins. Election duration spans all three rounds: 600 to 1000.
    text = (
        BOOT
        + """
        500  crash 1
        500  lost 1 crash
        600  2 candidate 2
        605  3 candidate 2
        800  2 candidate 3
        810  3 follower 3
        980  3 candidate 4
        990  2 follower 4
        1000 3 leader 4
    """
    )
    loss = only(elections(parse_trace(text, end_ms=2000)), Cause.LOSS)
    assert [a_round.split for a_round in loss.rounds] == [True, False, False]
    assert [a_round.failed for a_round in loss.rounds] == [True, True, False]
    assert (loss.election_ns, loss.terms_spent) == (400 * MS, 3)
    assert loss.winning_round_ns == 20 * MS  # From 980: two rounds failed before.


def test_an_unfinished_election_is_censored_and_its_last_round_undecided() -> None:
    # Observation ends at 700 while node 2 still stands in term 3: term 2 failed, term 3 has not ended.
    text = (
        BOOT
        + """
        500 crash 1
        500 lost 1 crash
        600 2 candidate 2
        690 2 candidate 3
    """
    )
    loss = only(elections(parse_trace(text, end_ms=700)), Cause.LOSS)
    assert loss.outcome is Outcome.CENSORED
    assert (loss.failover_ns, loss.election_ns, loss.followed_until_ns) == (None, None, 700 * MS)
    assert [(a_round.failed, a_round.undecided) for a_round in loss.rounds] == [(True, False), (False, True)]


def test_a_round_that_somebody_won_is_decided_though_another_still_stands_at_the_end() -> None:
    # A trial that stops at the claim (stop_when) ends with the loser of term 2 still a candidate: found by a newcomer,
    # whose run of raft-etcd-failover had fewer rounds than terms.
    text = (
        BOOT
        + """
        500 crash 1
        500 lost 1 crash
        600 2 candidate 2
        605 3 candidate 2
        640 2 leader 2
    """
    )
    loss = only(elections(parse_trace(text, end_ms=640)), Cause.LOSS)
    assert [(a_round.outcome, a_round.winner) for a_round in loss.rounds] == [("won", 2)]


def test_without_terms_another_nodes_claim_supersedes_a_candidacy() -> None:
    """ "A claim marks every candidacy as won; 146 of 391 by somebody else" (issue 13, "Rounds without terms"). Bully:
    the lower node's own candidacy is over when the higher one claims, and nobody has won it."""
    text = """
        0 1 follower 0
        0 2 follower 0
        0 3 follower 0
        10 1 candidate 0
        12 3 candidate 0
        20 3 leader 0
    """
    (boot,) = elections(parse_trace(text, end_ms=100))
    assert [(a_round.outcome, a_round.candidates) for a_round in boot.rounds] == [("superseded", {1}), ("won", {3})]
    assert not any(a_round.failed for a_round in boot.rounds)


def test_a_leader_that_comes_back_first_is_recovered_and_no_failover() -> None:
    # Paused from 500 to 560, before anybody suspected it.
    text = (
        BOOT
        + """
        500 pause 1
        500 lost 1 pause
        560 resume 1
        560 back 1 pause
    """
    )
    loss = only(elections(parse_trace(text, end_ms=1000)), Cause.LOSS)
    assert (loss.outcome, loss.failover_ns, loss.followed_until_ns) == (Outcome.RECOVERED, None, 560 * MS)


def test_the_lost_leader_elected_again_is_recovered() -> None:
    # "Failover: from a loss until another node claims": node 1 restarts and wins before the others do.
    text = (
        BOOT
        + """
        500 crash 1
        500 lost 1 crash
        510 start 1
        510 1 follower 1
        650 1 candidate 2
        680 1 leader 2
    """
    )
    loss = only(elections(parse_trace(text, end_ms=1000)), Cause.LOSS)
    assert (loss.outcome, loss.failover_ns, loss.winner) == (Outcome.RECOVERED, None, 1)
    assert loss.suspected_ns is None  # Detection is a survivor's: the lost leader itself is none.


def test_deposing_a_leader_that_was_fine_is_spurious() -> None:
    # Node 2 suspects wrongly at 400; node 1 hears of term 2 at 410 and steps down; node 2 leads at 420. One search,
    # begun by the suspicion; the step-down is its effect and no loss of its own.
    text = (
        BOOT
        + """
        400 2 suspects 1
        400 2 candidate 2
        410 1 follower 2
        410 lost 1 step-down
        420 2 leader 2
    """
    )
    boot, spurious = elections(parse_trace(text, end_ms=1000))
    assert (spurious.cause, spurious.outcome, spurious.start_ns) == (Cause.SPURIOUS, Outcome.ELECTED, 400 * MS)
    assert (spurious.lost_leader, spurious.loss_cause, spurious.failover_ns) == (1, "step-down", None)
    assert boot.outcome is Outcome.ELECTED


MERGE = """
    0   start 1 2 3
    0   1 leader 3
    0   2 leader 4
    0   3 leader 5
    600 3 candidate 8
    600 lost 3 step-down
    600 back 2 step-down
"""


def test_groups_that_merge_search_once() -> None:
    # Invitation: each node leads a group of its own; 3 invites the others, whose claims end one by one. The reign
    # passes from each to an older claim, and 3 stands all the while: one search, which begins when it stands.
    text = (
        MERGE
        + """
        608 2 follower 8
        608 lost 2 step-down
        608 back 1 step-down
        613 1 follower 8
        613 lost 1 step-down
        700 3 leader 8
    """
    )
    boot, *alone, merge = elections(parse_trace(text, end_ms=1000))
    assert (boot.outcome, boot.winner) == (Outcome.ELECTED, 1)
    # A claim of a higher group beside a leader that is fine is a search of its own, if a short one.
    assert [(search.cause, search.winner, search.election_ns) for search in alone] == [
        (Cause.SPURIOUS, 2, 0),
        (Cause.SPURIOUS, 3, 0),
    ]
    assert (merge.cause, merge.outcome, merge.winner) == (Cause.SPURIOUS, Outcome.ELECTED, 3)
    assert (merge.start_ns, merge.election_ns) == (600 * MS, 100 * MS)


def test_who_gives_up_standing_against_an_older_leader_has_withdrawn() -> None:
    # 3 stood, and 2 has reigned since, a leader as fine: the search ends with its last candidate.
    merge = elections(parse_trace(MERGE + "650 3 follower 8", end_ms=1000))[-1]
    assert (merge.outcome, merge.start_ns, merge.followed_until_ns) == (Outcome.WITHDRAWN, 600 * MS, 650 * MS)


def test_a_suspicion_taken_back_is_withdrawn() -> None:
    # Node 2 stands for a moment and follows the same leader again: nothing was lost.
    text = (
        BOOT
        + """
        400 2 suspects 1
        400 2 pre-candidate 1
        430 2 follower 1 of 1
    """
    )
    _, spurious = elections(parse_trace(text, end_ms=1000))
    assert (spurious.outcome, spurious.start_ns, spurious.followed_until_ns) == (
        Outcome.WITHDRAWN,
        400 * MS,
        430 * MS,
    )
    assert spurious.rounds == []  # Pre-votes do not count as rounds.


def test_a_candidate_that_has_not_heard_of_the_winner_opens_no_search() -> None:
    # Node 3 still names the dead node 1 when it stands at 705, after node 2's claim at 690: the tail of one search.
    text = (
        BOOT
        + """
        500 crash 1
        500 lost 1 crash
        650 2 candidate 2
        690 2 leader 2
        705 3 candidate 2
        710 3 follower 2 of 2
    """
    )
    assert [election.cause for election in elections(parse_trace(text, end_ms=1000))] == [Cause.BOOT, Cause.LOSS]


def test_a_late_candidate_that_wins_a_higher_term_makes_a_second_search() -> None:
    # As before, but node 3 stands in term 3, deposes node 2 at 715 and wins at 725. The leader was fine: spurious.
    text = (
        BOOT
        + """
        500 crash 1
        500 lost 1 crash
        650 2 candidate 2
        690 2 leader 2
        705 3 candidate 3
        715 2 follower 3
        715 lost 2 step-down
        725 3 leader 3
        735 2 follower 3 of 3
    """
    )
    _, loss, spurious = elections(parse_trace(text, end_ms=1000))
    assert (loss.outcome, loss.winner, loss.announced_majority_ns) == (Outcome.ELECTED, 2, None)
    assert (spurious.cause, spurious.lost_leader, spurious.winner) == (Cause.SPURIOUS, 2, 3)
    assert loss.announcing_until_ns == 715 * MS  # Then the winner led no more.
    assert loss.announced_all_ns is None
    # Figure 16 of the paper measures "until the other servers received the new leader's first heartbeat": node 3's.
    assert loss.all_know_ns == spurious.all_know_ns == spurious.announced_all_ns == 735 * MS


def test_a_crash_during_a_wrong_suspicion_is_a_loss_from_the_crash_on() -> None:
    # Suspected wrongly at 400, really lost at 450: failover counts from 450, and detection took no time.
    text = (
        BOOT
        + """
        400 2 suspects 1
        400 2 candidate 2
        450 crash 1
        450 lost 1 crash
        480 2 leader 2
    """
    )
    _, loss = elections(parse_trace(text, end_ms=1000))
    assert (loss.cause, loss.failover_ns, loss.detection_ns) == (Cause.LOSS, 30 * MS, 0)


def test_a_leader_that_steps_down_without_a_rival_is_lost() -> None:
    # Nobody stood against it (as with CheckQuorum): the cause is a loss, and its own suspicion counts.
    text = (
        BOOT
        + """
        400 1 follower 1
        400 lost 1 step-down
        600 2 candidate 2
        650 2 leader 2
    """
    )
    _, loss = elections(parse_trace(text, end_ms=1000))
    assert (loss.cause, loss.failover_ns, loss.detection_ns) == (Cause.LOSS, 250 * MS, 200 * MS)


@pytest.mark.parametrize("end_ms", [50, 110])
def test_a_boot_without_a_claim_is_censored(end_ms: int) -> None:
    text = "\n".join(line for line in BOOT.splitlines() if line.split() and int(line.split()[0]) < end_ms)
    (boot,) = elections(parse_trace(text, end_ms=end_ms))
    assert (boot.outcome, boot.followed_until_ns) == (Outcome.CENSORED, end_ms * MS)


def test_without_terms_each_candidacy_is_a_round() -> None:
    # design: a round is "one initiation (Bully, ring)"; all that go on when the leader claims are over with it.
    text = """
        0   start 1 2 3
        100 1 candidate 0
        110 2 candidate 0
        150 2 leader 0
        160 1 follower 0 of 2
    """
    (boot,) = elections(parse_trace(text, end_ms=1000))
    assert [(a_round.candidates, a_round.winner) for a_round in boot.rounds] == [({1}, 2), ({2}, 2)]
    assert boot.terms_spent is None  # There are none to spend: no inflation, rather than one of −1.


# --- Found by a review of the first version: each is a story that it told wrongly.

CRASH_OF_1 = """
    500 crash 1
    500 lost 1 crash
"""


def test_a_round_belongs_to_one_election() -> None:
    # Nodes 1 and 3 stand in term 1, which 1 wins; 3 has not heard when 1 crashes at 125. Term 1 was the boot's.
    # The first suspicion of node 1 is at 300: node 3 was late in the boot, and suspected nobody of this reign.
    text = """
        0   start 1 2 3
        100 1 candidate 1
        101 3 candidate 1
        120 1 leader 1
        125 crash 1
        125 lost 1 crash
        300 2 candidate 2
        310 2 leader 2
    """
    boot, loss = elections(parse_trace(text, end_ms=1000))
    assert (len(boot.rounds), len(loss.rounds)) == (1, 1)
    assert (loss.detection_ns, loss.election_ns) == (175 * MS, 10 * MS)


def test_terms_spent_count_from_the_leader_before() -> None:
    # "Terms spent beyond one per election won": a node that nobody hears stands up to term 9; the winner's term 2 is
    # one after the last leader's, whatever the lonely one did.
    text = BOOT + """
        300 3 candidate 8
        400 3 candidate 9
    """ + CRASH_OF_1 + """
        600 2 candidate 2
        620 2 leader 2
    """  # fmt: skip
    loss = only(elections(parse_trace(text, end_ms=1000)), Cause.LOSS)
    assert loss.terms_spent == 1


def test_a_leader_lost_again_at_the_instant_of_its_return_was_never_back() -> None:
    # Paused at 500, suspected at 650; at 700 it resumes, hears of term 2 at once and steps down. One search, which
    # node 2 wins at 710: a failover of 210 ms, detected after 150.
    text = (
        BOOT
        + """
        500 pause 1
        500 lost 1 pause
        650 2 candidate 2
        700 resume 1
        700 back 1 pause
        700 1 follower 2
        700 lost 1 step-down
        710 2 leader 2
    """
    )
    _, loss = elections(parse_trace(text, end_ms=1000))
    assert (loss.outcome, loss.failover_ns, loss.detection_ns) == (Outcome.ELECTED, 210 * MS, 150 * MS)


def test_a_weaker_late_claim_does_not_end_the_reign() -> None:
    # Reigning is "highest term, then latest claim": term 2's late winner never reigns over term 3's.
    text = """
        0   start 1 2 3
        100 1 candidate 2
        101 2 candidate 3
        110 2 leader 3
        112 1 leader 2
        116 3 follower 3 of 2
        120 1 follower 3 of 2
    """
    (boot,) = elections(parse_trace(text, end_ms=1000))
    assert (boot.winner, boot.announced_majority_ns, boot.announced_all_ns) == (2, 116 * MS, 120 * MS)
    assert all(a_round.winner is not None for a_round in boot.rounds)


def test_a_leader_deposed_by_a_rival_that_has_crashed_meanwhile_was_fine() -> None:
    # Node 2 stands in term 2, is heard by 3 and crashes; 1 hears of term 2 from 3 and steps down for it.
    text = (
        BOOT
        + """
        400 2 suspects 1
        400 2 candidate 2
        405 3 follower 2
        410 crash 2
        450 1 follower 2
        450 lost 1 step-down
        600 3 candidate 3
        620 3 leader 3
    """
    )
    causes = [(election.cause, election.outcome) for election in elections(parse_trace(text, end_ms=1000))]
    assert causes[1:] == [(Cause.SPURIOUS, Outcome.WITHDRAWN), (Cause.SPURIOUS, Outcome.ELECTED)]


def test_no_part_of_an_election_is_negative() -> None:
    # A late candidate of term 3, standing since 95, claims at 130, after node 1's claim at 120: its search began at 95.
    text = """
        0   start 1 2 3
        90  1 candidate 1
        95  3 candidate 3
        120 1 leader 1
        130 3 leader 3
    """
    _, late = elections(parse_trace(text, end_ms=1000))
    assert (late.detection_ns, late.election_ns) == (0, 35 * MS)


# --- What an election spends its time on


def test_an_election_is_what_came_before_its_rounds_its_failed_rounds_and_the_one_that_was_won() -> None:
    # Suspicion at 560 (a pre-vote); term 2 from 600, term 3 from 800, term 4 from 980 to the claim at 1000: 40 before
    # the first round, 380 in failed ones, 20 in the one that was won. Failed rounds last until the next one begins.
    text = (
        BOOT
        + """
        500  crash 1
        500  lost 1 crash
        560  2 pre-candidate 1
        600  2 candidate 2
        605  3 candidate 2
        800  2 candidate 3
        980  3 candidate 4
        990  2 follower 4
        1000 3 leader 4
    """
    )
    loss = only(elections(parse_trace(text, end_ms=2000)), Cause.LOSS)
    assert loss.parts == (40 * MS, 380 * MS, 20 * MS)
    assert loss.election_ns == sum(loss.parts)
    assert loss.round_spans() == [(600 * MS, 800 * MS), (800 * MS, 980 * MS), (980 * MS, 1000 * MS)]
    assert [a_round.outcome for a_round in loss.rounds] == ["split", "failed", "won"]


def test_without_terms_every_round_that_goes_on_is_won_at_once() -> None:
    # Two candidacies, at 600 and 650, of one election: both are over with the claim at 700; the winner's took 50.
    text = (
        BOOT.replace(" 1\n", " 0\n").replace("1 of 1", "0 of 1")
        + """
        500  crash 1
        500  lost 1 crash
        600  2 candidate 0
        650  3 candidate 0
        700  3 leader 0
    """
    )
    loss = only(elections(parse_trace(text, end_ms=2000)), Cause.LOSS)
    assert loss.parts == (0, 50 * MS, 50 * MS)
    assert loss.round_spans() == [(600 * MS, 700 * MS), (650 * MS, 700 * MS)]


def test_an_unfinished_round_lasts_until_the_end() -> None:
    text = BOOT + "\n 500 crash 1\n 500 lost 1 crash\n 600 2 candidate 2\n 900 2 candidate 3"
    loss = only(elections(parse_trace(text, end_ms=1500)), Cause.LOSS)
    assert loss.round_spans() == [(600 * MS, 900 * MS), (900 * MS, 1500 * MS)]
    assert [a_round.outcome for a_round in loss.rounds] == ["failed", "undecided"]
    assert loss.parts is None


def test_a_round_that_began_before_the_loss_counts_from_the_suspicion() -> None:
    # Node 2 stands at 450 against a leader that is fine, which crashes at 500: detection is 0, and all of the election
    # (500 to 690) is the round that was won.
    text = (
        BOOT
        + """
        450 2 candidate 2
        500 crash 1
        500 lost 1 crash
        690 2 leader 2
    """
    )
    loss = only(elections(parse_trace(text, end_ms=1000)), Cause.LOSS)
    assert (loss.detection_ns, loss.election_ns, loss.winning_round_ns) == (0, 190 * MS, 190 * MS)


def test_a_pre_vote_belongs_to_no_round() -> None:
    # Suspected at 600 by a pre-vote, stood at 640, won at 690: the winning round took 50.
    text = (
        BOOT
        + """
        500 crash 1
        500 lost 1 crash
        600 2 pre-candidate 1
        640 2 candidate 2
        690 2 leader 2
    """
    )
    loss = only(elections(parse_trace(text, end_ms=1000)), Cause.LOSS)
    assert (loss.election_ns, loss.winning_round_ns) == (90 * MS, 50 * MS)


def test_who_claims_without_standing_has_one_round() -> None:
    # The first node that is not suspected leads, without a round (Omega): all of the election is the last of its parts.
    text = (
        BOOT
        + """
        500 crash 1
        500 lost 1 crash
        600 2 suspects 1
        630 2 leader 2
    """
    )
    loss = only(elections(parse_trace(text, end_ms=1000)), Cause.LOSS)
    assert (loss.election_ns, loss.winning_round_ns, loss.rounds) == (30 * MS, 30 * MS, [])
    assert loss.parts == (0, 0, 30 * MS)


@pytest.mark.parametrize(("asked", "transfer_ms"), [(2, 150), (1, None)])
def test_a_transfer_lasts_from_the_wish_to_the_claim(asked: int, transfer_ms: int | None) -> None:
    """docs/metrics.md: "transfer (asked for)"; from the leader's wish, at 500, to another's claim, at 650.

    Of a node that does not lead (n1), there is nothing to hand over: the election is another.
    """
    text = """
        0   start 1 2 3
        100 2 candidate 1
        120 2 leader 1
        130 1 follower 1 of 2
        140 3 follower 1 of 2
        600 3 candidate 2
        650 3 leader 2
    """
    told = parse_trace(text, end_ms=1000)
    at = next(number for number, row in enumerate(told.rows) if row.time_ns == 600 * MS)
    before = told.rows[at - 1]
    wish = Row(500 * MS, event_types.TRANSFER, asked, sent=before.sent, extra_bytes=before.extra_bytes)
    trace = replace(told, rows=[*told.rows[:at], wish, *told.rows[at:]])
    transfers = [election.transfer_ns for election in elections(trace) if election.cause is Cause.TRANSFER]
    assert transfers == ([] if transfer_ms is None else [transfer_ms * MS])
