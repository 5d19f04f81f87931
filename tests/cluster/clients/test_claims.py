"""Clients of an algorithm without a log: issue 15, "served by whoever claims to lead, in its own belief".

Every instant is worked out by hand. All paths take 1 ms one way. A first message waits for its connection, which takes
a round trip (RFC 9293, section 3.5: the three-way handshake).
"""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from simulator.clients.config import Backoff
from simulator.cluster.clients.spec import AddressSpec, ClientsSpec, ResourceSpec
from simulator.cluster.distributions import Constant
from simulator.cluster.faults.node_faults import Crash, Kill, Pause, Resume
from simulator.cluster.faults.partitions import CutLink, Isolate
from simulator.protocol import FOLLOWER, LEADER
from simulator.trace.requests import Attempt, AttemptOutcome, RequestOutcome
from simulator.trace.trace import Trace
from tests.support.probe import MS, PROBE, Deed, Script, at, every, play, timer

ONE = ClientsSpec(count=1, gaps=Constant(10 * MS), timeout=20 * MS, backoff=Backoff(first=5 * MS, jitter=0))
CLIENT, RESOURCE = 3, 4  # After the two servers.


def claim(term: int) -> Deed:
    return lambda host: host.transition(LEADER, term, host.me)


def follow(leader: int | None, term: int = 1) -> Deed:
    return lambda host: host.transition(FOLLOWER, term, leader)


WITH_TERMS = replace(PROBE, fencing_token="term")
N1_LEADS = Script(start={1: claim(1), 2: follow(1)})


def only_server(server: int) -> ClientsSpec:
    """One client that begins with this server: it knows no other."""
    return replace(ONE, servers=(server,))


def sent(trace: Trace) -> list[tuple[float, float | None, str]]:
    """When each request was sent and ended, in ms, and its outcome."""
    return [
        (row.sent_ns / MS, None if row.ended_ns is None else row.ended_ns / MS, str(row.outcome))
        for row in trace.requests
    ]


def attempts(trace: Trace, request: int = 0) -> list[tuple[float, int, str]]:
    return [
        (attempt.sent_ns / MS, attempt.server, str(attempt.outcome)) for attempt in trace.requests[request].attempts
    ]


def test_a_write_goes_through_the_claimant_to_the_resource() -> None:
    trace = play(N1_LEADS, clients=only_server(1), duration=40 * MS, registration=WITH_TERMS)
    # 10: asks for a connection; 12: it is open, and the request leaves; 13: at n1, which asks the resource for one;
    # 16: at the resource; 17: the decision is at n1; 18: the answer. Then 10 ms of thinking, and four ways of 1 ms.
    assert sent(trace) == [(10, 18, "acknowledged"), (28, 32, "acknowledged")]
    first, second = trace.writes
    assert (first.time_ns / MS, first.node, first.client, first.number, first.accepted) == (16, 1, CLIENT, 1, True)
    assert (second.time_ns / MS, second.token, second.claimed_ns) == (30, 1, 0)
    row = trace.requests[0]
    assert row.value == first.value != second.value
    assert row.token == 1
    assert row.attempts == (Attempt(10 * MS, 1, AttemptOutcome.DONE, 18 * MS),)
    assert trace.clients == (CLIENT,)


def test_a_read_returns_the_last_write_that_the_resource_accepted() -> None:
    trace = play(N1_LEADS, clients=replace(only_server(1), reads=0.5), duration=100 * MS)
    value: int | None = 0
    for row in trace.requests:
        if row.outcome is RequestOutcome.ACKNOWLEDGED:
            value = row.value if row.operation == "write" else value
            assert row.value == value
    assert {row.operation for row in trace.requests} == {"read", "write"}


def test_a_server_that_does_not_lead_names_the_leader_which_is_asked_at_once() -> None:
    """Raft, section 8: the server "will reject the client's request and supply information about the most recent
    leader it has heard from"; any algorithm whose nodes know a leader can do so."""
    trace = play(Script(start={1: follow(2), 2: claim(1)}), clients=ONE, duration=30 * MS)
    asked = [server for _, server, _ in attempts(trace)]
    first = (10, 1, "redirected") if asked[0] == 1 else (10, 2, "done")
    assert attempts(trace)[0] == first
    if asked[0] == 1:
        assert attempts(trace) == [(10, 1, "redirected"), (14, 2, "done")]


def test_the_backoff_doubles_up_to_its_bound() -> None:
    """Issue 15: "retries with backoff and jitter, a bound on attempts". Without jitter, waits are 5, 10, 15, 15 ms."""
    spec = replace(only_server(1), backoff=Backoff(first=5 * MS, most=15 * MS, jitter=0), attempts=5)
    trace = play(Script(start={1: follow(None), 2: follow(None)}), clients=spec, duration=100 * MS)
    # A refusal takes 2 ms, and 4 ms with the handshake.
    assert [instant for instant, _, _ in attempts(trace)] == [10, 19, 31, 48, 65]
    assert sent(trace)[0] == (10, 67, "refused")


def test_what_a_crashed_server_was_asked_over_an_open_connection_is_unknown() -> None:
    spec = replace(only_server(1), attempts=1)
    trace = play(N1_LEADS, at(28.5, Crash(1)), clients=spec, duration=100 * MS)
    # The second request leaves at 28 and times out at 48. The third finds the connection still open, to the client.
    assert sent(trace)[1:] == [(28, 48, "unknown"), (58, 78, "unknown"), (88, None, "waiting")]


def test_what_could_not_be_delivered_has_failed() -> None:
    spec = replace(only_server(1), attempts=1)
    trace = play(N1_LEADS, at(1, Crash(1)), clients=spec, duration=35 * MS)
    assert sent(trace) == [(10, 30, "failed")]
    assert attempts(trace) == [(10, 1, "unreachable")]
    assert trace.writes == ()


def test_a_crashed_client_does_not_know_what_became_of_its_request() -> None:
    trace = play(N1_LEADS, at(17.5, Crash("group:clients")), clients=only_server(1), duration=40 * MS)
    assert sent(trace) == [(10, 17.5, "unknown")]
    assert [row.accepted for row in trace.writes] == [True]
    assert not [row for row in trace.rows if row.node == CLIENT]  # Clients have no rows among those of the cluster.


@pytest.mark.parametrize("target", ["random", "all", "minority", "highest-id"])
def test_targets_of_the_cluster_never_mean_clients_or_the_resource(target: str) -> None:
    """Issue 15: clients "are reached by `group:clients` only (`random`, `minority`, `all` … never mean them)"."""
    trace = play(N1_LEADS, at(5, Pause(target)), nodes=3, clients=ONE)
    (fault,) = trace.of_type("fault")
    assert set(fault.field("nodes")) <= {1, 2, 3}


def test_a_fault_of_links_spares_clients_that_it_does_not_name() -> None:
    """The clients have network paths of their own: a leader that is cut off from the cluster still serves them."""
    trace = play(N1_LEADS, at(1, Isolate(1)), clients=only_server(1), duration=40 * MS)
    assert sent(trace) == [(10, 18, "acknowledged"), (28, 32, "acknowledged")]


def test_a_fault_that_names_clients_cuts_their_paths() -> None:
    spec = replace(only_server(1), attempts=1)
    trace = play(N1_LEADS, at(20, CutLink((1, "group:clients"))), clients=spec, duration=70 * MS)
    assert sent(trace) == [(10, 18, "acknowledged"), (28, 48, "unknown"), (58, None, "waiting")]


def test_a_fault_that_names_the_resource_cuts_its_paths() -> None:
    trace = play(N1_LEADS, at(20, CutLink((1, "group:resource"))), clients=only_server(1), duration=40 * MS)
    assert sent(trace) == [(10, 18, "acknowledged"), (28, None, "waiting")]
    assert len(trace.writes) == 1


def test_an_open_loop_sends_whatever_is_under_way() -> None:
    spec = replace(only_server(1), gaps=Constant(4 * MS), closed_loop=False)
    trace = play(N1_LEADS, at(1, Pause(1)), clients=spec, duration=21 * MS)
    instants = sorted(row.sent_ns for row in trace.requests)
    gaps = {later - earlier for earlier, later in pairwise(instants)}
    assert gaps == {4 * MS}
    assert len(instants) == math.ceil((21 * MS - instants[0]) / (4 * MS))
    assert 0 <= instants[0] < 4 * MS  # From a random phase on, so that clients do not send in step.


def test_a_paused_server_handles_what_arrived_when_it_resumes() -> None:
    trace = play(N1_LEADS, at(28.5, Pause(1)), at(40, Resume(1)), clients=only_server(1), duration=45 * MS)
    assert sent(trace)[1] == (28, 43, "acknowledged")  # From 40 on: to the resource, back, and to the client.


def test_the_token_keeps_a_deposed_leader_from_writing() -> None:
    """Kleppmann (2016): "the storage server … remembers that it has already processed a write with a higher token
    number (34), and so it rejects the request with token 33"."""
    script = Script(start={1: claim(1), 2: every(follow(1), timer("claim", 30))}, on={"timer claim": claim(2)})
    clients = replace(ONE, count=6, start=40 * MS, finds="next", attempts=1)  # Some ask n1, and some n2.
    given: dict[str, Any] = {"clients": clients, "duration": 100 * MS, "registration": WITH_TERMS}
    without = play(script, **given)
    assert {(row.node, row.token, row.accepted) for row in without.writes} == {(1, 1, True), (2, 2, True)}
    fenced = play(script, **given, resource=ResourceSpec(fencing="token"))
    seen = 0
    for row in fenced.writes:
        assert row.token is not None
        assert row.accepted is (row.token >= seen)
        seen = max(seen, row.token)
    assert (1, False) in {(row.node, row.accepted) for row in fenced.writes}
    assert "refused" in {str(row.outcome) for row in fenced.requests}


def test_an_address_leads_to_the_last_claimant_after_its_delay() -> None:
    script = Script(start={1: claim(1), 2: every(follow(1), timer("claim", 30))}, on={"timer claim": claim(2)})
    clients = replace(ONE, address=AddressSpec(delay=Constant(15 * MS)))
    trace = play(script, clients=clients, duration=100 * MS)
    asked = [(attempt.sent_ns / MS, attempt.server) for row in trace.requests for attempt in row.attempts]
    # n2 claims at 30, and the address leads to it from 45 on. Its first request needs two new connections.
    assert asked == [(10, 1), (28, 1), (42, 1), (56, 2), (74, 2), (88, 2)]


@pytest.mark.parametrize(
    ("non_leaders", "outcome"), [("redirect", "redirected"), ("refuse", "refused"), ("silent", "timed-out")]
)
def test_a_server_that_does_not_lead_does_as_its_registration_says(non_leaders: Any, outcome: str) -> None:
    """Issue 15: "A server that does not lead redirects, refuses, or stays silent, as its algorithm's systems do"."""
    registration = replace(PROBE, non_leaders=non_leaders)
    script = Script(start={1: follow(2), 2: claim(0)})
    trace = play(script, clients=replace(only_server(1), attempts=1), registration=registration, duration=50 * MS)
    assert attempts(trace) == [(10, 1, outcome)]


def test_requests_take_the_time_that_a_server_takes_over_each_message() -> None:
    trace = play(N1_LEADS, clients=only_server(1), service=Constant(2 * MS), duration=25 * MS)
    # 2 ms each for the request and for the resource's decision, beside the 8 ms of the paths.
    assert sent(trace)[0] == (10, 22, "acknowledged")


def test_a_killed_server_closes_its_connections() -> None:
    """docs/transport.md: when a process dies, its host closes its connections, and the peers are told."""
    trace = play(N1_LEADS, at(29.5, Kill(1)), clients=replace(only_server(1), attempts=1), duration=40 * MS)
    assert sent(trace)[1] == (28, 30.5, "unknown")
    assert attempts(trace, 1) == [(28, 1, "closed")]


def test_the_jitter_draws_from_the_last_share_of_each_wait() -> None:
    """Brooker, "Exponential Backoff And Jitter" (2015): full jitter draws from 0 to the whole wait, equal jitter from
    its half."""
    for jitter, least in ((1.0, 0), (0.5, 5)):
        spec = replace(only_server(1), backoff=Backoff(first=10 * MS, most=10 * MS, jitter=jitter))
        trace = play(Script(start={1: follow(None), 2: follow(None)}), clients=spec, duration=3000 * MS)
        made = trace.requests[0].attempts
        waits = [later.sent_ns - (earlier.answered_ns or 0) for earlier, later in pairwise(made)]
        assert all(least * MS <= wait <= 10 * MS for wait in waits)
        mean = sum(waits) / len(waits) / MS  # Of some 250 uniform draws: within five standard errors.
        assert abs(mean - (10 + least) / 2) < 5 * (10 - least) / 12**0.5 / len(waits) ** 0.5
