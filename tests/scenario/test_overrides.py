"""`--set network.loss=0.01` (issue 2): a value that replaces the file's, and is checked by the same rules."""

from __future__ import annotations

import pytest

from simulator.cluster.distributions import Normal, Uniform
from simulator.protocol import MILLISECOND, SECOND
from simulator.scenario import ScenarioError, loads
from simulator.scenario.schema import Scenario
from tests.support.scenarios import RICH, SMALL


def rich(*overrides: str) -> Scenario:
    return loads(RICH, "x.yaml", overrides)


def test_a_value_is_replaced_and_nothing_else() -> None:
    """ "`--set network.loss=0.01`" (issue 2) equals the same change in the file."""
    overridden, written = rich("network.loss=0.01"), loads(RICH.replace("loss: 0.001", "loss: 0.01"))
    assert overridden.published is not None
    assert overridden.published.changed == ("network.loss",)  # Published figures do not hold for what was overridden.
    assert overridden.model_copy(update={"published": written.published}) == written


def test_values_are_yaml() -> None:
    """An override is written as in the file: lists, mappings and null included."""
    changed = rich("algorithm.election_timeout=[1s, 2s]", "network.latency={uniform: [1ms, 2ms]}", "stop_when=null")
    spec = changed.cluster_spec()
    assert spec.config.election_timeout == (SECOND, 2 * SECOND)
    assert spec.network.latency == Uniform(MILLISECOND, 2 * MILLISECOND)
    assert changed.stop_when is None


def test_a_path_leads_through_lists() -> None:
    """ "`faults.0.at=2s`": a number in a path is a position in a list."""
    assert rich("faults.1.at=2s", "faults.1.partition.0.0=n4").cluster_spec().faults[1].fault == (
        loads(RICH.replace("[[n1,", "[[n4,")).cluster_spec().faults[1].fault
    )


def test_a_path_may_begin_where_the_file_says_nothing() -> None:
    """A file that leaves the network at its defaults can still be given some loss."""
    assert loads(SMALL, "x", ["network.loss=0.5", "cluster.disk.write=1ms"]).network.loss.value() == 0.5
    changed = loads(SMALL, "x", ["network.latency.normal.mean=5ms", "network.latency.normal.sd=1ms"])
    assert changed.network.latency.value() == Normal(5 * MILLISECOND, MILLISECOND)


def test_the_last_one_counts() -> None:
    """As with options of other commands: a script appends an override to those it was given."""
    assert rich("seed=1", "seed=2").seed == 2


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("network.los=0.1", "override network.los=0.1: network.los: unknown key; did you mean loss?"),
        ("netwrk.loss=0.1", "override netwrk.loss=0.1: netwrk: unknown key; did you mean network?"),
        (
            "network.loss=1.5",
            "override network.loss=1.5: network.loss: 1.5 is not a probability between 0 and 1; write 1 or "
            "less; 1.5 percent is 1.5% or 0.015",
        ),
        ("network={loss: 1.5}", "override network={loss: 1.5}: network.loss: 1.5 is not a probability"),
        ("faults.9.at=2s", "override faults.9.at=2s: faults: has no entry 9; known: 0, 1, 2, 3, 4, 5"),
        ("faults.-1.at=2s", "override faults.-1.at=2s: faults: has no entry -1"),
        ("faults.first=2s", "override faults.first=2s: faults: has no entry first"),
        ("faults.0.at=9s", "override faults.0.at=9s: faults.0.at: 9s is not before the trial's end at 4s"),
        ("duration.x=1", "override duration.x=1: duration: 4s has no part called x; override duration as a whole"),
        ("trials=0", "override trials=0: trials: 0 is below 1, the least allowed"),
        ("seed=[", "override seed=[: not YAML: "),
        ("seed", "override seed: write a path and a value: network.loss=0.01"),
        ("=1", "override =1: write a path and a value: network.loss=0.01"),
        ("network..loss=1", "override network..loss=1: write a path and a value: network.loss=0.01"),
        ("seed=*a", "override seed=*a: anchors and aliases"),
        # File and override are both valid, but not together: the error names the place of the value.
        ("duration=2s", "x.yaml:25: faults.4.at: 2s is not before the trial's end at 2s (duration)"),
    ],
)
def test_an_error_names_the_place_to_mend(override: str, says: str) -> None:
    """Issue 2, part 5: an error names the place to mend, which may be the override or a line of the file."""
    with pytest.raises(ScenarioError) as caught:
        rich(override)
    assert str(caught.value).splitlines()[0].startswith(says)
