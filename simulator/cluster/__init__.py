"""The SimPy host: nodes, timers, clocks, disks, network and faults. The only package that knows SimPy."""
