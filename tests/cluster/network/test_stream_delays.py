"""How long messages take over a lossy stream, against a calculation that knows nothing of the project's code (issue 3).

"Stream transport: compare the delivery-time distribution under 1 % loss with an independent calculation written as
plain NumPy in the test." Messages come in bursts, far enough apart to be independent of each other: what is compared
is one number per burst, so that a Kolmogorov-Smirnov test may be applied.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from simulator.cluster.distributions import Uniform
from simulator.cluster.network.network import NetworkSpec, StreamSpec, Transport
from simulator.protocol import Host
from tests.support.probe import MS, Letter, Script, play, reached

MESSAGES, SPACING, APART, FIRST = 10, 0.010, 40.0, 20.0  # Of a burst; seconds.
LEAST, MOST = 0.005, 0.025  # Of the latency, seconds: uniform, so that neighbours overtake each other.
SIMULATED, CALCULATED = 5000, 30_000  # Bursts.
LEVEL = 1e-3  # Seeds are fixed, so this is how likely the author was to need another seed.


def calculated(loss: float, bursts: int, growth: float = 2) -> np.ndarray:
    """Seconds from sending to delivery; shape (bursts, MESSAGES)."""
    rng = np.random.default_rng(1)
    return np.array([one_burst(loss, growth, rng) for _ in range(bursts)])


def one_burst(loss: float, growth: float, rng: np.random.Generator) -> np.ndarray:
    """RFC 6298, section 5, with acknowledgements that take no time, and RFC 5681's window of one after a timeout."""
    sent = SPACING * np.arange(MESSAGES)
    attempted, arrives = sent.copy(), np.full(MESSAGES, np.inf)
    while True:
        missing = np.isinf(arrives)
        lost = missing & (rng.random(MESSAGES) < loss)
        there = missing & ~lost
        arrives[there] = (attempted + rng.uniform(LEAST, MOST, MESSAGES))[there]
        if not lost.any():
            return np.asarray(np.maximum.accumulate(arrives) - sent)  # Head-of-line blocking.
        first = int(np.argmax(lost))
        again = (
            max(attempted[first], *arrives[:first], 0.0) + 0.2
        )  # (5.3): 200 ms after the last that was acknowledged.
        arrives[missing & (attempted > again)] = np.inf  # Not sent then: the window is full.
        timeout = 0.2
        while rng.random() < loss:
            timeout *= growth  # (5.5)
            again += timeout
        arrives[first] = again + rng.uniform(LEAST, MOST)
        attempted = np.maximum(attempted, arrives[first])  # The rest follows it.


def simulated(loss: float, bursts: int) -> np.ndarray:
    """The same, from the simulator."""
    sent = FIRST + np.add.outer(APART * np.arange(bursts), SPACING * np.arange(MESSAGES))
    instants_ns = np.rint(sent * 1e9).astype(np.int64).ravel().tolist()
    number = 0

    def begin(host: Host) -> None:
        host.set_timer("next", instants_ns[0])

    def go_on(host: Host) -> None:
        nonlocal number
        host.send(2, Letter(str(number)))
        number += 1
        if number < len(instants_ns):
            host.set_timer("next", instants_ns[number] - instants_ns[number - 1])

    network = NetworkSpec(
        latency=Uniform(round(LEAST * 1e9), round(MOST * 1e9)),
        loss=loss,
        transport=Transport.STREAM,
        stream=StreamSpec(open_at_start=True),
    )
    script = Script(start={1: begin}, on={"timer next": go_on})
    trace = play(script, network=network, duration=round(1000 * MS * (FIRST + APART * bursts + 60)))
    letters = [(text.split()[1], instant) for instant, text in reached(trace, 2) if text.startswith("letter")]
    assert [int(text) for text, _ in letters] == list(range(bursts * MESSAGES))
    return np.asarray(np.array([instant for _, instant in letters]).reshape(sent.shape) * MS / 1e9 - sent)


def longest(bursts: np.ndarray) -> np.ndarray:
    """The longest delivery time of each burst in which something was lost; shape (such bursts,)."""
    each = bursts.max(axis=1)
    return np.asarray(each[each > 0.2])


@pytest.mark.parametrize("loss", [0.01, 0.1])
def test_delivery_times_under_loss_are_those_calculated_independently(loss: float) -> None:
    """1 % is the issue's; 10 % shows what happens when what is sent again is lost again."""
    ours, theirs = simulated(loss, SIMULATED), calculated(loss, CALCULATED)
    for place in (0, MESSAGES // 2, MESSAGES - 1):  # The last ones wait for the first.
        assert stats.ks_2samp(ours[:, place], theirs[:, place]).pvalue > LEVEL
    assert stats.ks_2samp(longest(ours), longest(theirs)).pvalue > LEVEL


def test_the_comparison_can_fail() -> None:
    """Against a calculation in which the timeout grows by half, or stays, it says that they differ."""
    ours = simulated(0.1, SIMULATED)
    for growth in (1, 1.5):
        theirs = calculated(0.1, CALCULATED, growth)
        assert stats.ks_2samp(longest(ours), longest(theirs)).pvalue < LEVEL
