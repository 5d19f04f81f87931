"""When leases are renewed, and when they end (etcd-io/etcd: server/lease/lessor.go, client/v3/lease.go)."""

from __future__ import annotations

from itertools import pairwise

import pytest

from simulator.algorithms.etcd.config import EtcdElectionConfig
from simulator.protocol import SECOND
from tests.algorithms.etcd.bed import MS, Scene, scene


@pytest.mark.parametrize(("ttl_s", "period_s"), [(2, 1.0), (5, 2.0), (10, 3.5), (60, 20.5)])
def test_keep_alives_have_a_grid_of_half_a_second(ttl_s: int, period_s: float) -> None:
    """lease.go: the sender wakes every 500 ms (retryConnWait), and sends what is due; next = answer + TTL/3."""
    bench = scene(1, session_ttl=ttl_s * SECOND, seconds=4 + 3 * period_s)
    sent = bench.times("LeaseKeepAlive", 1)
    assert len(sent) >= 3
    assert [later - earlier for earlier, later in pairwise(sent)] == pytest.approx(
        [period_s] * (len(sent) - 1), abs=0.02
    )


@pytest.mark.parametrize(("election_ms", "least_s"), [(500, 1), (1000, 2), (2000, 3), (5000, 8)])
def test_the_least_time_to_live_follows_from_the_election_timeout(election_ms: int, least_s: int) -> None:
    """server.go: minTTL = (3 * ElectionTicks) / 2 * heartbeat, in whole seconds; 8 s in etcd-io/etcd#11058."""
    assert EtcdElectionConfig(election_timeout=election_ms * MS).least_ttl_s == least_s
    if election_ms == 1000:
        assert scene(1, session_ttl=SECOND).candidate(1).session.ttl_s == least_s


def test_the_keys_of_a_dead_client_go_up_to_half_a_second_after_its_lease() -> None:
    """lessor.go: expiry = last renewal + TTL; every 500 ms the primary looks for expired leases and revokes them."""
    delays = []
    for seed in range(12):
        bench = Scene(2, seed=seed, session_ttl=5 * SECOND)
        bench.let_pass(4 + seed / 7)
        (leader,) = bench.leaders
        answered = [at for at, one in bench.sent_at if one.to == leader and "KeepAliveResponse" in one.text][-1]
        bench.kill(leader)
        bench.let_pass(7)
        deleted = [
            at for at, one in bench.sent_at if one.text.startswith("WatchResponse") and "deleted=True" in one.text
        ]
        delays.append((deleted[0] - answered) / SECOND)
    assert min(delays) >= 5 - 0.01 and max(delays) <= 5.5 + 0.02
    assert max(delays) - min(delays) > 0.2  # The phase of the look is that of the process.


def test_a_change_of_leader_prolongs_all_leases() -> None:
    """lessor.go, Promote: "renew the TTL of all lease to extend + previous TTL"; extend is the election timeout. The
    holder and the leader of etcd die together."""
    bench = scene(3, session_ttl=5 * SECOND)
    (leader,) = bench.leaders
    bench.kill(leader)
    bench.kill(bench.primary)
    bench.let_pass(4)
    promoted = next(member for member in bench.members if member.member.leads)
    lease_left = max(promoted.lessor._expiry.values()) - bench.now()
    bench.let_pass(12)
    deleted = bench.deletions()
    elected = [at for at, one in bench.sent_at if one.sender == promoted.host.me and "RequestVote(" in one.text]
    since_election = (deleted[0] - elected[-1]) / SECOND
    assert 6 - 0.1 <= since_election <= 6.5 + 0.1  # 1 s, 5 s, and up to 0.5 s.
    assert lease_left > 0 and bench.leaders and leader not in bench.leaders


def test_a_lease_ends_nowhere_but_at_the_leader() -> None:
    """lessor.go: on a member that does not lead, expiry is "forever"; without a leader of etcd, no lease ends."""
    bench = scene(2, session_ttl=2 * SECOND)
    (leader,) = bench.leaders
    bench.kill(leader)
    others = [node for node in bench.groups["etcd"] if node != bench.primary]
    bench.silent.update(others)
    bench.let_pass(10)
    assert not any(member.store.leases == {} for member in bench.members)
    assert all(len(member.store.leases) == 2 for member in bench.members)
    bench.silent.clear()
    bench.let_pass(10)
    assert bench.leaders and leader not in bench.leaders


def test_a_renewal_of_an_expired_lease_waits_until_it_is_revoked() -> None:
    """lessor.go, Renew: "An expired lease might be pending for revoking ... renew request must wait for the deletion to
    complete", and then finds no lease: the answer's TTL is 0, and the session ends."""
    bench = scene(1, session_ttl=2 * SECOND)
    primary = bench.member(bench.primary)
    lease = bench.candidate(1).session.lease
    assert lease is not None
    primary.lessor._expiry[lease] = bench.now()
    bench.node(primary.host.me).timers.pop("etcd-lessor")  # It does not look yet.
    before = len(bench.sent_at)
    bench.let_pass(1.5)
    assert not [one for _, one in bench.sent_at[before:] if one.text.startswith("LeaseKeepAliveResponse")]
    primary._revoke([lease])
    bench.deliver_all()
    answers = [one.text for _, one in bench.sent_at[before:] if one.text.startswith("LeaseKeepAliveResponse")]
    assert answers and all("ttl_s=0" in text for text in answers)
    assert bench.leaders == []  # `Done` is closed.


def test_a_leader_that_is_cut_off_stops_within_a_second_after_its_time_to_live() -> None:
    """lease.go, deadlineLoop: it looks once a second whether the TTL has passed since the last answer came."""
    bench = scene(2, session_ttl=5 * SECOND)
    (leader,) = bench.leaders
    answered = [at for at, one in bench.sent_at if one.to == leader and "KeepAliveResponse" in one.text][-1]
    bench.silent.add(leader)
    while leader in bench.leaders:
        bench.let_pass(0.05)
    assert 5 <= (bench.now() - answered) / SECOND <= 6.1


def test_without_answers_a_client_asks_at_each_look() -> None:
    """lease.go: nextKeepAlive moves with an answer only; so a lost keep-alive is repeated after 500 ms."""
    bench = scene(1, session_ttl=5 * SECOND)
    bench.silent.add(1)
    before = len(bench.times("LeaseKeepAlive", 1))
    bench.let_pass(4.5)
    sent = bench.times("LeaseKeepAlive", 1)[before:]
    assert len(sent) >= 4
    assert [later - earlier for earlier, later in pairwise(sent)] == pytest.approx([0.5] * (len(sent) - 1), abs=0.02)


def test_a_new_session_lasts_five_seconds_without_an_answer() -> None:
    """lease.go, NewLease: the first deadline is DialTimeout and 1 s, or 5 s (defaultTTL) without a DialTimeout."""
    for dial_ms, lasts_s in ((0, 5), (2000, 3)):
        bench = Scene(1, session_ttl=60 * SECOND, dial_timeout=dial_ms * MS, keepalive_time=None)
        while bench.candidate(1).session.lease is None:
            if bench.in_flight:
                bench.deliver(bench.in_flight[0])
            else:
                bench.advance(5 * MS)
        since = bench.now()
        bench.silent.add(1)
        while bench.candidate(1).session.lease is not None:
            bench.let_pass(0.05)
        assert lasts_s <= (bench.now() - since) / SECOND <= lasts_s + 1.1
