"""Pure functions from traces to numbers, with the definitions of docs/metrics.md."""
