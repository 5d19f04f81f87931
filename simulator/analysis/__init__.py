"""From the tables of a run to summaries and comparisons."""
