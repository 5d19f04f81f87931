"""The options of rings in a scenario: an error names field, value and remedy (house rules)."""

from __future__ import annotations

import pytest

from simulator.algorithms.rings import RING, RingConfig
from simulator.scenario import ScenarioError, loads
from simulator.testing import InteractionBench

TEXT = """
version: 1
name: ring
algorithm: {name: chang-roberts, order: [n2, n3, n1], initiators: [n1]}
cluster: {nodes: 3}
duration: 1s
"""


def test_a_ring_has_an_order_and_initiators() -> None:
    """Chang and Roberts 1979: the ring has a direction, and any set of processes may begin."""
    config = loads(TEXT, "x.yaml").cluster_spec().config
    assert (config.order, config.initiators) == ((2, 3, 1), (1,))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("[n2, n3, n1]", "[n2, n3]", "algorithm.order: names 2 of 3 nodes; name each once, or leave this out"),
        ("[n2, n3, n1]", "[n2, n3, n9]", "algorithm.order.2: n9 "),
        ("[n2, n3, n1]", "[n2, n3, n3]", "must name each node once"),
        ("[n1]}", "[n4]}", "algorithm.initiators.0: n4 "),
        ("[n1]}", "[n1, n1]}", "must name each node once"),
        ("[n1]}", "[n1], acknowledgement_timeout: 0ms}", "must be above 0"),
    ],
)
def test_a_mistake_is_refused(old: str, new: str, expected: str) -> None:
    """House rules: an error names field, value and remedy."""
    with pytest.raises(ScenarioError) as refusal:
        loads(TEXT.replace(old, new), "x.yaml")
    (line,) = str(refusal.value).splitlines()
    assert expected in line


def test_an_order_of_other_nodes_is_refused_by_the_algorithm() -> None:
    """A test or a program may build the algorithm without a scenario, which would have checked the order."""
    with pytest.raises(ValueError, match="order: must name each of the 3 nodes once"):
        InteractionBench(RING, 3, config=RingConfig(order=(1, 2, 4)))
