"""How a scenario writes distributions of durations."""
