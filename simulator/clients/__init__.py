"""Clients of a cluster, and of what its leaders write to: sans-IO, like the algorithms, and independent of them."""
