"""What a monitoring system would have seen of a trial: scrapes, their text in OpenMetrics, and alert rules."""
