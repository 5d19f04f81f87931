"""Faults as values: what each does, whom it affects, when it is injected, and the nemesis."""
