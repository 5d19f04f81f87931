"""A host for tests, on which an algorithm is driven by hand, by scripts or by Hypothesis."""
