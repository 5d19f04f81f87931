"""One trial, many trials over workers, and the results that they leave."""
