"""The benchmark of `make bench`: this simulator against SimPy and samesim, as ratios measured in one run."""
