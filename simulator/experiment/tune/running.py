"""Runs a tuner in a directory, which says from the start what is being done: `tune.json` and `run.json`."""

from __future__ import annotations

from simulator.analysis.estimates import Summary
from simulator.experiment.files import UNFINISHED
from simulator.experiment.result import SCHEMA
from simulator.experiment.store import RunWriter
from simulator.experiment.sweep.running import Ending
from simulator.experiment.tune.request import TUNE, Request
from simulator.experiment.tune.result import tuned
from simulator.experiment.tune.stages import Progress, Stages
from simulator.experiment.workers import Workers


def begin_tuning(writer: RunWriter, request: Request) -> None:
    """Say what is about to be done. Raises StoreError."""
    writer.begin_parts(request.command)
    head = {"schema": SCHEMA, "state": UNFINISHED, "stopped_by": None, "candidates": []}
    writer.write_json(TUNE, request.head() | head)


def run_tuning(writer: RunWriter, request: Request, workers: Workers, progress: Progress) -> tuple[Summary, Ending]:
    """Do what is left to do, and write what was found. Returns that, and how it was ended, if it was.

    Raises StoreError, ClusterError if a Dask cluster cannot be used, and ScenarioError if no settings are valid.
    """
    tuner = request.tuner(Stages(writer, workers, progress))
    ending = tuner.run()
    writer.keep()
    found = tuned(request, tuner, ending)
    writer.write_json(TUNE, found)
    if ending == Ending():
        writer.end_parts()
    else:
        writer.leave_parts(found["stopped_by"] or "")
    return found, ending
