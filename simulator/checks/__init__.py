"""Verdicts on a trace: whether an algorithm kept what its paper guarantees."""
