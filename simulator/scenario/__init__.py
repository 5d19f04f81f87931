"""Scenarios: from a YAML file to a validated, frozen description of an experiment."""

from simulator.scenario.advice import advice
from simulator.scenario.algorithms import register
from simulator.scenario.export import json_schema, json_schema_text, resolved, resolved_text
from simulator.scenario.loading import check, dropped_options, load, loads
from simulator.scenario.schema import Scenario
from simulator.scenario.text.errors import Problem, ScenarioError

__all__ = [
    "Problem",
    "Scenario",
    "ScenarioError",
    "advice",
    "check",
    "dropped_options",
    "json_schema",
    "json_schema_text",
    "load",
    "loads",
    "register",
    "resolved",
    "resolved_text",
]
