"""One record for each metric: its definition, columns, statistics, comparisons, gate figures and table rows."""
