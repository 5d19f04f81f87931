"""How a scenario writes the network."""
