"""Variants beside each other (issue 6: "a winner is marked only where the interval excludes zero")."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import simulator
from simulator.analysis.comparison import PRIMARY, ComparedVariant, ComparisonPlan
from simulator.analysis.comparison import compare as compare_tables
from simulator.analysis.estimates import Summary
from simulator.analysis.records.registry import MEASURES
from simulator.experiment.sweep.cells import StudyCell, cells_of, name_of
from simulator.experiment.sweep.comparing import check_comparable
from simulator.experiment.sweep.options import read_reference, varied
from simulator.experiment.sweep.study import read_study
from tests.experiment.test_runner import CRASH

Parts = list[tuple[ComparedVariant, simulator.Result]]


def run(*fields: str, trials: int = 60, seeds: Sequence[int] = (3,)) -> Parts:
    """Every variant of a small crash, with the same seed, or with one each."""
    with_file = Path(__file__).parent / "unused.yaml"
    made = []
    for settings in _combinations(fields):
        sets = [f"{field}={value}" for field, value in settings.items() if field != "algorithm"]
        scenario = simulator.loads(CRASH, str(with_file), sets, algorithm=settings.get("algorithm"))
        made.append((settings, scenario))
    seeds = seeds if len(seeds) > 1 else list(seeds) * len(made)
    results = [simulator.run(made[1], trials=trials, seed=seed) for made, seed in zip(made, seeds, strict=True)]
    return [
        (ComparedVariant(name=name_of(settings), settings=settings, tables=result.tables), result)
        for (settings, _), result in zip(made, results, strict=True)
    ]


def compare(parts: Parts, plan: ComparisonPlan) -> Summary:
    """The comparison of some variants, given their results."""
    return compare_tables([variant for variant, _ in parts], plan)


def _combinations(fields: Sequence[str]) -> list[dict[str, str]]:
    found: list[dict[str, str]] = [{}]
    for field, values in varied(fields).items():
        found = [{**settings, field: value} for settings in found for value in values]
    return found


@pytest.fixture(scope="module")
def latencies() -> Parts:
    return run("network.latency=5ms,5.01ms,40ms")


# --- Which variants there are


def test_fields_and_their_values_are_read_as_in_the_file() -> None:
    # A list is one value: the comma inside it separates nothing.
    read = varied(["cluster.nodes=3, 5,9", "algorithm.election_timeout=[150ms, 300ms],[300ms, 600ms]"])
    assert read == {
        "cluster.nodes": ["3", "5", "9"],
        "algorithm.election_timeout": ["[150ms, 300ms]", "[300ms, 600ms]"],
    }


def cells(path: Path, texts: Sequence[str]) -> list[StudyCell]:
    axes = [{"field": field, "values": values} for field, values in varied(texts).items()]
    study = read_study(path, {"axes": axes, "set": {"duration": "3s"}})
    found = cells_of(study)
    check_comparable(study, found)
    return found


def test_every_combination_is_a_variant_and_the_algorithm_is_swapped(tmp_path: Path) -> None:
    path = tmp_path / "crash.yaml"
    path.write_text(CRASH)
    made = cells(path, ["algorithm=raft,bully", "cluster.nodes=3,5"])
    assert [cell.name for cell in made] == ["raft, nodes 3", "raft, nodes 5", "bully, nodes 3", "bully, nodes 5"]
    scenarios = [cell.scenario for cell in made if cell.scenario is not None]
    assert [scenario.size for scenario in scenarios] == [3, 5, 3, 5]
    assert [scenario.algorithm.registration.name for scenario in scenarios] == ["raft", "raft", "bully", "bully"]


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["cluster.nodes"], "write a field and its values"),
        (["cluster.nodes=3,,5"], "write a field and its values"),
        (["cluster.nodes=3,5,3"], "3 is there twice"),
        (["cluster.nodes=3,5", "cluster.nodes=7,9"], "is varied twice"),
        (["trials=10,100"], "all variants have the same trials"),
        (["cluster.nodes=3"], "two at least"),
        ([], "write a field and its values"),
        (["cluster.nodes=" + ",".join(map(str, range(1, 60)))], "59 variants; compare 50 at most"),
        (["cluster.nodes=3,none"], "override cluster.nodes=none"),
        (["algorithm=raft,rafd"], "did you mean raft"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_a_remedy(tmp_path: Path, texts: list[str], message: str) -> None:
    path = tmp_path / "crash.yaml"
    path.write_text(CRASH)
    with pytest.raises(simulator.ScenarioError, match=message):
        cells(path, texts)


def test_a_reference_is_one_of_the_values_that_are_varied() -> None:
    fields = varied(["algorithm=raft,bully", "cluster.nodes=3,5"])
    assert read_reference(["algorithm=raft"], fields) == {"algorithm": "raft"}
    for text, message in (("cluster.node=3", "did you mean cluster.nodes"), ("cluster.nodes=4", "no variant has this")):
        with pytest.raises(simulator.ScenarioError, match=message):
            read_reference([text], fields)


# --- What is compared


def test_the_estimates_are_those_of_the_summary(latencies: Parts) -> None:
    # One figure, one value: what `run` prints of a variant is what `compare` prints of it.
    _, result = latencies[-1]
    metrics = result.summary["metrics"]
    summarised: dict[str, Any] = {
        **{
            f"{name}.{q}": metrics[name][q] for name in ("failover", "detection", "election") for q in ("median", "p99")
        },
        "split_votes": metrics["split_votes"]["fraction"],
        "failed_rounds": metrics["failed_rounds"]["fraction"],
        "rounds": metrics["rounds_per_election"]["mean"],
    }
    for key, statistic in summarised.items():
        found = MEASURES[key].estimate(result.tables)
        expected = [math.nan if end is None else end for end in statistic.values()]
        assert [end if math.isfinite(end) else math.nan for end in found] == pytest.approx(expected, nan_ok=True), key
    available = metrics["leaderless"]["availability"]
    assert MEASURES["leaderless"].estimate(result.tables).value == pytest.approx(1 - available["value"])
    per_type = metrics["messages"]["per_election"].values()
    total = sum(statistic["value"] for statistic in per_type)
    assert MEASURES["messages"].estimate(result.tables).value == pytest.approx(total)


def test_a_comparison_of_equals_finds_nothing_and_says_that_they_are_equal() -> None:
    # The same configuration under another name: pairs share all their luck, and every difference is exactly 0.
    parts = run("stop_when=leader-announced,leader-stable", trials=40)
    found = compare(parts, ComparisonPlan(metrics=["failover.median", "detection.median"], margin=0.05))
    for metric in found["metrics"].values():
        assert metric["winner"] is None
        (held,) = [row for row in metric["variants"] if row["against"]]
        assert held["difference"] == {"value": 0, "low": 0, "high": 0}
        assert (held["verdict"], held["p"], held["equivalent"]) == (None, 1, True)


def test_common_random_numbers_show_what_separate_seeds_hide() -> None:
    # design.md, section 4: two variants of one experiment share their luck. 2 ms more on the way, in 60 trials each.
    fields = "network.latency=5ms,7ms"
    plan = ComparisonPlan(metrics=["failover.median"])
    together = compare(run(fields), plan)["metrics"]["failover.median"]["variants"][1]
    apart = compare(run(fields, seeds=(3, 4)), plan)["metrics"]["failover.median"]["variants"][1]
    width = {
        name: row["difference"]["high"] - row["difference"]["low"] for name, row in (("crn", together), ("own", apart))
    }
    assert width["crn"] < width["own"] / 2


def test_a_winner_is_told_apart_from_every_other(latencies: Parts) -> None:
    # 5 and 5.01 ms are not told apart by everything, 40 ms are: then nothing wins, though something is best.
    found = compare(latencies, ComparisonPlan(metrics=list(PRIMARY)))
    for metric in found["metrics"].values():
        others = [row for row in metric["variants"] if row["name"] != metric["best"]]
        assert (metric["winner"] == metric["best"]) == all(row["verdict"] == "worse" for row in others)
        for row in others:
            assert row["against"] == metric["best"]
            if row["verdict"]:
                assert row["p_corrected"] < 0.05
                assert row["difference"]["low"] > 0  # What is corrected excludes no less.
    slow = found["metrics"]["failover.median"]["variants"][2]
    assert slow["verdict"] == "worse"
    assert slow["ratio"]["low"] > 1


def test_the_family_is_all_pairs_where_the_best_is_chosen_by_the_data_and_less_where_it_is_named(
    latencies: Parts,
) -> None:
    # Three variants: three pairs of each metric, of which the best picks two; a named reference makes two.
    metrics = ["failover.median", "messages"]
    assert compare(latencies, ComparisonPlan(metrics=metrics))["family"] == 6
    named = compare(latencies, ComparisonPlan(metrics=metrics, reference={"network.latency": "5.01ms"}))
    assert named["family"] == 4
    for metric in named["metrics"].values():
        assert [row["against"] for row in metric["variants"]] == ["latency 5.01ms", None, "latency 5.01ms"]
        assert metric["winner"] is None
        assert metric["variants"][0]["verdict"] in ("better", None)


def test_a_reference_that_names_one_field_holds_the_others() -> None:
    # algorithm=raft: each beside Raft at the same size.
    parts = run("algorithm=raft,bully", "cluster.nodes=3,5", trials=10)
    found = compare(parts, ComparisonPlan(metrics=["messages"], reference={"algorithm": "raft"}))
    held = {row["name"]: row["against"] for row in found["metrics"]["messages"]["variants"]}
    assert held == {
        "raft, nodes 3": None,
        "raft, nodes 5": None,
        "bully, nodes 3": "raft, nodes 3",
        "bully, nodes 5": "raft, nodes 5",
    }


def test_whole_distributions_are_tested_beside_the_same_variant(latencies: Parts) -> None:
    # No overlap at all between 5 and 40 ms would be a distance of 1; both tests look the same way.
    near, far = compare(latencies, ComparisonPlan(metrics=["failover.median"]))["tests"]["failover"]
    assert far["kolmogorov_smirnov"]["distance"] > near["kolmogorov_smirnov"]["distance"]
    assert far["mann_whitney"]["chance_longer"] > 0.6
    assert far["kolmogorov_smirnov"]["p"] <= far["kolmogorov_smirnov"]["p_corrected"] < 0.05
    assert near["mann_whitney"]["p_corrected"] > 0.05


def test_a_comparison_is_json(latencies: Parts) -> None:
    # NaN and infinity are none (RFC 8259): p99 of 60 trials has no upper end.
    found = compare(latencies, ComparisonPlan())
    json.dumps(found, allow_nan=False)
    assert set(found["metrics"]) == set(PRIMARY)


def test_names_are_short_and_tell_variants_apart() -> None:
    assert name_of({"algorithm": "raft", "network.loss": "0.1"}) == "raft, loss 0.1"
