"""All metrics. The summary, the comparison, the gate, the tables and docs/metrics.md are derived from this list.

A record is found in its module of this package; no list has to be edited.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType

import pandas as pd

from simulator.analysis import records
from simulator.analysis.measures import Measure
from simulator.analysis.records.detectors import DETECTORS
from simulator.analysis.records.durations import DURATIONS, OTHER_ELECTIONS
from simulator.analysis.records.incidence import INCIDENCE
from simulator.analysis.records.leadership import LEADERSHIP
from simulator.analysis.records.record import GateFigure, Metric
from simulator.analysis.records.rounds import ROUNDS
from simulator.analysis.records.traffic import TRAFFIC
from simulator.analysis.samples import primary_elections
from simulator.analysis.statistics.survival import Sample
from simulator.analysis.tables import Reads


def _records() -> Iterator[Metric]:
    """The records in the tuples of every module, by the module's name."""
    for module in sorted(module.name for module in pkgutil.iter_modules(records.__path__)):
        path = f"{records.__name__}.{module}"
        if path != __name__:
            for value in vars(importlib.import_module(path)).values():
                yield from (
                    (record for record in value if isinstance(record, Metric)) if isinstance(value, tuple) else ()
                )


# Tables show metrics in this order, and those of other modules after them.
_IN_ORDER = (*DURATIONS, *INCIDENCE, *ROUNDS, OTHER_ELECTIONS, *LEADERSHIP, *DETECTORS, *TRAFFIC)
METRICS: Sequence[Metric] = tuple(dict.fromkeys((*_IN_ORDER, *_records())))

# For each duration, the function that finds its values among elections. For each metric, its columns. For each
# duration, its label.
SAMPLES: Mapping[str, Callable[[pd.DataFrame], Sample]] = MappingProxyType(
    {metric.key: metric.sample for metric in METRICS if metric.sample is not None}
)
READS: Mapping[str, Reads] = MappingProxyType({metric.key: metric.reads for metric in METRICS})
DURATION_LABELS: Mapping[str, str] = MappingProxyType(
    {metric.key: ("  " if metric.part_of else "") + metric.label for metric in DURATIONS}
)

# The metrics that `electsim compare --metric` takes and that the gate compares beside the primary duration.
MEASURES: Mapping[str, Measure] = MappingProxyType(
    {name: measure for metric in METRICS for name, measure in metric.measures.items()}
)
GATE_FIGURES: Sequence[GateFigure] = tuple(figure for metric in METRICS for figure in metric.gate_figures)


def sample(elections: pd.DataFrame, name: str) -> Sample:
    """The durations of one metric (a key of SAMPLES) among the primary elections, in seconds, with their censoring."""
    return SAMPLES[name](primary_elections(elections))
