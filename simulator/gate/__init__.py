"""The gate on election timing: an accepted baseline, the trials of a candidate, and the verdict."""
