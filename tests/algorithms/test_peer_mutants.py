"""Each deliberate fault in Bully, Invitation and the simple election is caught by what tests the algorithms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from simulator.algorithms.priority import PRIORITY, PriorityElection
from simulator.algorithms.registration import Registration
from simulator.algorithms.registry import REGISTRY
from simulator.cluster.cluster import run_trial
from simulator.experiment.trial import measure
from simulator.protocol import SECOND, Algorithm
from simulator.testing import InteractionBench, InteractionError, replay_file
from tests.support.algorithm_schedules import can_agree, disagreement, schedule
from tests.support.peer_mutants import MUTANTS
from tests.support.peer_mutants.nets import DRAWS, SEARCH

SCRIPTS = Path(__file__).parents[1] / "scripts"
SEEDS = 150  # As many schedules as an algorithm itself is given, and half as many again.
ALL = [(name, mutant, net) for name, mutants in MUTANTS.items() for mutant, net in mutants.items()]


def registration_of(name: str, mutant: type[Algorithm]) -> Registration:
    return replace(REGISTRY[name], algorithm=mutant)


def convicting_seeds(registration: Registration) -> Iterator[int]:
    """The seeds of schedules inside its assumptions after which a guarantee is violated, or not all agree."""
    for seed in range(SEEDS):
        spec = schedule(registration, registration.algorithm.assumes, ends=True, most_faults=6, seed=seed)
        trace = run_trial(spec, seed, 0)
        if measure(trace, spec, 0).violations or (can_agree(spec) and disagreement(trace)):
            yield seed


def convicting_scenes(registration: Registration) -> Iterator[str]:
    """The scenes that take another course."""
    for path in sorted((SCRIPTS / registration.name).glob("*.txt")):
        try:
            text, replayed = replay_file(path, {registration.name: registration})
        except (InteractionError, AssertionError):
            yield path.stem
        else:
            if replayed != text:
                yield path.stem


@pytest.mark.parametrize(("name", "mutant"), [(name, mutant) for name, mutant, net in ALL if net == SEARCH])
def test_the_search_convicts_it(name: str, mutant: type[Algorithm], request: pytest.FixtureRequest) -> None:
    """Its docstring says what rule it breaks (docs/bully.md, docs/priority.md), and so what promise."""
    seed = next(convicting_seeds(registration_of(name, mutant)), None)
    request.node.user_properties.append(("seed", seed))
    assert seed is not None


@pytest.mark.parametrize(("name", "mutant"), [(name, mutant) for name, mutant, net in ALL if net != DRAWS])
def test_a_scene_convicts_it(name: str, mutant: type[Algorithm]) -> None:
    """Its docstring says what rule it breaks; a scene cites the same."""
    assert next(convicting_scenes(registration_of(name, mutant)), None) is not None


@pytest.mark.parametrize("name", MUTANTS)
def test_there_are_a_dozen_of_each(name: str) -> None:
    """And the algorithm itself passes where they do not: the same seeds, the same scenes."""
    assert len(MUTANTS[name]) >= 12
    assert not [*convicting_scenes(REGISTRY[name])]
    assert not [*convicting_seeds(REGISTRY[name])]


def timeouts(algorithm: type[Algorithm]) -> list[float]:
    """Of 200 nodes, in seconds, in order."""
    drawn = []
    for seed in range(4):
        bench = InteractionBench(replace(PRIORITY, algorithm=algorithm), 50, seed=seed)
        for node in bench.nodes.values():
            assert isinstance(node.algorithm, PriorityElection)
            drawn.append(node.algorithm.timeout / SECOND)
    return sorted(drawn)


def distance_from_uniform(drawn: list[float]) -> float:
    """Kolmogorov and Smirnov's, from the uniform distribution on 5 to 10 s."""
    expected = [(value - 5) / 5 for value in drawn]
    count = len(drawn)
    return max(max(abs(share - i / count), abs(share - (i + 1) / count)) for i, share in enumerate(expected))


@pytest.mark.parametrize(("mutant", "net"), MUTANTS["priority"].items())
def test_timeouts_are_drawn_uniformly_from_five_to_ten_seconds(mutant: type[Algorithm], net: str) -> None:
    """Issue 5: "no heartbeat for a random 5-10 s"; 1.63 / sqrt(200) is the critical distance at 1 %."""
    assert (distance_from_uniform(timeouts(mutant)) > 1.63 / 200**0.5) is (net == DRAWS)
    assert distance_from_uniform(timeouts(PriorityElection)) < 1.63 / 200**0.5
