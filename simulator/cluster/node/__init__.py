"""A virtual node: its timers, clocks, disk and service time."""
