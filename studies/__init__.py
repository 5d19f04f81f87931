"""Studies: the programs that make the figures and numbers that the documentation shows."""
