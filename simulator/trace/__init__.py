"""What happened in a trial, in rows: written by a host, read by metrics, checks and reports."""
