"""Sweeps: a scenario in many cells, each with other values of some fields."""
