"""The network: links, loss, topology, and the rules that faults put on links."""
