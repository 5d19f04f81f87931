"""How a scenario writes faults."""
