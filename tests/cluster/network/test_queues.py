"""Queues: at a link of limited bandwidth, and at a node that takes time over each message (issue 3, "Network")."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from simulator.cluster.cluster import Cluster, run_trial
from simulator.cluster.distributions import Constant, Distribution, Uniform
from simulator.cluster.faults.node_faults import Crash, Pause, Restart, Resume
from simulator.cluster.faults.slowdowns import SlowNode
from simulator.cluster.network.message_size import HEADER_BYTES
from simulator.cluster.network.network import NetworkSpec
from simulator.cluster.network.topology import Topology
from simulator.cluster.spec import ClusterSpec
from simulator.protocol import MICROSECOND, SECOND, Host, Nanoseconds
from tests.cluster.network.wire import Wire
from tests.support.probe import MS, PROBE, Script, at, every, play, reached, send, timer

# --- Bandwidth


def test_messages_wait_for_those_sent_before_on_the_same_link() -> None:
    # A letter of t characters has 40 + t bytes (`wire_size`): at 10,000 bytes/s, 4 ms for its header and 0.1 ms for
    # each character. Worked out by hand: 60 characters take 10 ms, 10 take 5 ms, none take 4 ms; then 1 ms of latency.
    assert HEADER_BYTES == 40
    wire = Wire(NetworkSpec(latency=Constant(MS), bandwidth=10_000))
    wire.send(1, 2, "x" * 60)  # On the wire from 0 to 10.
    wire.send(1, 2, "y" * 10)  # From 10 to 15.
    wire.send(1, 3, "z" * 10)  # Another link: from 0 to 5.
    wire.send(2, 1, "")  # The other direction: from 0 to 4.
    wire.send(1, 2, "", at_ns=13 * MS)  # From 15 to 19.
    wire.send(1, 2, "", at_ns=30 * MS)  # The wire is free again: from 30 to 34.
    arrived = [(arrival.at_ns / MS, arrival.sender, arrival.to) for arrival in wire.run()]
    assert arrived == [(5, 2, 1), (6, 1, 3), (11, 1, 2), (16, 1, 2), (20, 1, 2), (35, 1, 2)]


def test_a_lost_packet_has_taken_its_time_on_the_wire() -> None:
    # It is lost behind the sender's link. Of two copies, the second is made there, too, and costs no time.
    fates = {"loss": 0.5, "duplication": 0.3}
    wire = Wire(NetworkSpec(latency=Constant(0), bandwidth=10_000, **fates))  # type: ignore[arg-type]
    for number in range(100):
        wire.send(1, 2, f"{number:010d}")
    arrivals = wire.run()
    assert 30 < len({arrival.text for arrival in arrivals}) < 70
    assert all(arrival.at_ns == (int(arrival.text) + 1) * 5 * MS for arrival in arrivals)


def test_bandwidth_and_topology_add_up() -> None:
    # 40 + 10 bytes at 10,000 bytes/s: 5 ms; then 20 ms of base and 1 ms of latency.
    topology = Topology(zones=("a", "b"), base=((0, 20 * MS), (0, 0)), placed=(0, 1, 0))
    wire = Wire(NetworkSpec(latency=Constant(MS), bandwidth=10_000, topology=topology))
    wire.send(1, 2, "x" * 10)
    assert [arrival.at_ns / MS for arrival in wire.run()] == [26]


# --- Service time


def test_a_node_serves_one_message_after_the_other_and_timers_wait_their_turn() -> None:
    # "service time per message at a node (a single-server queue)": four letters arrive together at 2 and take 5 ms
    # each. The timer comes due at 10, while the second is served, behind the third and fourth: at 22, like the fourth.
    script = Script(start={1: every(*(send(2, text) for text in "abcd")), 2: timer("t", 10)})
    assert reached(play(script, service=Constant(5 * MS)), 2) == [
        (7, "letter a"),
        (12, "letter b"),
        (17, "letter c"),
        (22, "letter d"),
        (22, "timer t"),
    ]


def test_a_timer_of_an_idle_node_is_on_time() -> None:
    # "How long a node takes over each message": a timer by itself takes no time.
    script = Script(
        start={1: timer("send", 20), 2: every(timer("early", 10), timer("busy", 24))}, on={"timer send": send(2, "a")}
    )
    # Sent at 20, arrives at 22, served until 27; the timer of 24 waits for that, in its turn behind the letter.
    assert reached(play(script, service=Constant(5 * MS)), 2) == [
        (10, "timer early"),
        (27, "letter a"),
        (27, "timer busy"),
    ]


def test_what_a_message_causes_leaves_when_it_is_served() -> None:
    # n1 and n2 each take 5 ms: there at 2, served at 7, back at 9, served at 14.
    script = Script(start={1: send(2, "ping")}, on={"letter ping": send(1, "pong")})
    trace = play(script, service=Constant(5 * MS))
    assert (reached(trace, 2), reached(trace, 1)) == ([(7, "letter ping")], [(14, "letter pong")])


def test_a_crash_forgets_what_waits() -> None:
    # "A crash throws the object away": a is served until 7; b would be until 12, but the node is down from 8 to 10.
    # c, sent at 20, finds an idle node: 22 + 5.
    script = Script(start={1: every(send(2, "a"), send(2, "b"), timer("t", 20))}, on={"timer t": send(2, "c")})
    trace = play(script, at(8, Crash(2)), at(10, Restart(2)), service=Constant(5 * MS))
    assert reached(trace, 2) == [(7, "letter a"), (27, "letter c")]


def test_a_paused_node_serves_on_when_it_resumes() -> None:
    # Paused from 8 to 30, while b is served: b is done at 30, and c takes 5 ms from then on.
    script = Script(start={1: every(*(send(2, text) for text in "abc"))})
    trace = play(script, at(8, Pause(2)), at(30, Resume(2)), service=Constant(5 * MS))
    assert reached(trace, 2) == [(7, "letter a"), (30, "letter b"), (35, "letter c")]


def test_a_node_that_was_slowed_handles_at_once_again() -> None:
    # A bug: a node that was hastened while it served stayed on the slow way of handling messages ("Both cost nothing
    # when off", issue 3). It is slow from 1 to 4; the letter arrives at 2 and is served until 12.
    script = Script(start={1: every(send(2, "a"), timer("t", 20))}, on={"timer t": send(2, "b")})
    slow = at(1, SlowNode(target=2, service=Constant(10 * MS)), lasts=Constant(3 * MS))
    spec = ClusterSpec(
        registration=PROBE,
        config=script,
        nodes=2,
        duration=100 * MS,
        network=NetworkSpec(latency=Constant(2 * MS)),
        faults=(slow,),
    )
    cluster = Cluster(spec, seed=1, trial=0)
    assert reached(cluster.run(), 2) == [(12, "letter a"), (22, "letter b")]
    assert cluster.nodes[2].ready


GAP_MEAN: Nanoseconds = 1000 * MICROSECOND
CUSTOMERS = 40_000


def _waits(gaps: np.ndarray, service: Distribution) -> tuple[np.ndarray, np.ndarray]:
    """Arrivals at n2, and when it has served each; n1 sends after each gap. In ns, shape (customers,)."""

    def step(host: Host) -> None:
        number = int(step.sent)  # type: ignore[attr-defined]
        step.sent += 1  # type: ignore[attr-defined]
        if number:
            send(2, str(number - 1))(host)
        if number < len(gaps):
            host.set_timer("next", int(gaps[number]))

    step.sent = 0  # type: ignore[attr-defined]
    spec = ClusterSpec(
        registration=PROBE,
        config=Script(start={1: step}, on={"timer next": step}),
        nodes=2,
        duration=1000 * SECOND,
        network=NetworkSpec(latency=Constant(0)),
        service=service,
    )
    trace = run_trial(spec, seed=1, trial=0)
    served = [row.time_ns for row in trace.of_type("reached") if row.node == 2]
    return np.cumsum(gaps), np.array(served)


@pytest.mark.parametrize("load", [0.3, 0.7])
def test_the_mean_wait_is_that_of_pollaczek_and_khinchine(load: float) -> None:
    # M/D/1 (Pollaczek 1930, Khinchine 1932): with Poisson arrivals and a constant service time D, the mean wait is
    # load · D / (2 (1 - load)). The error is that of the means of 40 stretches of 1,000 customers, far longer than the
    # queue remembers; the first stretch, which begins with an empty queue, is left out.
    service = round(load * GAP_MEAN)
    gaps = np.rint(np.random.default_rng(7).exponential(GAP_MEAN, CUSTOMERS)).astype(np.int64)
    arrived, served = _waits(gaps, Constant(service))
    stretches = (served - arrived - service).reshape(40, -1)[1:].mean(axis=1)
    expected = load * service / (2 * (1 - load))
    error = stretches.std(ddof=1) / sqrt(stretches.size)
    assert error < 0.1 * expected
    assert abs(stretches.mean() - expected) < 4 * error


def test_every_customer_leaves_when_lindley_says() -> None:
    # Lindley 1952: who arrives at a leaves at max(a, the one before left) + service: exactly, for each of them.
    gaps = np.random.default_rng(8).integers(1, 2 * GAP_MEAN, 5_000)
    arrived, served = _waits(gaps, Constant(900 * MICROSECOND))
    left, expected = 0, []
    for arrival in arrived.tolist():
        left = max(arrival, left) + 900 * MICROSECOND
        expected.append(left)
    assert served.tolist() == expected


def test_evenly_spaced_customers_never_wait() -> None:
    # D/D/1 with a load of 1 or below: everybody finds the server idle, or just done.
    arrived, served = _waits(np.full(1000, GAP_MEAN), Constant(GAP_MEAN))
    assert (served - arrived == GAP_MEAN).all()


def test_a_random_service_time_is_drawn_per_message() -> None:
    # Far apart, nobody waits: what is left is the service time, uniform from 1 to 3 ms; its mean is 2 ms with the
    # error of a uniform mean, 2 ms / sqrt(12 N).
    arrived, served = _waits(np.full(2000, 10 * MS), Uniform(MS, 3 * MS))
    times = served - arrived
    assert times.min() >= MS
    assert times.max() <= 3 * MS
    assert abs(times.mean() - 2 * MS) < 4 * 2 * MS / sqrt(12 * times.size)
